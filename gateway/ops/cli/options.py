"""Options that several commands share."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gateway.contracts.errors import EXIT_USAGE, GatewayError

config_option = click.option(
    "-c",
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Configuration file [default: PAKKEHJEM_CONFIG].",
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
file_argument = click.argument("file", type=click.Path(path_type=Path))


class FileNotReadableError(GatewayError):
    """A file that was named can not be read."""

    code = "file"
    exit_code = EXIT_USAGE


def read_bytes(file: Path) -> bytes:
    """The bytes of a file (`-`: standard input).

    Raises:
        FileNotReadableError: it can not be read.
    """
    if str(file) == "-":
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        raise FileNotReadableError(f"{file} can not be read: {error.strerror}") from None
