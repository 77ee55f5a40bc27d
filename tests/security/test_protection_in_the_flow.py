"""CMS, spoofing and certificates through the whole gateway."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate, load_pem_x509_certificates
from cryptography.x509.oid import NameOID

from gateway.contracts.errors import TransientError
from gateway.contracts.queues import Delivery, Envelope
from gateway.contracts.registry import ContentCipher
from gateway.contracts.states import InboundKind, InboundState, SendingKind, SendingState
from gateway.formats import identify
from gateway.ops.logging import configure_logging
from gateway.ops.security import message_signer, message_verifier
from gateway.security.cms import CONTENT_TYPE, CmsOpener, protect
from gateway.security.gate import parse
from gateway.security.keys import DecryptionKey, KeyStore, SigningKey
from gateway.security.revocation import Revocation
from gateway.security.signature import XmlSigner, has_signature
from gateway.security.signers import SignerCheck
from gateway.security.trust import TrustStore
from tests.flow.harness import ALL_KINDS, Gateway, note, receipt, with_new_id
from tests.flow.test_receipts_and_replies import reply_to
from tests.security import pki

HOSPITAL, HOSPITAL_ORG = "8900100", "310000107"
UNIT, OTHER_HOSPITAL = "8900101", "8900200"
MUNICIPALITY, GP = "8910031", "8920031"
MUNICIPALITY_ORG = "310000202"


def sets(register: str, her_id: str, line: str) -> str:
    """The register with a line more in the entry that a HER-id stands in."""
    place = register.index("accepts", register.index(f'"{her_id}"'))
    return f"{register[:place]}{line}\n{register[place:]}"


@pytest.fixture
def gateway(config: Path) -> Iterator[Gateway]:
    running = Gateway(config)
    yield running
    running.close()


@pytest.fixture
def protecting(config: Path) -> Iterator[Gateway]:
    """The municipality gets CMS alone, with GCM; the GP gets CMS and a signature."""
    path = config.parent / "register.toml"
    register = sets(path.read_text(), MUNICIPALITY, 'protection = "cms"\nencryption = "aes-256-gcm"')
    path.write_text(sets(register, GP, 'protection = "both"'))
    running = Gateway(config)
    yield running
    running.close()


class Party:
    """A party of the test PKI: reads with its own key, signs with its own."""

    def __init__(self, gateway: Gateway, number: str) -> None:
        self._pki = gateway.config.parent / "pki"
        self._number = number
        self._trust = TrustStore.from_files([self._pki / "root.pem"])

    def current(self) -> Sequence[DecryptionKey]:
        return (DecryptionKey(self._private("encryption"), self._certificates("encryption")[0]),)

    def reads(self, delivery: Delivery) -> tuple[bytes, str | None]:
        """What an envelope holds, and the organisation that signed it."""
        assert delivery.envelope.content_type == CONTENT_TYPE
        opener = CmsOpener(self, SignerCheck(self._trust), max_bytes=1_000_000)
        verified = opener.open(delivery.envelope.body)
        return verified.signed, verified.signer.org_no

    def protects(self, data: bytes, *, for_: str = "310009999") -> bytes:
        key = SigningKey(self._private("signing"), tuple(self._certificates("signing")))
        recipient = (self._pki / "encryption" / f"{for_}.cert.pem").read_bytes()
        return protect(data, key, load_pem_x509_certificate(recipient), ContentCipher.AES_256_CBC)

    def _private(self, kind: str) -> rsa.RSAPrivateKey:
        key = load_pem_private_key((self._pki / kind / f"{self._number}.key.pem").read_bytes(), password=None)
        assert isinstance(key, rsa.RSAPrivateKey)
        return key

    def _certificates(self, kind: str) -> list[x509.Certificate]:
        return load_pem_x509_certificates((self._pki / kind / f"{self._number}.cert.pem").read_bytes())


def put(
    gateway: Gateway, queue: str, body: bytes, *, from_her_id: str | None = None, cms: bool = False
) -> None:
    headers = {} if from_her_id is None else {"fromHerId": from_her_id}
    content_type = CONTENT_TYPE if cms else "text/plain"
    message = Envelope(body=body, message_id=str(uuid4()), headers=headers, content_type=content_type)
    gateway.worker.queue.publish([(queue, message)])
    gateway.settle()


def gp_number(gateway: Gateway) -> str:
    endpoint = gateway.registry.endpoint(GP)
    assert endpoint is not None
    return endpoint.org_no or endpoint.organisation_her_id


def test_each_receiver_gets_the_protection_of_the_register(protecting: Gateway) -> None:
    protecting.note(note("dips/01"))
    (to_municipality,) = protecting.take(f"{MUNICIPALITY}_async")
    (to_gp,) = protecting.take(f"{GP}_async")
    content, signed_by = Party(protecting, MUNICIPALITY_ORG).reads(to_municipality)
    assert signed_by == HOSPITAL_ORG
    assert not has_signature(parse(content))
    content, signed_by = Party(protecting, gp_number(protecting)).reads(to_gp)
    assert signed_by == HOSPITAL_ORG
    if identify(parse(content)).envelope == "msghead":
        assert message_verifier(protecting.configuration).verify(content).signer.org_no == HOSPITAL_ORG
    for delivery in (to_municipality, to_gp):
        assert delivery.envelope.headers["toHerId"] in {MUNICIPALITY, GP}
        assert b"Kreft" not in delivery.envelope.body


def test_what_the_journal_keeps_is_the_message_itself(protecting: Gateway) -> None:
    protecting.note(note("dips/01"))
    (row,) = protecting.rows()
    (to_municipality,) = protecting.take(f"{MUNICIPALITY}_async")
    content, _ = Party(protecting, MUNICIPALITY_ORG).reads(to_municipality)
    bodies = [sending.body for sending in protecting.sendings(row.id, SendingKind.NOTE)]
    assert content in bodies


def test_without_a_certificate_the_message_is_kept_and_goes_out_when_there_is_one(
    protecting: Gateway,
) -> None:
    certificate = protecting.config.parent / "pki" / "encryption" / f"{MUNICIPALITY_ORG}.cert.pem"
    certificate.with_name(f"{MUNICIPALITY_ORG}.key.pem").unlink()  # in this folder are the keys of all
    elsewhere = certificate.rename(certificate.with_suffix(".away"))
    protecting.restart()
    protecting.note(note("dips/01"))
    (row,) = protecting.rows()
    waiting = {s.receiver: s for s in protecting.sendings(row.id, SendingKind.NOTE)}[MUNICIPALITY]
    assert (waiting.state, waiting.error) == (SendingState.PENDING, "local")
    assert protecting.take(f"{MUNICIPALITY}_async") == []
    elsewhere.rename(certificate)
    found = protecting.take(f"{MUNICIPALITY}_async")
    for _ in range(100):
        if found:
            break
        protecting.worker.service.step(wait_seconds=0.1)
        found = protecting.take(f"{MUNICIPALITY}_async")
    assert len(found) == 1


@pytest.fixture
def demanding(config: Path) -> Iterator[Gateway]:
    """One hospital must sign."""
    config.write_text(config.read_text().replace("require = []", f'require = ["{HOSPITAL}"]'))
    running = Gateway(config)
    yield running
    running.close()


def test_protected_messages_are_read_and_count_as_signed(demanding: Gateway) -> None:
    inbound = demanding.configuration.queues.inbound
    put(demanding, inbound, with_new_id(note("dips/01")))
    protected = Party(demanding, HOSPITAL_ORG).protects(with_new_id(note("dips/01")))
    put(demanding, inbound, protected, cms=True)
    refused, taken = demanding.rows()
    assert (refused.state, refused.reason) == (InboundState.REJECTED, "no-signature")
    assert taken.state in {InboundState.DELIVERED, InboundState.HELD}
    with demanding.worker.journal.reader() as view:
        kept = view.inbound(taken.id)
    assert kept is not None
    assert identify(parse(kept.body)).envelope == "msghead"


def test_the_same_message_encrypted_anew_is_a_repeat(gateway: Gateway) -> None:
    hospital, data = Party(gateway, HOSPITAL_ORG), note("dips/01")
    for _ in range(2):
        put(gateway, gateway.configuration.queues.inbound, hospital.protects(data), cms=True)
    assert len(gateway.rows()) == 1
    assert len(gateway.take(f"{MUNICIPALITY}_async")) == 1


def test_what_can_not_be_opened_is_kept_and_not_routed(gateway: Gateway) -> None:
    hospital = Party(gateway, HOSPITAL_ORG)
    inbound = gateway.configuration.queues.inbound
    data = hospital.protects(note("dips/01"))
    put(gateway, inbound, data[:-1] + bytes([data[-1] ^ 1]), cms=True)
    put(gateway, inbound, note("dips/01"), cms=True)
    put(
        gateway,
        inbound,
        Party(gateway, HOSPITAL_ORG).protects(note("dips/01"), for_="310000200")[:-20],
        cms=True,
    )
    rows = gateway.rows(ALL_KINDS)
    assert {row.state for row in rows} == {InboundState.REJECTED}
    assert {row.reason for row in rows} == {"cms-decryption-failed", "cms-not-readable"}
    assert gateway.take(f"{MUNICIPALITY}_async") == []


def alarms(gateway: Gateway) -> list[tuple[InboundKind, str | None]]:
    """What was refused as spoofing; nothing may have come of it but a word on the transport."""
    rows = gateway.rows(ALL_KINDS)
    for row in rows:
        names = [event.name for event in gateway.worker.journal.events(row.id)]
        assert "alert" in names
        assert row.state is InboundState.REJECTED
        assert {s.kind for s in gateway.sendings(row.id, *SendingKind)} <= {SendingKind.FAULT}
    return [(row.kind, row.reason) for row in rows]


SPOOFED = "abuse:spoofing-attack"


def test_a_note_signed_by_another_hospital(gateway: Gateway) -> None:
    forged = message_signer(gateway.configuration).sign(note("dips/01"), org_no="310000115")
    put(gateway, gateway.configuration.queues.inbound, forged)
    assert alarms(gateway) == [(InboundKind.NOTE, SPOOFED)]
    # The one that was forged has lost nothing by it.
    good = message_signer(gateway.configuration).sign(note("dips/01"), org_no=HOSPITAL_ORG)
    put(gateway, gateway.configuration.queues.inbound, good, from_her_id=UNIT)
    assert len(gateway.take(f"{MUNICIPALITY}_async")) == 1


def test_a_note_protected_by_another_hospital(gateway: Gateway) -> None:
    forged = Party(gateway, "310000115").protects(note("dips/01"))
    put(gateway, gateway.configuration.queues.inbound, forged, cms=True)
    assert alarms(gateway) == [(InboundKind.NOTE, SPOOFED)]


def test_a_note_signed_by_one_and_protected_by_another(gateway: Gateway) -> None:
    signed = message_signer(gateway.configuration).sign(note("dips/01"), org_no=HOSPITAL_ORG)
    forged = Party(gateway, "310000115").protects(signed)
    put(gateway, gateway.configuration.queues.inbound, forged, cms=True)
    assert alarms(gateway) == [(InboundKind.NOTE, SPOOFED)]


@pytest.mark.parametrize("header", [OTHER_HOSPITAL, MUNICIPALITY, "123456"])
def test_a_note_under_another_header(header: str, gateway: Gateway) -> None:
    put(gateway, gateway.configuration.queues.inbound, note("dips/01"), from_her_id=header)
    assert alarms(gateway) == [(InboundKind.NOTE, SPOOFED)]


def test_a_bad_note_under_another_header_is_answered_to_nobody(gateway: Gateway) -> None:
    bad = note("dips/08")
    put(gateway, gateway.configuration.queues.inbound, bad, from_her_id=OTHER_HOSPITAL)
    assert alarms(gateway) == [(InboundKind.NOTE, SPOOFED)]
    assert gateway.take(f"epj_{HOSPITAL}") == []


def test_receipts_and_replies_under_another_header(gateway: Gateway) -> None:
    gateway.note(note("dips/01"))
    (message,) = gateway.messages(f"{MUNICIPALITY}_async")
    before = len(gateway.rows(ALL_KINDS))
    put(gateway, f"{HOSPITAL}_async", receipt(message), from_her_id=GP)
    put(gateway, f"{HOSPITAL}_async", reply_to(message), from_her_id=GP)
    rows = gateway.rows(ALL_KINDS)[before:]
    assert {(row.kind, row.reason) for row in rows} == {
        (InboundKind.RECEIPT, SPOOFED),
        (InboundKind.REPLY, SPOOFED),
    }
    assert gateway.take(f"epj_{HOSPITAL}") == []
    # From whom they were due, they count.
    put(gateway, f"{HOSPITAL}_async", receipt(message), from_her_id=MUNICIPALITY)
    put(gateway, f"{HOSPITAL}_async", reply_to(message), from_her_id=MUNICIPALITY)
    assert len(gateway.take(f"epj_{HOSPITAL}")) == 2


def test_a_reply_that_is_signed_by_another(gateway: Gateway) -> None:
    gateway.note(note("dips/01"))
    (message,) = gateway.messages(f"{MUNICIPALITY}_async")
    forged = message_signer(gateway.configuration).sign(reply_to(message), org_no="310000201")
    put(gateway, f"{HOSPITAL}_async", forged, from_her_id=MUNICIPALITY)
    (row,) = gateway.rows([InboundKind.REPLY])
    assert (row.state, row.reason) == (InboundState.REJECTED, SPOOFED)
    assert gateway.take(f"epj_{HOSPITAL}") == []


def test_an_alarm_is_in_the_log_and_names_no_patient(gateway: Gateway) -> None:
    log = io.StringIO()
    configure_logging("info", log)
    data = note("dips/01")
    put(gateway, gateway.configuration.queues.inbound, data, from_her_id=OTHER_HOSPITAL)
    said = log.getvalue()
    configure_logging("warning")
    assert "alert" in said
    names = re.findall(rb"<(?:FamilyName|GivenName)>([^<]+)<", data)
    assert names
    assert not [name for name in names if name.decode() in said]


@pytest.fixture
def asking(config: Path) -> Iterator[Gateway]:
    """Revocation must be found out, and the list is not there."""
    config.write_text(config.read_text().replace("crl = []", 'crl = ["issuing.crl"]'))
    running = Gateway(config)
    yield running
    running.close()


def test_what_can_not_be_found_out_waits_on_its_queue_and_holds_nobody_up(
    asking: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = message_signer(asking.configuration).sign(note("dips/01"), org_no=HOSPITAL_ORG)
    protected = Party(asking, HOSPITAL_ORG).protects(with_new_id(note("dips/09")))
    inbound = asking.configuration.queues.inbound
    waiting = [
        Envelope(body=signed, message_id="1"),
        Envelope(body=protected, message_id="2", content_type=CONTENT_TYPE),
    ]
    asking.worker.queue.publish([(inbound, message) for message in waiting])
    for _ in range(2):
        with pytest.raises(TransientError):
            asking.worker.service.step(wait_seconds=0.0)
    asking.worker.queue.publish([(inbound, Envelope(body=note("doculive/01"), message_id="3"))])
    assert asking.worker.service.step(wait_seconds=0.0)
    (row,) = asking.rows(ALL_KINDS)
    assert row.msg_id.encode() in note("doculive/01")
    # Nobody is told anything of those that wait.
    assert asking.take(f"epj_{HOSPITAL}") == []
    monkeypatch.setattr(Revocation, "check", lambda *_: None)
    asking.settle()
    assert len(asking.rows(ALL_KINDS)) == 3
    assert len(asking.take(f"{MUNICIPALITY}_async")) >= 1


@pytest.mark.parametrize("revoked", [False, True], ids=["good", "revoked"])
@pytest.mark.parametrize("first", ["missing", "stale", "forged"])
def test_the_sender_is_told_when_it_is_found_out_and_not_before(
    first: str, *, revoked: bool, config: Path, tmp_path: Path
) -> None:
    """Lists as they are: one that says nothing keeps the message, one that comes later settles it."""
    now = datetime.now(UTC)
    window: dict[str, Any] = {"start": now - timedelta(days=9), "end": now + timedelta(days=9)}
    own = {NameOID.ORGANIZATION_IDENTIFIER: f"NTRNO-{HOSPITAL_ORG}"}
    root = pki.issue("R", pki.rsa_key(0), ca=True, key_usage=pki.CERT_SIGN, **window)
    issuer = pki.issue("I", pki.rsa_key(1), root, ca=True, key_usage=pki.CERT_SIGN, **window)
    hospital = pki.issue("H", pki.rsa_key(2), issuer, organisation=own, **window)
    (config.parent / "own-root.pem").write_bytes(root.pem)
    (config.parent / "root.crl").write_bytes(pki.revocation_list(root, at=now))
    of_issuer = config.parent / "issuer.crl"
    if first != "missing":
        at = now - timedelta(days=60) if first == "stale" else now
        key = pki.rsa_key(7) if first == "forged" else None
        of_issuer.write_bytes(pki.revocation_list(issuer, at=at, key=key))
    text = config.read_text().replace('trust = ["pki/root.pem"]', 'trust = ["own-root.pem"]')
    config.write_text(text.replace("crl = []", 'crl = ["issuer.crl", "root.crl"]'))
    keys = KeyStore(pki.key_directory(tmp_path / "hospital", hospital, issuer))
    signed = XmlSigner(keys).sign(note("dips/01"), org_no=None)
    gateway = Gateway(config)
    gateway.put(gateway.configuration.queues.inbound, signed)
    for _ in range(3):
        with pytest.raises(TransientError):
            gateway.worker.service.step(wait_seconds=0.0)
    assert gateway.rows(ALL_KINDS) == []
    assert gateway.take(f"epj_{HOSPITAL}") == []
    gateway.close()
    of_issuer.write_bytes(pki.revocation_list(issuer, *([hospital] if revoked else []), at=now))
    gateway = Gateway(config)
    gateway.settle()
    (row,) = gateway.rows()
    told = gateway.apprecs(f"epj_{HOSPITAL}")
    if revoked:
        assert (row.state, row.reason) == (InboundState.REJECTED, "certificate-revoked")
        assert {fault.code for apprec in told for fault in apprec.faults} == {"S03"}
    else:
        assert row.state is InboundState.DELIVERED
        assert told == []
        assert len(gateway.take(f"{MUNICIPALITY}_async")) == 1
    gateway.close()
