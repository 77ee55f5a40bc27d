"""`pakkehjem convert`: one message in, no service."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from gateway.contracts.errors import EXIT_DONE, EXIT_NO
from gateway.contracts.findings import Disposition
from gateway.ops.cli.options import about, file_argument, read_bytes, register_option
from gateway.ops.console import print_bytes, print_json, printable, say
from gateway.ops.conversion import (
    Conversion,
    check_adapter,
    convert_message,
    load_register,
    page_of,
    written_as,
)

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

_KINDS = ("area", "responsible", "relation")
"""What an item of a list is, beside its text"""
_STEP = re.compile(r"(\w+)(?:\[(\d+)\])?")


@click.command()
@file_argument
@click.option(
    "--to",
    "target",
    type=click.Choice(_FORMATS),
    default="json",
    metavar="FORMAT",
    help=f"{', '.join(_FORMATS)}  [default: json]",
)
@click.option("--adapter", metavar="NAME", help="Read it as this system writes, whatever it looks like.")
@register_option
@click.option("--explain", is_flag=True, help="Show where each field came from. Holds patient data.")
def command(file: Path, target: str, adapter: str | None, register: Path | None, *, explain: bool) -> int:
    """Read one message and show what the gateway makes of it.

    Ends with 1 if the message is rejected; the reason is on standard error. With `--to html` a receipt, a
    reply or any other message is shown, too.

    Example: pakkehjem convert note.xml --to json --register register.toml
    """
    check_adapter(adapter)
    registry = load_register(register)
    data = read_bytes(file)
    conversion = convert_message(data, registry=registry, adapter=adapter)
    if target == "html" and conversion.summary is None and (shown := page_of(data)) is not None:
        # A receipt or a reply has no summary, and is shown as it is.
        print_bytes(shown.encode())
        return EXIT_DONE
    if conversion.refusal is not None:
        say(f"{file}: {conversion.refusal}")
        if not conversion.findings:
            say(f"  pakkehjem validate {file} shows where and why")
    if explain:
        _explain(conversion)
    elif target == "json":
        print_json(conversion.document())
    elif conversion.summary is not None:
        with about(file):
            print_bytes(written_as(conversion, target))
        return EXIT_DONE
    return EXIT_NO if conversion.disposition is Disposition.REJECT else EXIT_DONE


def _explain(conversion: Conversion) -> None:
    document = conversion.document()["summary"]
    order = list(document or {})
    for evidence in sorted(conversion.evidence, key=lambda one: order.index(_STEP.findall(one.field)[0][0])):
        value = _at(document, evidence.field)
        shown = "" if value is None else f" = {value}"
        rule = f" ({evidence.rule})" if evidence.rule else ""
        click.echo(printable(f"{evidence.field}{shown}\n  «{evidence.words}»\n  {evidence.place}{rule}"))
    for piece in conversion.unplaced:
        click.echo(printable(f"not placed\n  «{piece}»"))


def _at(document: object, path: str) -> object:
    """The value at `needs[0].text`; of an item of a list what it is beside its text; else None."""
    found: Any = document
    for name, index in _STEP.findall(path):
        found = found.get(name) if isinstance(found, dict) else None
        if index:
            found = found[int(index)] if isinstance(found, list) and int(index) < len(found) else None
    if isinstance(found, dict):
        return next((found[key] for key in _KINDS if found.get(key) is not None), None)
    return None if isinstance(found, list) else found
