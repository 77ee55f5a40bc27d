"""Which earlier note a change or a cancellation is about, what was sent of it, and what came out of order.

Source: HISD 1154:2018 (N, M and C; each version has a MsgId of its own, a cancellation cancels all earlier
messages of its series); HITS 1218:2019, chapter 3.3 (ConversationRef).
"""

from __future__ import annotations

from gateway.contracts.journal import JournalTransaction
from gateway.contracts.messages import Head
from gateway.contracts.records import InboundMessage, Sending
from gateway.contracts.states import InboundState, SendingKind, SendingState
from gateway.contracts.summary import Action

_NEVER_TAKEN = frozenset({InboundState.REJECTED, InboundState.WITHHELD, InboundState.FAILED})
_WITHOUT_EFFECT = _NEVER_TAKEN | {InboundState.DISCARDED}
_NOT_HAD = frozenset({SendingState.REFUSED, SendingState.DISCARDED})


def is_tied(head: Head) -> bool:
    """Whether a message says at all which earlier one it is about."""
    return head.conversation is not None or head.document_id is not None


def chain(transaction: JournalTransaction, head: Head, hospital: str | None) -> list[InboundMessage]:
    """The notes of the conversation that a message refers to, oldest first.

    MsgHead refers by ConversationRef to MsgIds; an epikrise by the ServProvId that all versions share.
    """
    found = _conversation(transaction, head, hospital)
    taken = [n for n in found.values() if n.state not in _NEVER_TAKEN and n.msg_id != head.msg_id]
    return sorted(taken, key=lambda n: (n.sent_at or n.received_at, n.received_at))


def _conversation(
    transaction: JournalTransaction, head: Head, hospital: str | None
) -> dict[str, InboundMessage]:
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
    return found


def superseded(
    transaction: JournalTransaction, head: Head, hospital: str | None, action: Action
) -> InboundMessage | None:
    """The change or cancellation that came before the version that it replaces; None where there is none.

    A cancellation is replaced by nothing.
    """
    if action is Action.CANCEL:
        return None
    after = {n.id: n for n in transaction.followers([head.msg_id], hospital=hospital)}
    versions: dict[str, InboundMessage] = {}
    if action is Action.CHANGE:
        versions = _conversation(transaction, head, hospital)
    elif head.document_id is not None:
        versions = {
            n.id: n for n in transaction.find_inbound_by_document_id(head.document_id, hospital=hospital)
        }
    after |= {n.id: n for n in versions.values() if _is_later(n, head, action)}
    later = [
        n
        for n in after.values()
        if n.action is not Action.NEW and n.state not in _WITHOUT_EFFECT and n.msg_id != head.msg_id
    ]
    return max(later, key=lambda n: (n.action is Action.CANCEL, n.sent_at or n.received_at), default=None)


def _is_later(note: InboundMessage, head: Head, action: Action) -> bool:
    """Whether a version was made after the one at hand: of a new one all are, unless their time says not."""
    if note.sent_at is None or head.sent_at is None:
        return action is Action.NEW
    return note.sent_at >= head.sent_at if action is Action.NEW else note.sent_at > head.sent_at


def latest_sendings(
    transaction: JournalTransaction, notes: list[InboundMessage]
) -> dict[str, tuple[Sending, InboundMessage]]:
    """For each receiver (HER-id), the newest sending of a conversation with the note that it came from.

    A receiver that has refused a sending has it not.
    """
    latest: dict[str, tuple[Sending, InboundMessage]] = {}
    for note in notes:
        for sending in transaction.sendings(note.id, kinds=(SendingKind.NOTE,)):
            if sending.state not in _NOT_HAD:
                latest[sending.receiver] = (sending, note)
    return latest
