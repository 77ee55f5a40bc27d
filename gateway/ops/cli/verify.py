"""`pakkehjem verify`: who signed a message, and what the signature covers."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from gateway.contracts.errors import EXIT_DONE, EXIT_NO, PermanentError
from gateway.contracts.ports import Verified
from gateway.formats import read_head
from gateway.ops.cli.options import config_option, file_argument, json_option, read_bytes
from gateway.ops.configuration import CONFIG_VARIABLE, load
from gateway.ops.console import fact, print_json, say
from gateway.security.errors import SignatureRefusedError
from gateway.security.gate import parse
from gateway.security.signature import XmlVerifier
from gateway.security.signature_structure import check_structure
from gateway.security.trust import TrustStore


@click.command()
@file_argument
@click.option(
    "--trust", multiple=True, type=click.Path(path_type=Path), metavar="CA.pem", help="Root certificate."
)
@click.option("--when-sent", is_flag=True, help="Was the certificate valid when the message was made?")
@config_option
@json_option
def command(
    file: Path, trust: tuple[Path, ...], config: Path | None, *, when_sent: bool, as_json: bool
) -> int:
    """Check the signature of a message. The reason of a refusal is a stable code.

    Example: pakkehjem verify --trust pki/root.pem signed.xml
    """
    roots = _roots(trust, config)
    data = read_bytes(file)
    try:
        verified = _verified(data, roots, at=_generated_at(data) if when_sent else None)
    except PermanentError as error:
        code = getattr(error, "reason", error.code)
        if as_json:
            print_json({"valid": False, "code": code, "signer": None, "covers": None})
        say(f"{file}: refused: {error.message} [{code}]")
        if not roots:
            say("  nobody is trusted: name a root with --trust CA.pem, or use -c FILE")
        return EXIT_NO
    if as_json:
        print_json(_document(verified))
    else:
        signer = verified.signer
        click.echo(f"{file}: good signature")
        fact("covers", verified.covers)
        fact("signer", signer.subject)
        fact("organisation", signer.org_no or "-")
        fact("serial", signer.serial)
        fact("valid until", signer.not_after.isoformat())
    return EXIT_DONE


def _verified(data: bytes, roots: list[Path], *, at: datetime | None) -> Verified:
    if roots:
        return XmlVerifier(TrustStore.from_files(roots)).verify(data, at=at)
    check_structure(parse(data))
    raise SignatureRefusedError("certificate-untrusted")


def _roots(trust: tuple[Path, ...], config: Path | None) -> list[Path]:
    """The files that are named, else those of the configuration, else none: then nobody is trusted."""
    if trust or (config is None and not os.environ.get(CONFIG_VARIABLE)):
        return list(trust)
    configuration = load(config)
    return [configuration.path(path) for path in configuration.signing.trust]


def _document(verified: Verified) -> dict[str, Any]:
    signer = verified.signer
    return {
        "valid": True,
        "code": "ok",
        "signer": {
            "subject": signer.subject,
            "org_no": signer.org_no,
            "serial": signer.serial,
            "not_after": signer.not_after.isoformat(),
        },
        "covers": verified.covers,
    }


def _generated_at(data: bytes) -> datetime | None:
    head = read_head(parse(data))
    return head.sent_at if head is not None else None
