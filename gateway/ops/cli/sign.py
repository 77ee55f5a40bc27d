"""`pakkehjem sign`: XML-DSig on a MsgHead message."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gateway.contracts.errors import EXIT_DONE
from gateway.ops.cli.options import config_option, file_argument, read_bytes
from gateway.ops.composition import message_signer
from gateway.ops.configuration import load
from gateway.security.gate import parse


@click.command()
@file_argument
@click.option("--org-no", help="Sign with the key of this organisation [default: the gateway's own].")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to a file.")
@config_option
def command(file: Path, org_no: str | None, output: Path | None, config: Path | None) -> int:
    """Sign a MsgHead message: enveloped, RSA-SHA256, exclusive c14n, certificate in KeyInfo.

    Example: pakkehjem sign -c gateway.toml note.xml -o signed.xml
    """
    configuration = load(config)
    data = read_bytes(file)
    parse(data)
    signed = message_signer(configuration).sign(data, org_no=org_no or configuration.gateway.org_no)
    if output is not None:
        output.write_bytes(signed)
    else:
        sys.stdout.buffer.write(signed)
    return EXIT_DONE
