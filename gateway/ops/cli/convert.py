"""`pakkehjem convert`: one message in, no service."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gateway.contracts.errors import EXIT_DONE, EXIT_NO, AdapterError, GatewayError
from gateway.contracts.findings import Disposition
from gateway.ops.cli.options import file_argument, read_bytes
from gateway.ops.console import print_json, say
from gateway.ops.conversion import Conversion, convert_message, written_as

_FORMATS = (
    "json",
    "summary-1",
    "dialogmelding-1.0",
    "dialogmelding-1.1",
    "plo-1.5",
    "plo-1.6",
    "epikrise-1.1",
    "epikrise-1.2",
    "html",
    "text",
)


@click.command()
@file_argument
@click.option("--to", "target", type=click.Choice(_FORMATS), default="json", show_default=True)
@click.option("--adapter", help="Read it as this system writes, whatever it looks like.")
@click.option("--register", type=click.Path(path_type=Path), help="Address register (TOML).")
@click.option("--explain", is_flag=True, help="Show where each field came from. Holds patient data.")
def command(file: Path, target: str, adapter: str | None, register: Path | None, *, explain: bool) -> int:
    """Read one message and show what the gateway makes of it.

    Example: pakkehjem convert note.xml --to json --register register.toml
    """
    data = read_bytes(file)
    conversion = convert_message(data, register=register, adapter=adapter)
    if explain:
        _explain(conversion)
        return EXIT_DONE
    if target == "json":
        print_json(conversion.document())
        return EXIT_DONE if conversion.disposition is not Disposition.REJECT else EXIT_NO
    if conversion.summary is None:
        say(f"{file.name}: {conversion.refusal}")
        return EXIT_NO
    try:
        sys.stdout.buffer.write(written_as(conversion, target))
    except AdapterError:
        raise
    except ValueError as error:
        raise GatewayError(f"the note can not be written as {target}: {error}") from None
    return EXIT_DONE


def _explain(conversion: Conversion) -> None:
    for evidence in conversion.evidence:
        click.echo(f"{evidence.field}")
        click.echo(f"  «{evidence.words}»")
        click.echo(f"  {evidence.place}" + (f" ({evidence.rule})" if evidence.rule else ""))
    for piece in conversion.unplaced:
        click.echo("not placed")
        click.echo(f"  «{piece}»")
