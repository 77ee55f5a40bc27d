"""Which rows are failures: sendings that came to nothing, and messages that could not be worked on.

What failed is few among all that was sent, and found by an index of its own; its messages lie anywhere in a
large inbox, and looking each of them up takes most of the time. So they are left alone where nothing is asked
of them: the few that a person or a later version has discarded have an index, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    text,
)

from gateway.contracts.failures import FailureFilter
from gateway.contracts.states import InboundState, SendingKind, SendingState
from gateway.journal.rows import to_time
from gateway.journal.statement import holds
from gateway.journal.tables import FAILED_SENDING, inbound, sending

_WORKED_ON = (SendingKind.NOTE, SendingKind.REPLY)

_its_message = inbound.alias("its_message")
_OF_IT = _its_message.c.id == sending.c.inbound_id

# Gathered once: SQLite would otherwise look every message up among all of them.
_discarded = (
    select(inbound.c.id)
    .where(holds(inbound.c.state, InboundState.DISCARDED))
    .cte("discarded")
    .prefix_with("MATERIALIZED", dialect="sqlite")
)
_NOT_DISCARDED = ~exists().where(_discarded.c.id == sending.c.inbound_id)

FAILED_AT = func.coalesce(
    sending.c.settled_at,
    sending.c.created_at,
    select(_its_message.c.received_at).where(_OF_IT).correlate(sending).scalar_subquery(),
)
"""When a sending failed; the first journals did not keep when one was made"""


def failed_sendings(
    columns: Sequence[ColumnElement[Any]], criteria: FailureFilter, *, joined: bool = False
) -> Select[Any]:
    """Sendings that came to nothing.

    Args:
        columns: what is read of them.
        criteria: which.
        joined: columns of their messages are read, too.
    """
    c = sending.c
    of_messages = list(_of_messages(criteria))
    query: Select[Any] = select(*columns).select_from(sending)
    if joined or of_messages:
        query = query.join(inbound, c.inbound_id == inbound.c.id).where(*of_messages)
    query = query.where(text(FAILED_SENDING), _NOT_DISCARDED)
    if criteria.ids:
        query = query.where(c.inbound_id.in_(criteria.ids))
    if criteria.sendings:
        query = query.where(c.id.in_(criteria.sendings))
    if criteria.receivers:
        query = query.where(c.receiver.in_(criteria.receivers))
    if criteria.errors:
        # One value: PostgreSQL would otherwise look for each part of it, and read the rows themselves.
        any_of_them = or_(*(failed_with(code) for code in criteria.errors))
        query = query.where(case((any_of_them, 1), else_=0) == 1)
    return query.where(*_when(criteria, FAILED_AT))


def failed_messages(columns: Sequence[ColumnElement[Any]], criteria: FailureFilter) -> Iterator[Select[Any]]:
    """Messages that could not be worked on, and (no message is both) those that nobody could be told of."""
    if criteria.sendings or criteria.receivers:
        return
    made = exists().where(sending.c.inbound_id == inbound.c.id, holds(sending.c.kind, *_WORKED_ON))
    answered = exists().where(sending.c.inbound_id == inbound.c.id)
    asides = (
        (text("inbound.state = 'failed'"), ~made),
        (text("inbound.kind = 'unreadable'"), holds(inbound.c.state, InboundState.REJECTED) & ~answered),
    )
    for which, alone in asides:
        query: Select[Any] = select(*columns).where(which, alone, *_of_messages(criteria))
        if criteria.ids:
            query = query.where(inbound.c.id.in_(criteria.ids))
        if criteria.errors:
            query = query.where(inbound.c.reason.in_(criteria.errors))
        yield query.where(*_when(criteria, inbound.c.received_at))


def failed_with(code: str) -> ColumnElement[bool]:
    """The receiver's AppRec has this code, or the last attempt has, or it is the state itself."""
    c = sending.c
    codes = literal(" ") + func.coalesce(c.apprec, "") + literal(" ")
    refused = holds(c.state, SendingState.REFUSED)
    return or_(
        c.error == code,
        refused & codes.contains(f" {code} ", autoescape=True),
        c.state == code.lower(),
    )


def _of_messages(criteria: FailureFilter) -> Iterator[ColumnElement[bool]]:
    """What only the message tells."""
    c = inbound.c
    for column, values in (
        (c.municipality, criteria.municipalities),
        (c.system, criteria.systems),
        (c.unit, criteria.units),
    ):
        if values:
            yield column.in_(values)
    if criteria.findings:
        yield or_(*(c.findings.contains(f'"code":"{code}"', autoescape=True) for code in criteria.findings))


def _when(criteria: FailureFilter, column: ColumnElement[Any]) -> Iterator[ColumnElement[bool]]:
    if criteria.since is not None:
        yield column >= to_time(criteria.since)
    if criteria.until is not None:
        yield column < to_time(criteria.until)
