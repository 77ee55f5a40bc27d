"""`pakkehjem init`: a working configuration."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.contracts.errors import EXIT_DONE
from gateway.ops.console import say
from gateway.ops.initialise import initialise


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--broker", metavar="URL", help="amqps://… for RabbitMQ [default: the embedded queue].")
@click.option("--journal", metavar="URL", help="postgresql://… [default: SQLite].")
@click.option(
    "--register",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Copy this register [default: a sample].",
)
def command(directory: Path, broker: str | None, journal: str | None, register: Path | None) -> int:
    """Write DIRECTORY/gateway.toml with a test PKI, the journal's key and a register.

    What stands there already is never written over. A password in a URL goes into a file of its own.

    Example: pakkehjem init here && pakkehjem run -c here/gateway.toml
    """
    say("making keys and certificates for the test PKI …")
    target = initialise(directory, broker=broker, journal=journal, register=register)
    click.echo(target)
    say(f"next: pakkehjem run -c {target}")
    return EXIT_DONE
