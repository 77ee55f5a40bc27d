"""`pakkehjem init`: a folder with everything that a first run needs."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

from gateway.contracts.errors import ConfigurationError
from gateway.ops.samples import registry_file
from gateway.ops.template import configuration_text
from gateway.routing.register_file import RegisterFile
from gateway.security import test_pki
from gateway.security.vault import new_key_file

GATEWAY_HER_ID = "8999900"
GATEWAY_ORG_NO = "310009999"


def initialise(
    directory: Path, *, broker: str | None = None, journal: str | None = None, register: Path | None = None
) -> Path:
    """Write a configuration with a test PKI, the journal's key and a register.

    Returns:
        The configuration file.

    Raises:
        ConfigurationError: there is one already, or the register can not be used.
    """
    target = directory / "gateway.toml"
    if target.exists():
        raise ConfigurationError(
            f"{target} is there already", hint="choose another folder; nothing was changed"
        )
    source = register or registry_file()
    registry = RegisterFile.load(source)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, directory / "register.toml")
    except OSError as error:
        raise ConfigurationError(f"{directory} can not be written: {error.strerror}") from None
    test_pki.create(directory / "pki", _parties(registry), now=datetime.now(UTC))
    new_key_file(directory / "journal.key")
    text = configuration_text(
        broker=broker or "embedded:queue.sqlite",
        journal=journal or "sqlite:journal.sqlite",
        her_id=GATEWAY_HER_ID,
        org_no=GATEWAY_ORG_NO,
    )
    target.write_text(text, encoding="utf-8")
    return target


def _parties(registry: RegisterFile) -> list[tuple[str, str]]:
    """Who gets a certificate: name and number (organisation number, else HER-id), the gateway first."""
    parties = {GATEWAY_ORG_NO: "Pakkeforløp hjem gateway"}
    for hospital in registry.hospitals:
        if hospital.org_no:
            parties.setdefault(hospital.org_no, hospital.name)
    for endpoint in registry.endpoints:
        number = endpoint.org_no or endpoint.organisation_her_id
        parties.setdefault(number, endpoint.organisation_name)
    return [(name, org_no) for org_no, name in parties.items()]
