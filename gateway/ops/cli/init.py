"""`pakkehjem init`: a working configuration."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.contracts.errors import EXIT_DONE
from gateway.ops.console import say
from gateway.ops.initialise import initialise


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--broker", help="amqp://… for RabbitMQ [default: the embedded queue].")
@click.option("--journal", help="postgresql://… [default: SQLite].")
@click.option("--register", type=click.Path(path_type=Path), help="Copy this register, not the sample.")
def command(directory: Path, broker: str | None, journal: str | None, register: Path | None) -> int:
    """Write DIRECTORY/gateway.toml with a test PKI, the journal's key and a register.

    Example: pakkehjem init here && pakkehjem run -c here/gateway.toml
    """
    say("making keys and certificates for the test PKI …")
    target = initialise(directory, broker=broker, journal=journal, register=register)
    click.echo(target)
    say(f"next: pakkehjem run -c {target}")
    return EXIT_DONE
