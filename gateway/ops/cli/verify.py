"""`pakkehjem verify`: who signed a message, and what the signature covers."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from gateway.contracts.errors import EXIT_DONE, EXIT_NO, ConfigurationError, PermanentError
from gateway.contracts.ports import MessageVerifier
from gateway.formats import read_head
from gateway.ops.cli.options import config_option, file_argument, json_option, read_bytes
from gateway.ops.composition import message_verifier
from gateway.ops.configuration import CONFIG_VARIABLE, load
from gateway.ops.console import print_json
from gateway.security.gate import parse
from gateway.security.trust import TrustStore
from gateway.security.signature import XmlVerifier


@click.command()
@file_argument
@click.option("--trust", multiple=True, type=click.Path(path_type=Path), help="Root certificate (PEM).")
@click.option("--now", "at_now", is_flag=True, help="Check the certificate now, not at GenDate.")
@config_option
@json_option
def command(file: Path, trust: tuple[Path, ...], config: Path | None, *, at_now: bool, as_json: bool) -> int:
    """Check the signature of a message. The reason of a refusal is a stable code.

    Example: pakkehjem verify --trust pki/root.pem signed.xml
    """
    data = read_bytes(file)
    report = _report(_verifier(trust, config), data, at_now=at_now)
    if as_json:
        print_json(report)
    elif report["valid"]:
        signer = report["signer"]
        click.echo(f"{file.name}: good signature over the {report['covers']}")
        click.echo(f"  by {signer['subject']} (organisation {signer['org_no']}), serial {signer['serial']}")
        click.echo(f"  certificate valid until {signer['not_after']}")
    else:
        click.echo(f"{file.name}: refused: {report['code']}: {report['message']}")
    return EXIT_DONE if report["valid"] else EXIT_NO


def _verifier(trust: tuple[Path, ...], config: Path | None) -> MessageVerifier:
    if trust:
        return XmlVerifier(TrustStore.from_files(list(trust)))
    if config is None and not os.environ.get(CONFIG_VARIABLE):
        raise ConfigurationError("nobody is trusted", hint="--trust CA.pem, or -c FILE")
    return message_verifier(load(config))


def _report(verifier: MessageVerifier, data: bytes, *, at_now: bool) -> dict[str, Any]:
    try:
        verified = verifier.verify(data, at=None if at_now else _generated_at(data))
    except PermanentError as error:
        code = getattr(error, "reason", error.code)
        return {"valid": False, "code": code, "signer": None, "covers": None, "message": error.message}
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
