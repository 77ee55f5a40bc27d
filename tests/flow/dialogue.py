"""Dialogue messages as municipalities, GPs and hospitals write them."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

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
from gateway.formats import write_message

TOPICS = {
    "DIALOG_SVAR": CodedValue(
        value="5", code_list=CodeList.DIALOGUE_TOPIC_ANSWER, name="Svar på forespørsel"
    ),
    "DIALOG_HELSEFAGLIG": CodedValue(
        value="6", code_list=CodeList.DIALOGUE_TOPIC_CLINICAL, name="Henvendelse om pasient"
    ),
    "DIALOG_NOTAT": CodedValue(value="1", code_list=CodeList.DIALOGUE_TOPIC_FREE, name="Notat om pasient"),
    "DIALOG_AVVIK": CodedValue(
        value="2", code_list=CodeList.DIALOGUE_TOPIC_DEVIATION, name="Mangelfulle opplysninger"
    ),
}


def answer_to(
    message: Message,
    *,
    text: str = "Takk for notatet. Vi ringer i neste uke.",
    kind: str = "DIALOG_SVAR",
    reference: Conversation | None = None,
    referring: bool = True,
) -> Message:
    """What the primary receiver of a message writes back to its sender.

    Args:
        message: as its receiver got it.
        text: what it says.
        kind: MsgInfo/Type.
        reference: another one than to the message.
        referring: whether there is any.
    """
    head = message.head
    assert head.sender is not None
    assert head.primary is not None
    root = head.conversation.root if head.conversation is not None else head.msg_id
    own = Conversation(parent=head.msg_id, root=root)
    return Message(
        format=Format.DIALOGMELDING_1_1 if kind == "DIALOG_HELSEFAGLIG" else Format.DIALOGMELDING_1_0,
        content_root="Dialogmelding",
        topic=TOPICS[kind],
        subject="Om oppfølgingen",
        head=Head(
            msg_type=CodedValue(value=kind, name=kind),
            msg_id=str(uuid4()),
            generated_at=datetime.now(UTC).isoformat(timespec="seconds"),
            sent_at=datetime.now(UTC),
            conversation=(reference or own) if referring else None,
            sender=head.primary.party,
            receivers=(Receiver(party=head.sender),),
            patient=head.patient,
        ),
        texts=(TextBlock(text=text),),
    )


def written(message: Message) -> bytes:
    """Its bytes."""
    return write_message(message)
