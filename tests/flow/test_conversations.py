"""Replies and what follows them: each side only ever sees its own ids, for as many turns as it takes."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from uuid import uuid4

import pytest

from gateway.contracts.errors import ConfigurationError
from gateway.contracts.messages import Conversation, Format, Message, Receiver
from gateway.contracts.receipts import ErrorCode, ReceiptStatus
from gateway.contracts.states import InboundKind, InboundState, SendingKind, SendingState
from gateway.formats import read_message
from gateway.ops.security import message_verifier
from gateway.routing.register_file import RegisterFile
from gateway.security.gate import parse
from schemas import SchemaSet, default_official_directory
from tests.conftest import REGISTRY
from tests.flow.dialogue import TOPICS, answer_to, written
from tests.flow.harness import ALL_KINDS, Gateway, note, receipt

HOSPITAL = "8900100"
RECORD_SYSTEM = f"epj_{HOSPITAL}"
MUNICIPALITY = "8910031_async"
GP = "8920031_async"


def one(gateway: Gateway, queue: str) -> tuple[Message, bytes]:
    """The one clinical message on a queue, with its bytes."""
    (delivery,) = [d for d in gateway.take(queue) if b"MsgHead" in d.envelope.body[:300]]
    return read_message(parse(delivery.envelope.body)), delivery.envelope.body


@pytest.mark.parametrize("kind", list(TOPICS))
@pytest.mark.parametrize("queue", [MUNICIPALITY, GP])
def test_every_kind_of_reply_of_each_party_reaches_the_mailbox(
    gateway: Gateway, kind: str, queue: str
) -> None:
    gateway.note(note("dips/01"))
    message, _ = one(gateway, queue)
    (row,) = gateway.rows()
    gateway.outside(HOSPITAL, written(answer_to(message, kind=kind)))
    passed_on, _ = one(gateway, RECORD_SYSTEM)
    # A record system reads dialogmelding 1.0 where the register says nothing else.
    assert passed_on.format is Format.DIALOGMELDING_1_0
    assert passed_on.head.msg_type.value == kind.replace("HELSEFAGLIG", "NOTAT")
    assert passed_on.head.conversation == Conversation(parent=row.msg_id, root=row.msg_id)
    assert passed_on.head.primary is not None
    assert passed_on.head.primary.party.her_ids == ("8900104", HOSPITAL)
    assert [a.status for a in gateway.apprecs(queue)] == ["1"]
    (reply,) = gateway.rows([InboundKind.REPLY])
    assert (reply.replaces, reply.reason, reply.state) == (row.id, None, InboundState.DELIVERED)


@pytest.mark.parametrize("queue", [MUNICIPALITY, GP])
def test_three_turns_keep_their_thread_and_each_side_sees_its_own_ids_only(
    gateway: Gateway, queue: str, standards: object
) -> None:
    del standards
    gateway.note(note("dips/01"))
    (row,) = gateway.rows()
    received, _ = one(gateway, queue)
    hospital_ids = {row.msg_id}
    outside_ids = {received.head.msg_id}
    root_outside = received.head.msg_id
    seen_inside: list[Message] = []
    seen_outside: list[Message] = [received]
    validator = SchemaSet(default_official_directory())
    for turn in range(3):
        reply = answer_to(seen_outside[-1], text=f"Svar {turn} fra kommunen.")
        outside_ids.add(reply.head.msg_id)
        gateway.outside(HOSPITAL, written(reply))
        assert [a.original.id for a in gateway.apprecs(queue)] == [reply.head.msg_id]
        passed_on, body = one(gateway, RECORD_SYSTEM)
        assert validator.is_valid(parse(body))
        seen_inside.append(passed_on)
        hospital_ids.add(passed_on.head.msg_id)
        gateway.note(receipt(passed_on))

        answer = answer_to(passed_on, text=f"Svar {turn} fra sykehuset.")
        hospital_ids.add(answer.head.msg_id)
        gateway.note(written(answer))
        assert gateway.take(RECORD_SYSTEM) == [], "it is answered when its receiver has answered"
        forwarded, body = one(gateway, queue)
        assert validator.is_valid(parse(body))
        assert message_verifier(gateway.configuration).verify(body).signer.org_no == "310000107"
        assert forwarded.head.conversation == Conversation(parent=reply.head.msg_id, root=root_outside)
        assert [t.text for t in forwarded.texts] == [f"Svar {turn} fra sykehuset."]
        seen_outside.append(forwarded)
        outside_ids.add(forwarded.head.msg_id)

        gateway.outside(HOSPITAL, receipt(forwarded))
        (back,) = gateway.apprecs(RECORD_SYSTEM)
        assert (back.status, back.original.id) == ("1", answer.head.msg_id)
    assert not hospital_ids & outside_ids
    for seen, known in ((seen_inside, hospital_ids), (seen_outside[1:], outside_ids)):
        for message in seen:
            assert message.head.conversation is not None
            assert {message.head.conversation.parent, message.head.conversation.root} <= known
            assert message.head.conversation.root == (row.msg_id if known is hospital_ids else root_outside)
    replies = gateway.rows([InboundKind.REPLY])
    assert [r.state for r in replies] == [InboundState.ACKNOWLEDGED] * 6


def test_a_refused_answer_is_told_to_the_hospital(gateway: Gateway) -> None:
    gateway.note(note("dips/01"))
    received, _ = one(gateway, MUNICIPALITY)
    gateway.outside(HOSPITAL, written(answer_to(received)))
    passed_on, _ = one(gateway, RECORD_SYSTEM)
    answer = answer_to(passed_on)
    gateway.note(written(answer))
    forwarded, _ = one(gateway, MUNICIPALITY)
    gateway.outside(HOSPITAL, receipt(forwarded, ReceiptStatus.REJECTED, ErrorCode.OTHER))
    (back,) = gateway.apprecs(RECORD_SYSTEM)
    assert (back.status, back.original.id) == ("2", answer.head.msg_id)
    assert gateway.row(answer.head.msg_id).state is InboundState.REFUSED


def test_an_answer_that_names_others_goes_to_who_replied_and_says_so(gateway: Gateway) -> None:
    gateway.note(note("dips/01"))
    to_gp, _ = one(gateway, GP)
    received, _ = one(gateway, MUNICIPALITY)
    assert to_gp.head.primary is not None
    gateway.outside(HOSPITAL, written(answer_to(received)))
    passed_on, _ = one(gateway, RECORD_SYSTEM)
    answer = answer_to(passed_on)
    copied = Receiver(party=to_gp.head.primary.party, copy=True)
    both = replace(answer, head=replace(answer.head, receivers=(*answer.head.receivers, copied)))
    gateway.note(written(both))
    assert gateway.take(GP) == []
    forwarded, _ = one(gateway, MUNICIPALITY)
    gateway.outside(HOSPITAL, receipt(forwarded))
    assert sorted(a.status for a in gateway.apprecs(RECORD_SYSTEM)) == ["1", "2"]


def test_another_hospital_can_not_answer_in_a_conversation(gateway: Gateway) -> None:
    gateway.note(note("dips/01"))
    received, _ = one(gateway, MUNICIPALITY)
    gateway.outside(HOSPITAL, written(answer_to(received)))
    passed_on, _ = one(gateway, RECORD_SYSTEM)
    gateway.note(note("doculive/11"))
    others = [r for r in gateway.rows() if r.hospital == "8900200"]
    other = next(s for s in gateway.sendings(others[0].id, SendingKind.NOTE) if "gp" in str(s.receiver_role))
    from_other = read_message(parse(other.body))
    answer = answer_to(passed_on)
    forged = replace(answer, head=replace(answer.head, sender=from_other.head.sender))
    gateway.note(written(forged))
    assert [d for d in gateway.take(MUNICIPALITY) if b"fra sykehuset" in d.envelope.body] == []
    assert gateway.sendings(gateway.row(answer.head.msg_id).id, SendingKind.REPLY) == []


def test_a_reply_without_reference_is_guessed_and_marked(gateway: Gateway) -> None:
    gateway.note(note("dips/01"), note("dips/04"))
    received, _ = one(gateway, MUNICIPALITY)
    row = gateway.rows()[0]
    reply = answer_to(received, referring=False)
    gateway.outside(HOSPITAL, written(reply))
    kept = gateway.row(reply.head.msg_id)
    assert (kept.reason, kept.state) == ("reply-guessed", InboundState.DELIVERED)
    sent = gateway.sendings(kept.replaces or "", SendingKind.NOTE)
    assert received.head.msg_id in {s.msg_id for s in sent}
    assert "reply-guessed" in [e.name for e in gateway.worker.journal.events(kept.id)]
    passed_on, _ = one(gateway, RECORD_SYSTEM)
    assert passed_on.head.conversation == Conversation(parent=row.msg_id, root=row.msg_id)

    answer = answer_to(passed_on)
    gateway.note(written(answer))
    forwarded, _ = one(gateway, MUNICIPALITY)
    assert forwarded.head.conversation == Conversation(parent=reply.head.msg_id, root=reply.head.msg_id)


def test_no_guess_is_made_for_another_patient_another_party_or_a_wrong_reference(gateway: Gateway) -> None:
    gateway.note(note("dips/01"), note("dips/04"))
    received, _ = one(gateway, MUNICIPALITY)
    other, _ = one(gateway, "8910021_async")
    assert received.head.patient is not None
    assert other.head.patient is not None
    silent = answer_to(received, referring=False)
    wrong_patient = replace(silent, head=replace(silent.head, patient=other.head.patient))
    wrong_party = answer_to(other, referring=False)
    wrong_party = replace(wrong_party, head=replace(wrong_party.head, patient=received.head.patient))
    lost = str(uuid4())
    wrong_reference = answer_to(received, reference=Conversation(parent=lost, root=lost))
    for message in (wrong_patient, wrong_party, wrong_reference):
        gateway.outside(HOSPITAL, written(message))
        kept = gateway.row(message.head.msg_id)
        assert (kept.state, kept.reason) == (InboundState.HELD, "reply-fits-nothing")
    assert gateway.take(RECORD_SYSTEM) == []


def test_what_a_closed_unit_is_told_goes_to_its_successor(gateway: Gateway) -> None:
    register = gateway.config.parent / "register.toml"
    text = register.read_text(encoding="utf-8")
    closed = 'mailbox = "8900104"\nsuccessor = "8900101"\n'
    register.write_text(text.replace('mailbox = "8900104"', closed, 1), encoding="utf-8")
    gateway.restart()
    gateway.note(note("dips/01"))
    received, _ = one(gateway, MUNICIPALITY)
    gateway.outside(HOSPITAL, written(answer_to(received)))
    (delivery,) = gateway.take(RECORD_SYSTEM)
    assert delivery.envelope.headers["toHerId"] == "8900102"


@pytest.mark.parametrize("successor", ["8900103", "8900201", "8999999"])
def test_a_successor_is_another_unit_of_the_hospital(successor: str) -> None:
    document = tomllib.loads(REGISTRY.read_text(encoding="utf-8"))
    document["hospital"][0]["unit"][1]["successor"] = successor
    with pytest.raises(ConfigurationError, match="8900103"):
        RegisterFile.from_document(document)


def test_a_unit_can_be_followed_through_several_successors() -> None:
    document = tomllib.loads(REGISTRY.read_text(encoding="utf-8"))
    units = document["hospital"][0]["unit"]
    units[0]["successor"] = "8900103"
    units[1]["successor"] = "8900199"
    units.append({"name": "Ny avdeling", "her_id": "8900199"})
    register = RegisterFile.from_document(document)
    for her_id in ("8900101", "8900102", "8900103", "8900104", "8900199"):
        unit = register.unit(her_id)
        assert unit is not None
        assert unit.mailbox == "8900199"


def test_nothing_of_a_conversation_is_left_without_a_state(gateway: Gateway) -> None:
    gateway.note(note("dips/01"))
    received, _ = one(gateway, MUNICIPALITY)
    reply = written(answer_to(received))
    gateway.outside(HOSPITAL, reply, reply)
    passed_on, _ = one(gateway, RECORD_SYSTEM)
    answer = written(answer_to(passed_on))
    gateway.note(answer, answer)
    gateway.restart()
    gateway.settle()
    assert len([d for d in gateway.take(MUNICIPALITY) if b"MsgHead" in d.envelope.body[:300]]) == 1
    assert {r.state for r in gateway.rows(ALL_KINDS)} == {InboundState.DELIVERED}
    (sending,) = gateway.sendings(gateway.rows([InboundKind.REPLY])[1].id, SendingKind.REPLY)
    assert sending.state is SendingState.DELIVERED
