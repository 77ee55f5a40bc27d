"""The states of a sending and of its message: the written table, and who follows from whom.

A sending is *sent* (`pending`: in the outbox), *transported* (`delivered`: on its receiver's queue),
*acknowledged*, *refused*, *overdue* or *closed* (`discarded`, by a person); `failed` is one that could not be
transported. `STEPS` holds every pair of state and event.

Source: HIS 80415:2012, chapter 3.3.4: one AppRec is final, none within 96 hours counts as negative, and a
late positive one may still come.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from gateway.contracts.journal import JournalTransaction
from gateway.contracts.records import Event
from gateway.contracts.states import TRANSITIONS, InboundState, SendingKind, SendingState

_KINDS = (SendingKind.NOTE, SendingKind.REPLY)
_ENDED = frozenset({InboundState.REJECTED, InboundState.WITHHELD, InboundState.DISCARDED, InboundState.HELD})
OVERDUE_REASON = "receipt-overdue"
"""Reason of a message one of whose receivers has not answered in time"""


class SendingEvent(StrEnum):
    """What can happen to a sending."""

    TRANSPORTED = "transported"
    """The broker has confirmed it"""
    GIVEN_UP = "given-up"
    """The broker has not, for too long"""
    POSITIVE = "positive"
    """An AppRec with status 1, or 3"""
    NEGATIVE = "negative"
    """An AppRec with status 2"""
    FAULT = "fault"
    """A transport fault, or the message itself as a dead letter: its receiver has not had it"""
    DEADLINE = "deadline"
    """No AppRec came in time"""
    CLOSED = "closed"
    """A person has ended it, or a new message stands for it"""
    RESENT = "resent"
    """The same message is to go out again"""


@dataclass(frozen=True, slots=True)
class Step:
    """What an event makes of a sending."""

    state: SendingState
    told: str | None
    """Name of the event in the history; None: nothing happened"""


_S, _E = SendingState, SendingEvent
STEPS: Mapping[tuple[SendingState, SendingEvent], Step] = MappingProxyType(
    {
        # In the outbox. An AppRec may overtake our own mark; what still waits for transport is not overdue,
        # because it is either transported or given up.
        (_S.PENDING, _E.TRANSPORTED): Step(_S.DELIVERED, "delivered"),
        (_S.PENDING, _E.GIVEN_UP): Step(_S.FAILED, "given-up"),
        (_S.PENDING, _E.POSITIVE): Step(_S.ACKNOWLEDGED, "receipt"),
        (_S.PENDING, _E.NEGATIVE): Step(_S.REFUSED, "receipt"),
        (_S.PENDING, _E.FAULT): Step(_S.FAILED, "transport-fault"),
        (_S.PENDING, _E.DEADLINE): Step(_S.PENDING, None),
        (_S.PENDING, _E.CLOSED): Step(_S.DISCARDED, "closed"),
        (_S.PENDING, _E.RESENT): Step(_S.PENDING, None),
        # On the receiver's queue.
        (_S.DELIVERED, _E.TRANSPORTED): Step(_S.DELIVERED, "delivered-late"),
        (_S.DELIVERED, _E.GIVEN_UP): Step(_S.DELIVERED, None),
        (_S.DELIVERED, _E.POSITIVE): Step(_S.ACKNOWLEDGED, "receipt"),
        (_S.DELIVERED, _E.NEGATIVE): Step(_S.REFUSED, "receipt"),
        (_S.DELIVERED, _E.FAULT): Step(_S.FAILED, "transport-fault"),
        (_S.DELIVERED, _E.DEADLINE): Step(_S.OVERDUE, "overdue"),
        (_S.DELIVERED, _E.CLOSED): Step(_S.DISCARDED, "closed"),
        (_S.DELIVERED, _E.RESENT): Step(_S.PENDING, "resent"),
        # Overdue: alerted once; whatever comes late settles it.
        (_S.OVERDUE, _E.TRANSPORTED): Step(_S.OVERDUE, "delivered-late"),
        (_S.OVERDUE, _E.GIVEN_UP): Step(_S.OVERDUE, None),
        (_S.OVERDUE, _E.POSITIVE): Step(_S.ACKNOWLEDGED, "receipt-late"),
        (_S.OVERDUE, _E.NEGATIVE): Step(_S.REFUSED, "receipt-late"),
        (_S.OVERDUE, _E.FAULT): Step(_S.FAILED, "transport-fault"),
        (_S.OVERDUE, _E.DEADLINE): Step(_S.OVERDUE, None),
        (_S.OVERDUE, _E.CLOSED): Step(_S.DISCARDED, "closed"),
        (_S.OVERDUE, _E.RESENT): Step(_S.PENDING, "resent"),
        # Settled: nothing moves it, and what tries to is told.
        (_S.ACKNOWLEDGED, _E.TRANSPORTED): Step(_S.ACKNOWLEDGED, "delivered-late"),
        (_S.ACKNOWLEDGED, _E.GIVEN_UP): Step(_S.ACKNOWLEDGED, None),
        (_S.ACKNOWLEDGED, _E.POSITIVE): Step(_S.ACKNOWLEDGED, "receipt-repeated"),
        (_S.ACKNOWLEDGED, _E.NEGATIVE): Step(_S.ACKNOWLEDGED, "receipt-contradicts"),
        (_S.ACKNOWLEDGED, _E.FAULT): Step(_S.ACKNOWLEDGED, "fault-contradicts"),
        (_S.ACKNOWLEDGED, _E.DEADLINE): Step(_S.ACKNOWLEDGED, None),
        (_S.ACKNOWLEDGED, _E.CLOSED): Step(_S.ACKNOWLEDGED, "closed-after-end"),
        (_S.ACKNOWLEDGED, _E.RESENT): Step(_S.ACKNOWLEDGED, None),
        (_S.REFUSED, _E.TRANSPORTED): Step(_S.REFUSED, "delivered-late"),
        (_S.REFUSED, _E.GIVEN_UP): Step(_S.REFUSED, None),
        (_S.REFUSED, _E.POSITIVE): Step(_S.REFUSED, "receipt-contradicts"),
        (_S.REFUSED, _E.NEGATIVE): Step(_S.REFUSED, "receipt-repeated"),
        (_S.REFUSED, _E.FAULT): Step(_S.REFUSED, "fault-after-end"),
        (_S.REFUSED, _E.DEADLINE): Step(_S.REFUSED, None),
        (_S.REFUSED, _E.CLOSED): Step(_S.DISCARDED, "closed"),
        (_S.REFUSED, _E.RESENT): Step(_S.REFUSED, None),
        # Could not be transported, as far as we know: an AppRec knows better.
        (_S.FAILED, _E.TRANSPORTED): Step(_S.FAILED, "delivered-late"),
        (_S.FAILED, _E.GIVEN_UP): Step(_S.FAILED, None),
        (_S.FAILED, _E.POSITIVE): Step(_S.ACKNOWLEDGED, "receipt"),
        (_S.FAILED, _E.NEGATIVE): Step(_S.REFUSED, "receipt"),
        (_S.FAILED, _E.FAULT): Step(_S.FAILED, "fault-repeated"),
        (_S.FAILED, _E.DEADLINE): Step(_S.FAILED, None),
        (_S.FAILED, _E.CLOSED): Step(_S.DISCARDED, "closed"),
        (_S.FAILED, _E.RESENT): Step(_S.PENDING, "resent"),
        # Closed.
        (_S.DISCARDED, _E.TRANSPORTED): Step(_S.DISCARDED, "delivered-late"),
        (_S.DISCARDED, _E.GIVEN_UP): Step(_S.DISCARDED, None),
        (_S.DISCARDED, _E.POSITIVE): Step(_S.DISCARDED, "receipt-after-end"),
        (_S.DISCARDED, _E.NEGATIVE): Step(_S.DISCARDED, "receipt-after-end"),
        (_S.DISCARDED, _E.FAULT): Step(_S.DISCARDED, "fault-after-end"),
        (_S.DISCARDED, _E.DEADLINE): Step(_S.DISCARDED, None),
        (_S.DISCARDED, _E.CLOSED): Step(_S.DISCARDED, None),
        (_S.DISCARDED, _E.RESENT): Step(_S.DISCARDED, None),
    }
)
"""What every event makes of a sending in every state"""


def overall(states: Collection[SendingState]) -> InboundState:
    """What sendings in these states make of their message: what needs a person goes first."""
    if SendingState.FAILED in states:
        return InboundState.FAILED
    if SendingState.REFUSED in states:
        return InboundState.REFUSED
    if SendingState.PENDING in states:
        return InboundState.SENDING
    if SendingState.DELIVERED in states or SendingState.OVERDUE in states:
        return InboundState.DELIVERED
    if SendingState.ACKNOWLEDGED in states:
        return InboundState.ACKNOWLEDGED
    return InboundState.DISCARDED


def settle(transaction: JournalTransaction, inbound_id: str, at: datetime) -> None:
    """Bring a message's state up to its sendings', and its reason where one of them is overdue."""
    message = transaction.inbound(inbound_id, content=False)
    sendings = transaction.sendings(inbound_id, kinds=_KINDS, content=False)
    if message is None or not sendings or message.state in _ENDED:
        return
    states = {s.state for s in sendings}
    if SendingState.OVERDUE in states and message.reason is None:
        transaction.update_inbound(inbound_id, reason=OVERDUE_REASON)
    elif SendingState.OVERDUE not in states and message.reason == OVERDUE_REASON:
        transaction.update_inbound(inbound_id, reason=None)
    state = overall(states)
    if state is message.state or state not in TRANSITIONS[message.state]:
        return
    transaction.update_inbound(inbound_id, state=state)
    transaction.add_event(Event(inbound_id=inbound_id, at=at, name=state.value))
