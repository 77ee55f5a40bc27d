"""After a negative AppRec: who must do what, and what the department reads about it in its own system."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from lxml import etree

from gateway.contracts.messages import Conversation, Format, Message
from gateway.contracts.queues import PublishOutcome
from gateway.contracts.receipts import ERROR_TEXTS, ErrorCode, ReceiptStatus
from gateway.contracts.states import InboundKind, InboundState, SendingKind, SendingState
from gateway.formats import read_message
from gateway.ops.security import message_verifier
from gateway.receipts.remedies import ADVICE, REMEDIES, Remedy, Trouble, remedy
from gateway.security.gate import parse
from schemas import SchemaSet, default_official_directory
from tests.flow.conftest import Start
from tests.flow.harness import Gateway, note, receipt, with_new_id
from tests.flow.variants import configured

HOSPITAL = "8900100"
RECORD_SYSTEM = f"epj_{HOSPITAL}"
MUNICIPALITY = "8910031_async"
GP = "8920031_async"
CODES = "2.16.578.1.12.4.1.1.8117"


def deviations(gateway: Gateway, queue: str = RECORD_SYSTEM) -> tuple[list[bytes], list[str]]:
    """The deviations on a queue, and the statuses of the AppRecs beside them."""
    found, statuses = [], []
    for delivery in gateway.take(queue):
        root = parse(delivery.envelope.body)
        if etree.QName(root).localname == "AppRec":
            statuses.append(str(root.find("{*}Status").get("V")))  # type: ignore[union-attr]  # it is valid
        else:
            assert delivery.envelope.headers["X-MessageInfo-Type"] == "DIALOG_AVVIK"
            found.append(delivery.envelope.body)
    return found, statuses


def to_the_gateway(data: bytes) -> bytes:
    """A note that names the gateway's own HER-id in the place of its first receiver."""
    return re.sub(
        rb"(<Receiver>.*?)8910031(.*?</Receiver>)", rb"\g<1>8999900\g<2>", data, count=1, flags=re.DOTALL
    )


def test_every_code_of_the_list_has_a_remedy_and_every_remedy_an_advice() -> None:
    assert set(ERROR_TEXTS) == set(REMEDIES)
    assert set(ADVICE) == {*Remedy, *Trouble}
    assert {advice.topic.code_list for advice in ADVICE.values()} == {CODES}
    assert {r: ADVICE[r].topic.value for r in Remedy} == {
        Remedy.ADDRESS: "1",
        Remedy.CONTENT: "2",
        Remedy.CERTIFICATE: "9",
        Remedy.OURS: "9",
        Remedy.TEMPORARY: "9",
    }


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (["T02"], Remedy.OURS),
        (["E21"], Remedy.ADDRESS),
        (["e36 "], Remedy.CONTENT),
        (["S02"], Remedy.CERTIFICATE),
        (["X99"], Remedy.TEMPORARY),
        (["Z17"], Remedy.TEMPORARY),
        ([], Remedy.TEMPORARY),
        (["T02", "E36"], Remedy.CONTENT),
        (["E36", "E21"], Remedy.ADDRESS),
    ],
)
def test_codes_ask_for_what_must_happen_first(codes: list[str], expected: Remedy) -> None:
    assert remedy(codes) is expected


@pytest.mark.parametrize(
    ("code", "topic", "says"),
    [
        (ErrorCode.RECEIVER_UNKNOWN, ("1", "Feil adressat"), "Kontroller hvilken kommune"),
        (ErrorCode.PATIENT_INSUFFICIENT, ("2", "Mangelfulle opplysninger"), "rett notatet"),
        (ErrorCode.NOT_VALID, ("9", "Annet"), "sender den på nytt"),
        (ErrorCode.CERTIFICATE_REVOKED, ("9", "Annet"), "sertifikatet"),
        (ErrorCode.OTHER, ("9", "Annet"), "Les hva mottakeren skriver"),
    ],
)
def test_the_department_is_told_what_to_do_beside_the_negative_receipt(
    gateway: Gateway, code: ErrorCode, topic: tuple[str, str], says: str
) -> None:
    gateway.note(note("dips/01"))
    (message,) = gateway.messages(MUNICIPALITY)
    gateway.outside(HOSPITAL, receipt(message, ReceiptStatus.REJECTED, code))
    (body,), statuses = deviations(gateway)
    assert statuses == ["2"]
    told = read_message(parse(body))
    (row,) = gateway.rows()
    head = told.head
    assert (told.format, head.msg_type.value) == (Format.DIALOGMELDING_1_0, "DIALOG_AVVIK")
    assert told.topic is not None
    assert (told.topic.value, told.topic.name, told.topic.code_list) == (*topic, CODES)
    assert head.conversation == Conversation(parent=row.msg_id, root=row.msg_id)
    assert head.primary is not None
    assert (head.primary.party.organisation.her_id, head.primary.party.her_id) == (HOSPITAL, "8900104")
    assert head.sender is not None
    assert head.sender.her_ids == ("8999900", "8999900")
    (text,) = [block.text for block in told.texts]
    assert says in text
    assert code.value in text
    assert "8910031" in text
    assert "Mottakeren skriver: Detaljer." in text


def test_a_deviation_is_valid_signed_by_the_gateway_and_says_no_more_of_the_patient_than_it_must(
    gateway: Gateway, standards: object
) -> None:
    del standards
    gateway.note(note("dips/01"))
    (message,) = gateway.messages(MUNICIPALITY)
    gateway.outside(HOSPITAL, receipt(message, ReceiptStatus.REJECTED, ErrorCode.RECEIVER_UNKNOWN))
    (body,), _ = deviations(gateway)
    assert SchemaSet(default_official_directory()).is_valid(parse(body))
    verified = message_verifier(gateway.configuration).verify(body)
    assert verified.signer.org_no == gateway.configuration.gateway.org_no
    told = read_message(parse(verified.signed))
    original = message.head.patient
    assert original is not None
    patient = told.head.patient
    assert patient is not None
    assert (patient.family_name, patient.given_name) == (original.family_name, original.given_name)
    assert [i.type for i in patient.identifiers] == ["FNR"]
    assert (patient.birth_date, patient.sex, patient.address, patient.telecoms) == (None, None, None, ())


def test_it_is_sent_once_ever_and_the_hospital_answers_it(gateway: Gateway) -> None:
    gateway.note(note("dips/01"))
    (message,) = gateway.messages(MUNICIPALITY)
    negative = receipt(message, ReceiptStatus.REJECTED, ErrorCode.RECEIVER_UNKNOWN)
    gateway.outside(HOSPITAL, negative, negative)
    gateway.outside(HOSPITAL, receipt(message, ReceiptStatus.REJECTED, ErrorCode.OTHER))
    (body,), statuses = deviations(gateway)
    assert statuses == ["2"]
    gateway.note(receipt(read_message(parse(body))))
    (row,) = gateway.rows()
    (told,) = gateway.sendings(row.id, SendingKind.DEVIATION)
    assert told.state is SendingState.ACKNOWLEDGED
    assert row.state is InboundState.REFUSED
    assert gateway.take(RECORD_SYSTEM) == []


def test_a_gp_that_the_note_names_is_answered_for_by_his_receipt_alone(gateway: Gateway) -> None:
    gateway.note(note("dips/01"))
    (message,) = gateway.messages(GP)
    gateway.outside(HOSPITAL, receipt(message, ReceiptStatus.REJECTED, ErrorCode.PATIENT_INSUFFICIENT))
    found, _ = deviations(gateway)
    assert found == []


def test_a_note_to_the_gateway_itself_was_answered_positively_so_a_refusal_is_told(
    gateway: Gateway,
) -> None:
    gateway.note(to_the_gateway(note("dips/01")))
    (to_gp,) = gateway.messages(GP)
    (to_municipality,) = gateway.messages(MUNICIPALITY)
    gateway.outside(
        HOSPITAL,
        receipt(to_gp, ReceiptStatus.REJECTED, ErrorCode.PATIENT_INSUFFICIENT),
        receipt(to_municipality, ReceiptStatus.REJECTED, ErrorCode.RECEIVER_UNKNOWN),
    )
    found, statuses = deviations(gateway)
    topics = [read_message(parse(body)).topic for body in found]
    assert [t.value for t in topics if t is not None] == ["1"]
    assert statuses == ["1", "2"]


def test_what_contradicts_an_earlier_receipt_moves_nothing_and_is_told(gateway: Gateway) -> None:
    gateway.note(note("dips/01"))
    (message,) = gateway.messages(MUNICIPALITY)
    gateway.outside(HOSPITAL, receipt(message))
    gateway.outside(HOSPITAL, receipt(message, ReceiptStatus.REJECTED, ErrorCode.RECEIVER_UNKNOWN))
    (body,), statuses = deviations(gateway)
    assert statuses == ["1"]
    told = read_message(parse(body))
    assert told.topic is not None
    assert told.topic.value == "9"
    assert "senere avvist" in told.texts[0].text
    (row,) = gateway.rows()
    states = {s.receiver: s.state for s in gateway.sendings(row.id, SendingKind.NOTE)}
    assert states["8910031"] is SendingState.ACKNOWLEDGED
    assert "receipt-contradicts" in [e.name for e in gateway.worker.journal.events(row.id)]


def test_a_note_that_the_municipality_never_got_is_told(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox, queue = gateway.worker.service._outbox, gateway.worker.queue
    gateway.put(gateway.configuration.queues.inbound, note("dips/01"))
    with monkeypatch.context() as patched:
        patched.setattr(queue, "publish", lambda sent: [PublishOutcome.UNROUTABLE for _ in sent])
        gateway.settle()
        monkeypatch.setattr(outbox, "_clock", lambda: datetime.now(UTC) + timedelta(days=4))
        outbox.publish_due()
    assert gateway.rows()[0].state is InboundState.FAILED
    monkeypatch.setattr(outbox, "_clock", lambda: datetime.now(UTC) + timedelta(days=5))
    gateway.settle()
    (body,), _ = deviations(gateway)
    assert "kunne ikke leveres" in read_message(parse(body)).texts[0].text


def test_an_epikrise_and_its_patient_are_referred_to_as_the_hospital_knows_them(gateway: Gateway) -> None:
    gateway.note(note("doculive/11"))
    (row,) = gateway.rows()
    to = next(s for s in gateway.sendings(row.id, SendingKind.NOTE) if s.receiver_role == "municipality")
    (message,) = gateway.messages(to.queue)
    gateway.outside("8900200", receipt(message, ReceiptStatus.REJECTED, ErrorCode.RECEIVER_UNKNOWN))
    (body,), _ = deviations(gateway, "epj_8900200")
    told = read_message(parse(body))
    assert told.head.conversation is not None
    assert told.head.conversation.parent == row.msg_id
    assert told.head.patient is not None
    assert told.head.patient.family_name
    assert told.head.patient.identifiers


def test_what_is_odd_is_kept_and_does_nothing(gateway: Gateway) -> None:
    gateway.note(note("dips/01"))
    (message,) = gateway.messages(MUNICIPALITY)
    odd = receipt(message).replace(b'<Status V="1"', b'<Status V="7"')
    gateway.outside(HOSPITAL, odd)
    (kept,) = gateway.rows([InboundKind.RECEIPT])
    assert (kept.state, kept.reason) == (InboundState.FAILED, "receipt-status-unknown")
    (row,) = gateway.rows()
    assert row.state is InboundState.DELIVERED
    assert gateway.take(RECORD_SYSTEM) == []


def test_a_receipt_about_a_receipt_is_kept_and_never_answered(gateway: Gateway) -> None:
    gateway.note(note("dips/01"))
    (message,) = gateway.messages(MUNICIPALITY)
    gateway.outside(HOSPITAL, receipt(message))
    (passed_on,) = gateway.apprecs(RECORD_SYSTEM)
    about: Message = replace(message, head=replace(message.head, msg_id=passed_on.id))
    gateway.note(receipt(about))
    (row,) = [r for r in gateway.rows([InboundKind.RECEIPT]) if r.state is InboundState.FAILED]
    assert row.reason == "receipt-for-receipt"
    assert gateway.take(RECORD_SYSTEM) == []


def test_every_code_of_the_list_leads_to_its_remedy(start: Start, config: Path) -> None:
    configured(config, "[rules.severity]", '[rules.severity]\nPH040 = "info"')
    gateway = start()
    asked: dict[str, tuple[str, str, bool]] = {}
    for code in ERROR_TEXTS:
        gateway.note(with_new_id(note("dips/01")))
        row = gateway.rows()[-1]
        (message,) = gateway.messages(MUNICIPALITY)
        refusal = receipt(message, ReceiptStatus.REJECTED, ErrorCode.OTHER)
        gateway.outside(HOSPITAL, refusal.replace(b'"X99"', f'"{code}"'.encode()))
        (body,), statuses = deviations(gateway)
        assert statuses == ["2"]
        topic = read_message(parse(body)).topic
        assert topic is not None
        names = [e.name for e in gateway.worker.journal.events(row.id)]
        (remedy_event,) = [n.removeprefix("remedy-") for n in names if n.startswith("remedy-")]
        asked[code] = (remedy_event, topic.value or "", "address-flagged" in names)
    expected = {
        "ours": (("ours", "9", False), "T01 T02 T10 T99 E10"),
        "certificate": (("certificate", "9", False), "S01 S02 S03 S99"),
        "address": (("address", "1", True), "E20 E21"),
        "content": (("content", "2", False), "E30 E31 E32 E33 E34 E35 E36 E53 E54"),
        "temporary": (("temporary", "9", False), "X99"),
    }
    assert asked == {code: told for told, codes in expected.values() for code in codes.split()}
