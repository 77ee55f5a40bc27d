"""What becomes of a note, seen from the hospital and from its receivers."""

from __future__ import annotations

import re

import pytest

from gateway.contracts.receipts import ErrorCode, ReceiptStatus
from gateway.contracts.states import InboundState, SendingKind
from gateway.formats import read_message
from gateway.rendering import read_rendering
from gateway.security.gate import parse
from tests.flow.harness import Gateway, note, receipt, with_new_id

MUNICIPALITY, GP = "8910031_async", "8920031_async"
HOSPITAL = "8900100"
RECORD_SYSTEM = f"epj_{HOSPITAL}"


def test_a_note_reaches_municipality_and_gp_and_is_answered_when_they_have_answered(gateway: Gateway) -> None:
    original = read_message(parse(note("dips/01")))
    gateway.note(note("dips/01"))
    (to_municipality,), (to_gp,) = gateway.messages(MUNICIPALITY), gateway.messages(GP)
    assert gateway.take(RECORD_SYSTEM) == []
    assert gateway.row(original.head.msg_id).state is InboundState.DELIVERED

    gateway.outside(HOSPITAL, receipt(to_municipality))
    (first,) = gateway.apprecs(RECORD_SYSTEM)
    assert (first.original.id, first.status, first.version) == (original.head.msg_id, "1", "1.1")
    assert first.sender.party.her_id == "8910031"
    assert first.sender.role is not None
    assert first.sender.role.value == "PRIM"

    gateway.outside(HOSPITAL, receipt(to_gp, ReceiptStatus.REJECTED, ErrorCode.PATIENT_INSUFFICIENT))
    (second,) = gateway.apprecs(RECORD_SYSTEM)
    assert (second.original.id, second.status) == (original.head.msg_id, "2")
    assert [f.code for f in second.faults] == ["E36"]
    assert second.sender.role is not None
    assert second.sender.role.value == "COP"
    assert gateway.row(original.head.msg_id).state is InboundState.REFUSED


def test_what_is_sent_says_what_the_note_says(gateway: Gateway) -> None:
    gateway.note(note("dips/01"))
    (sent,) = gateway.messages(MUNICIPALITY)
    summary = read_rendering(sent)
    assert summary is not None
    assert summary.patient.family_name == "Fiskebolle"
    assert sent.head.sender is not None
    assert sent.head.sender.her_ids == ("8900103", "8900100")
    assert sent.head.primary is not None
    assert sent.head.primary.party.her_ids == ("8910031", "8910030")


def test_the_same_note_again_has_no_effect(gateway: Gateway) -> None:
    gateway.note(note("dips/01"), note("dips/01"))
    gateway.note(note("dips/01"))
    assert len(gateway.messages(MUNICIPALITY)) == 1
    assert len(gateway.rows()) == 1


def test_the_same_id_with_other_content_is_kept_apart(gateway: Gateway) -> None:
    gateway.note(note("dips/01"), note("dips/01").replace(b"Testveien 12", b"Testveien 13"))
    assert len(gateway.messages(MUNICIPALITY)) == 1
    kept, apart = gateway.rows()
    assert (kept.state, apart.state) == (InboundState.DELIVERED, InboundState.FAILED)
    assert apart.reason == "same-id-other-content"


@pytest.mark.parametrize(
    ("name", "code", "receipts"),
    [
        ("dips/07", "X99", 2),
        ("dips/08", "T02", 2),
        ("doculive/08", "T01", None),
        ("helseplattformen/17", "E36", None),
        ("helseplattformen/20", "T01", None),
    ],
)
def test_a_refused_note_is_answered_at_once_for_each_receiver(
    gateway: Gateway, name: str, code: str, receipts: int | None
) -> None:
    gateway.note(note(name))
    (row,) = gateway.rows()
    assert row.state is InboundState.REJECTED
    answers = gateway.apprecs(f"epj_{row.hospital}")
    assert len(answers) == (receipts or len(row.named_receivers))
    assert answers
    for answered in answers:
        assert (answered.status, [f.code for f in answered.faults]) == ("2", [code])
        assert answered.original.id in {row.msg_id, row.document_id}
    assert gateway.sendings(row.id, SendingKind.NOTE) == []


def test_a_withheld_note_goes_nowhere_and_its_sender_hears_so(gateway: Gateway) -> None:
    gateway.note(note("doculive/06"))
    (row,) = gateway.rows()
    assert row.state is InboundState.WITHHELD
    assert {a.status for a in gateway.apprecs(f"epj_{row.hospital}")} == {"2"}
    assert gateway.sendings(row.id, SendingKind.NOTE) == []


def test_a_held_note_waits_and_nobody_is_told(gateway: Gateway) -> None:
    gateway.note(note("dips/03"))
    (row,) = gateway.rows()
    assert row.state is InboundState.HELD
    assert gateway.sendings(row.id) == []


def test_a_repeat_is_held_and_another_cancer_is_not(gateway: Gateway) -> None:
    gateway.note(note("dips/02"), note("dips/06"), note("dips/12"), note("dips/13"))
    states = [r.state for r in gateway.rows()]
    assert states == [
        InboundState.DELIVERED,
        InboundState.HELD,
        InboundState.DELIVERED,
        InboundState.DELIVERED,
    ]
    assert "PH040" in {f.code for f in gateway.rows()[1].findings}


def test_a_gp_without_an_address_is_answered_for_as_unknown(gateway: Gateway) -> None:
    gateway.note(note("doculive/04"))
    (row,) = gateway.rows()
    assert row.state is InboundState.DELIVERED
    answers = gateway.apprecs(f"epj_{row.hospital}")
    assert [[f.code for f in a.faults] for a in answers] == [["E21"]]


def test_a_note_to_the_gateway_itself_is_answered_by_the_gateway(gateway: Gateway) -> None:
    own = gateway.configuration.gateway.her_id.encode()
    head, sep, rest = note("dips/01").partition(b"<Receiver>")
    receiver, end, tail = rest.partition(b"</Receiver>")
    addressed = head + sep + receiver.replace(b"8910031", own).replace(b"8910030", own) + end + tail
    gateway.note(addressed)
    (row,) = gateway.rows()
    (taken,) = gateway.apprecs(RECORD_SYSTEM)
    assert (taken.status, taken.original.id) == ("1", row.msg_id)
    assert len(gateway.messages(MUNICIPALITY)) == 1


def test_an_unknown_sender_is_kept_for_a_person(gateway: Gateway) -> None:
    stranger = re.sub(rb"89001(00|03)", rb"77001\1", note("dips/01"))
    gateway.note(stranger)
    (row,) = gateway.rows()
    assert (row.state, row.reason) == (InboundState.FAILED, "sender-not-in-register")
    assert gateway.take(MUNICIPALITY) == []


def test_bytes_that_nobody_can_read_are_kept(gateway: Gateway) -> None:
    gateway.note(b"\x00\x01 not xml", note("dips/01"))
    assert len(gateway.messages(MUNICIPALITY)) == 1


def test_a_crash_after_the_commit_repeats_nothing(gateway: Gateway) -> None:
    gateway.put(gateway.configuration.queues.inbound, note("dips/01"))
    taken = gateway.worker.queue.take([gateway.configuration.queues.inbound], limit=10, wait_seconds=0.0)
    gateway.worker.service._flow.process(taken)
    gateway.restart()
    gateway.settle()
    assert len(gateway.messages(MUNICIPALITY)) == 1
    assert len(gateway.rows()) == 1


def test_a_crash_between_publishing_and_the_mark_repeats_the_same_bytes(gateway: Gateway) -> None:
    gateway.put(gateway.configuration.queues.inbound, note("dips/01"))
    service = gateway.worker.service
    taken = gateway.worker.queue.take([gateway.configuration.queues.inbound], limit=10, wait_seconds=0.0)
    service._flow.process(taken)
    gateway.worker.queue.acknowledge(taken)
    mark = service._outbox._mark

    def crash(*_args: object) -> None:
        raise ConnectionAbortedError

    service._outbox._mark = crash  # type: ignore[method-assign,assignment]
    with pytest.raises(ConnectionAbortedError):
        service._outbox.publish_due()
    service._outbox._mark = mark  # type: ignore[method-assign]
    gateway.restart()
    gateway.settle()
    first, second = gateway.take(MUNICIPALITY)
    assert first.envelope.message_id == second.envelope.message_id
    assert first.envelope.body == second.envelope.body


def test_what_nobody_foresaw_stops_one_message_only(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = gateway.worker.service._flow._notes
    handle = handler.handle

    def fails_for_one(transaction: object, arrival: object, message: object, reading: object) -> None:
        if b"Lun" in arrival.body:  # type: ignore[attr-defined]
            raise ZeroDivisionError
        handle(transaction, arrival, message, reading)  # type: ignore[arg-type]

    monkeypatch.setattr(handler, "handle", fails_for_one)
    gateway.note(note("dips/02"), note("dips/01"))
    states = {r.reason: r.state for r in gateway.rows()}
    assert states == {"error:ZeroDivisionError": InboundState.FAILED, None: InboundState.DELIVERED}


def test_fresh_ids_are_other_notes(gateway: Gateway) -> None:
    gateway.note(note("dips/01"), with_new_id(note("dips/01")))
    assert [r.state for r in gateway.rows()] == [InboundState.DELIVERED, InboundState.HELD]
