"""`pakkehjem schemas`: what messages are validated against."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.contracts.errors import EXIT_DONE, GatewayError
from gateway.ops.cli.options import json_option
from gateway.ops.console import print_json, say, table
from schemas import SchemaError, add, default_official_directory, list_schemas


@click.group()
def command() -> None:
    """Show the schemas in use; add the official ones, which then apply as well.

    Example: pakkehjem schemas list
    """


@command.command("list")
@json_option
def list_all(*, as_json: bool) -> int:
    """List the schemas: the project's own, and the official ones that were added.

    Example: pakkehjem schemas list --json
    """
    found = list_schemas(default_official_directory())
    if as_json:
        print_json(
            [
                {"name": s.name, "namespace": s.namespace, "version": s.version, "origin": s.origin}
                for s in found
            ]
        )
    else:
        table(
            ["name", "version", "origin", "namespace"],
            [(s.name, s.version, s.origin, s.namespace) for s in found],
        )
    return EXIT_DONE


@command.command("add")
@click.argument("path", type=click.Path(path_type=Path))
def add_official(path: Path) -> int:
    """Add the official schemas: a folder that holds all.xsd, or the tree of the published files.

    Example: pakkehjem schemas add official/xsd
    """
    target = default_official_directory()
    try:
        names = add(path, target)
    except SchemaError as error:
        raise GatewayError(f"{path}: {error}; nothing was changed") from None
    click.echo(f"{len(names)} schemas in {target}")
    say("they apply from the next start, besides the gateway's own")
    return EXIT_DONE
