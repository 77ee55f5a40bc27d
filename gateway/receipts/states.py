"""The state of a message, from the states of its sendings."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from gateway.contracts.journal import (
    TRANSITIONS,
    Event,
    InboundState,
    JournalTransaction,
    SendingKind,
    SendingState,
)

_KINDS = (SendingKind.NOTE, SendingKind.REPLY)
_ENDED = frozenset({InboundState.REJECTED, InboundState.WITHHELD, InboundState.DISCARDED, InboundState.HELD})


def overall(states: Collection[SendingState]) -> InboundState:
    """What sendings in these states make of their message: what needs a person goes first."""
    if SendingState.FAILED in states:
        return InboundState.FAILED
    if SendingState.REFUSED in states:
        return InboundState.REFUSED
    if SendingState.PENDING in states:
        return InboundState.SENDING
    if SendingState.DELIVERED in states:
        return InboundState.DELIVERED
    if SendingState.ACKNOWLEDGED in states:
        return InboundState.ACKNOWLEDGED
    return InboundState.DISCARDED


def settle(transaction: JournalTransaction, inbound_id: str, at: datetime) -> None:
    """Bring a message's state up to its sendings'."""
    message = transaction.inbound(inbound_id)
    sendings = transaction.sendings(inbound_id, kinds=_KINDS)
    if message is None or not sendings or message.state in _ENDED:
        return
    state = overall({s.state for s in sendings})
    if state is message.state or state not in TRANSITIONS[message.state]:
        return
    transaction.update_inbound(inbound_id, state=state)
    transaction.add_event(Event(inbound_id=inbound_id, at=at, name=state.value))
