"""What a measured gateway stands in: keys, register and configuration, in one folder."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway.ops.initialise import GATEWAY_HER_ID, GATEWAY_ORG_NO
from gateway.ops.samples import registry_file
from gateway.security import test_pki
from gateway.security.vault import new_key_file

RECEIVING = {"municipality": ["plo-1.6"], "gp": ["dialogmelding-1.1"]}
"""What receivers accept here: formats that are signed, and have a place for attachments"""


class World:
    """A folder that gateways are configured in; they share keys and differ in queues and journal."""

    def __init__(self, folder: Path, *, key_bits: int) -> None:
        """Make it.

        Args:
            folder: an empty one.
            key_bits: of every RSA key.
        """
        self.folder = folder
        self.key_bits = key_bits
        self.register: dict[str, Any] = tomllib.loads(registry_file().read_text(encoding="utf-8"))
        for kind, accepts in RECEIVING.items():
            for entry in self.register[kind]:
                entry["accepts"] = accepts
        parties = [(GATEWAY_ORG_NO, "Pakkeforløp hjem gateway")]
        parties += [(hospital["org_no"], hospital["name"]) for hospital in self.register["hospital"]]
        folder.mkdir(parents=True, exist_ok=True)
        test_pki.create(
            folder / "pki",
            [(name, number) for number, name in parties],
            now=datetime.now(UTC),
            key_size=key_bits,
        )
        new_key_file(folder / "journal.key")

    def configure(
        self,
        name: str,
        *,
        broker: str,
        journal: str,
        sign: bool = True,
        register: Mapping[str, Any] | None = None,
        flow: Mapping[str, object] | None = None,
    ) -> Path:
        """Write the configuration of one gateway, whose queues all begin with its name.

        Args:
            name: letters, digits and hyphens.
            broker: URL of the queues.
            journal: URL of the journal.
            sign: whether it signs what it sends.
            register: another register than the sample's.
            flow: settings of that section.
        """
        named = _with_queues(register or self.register, name)
        (self.folder / f"{name}.register.toml").write_text(_toml(named), encoding="utf-8")
        document = {
            "gateway": {"her_id": GATEWAY_HER_ID, "org_no": GATEWAY_ORG_NO},
            "queues": {"url": broker, "inbound": inbound_queue(name)},
            "journal": {"url": journal, "key_file": "journal.key"},
            "registry": {"file": f"{name}.register.toml"},
            # Nothing is encrypted, only the project's own schemas apply: the same for all that is measured.
            "signing": {
                "sign_outgoing": sign,
                "encryption_keys": "none",
                "encryption_certificates": "none",
            },
            "schemas": {"official": "none"},
            "flow": dict(flow or {}),
        }
        file = self.folder / f"{name}.toml"
        file.write_text(_toml(document), encoding="utf-8")
        file.chmod(0o600)
        return file


def inbound_queue(name: str) -> str:
    """What the hospitals' record systems write to."""
    return f"{name}.in"


def hospital_queue(name: str, her_id: str) -> str:
    """What municipalities and GPs write to for a hospital."""
    return f"{name}.{her_id}"


def record_system_queue(name: str, her_id: str) -> str:
    """What a hospital's record system reads."""
    return f"{name}.epj.{her_id}"


def _with_queues(register: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The register with queues of its own for each party."""
    named = {kind: [dict(entry) for entry in entries] for kind, entries in register.items()}
    for hospital in named["hospital"]:
        hospital["queue"] = hospital_queue(name, hospital["her_id"])
        hospital["record_system_queue"] = record_system_queue(name, hospital["her_id"])
    for entry in named["municipality"]:
        entry["queue"] = f"{name}.{entry['service']['her_id']}"
    for entry in named["gp"]:
        entry["queue"] = f"{name}.{entry['her_id']}"
    return named


def _toml(document: Mapping[str, Any]) -> str:
    """Tables with values that are strings, numbers, truths, lists and tables within."""
    return "".join(f"{key} = {_value(value)}\n" for key, value in document.items())


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_value(each)}" for key, each in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(_value, value)) + "]"
    # What JSON writes as a string, a number or a truth, TOML reads as one.
    return json.dumps(value, ensure_ascii=False)
