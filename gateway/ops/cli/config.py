"""`pakkehjem config`: what is in force."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.contracts.errors import EXIT_DONE
from gateway.ops.cli.options import config_option, json_option
from gateway.ops.configuration import load
from gateway.ops.console import print_json, printable
from gateway.ops.effective import as_toml, effective


@click.group()
def command() -> None:
    """Show the configuration that is in force.

    Example: pakkehjem config show -c gateway.toml
    """


@command.command()
@config_option
@json_option
def show(config: Path | None, *, as_json: bool) -> int:
    """Show every value that is in force: of the file, the environment and the defaults. Secrets are masked.

    Example: pakkehjem config show -c gateway.toml --json
    """
    document = effective(load(config))
    if as_json:
        print_json(document)
    else:
        click.echo(printable(as_toml(document)))
    return EXIT_DONE
