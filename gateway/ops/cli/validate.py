"""`pakkehjem validate`: format, schema and findings of messages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gateway.contracts.errors import EXIT_DONE, EXIT_NO
from gateway.ops.cli.options import json_option, read_bytes
from gateway.ops.console import print_json
from gateway.ops.validation import validate_message


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--register", type=click.Path(path_type=Path), help="Address register (TOML).")
@json_option
def command(files: tuple[Path, ...], register: Path | None, *, as_json: bool) -> int:
    """Check messages: well-formed, format, schema (line and path), findings. No value is shown.

    Example: pakkehjem validate note.xml
    """
    reports = [validate_message(file.name, read_bytes(file), register) for file in files]
    for report, file in zip(reports, files, strict=True):
        report["file"] = str(file)
    if as_json:
        print_json(reports)
    else:
        for report in reports:
            _show(report)
    return EXIT_DONE if all(r["schema_valid"] for r in reports) else EXIT_NO


def _show(report: dict[str, Any]) -> None:
    verdict = "valid" if report["schema_valid"] else "NOT VALID"
    click.echo(f"{report['file']}: {report['format'] or 'unknown format'}, {verdict}")
    for error in report["errors"]:
        where = f"line {error['line']}, " if error["line"] else ""
        click.echo(f"  {where}{error['path'] or '/'}: {error['message']} [{error['code']}]")
    for found in report["findings"]:
        click.echo(f"  {found['severity']:8} {found['code']} {found['message']}")
