"""`pakkehjem validate`: format, schema and findings of messages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gateway.contracts.errors import EXIT_DONE, EXIT_NO
from gateway.ops.cli.options import files_argument, json_option, read_bytes, register_option
from gateway.ops.console import print_json, printable
from gateway.ops.conversion import load_register
from gateway.ops.validation import validate_message


@click.command()
@files_argument
@register_option
@json_option
def command(files: tuple[Path, ...], register: Path | None, *, as_json: bool) -> int:
    """Check messages: well-formed, format, schema (line and path), findings. No value is shown.

    Ends with 1 if a message is not valid; findings alone leave it valid.

    Example: pakkehjem validate note.xml
    """
    registry = load_register(register)
    reports = [validate_message(str(file), read_bytes(file), registry) for file in files]
    if as_json:
        print_json(reports)
    else:
        for report in reports:
            _show(report)
    return EXIT_DONE if all(r["schema_valid"] for r in reports) else EXIT_NO


def _show(report: dict[str, Any]) -> None:
    verdict = "valid" if report["schema_valid"] else "NOT VALID"
    click.echo(printable(f"{report['file']}: {report['format'] or 'unknown format'}, {verdict}"))
    for error in report["errors"]:
        # The sentence says the line and the path itself.
        click.echo(printable(f"  {error['message']} [{error['code']}]"))
    for found in report["findings"]:
        click.echo(f"  {found['severity']:8} {found['code']} {found['message']}")
