"""What comes in and goes out, the states that it stands in, and how an inbound message may move."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class InboundKind(StrEnum):
    """What came in."""

    NOTE = "note"
    """A note (or another clinical message) from a hospital"""
    REPLY = "reply"
    """A clinical message from a municipality or a GP"""
    RECEIPT = "receipt"
    """An AppRec"""
    UNREADABLE = "unreadable"
    """Nothing that can be told"""
    FAULT = "fault"
    """A transport fault, about something that we sent"""
    DEAD_LETTER = "dead-letter"
    """What a broker has given up"""


class InboundState(StrEnum):
    """State of an inbound message; `TRANSITIONS` says how it moves."""

    RECEIVED = "received"
    """Durable; nothing decided yet (receipts and replies that wait for a person stay here, too)"""
    REJECTED = "rejected"
    """Refused, and answered negatively where that may be done"""
    HELD = "held"
    """Waits for a person"""
    WITHHELD = "withheld"
    """May not be sent; answered so"""
    ACCEPTED = "accepted"
    """Understood; nothing goes out (a receipt that was matched, a cancellation of a note never sent)"""
    SENDING = "sending"
    """Sendings are on their way"""
    DELIVERED = "delivered"
    """Every sending lies on its receiver's queue"""
    ACKNOWLEDGED = "acknowledged"
    """Every receiver has answered positively"""
    REFUSED = "refused"
    """A receiver has answered negatively"""
    FAILED = "failed"
    """A sending could not be delivered, or the message could not be worked on: see `failed`"""
    DISCARDED = "discarded"
    """A person, or a cancellation, has ended it"""


_S = InboundState
TRANSITIONS: Mapping[InboundState, frozenset[InboundState]] = {
    _S.RECEIVED: frozenset(
        {_S.REJECTED, _S.HELD, _S.WITHHELD, _S.ACCEPTED, _S.SENDING, _S.FAILED, _S.DISCARDED}
    ),
    _S.HELD: frozenset({_S.SENDING, _S.ACCEPTED, _S.DISCARDED, _S.FAILED}),
    _S.ACCEPTED: frozenset({_S.SENDING, _S.FAILED}),
    _S.SENDING: frozenset({_S.DELIVERED, _S.ACKNOWLEDGED, _S.REFUSED, _S.FAILED, _S.DISCARDED}),
    _S.DELIVERED: frozenset({_S.ACKNOWLEDGED, _S.REFUSED, _S.FAILED, _S.SENDING, _S.DISCARDED}),
    _S.ACKNOWLEDGED: frozenset({_S.SENDING, _S.REFUSED}),
    _S.REFUSED: frozenset({_S.SENDING, _S.ACKNOWLEDGED, _S.DISCARDED, _S.FAILED}),
    _S.FAILED: frozenset(
        {
            _S.SENDING,
            _S.DISCARDED,
            _S.HELD,
            _S.ACCEPTED,
            _S.REJECTED,
            _S.WITHHELD,
            _S.DELIVERED,
            _S.ACKNOWLEDGED,
            _S.REFUSED,
        }
    ),
    _S.REJECTED: frozenset({_S.DISCARDED}),
    _S.WITHHELD: frozenset(),
    _S.DISCARDED: frozenset(),
}


class SendingKind(StrEnum):
    """What goes out."""

    NOTE = "note"
    """A rendering of the summary, to the municipality or the GP"""
    REPLY = "reply"
    """A reply, passed on to the hospital"""
    RECEIPT = "receipt"
    """An AppRec of ours, or one passed on"""
    DEVIATION = "deviation"
    """DIALOG_AVVIK to the sending department"""
    FAULT = "fault"
    """A transport fault on the sender's error queue"""


class SendingState(StrEnum):
    """State of a sending."""

    PENDING = "pending"
    """In the outbox, due at `next_attempt_at`"""
    DELIVERED = "delivered"
    """Confirmed by the broker. Receipts and faults end here"""
    ACKNOWLEDGED = "acknowledged"
    """The receiver's AppRec is positive"""
    REFUSED = "refused"
    """The receiver's AppRec is negative"""
    OVERDUE = "overdue"
    """No AppRec came within the deadline: counts as refused, until one comes"""
    FAILED = "failed"
    """Given up; `failed replay` takes it up again"""
    DISCARDED = "discarded"
    """A person has ended it"""
