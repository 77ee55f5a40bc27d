"""The way back: AppRecs are matched once, replies reach the mailbox with references that are known there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from gateway.contracts.messages import (
    CodedValue,
    CodeList,
    Conversation,
    Format,
    Head,
    Message,
    Receiver,
    TextBlock,
)
from gateway.contracts.receipts import ErrorCode, ReceiptStatus
from gateway.contracts.states import InboundKind, InboundState, SendingKind, SendingState
from gateway.formats import write_message
from tests.flow.harness import Gateway, note, receipt

HOSPITAL = "8900100"
RECORD_SYSTEM = f"epj_{HOSPITAL}"


def reply_to(message: Message, *, parent: str | None = None) -> bytes:
    """A dialogmelding from the receiver of a message to its sender."""
    head = message.head
    assert head.sender is not None
    assert head.primary is not None
    msg_id = str(uuid4())
    reference = parent or head.msg_id
    return write_message(
        Message(
            format=Format.DIALOGMELDING_1_0,
            content_root="Dialogmelding",
            topic=CodedValue(value="5", code_list=CodeList.DIALOGUE_TOPIC_ANSWER, name="Svar på forespørsel"),
            head=Head(
                msg_type=CodedValue(value="DIALOG_SVAR", name="Svar på forespørsel"),
                msg_id=msg_id,
                generated_at=datetime.now(UTC).isoformat(timespec="seconds"),
                sent_at=datetime.now(UTC),
                conversation=Conversation(parent=reference, root=reference),
                sender=head.primary.party,
                receivers=(Receiver(party=head.sender),),
                patient=head.patient,
            ),
            texts=(TextBlock(text="Takk for notatet. Vi ringer i neste uke."),),
        )
    )


def sent(gateway: Gateway) -> Message:
    gateway.note(note("dips/01"))
    (message,) = gateway.messages("8910031_async")
    return message


def test_a_receipt_that_comes_twice_is_passed_on_once(gateway: Gateway) -> None:
    message = sent(gateway)
    gateway.outside(HOSPITAL, receipt(message), receipt(message))
    gateway.outside(HOSPITAL, receipt(message, ReceiptStatus.REJECTED, ErrorCode.RECEIVER_UNKNOWN))
    assert [a.status for a in gateway.apprecs(RECORD_SYSTEM)] == ["1"]


def test_a_receipt_from_another_party_is_kept_and_does_nothing(gateway: Gateway) -> None:
    message = sent(gateway)
    assert message.head.primary is not None
    (to_gp,) = gateway.messages("8920031_async")
    assert to_gp.head.primary is not None
    forged = replace(message.head, receivers=(replace(to_gp.head.primary, copy=False),))
    gateway.outside(HOSPITAL, receipt(replace(message, head=forged)))
    assert gateway.take(RECORD_SYSTEM) == []
    (row,) = gateway.rows([InboundKind.RECEIPT])
    assert (row.state, row.reason) == (InboundState.FAILED, "receipt-from-another-party")


def test_a_receipt_for_an_unknown_message_is_kept(gateway: Gateway) -> None:
    message = sent(gateway)
    stranger = replace(message, head=replace(message.head, msg_id=str(uuid4())))
    gateway.outside(HOSPITAL, receipt(stranger))
    (row,) = gateway.rows([InboundKind.RECEIPT])
    assert row.reason == "receipt-for-unknown-message"


def test_an_epikrise_1_1_is_answered_about_its_document_id(gateway: Gateway) -> None:
    gateway.note(note("doculive/11"))
    (message,) = gateway.messages("8920021_async")
    assert message.format is Format.EPIKRISE_1_1
    gateway.outside("8900200", receipt(message))
    (row,) = gateway.rows()
    settled = {s.receiver: s.state for s in gateway.sendings(row.id, SendingKind.NOTE)}
    assert settled["8920021"] is SendingState.ACKNOWLEDGED
    (passed_on,) = gateway.apprecs("epj_8900200")
    assert passed_on.version == "1.0"


@pytest.mark.parametrize("wrong_parent", [False, True])
def test_a_reply_reaches_the_mailbox_with_references_known_there(
    gateway: Gateway, *, wrong_parent: bool
) -> None:
    message = sent(gateway)
    (row,) = gateway.rows()
    if wrong_parent:
        gateway.outside(HOSPITAL, reply_to(message, parent=str(uuid4())))
        (kept,) = gateway.rows([InboundKind.REPLY])
        assert (kept.state, kept.reason) == (InboundState.HELD, "reply-fits-nothing")
        assert len(gateway.apprecs("8910031_async")) == 1
        return
    reply = reply_to(message)
    gateway.outside(HOSPITAL, reply, reply)
    (delivery,) = gateway.take(RECORD_SYSTEM)
    assert delivery.envelope.headers["toHerId"] == "8900104"
    gateway.put(RECORD_SYSTEM, delivery.envelope.body)
    (passed_on,) = gateway.messages(RECORD_SYSTEM)
    assert passed_on.head.conversation == Conversation(parent=row.msg_id, root=row.msg_id)
    assert passed_on.head.primary is not None
    assert passed_on.head.primary.party.her_id == "8900104"
    assert [t.text for t in passed_on.texts] == ["Takk for notatet. Vi ringer i neste uke."]
    (acknowledged,) = gateway.apprecs("8910031_async")
    assert acknowledged.status == "1"

    gateway.note(receipt(passed_on))
    (kept,) = gateway.rows([InboundKind.REPLY])
    assert kept.state is InboundState.ACKNOWLEDGED


def test_a_reply_from_another_party_fits_nothing(gateway: Gateway) -> None:
    message = sent(gateway)
    gateway.note(note("dips/04"))
    (other,) = gateway.messages("8910021_async")
    gateway.outside(HOSPITAL, reply_to(other, parent=message.head.msg_id))
    (kept,) = gateway.rows([InboundKind.REPLY])
    assert kept.reason == "reply-fits-nothing"
    assert gateway.take(RECORD_SYSTEM) == []
