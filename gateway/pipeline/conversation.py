"""Which earlier note a change or a cancellation is about, and what was sent of it."""

from __future__ import annotations

from gateway.contracts.journal import InboundMessage, InboundState, JournalTransaction, Sending, SendingKind
from gateway.contracts.messages import Head
from gateway.contracts.summary import Action

_NEVER_TAKEN = frozenset({InboundState.REJECTED, InboundState.WITHHELD, InboundState.FAILED})


def chain(transaction: JournalTransaction, head: Head, hospital: str | None) -> list[InboundMessage]:
    """The notes of the conversation that a message refers to, oldest first.

    MsgHead refers by ConversationRef to MsgIds; an epikrise by the ServProvId that all versions share.
    """
    found: dict[str, InboundMessage] = {}
    if head.conversation is not None:
        references = list(dict.fromkeys((head.conversation.root, head.conversation.parent)))
        for reference in references:
            note = transaction.find_inbound_by_msg_id(reference, hospital=hospital)
            if note is not None:
                found[note.id] = note
        for note in transaction.followers(references, hospital=hospital):
            found[note.id] = note
    elif head.document_id is not None:
        for note in transaction.find_inbound_by_document_id(head.document_id, hospital=hospital):
            found[note.id] = note
    taken = [n for n in found.values() if n.state not in _NEVER_TAKEN and n.msg_id != head.msg_id]
    return sorted(taken, key=lambda n: (n.sent_at or n.received_at, n.received_at))


def superseded(transaction: JournalTransaction, head: Head, hospital: str | None) -> InboundMessage | None:
    """The change or cancellation of a note that came before the note itself."""
    later = transaction.followers([head.msg_id], hospital=hospital)
    if head.document_id is not None:
        later += transaction.find_inbound_by_document_id(head.document_id, hospital=hospital)
    return next((n for n in later if n.action is not Action.NEW and n.state not in _NEVER_TAKEN), None)


def latest_sendings(
    transaction: JournalTransaction, notes: list[InboundMessage]
) -> dict[str, tuple[Sending, InboundMessage]]:
    """For each receiver (HER-id), the newest sending of a conversation with the note that it came from."""
    latest: dict[str, tuple[Sending, InboundMessage]] = {}
    for note in notes:
        for sending in transaction.sendings(note.id, kinds=(SendingKind.NOTE,)):
            latest[sending.receiver] = (sending, note)
    return latest
