"""What the tests of the simulation share: a PKI, the register, and a gateway's messages made by hand."""

from __future__ import annotations

import functools
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from gateway.contracts.messages import Format
from gateway.contracts.queues import Delivery, Envelope
from gateway.contracts.registry import Endpoint, PartyKind
from gateway.contracts.summary import Summary
from gateway.formats import write_message
from gateway.intake.intake import Intake, IntakePolicy
from gateway.ops.simulation.behaviour import Behaviour, Shares
from gateway.ops.simulation.hospital import Hospitals
from gateway.ops.simulation.ledger import Ledger
from gateway.ops.simulation.notes import Note, NoteBook
from gateway.ops.simulation.receivers import Receivers
from gateway.ops.simulation.traffic import Opener
from gateway.rendering import RenderingOrder, render
from gateway.routing.parties import endpoint_party, hospital_party
from gateway.routing.register_file import RegisterFile
from gateway.security import test_pki
from gateway.security.keys import KeyStore
from gateway.security.signature import XmlSigner, XmlVerifier
from gateway.security.trust import TrustStore
from schemas import SchemaSet
from tests.conftest import NOTES, REGISTRY

HOSPITAL = "310000107"
"""Nordvik, which sends the notes of dips"""
OTHER_HOSPITAL = "310000115"
GATEWAY = "310009999"


@dataclass(frozen=True)
class Keys:
    signer: XmlSigner
    verifier: XmlVerifier


@functools.cache
def register() -> RegisterFile:
    return RegisterFile.load(REGISTRY)


@functools.cache
def sample_book() -> NoteBook:
    return NoteBook.load(NOTES, 1)


@functools.cache
def schema_set() -> SchemaSet:
    return SchemaSet()


def make_keys(folder: Path) -> Keys:
    parties = [("Gateway", GATEWAY), ("Nordvik", HOSPITAL), ("Fjellheim", OTHER_HOSPITAL)]
    test_pki.create(folder, parties, now=datetime.now(UTC))
    return Keys(
        signer=XmlSigner(KeyStore(folder / "signing", default_org_no=GATEWAY)),
        verifier=XmlVerifier(TrustStore.from_files([folder / "root.pem"])),
    )


@dataclass
class Actors:
    """Hospitals and receivers around a ledger, and a gateway that is played by the test."""

    keys: Keys
    shares: Shares = field(default_factory=Shares)
    answered: int = 0
    """How many of twenty replies hospitals answer"""

    def __post_init__(self) -> None:
        self.registry = register()
        self.ledger = Ledger(self.registry)
        self.book = sample_book()
        self.intake = Intake(schema_set(), self.keys.verifier, IntakePolicy())
        opener = Opener(self.intake, must_be_signed=True, gateway_org_no=GATEWAY)
        behaviour = Behaviour(1, replace(self.shares, answered=self.answered))
        self.hospitals = Hospitals(
            self.registry, self.keys.signer, opener, self.ledger, "pakkehjem_in", behaviour
        )
        self.receivers = Receivers(self.registry, self.keys.signer, opener, self.ledger, behaviour)

    def note(self, beginning: str, round_number: int = 0) -> Note:
        index = next(i for i, s in enumerate(self.book.samples) if s.name.startswith(beginning))
        return self.book.note(index, round_number)

    def endpoint(self, her_id: str) -> Endpoint:
        endpoint = self.registry.endpoint(her_id)
        assert endpoint is not None
        return endpoint

    def sending(
        self, note: Note, her_id: str, *, signed_by: str | None = HOSPITAL, chosen: Format | None = None
    ) -> Delivery:
        """What the gateway makes of a note, as the receiver takes it."""
        endpoint = self.endpoint(her_id)
        hospital = self.registry.hospital(note.facts.sender[0])
        assert hospital is not None
        order = RenderingOrder(
            format=chosen or endpoint.accepts[0],
            msg_id=str(uuid.uuid4()),
            at=datetime.now(UTC).replace(microsecond=0),
            sender=hospital_party(hospital, self.registry.unit(note.facts.sender[-1])),
            receiver=endpoint_party(endpoint),
            receiver_is_gp=endpoint.kind is PartyKind.GP,
            document_id=str(uuid.uuid4()),
            processing_status="D",
        )
        body = write_message(render(summary_of(note), order))
        if signed_by is not None:
            body = self.keys.signer.sign(body, org_no=signed_by)
        return delivery(endpoint.queue, body, {"toHerId": her_id}, order.msg_id)


def summary_of(note: Note) -> Summary:
    """The summary that a person reads, with a text to stand for the note."""
    file = NOTES / f"{note.sample.name}.expected.json"
    document = json.loads(file.read_bytes())["summary"]
    return Summary.model_validate_json(json.dumps(document | {"note": "Notatet."}))


def delivery(
    queue: str, body: bytes, headers: Mapping[str, str] | None = None, message_id: str = "m"
) -> Delivery:
    envelope = Envelope(body=body, message_id=message_id, headers=headers or {})
    return Delivery(queue=queue, envelope=envelope, tag=0, redelivered=False)
