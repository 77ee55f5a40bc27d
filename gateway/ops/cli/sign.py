"""`pakkehjem sign`: XML-DSig on a MsgHead message."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.contracts.errors import EXIT_DONE, LocalError
from gateway.formats import read_head
from gateway.ops.cli.options import about, config_option, file_argument, read_bytes
from gateway.ops.configuration import load
from gateway.ops.console import print_bytes, say
from gateway.security.gate import parse
from gateway.security.keys import KeyStore
from gateway.security.signature import XmlSigner


@click.command()
@file_argument
@click.option("--org-no", metavar="NUMBER", help="Whose key to use [default: the sender's, else our own].")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write to a file.")
@config_option
def command(file: Path, org_no: str | None, output: Path | None, config: Path | None) -> int:
    """Sign a MsgHead message: enveloped, RSA-SHA256, exclusive c14n, certificate in KeyInfo.

    An epikrise has no place for such a signature.

    Example: pakkehjem sign -c gateway.toml note.xml -o signed.xml
    """
    configuration = load(config)
    directory = configuration.path(configuration.signing.keys)
    keys = KeyStore(directory, default_org_no=configuration.gateway.org_no)
    if org_no is not None and org_no not in keys.certificates():
        raise LocalError(
            f"{directory} holds no key for organisation {org_no}",
            hint=f"put {org_no}.key.pem and {org_no}.cert.pem there",
        )
    data = read_bytes(file)
    with about(file):
        signed = XmlSigner(keys).sign(data, org_no=org_no or _sender(data))
    if output is None:
        print_bytes(signed)
    else:
        output.write_bytes(signed)
        say(f"next: pakkehjem verify {output}")
    return EXIT_DONE


def _sender(data: bytes) -> str | None:
    """The organisation number of the message's sender."""
    head = read_head(parse(data))
    return head.sender.organisation.org_no if head is not None and head.sender is not None else None
