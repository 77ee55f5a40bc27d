"""`pakkehjem schemas`: what messages are validated against."""

from __future__ import annotations

import os
from pathlib import Path

import click

from gateway.contracts.audit import AuditAction
from gateway.contracts.errors import EXIT_DONE, GatewayError
from gateway.ops.auditing import audit_entry, audited
from gateway.ops.cli.options import config_option, json_option
from gateway.ops.configuration import CONFIG_VARIABLE, load
from gateway.ops.console import print_json, say, table
from gateway.ops.counted import counted
from gateway.ops.stores import open_journal
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
@config_option
def add_official(path: Path, config: Path | None) -> int:
    """Add the official schemas: a folder that holds all.xsd, or the tree of the published files.

    With a configuration, to the folder that it names, and the audit log says so.

    Example: pakkehjem schemas add official/xsd -c gateway.toml
    """
    if config is None and CONFIG_VARIABLE not in os.environ:
        target = default_official_directory()
        names = _added(path, target)
    else:
        configuration = load(config)
        official = configuration.schemas.official
        target = configuration.path(official) if official is not None else default_official_directory()
        journal = open_journal(configuration)
        try:
            with audited(journal, audit_entry(AuditAction.SCHEMAS_ADD)) as facts:
                names = _added(path, target)
                facts["schemas"] = len(names)
        finally:
            journal.close()
    click.echo(f"{counted(len(names), 'schema')} in {target}")
    say("they apply from the next start, besides the gateway's own")
    return EXIT_DONE


def _added(path: Path, target: Path) -> list[str]:
    try:
        return list(add(path, target))
    except SchemaError as error:
        raise GatewayError(f"{path}: {error}; nothing was changed") from None
