"""The query of `messages list`: newest first, with any filters, fast in a journal of any size.

Every filter has an index in the order of time. Of the filters that are given the one that finds least leads,
and the others are asked of what it finds: that is bounded (`_ENOUGH`) but where all of them find much, and
then the newest that fit are near. What leads is counted, and not left to the database's own estimate: states
are spread too unevenly for it, SQLite keeps no figures of them, and PostgreSQL goes through a year by time
where it hopes to meet the few soon.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    exists,
    func,
    literal_column,
    or_,
    select,
    text,
    union_all,
)

from gateway.contracts.records import InboundFilter, Sending
from gateway.contracts.states import InboundKind, SendingKind
from gateway.journal import rows
from gateway.journal.failure_queries import failed_with
from gateway.journal.rows import INBOUND, SENDING, Row, to_time
from gateway.journal.session import Session
from gateway.journal.statement import holds
from gateway.journal.tables import FAILED_SENDING, inbound, inbound_finding, sending

_ENOUGH = 20_000
"""Rows that are looked at one by one in no time; a filter that finds more is not counted further"""

_FEW = 5_000
"""Sendings to a receiver that are gathered first; of more than that, each message is asked for its own"""

_MOST_VALUES = 500
"""Of one query: databases take so many only"""

_NOTE = holds(inbound.c.kind, InboundKind.NOTE)
_TIME = (inbound.c.received_at.desc(), inbound.c.sequence.desc())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lead:
    """A filter that may lead."""

    source: FromClause
    """Where it finds messages by an index"""
    ways: tuple[ColumnElement[bool], ...]
    """One for each value that is asked for: each is a stretch of the index, in the order of time"""
    at: ColumnElement[int]
    """The time there"""
    joined: bool = False
    """Whether the message is found by its id only"""
    counted: bool = False
    """Whether it leads only where it finds few: its index is not in the order of time"""


def found(session: Session, criteria: InboundFilter) -> Sequence[Row]:
    """Inbox rows without their payloads, newest first.

    Of several values for one criterion any will do; `since` is included, `until` is not.
    """
    dialect = session.connection.dialect.name
    leads = dict(_leads(criteria, dialect))
    lead, bounded = _least(session, leads, criteria)
    conditions = [
        *(c for name, c in _plain(criteria, dialect).items() if name != lead),
        *_places(session, criteria),
        *_kinds(criteria),
        *_when(criteria, inbound.c.received_at),
    ]
    columns = [inbound.c[name] for name in INBOUND.columns]
    if lead is None:
        return session.select(select(*columns).where(*conditions).order_by(*_TIME).limit(criteria.limit))
    chosen = leads[lead]
    # SQLite keeps to what leads of itself, and stops when it has enough.
    gathered = bounded and dialect == "postgresql"
    parts = [_part(chosen, way, conditions, criteria.limit, gathered=gathered) for way in chosen.ways]
    ids = parts[0] if len(parts) == 1 else union_all(*(select(p.subquery()) for p in parts))
    query = select(*columns).where(inbound.c.sequence.in_(select(ids.subquery().c.sequence)))
    return session.select(query.order_by(*_TIME).limit(criteria.limit))


def _part(
    lead: _Lead, way: ColumnElement[bool], conditions: Sequence[Any], limit: int, *, gathered: bool
) -> Select[Any]:
    """The newest of one way; `gathered`: all that it finds is sorted, by what no index is in the order of."""
    query = select(inbound.c.sequence.label("sequence")).where(way, *conditions)
    if lead.joined:
        query = query.select_from(lead.source.join(inbound, inbound.c.id == lead.source.c.inbound_id))
    at = lead.at + literal_column("0") if gathered else lead.at
    return query.order_by(at.desc(), inbound.c.sequence.desc()).limit(limit)


def _least(session: Session, leads: Mapping[str, _Lead], criteria: InboundFilter) -> tuple[str | None, bool]:
    """The filter that finds least, and whether that was counted to be few."""
    if len(leads) < 2 and not any(lead.counted for lead in leads.values()):
        return next(iter(leads), None), False
    counts: dict[str, int] = {}
    for name, lead in leads.items():
        total = 0
        for way in lead.ways:
            some: Select[Any] = (
                select(literal_column("1"))
                .select_from(lead.source)
                .where(way, *_when(criteria, lead.at))
                .limit(_ENOUGH)
            )
            total += session.select(select(func.count()).select_from(some.subquery()))[0][0]
        if total < _ENOUGH or not lead.counted:
            counts[name] = total
    least = min(counts, key=lambda name: counts[name], default=None)
    return least, least is not None and counts[least] < _ENOUGH


def _leads(criteria: InboundFilter, dialect: str) -> Iterator[tuple[str, _Lead]]:
    c = inbound.c
    for name, prefix in (("id", criteria.id_prefix), ("msg_id", criteria.msg_id_prefix)):
        if prefix is not None:
            way = _begins(c[name], prefix, dialect)
            yield name, _Lead(source=inbound, ways=(way,), at=c.received_at, counted=True)
    if criteria.states and tuple(criteria.kinds) == (InboundKind.NOTE,):
        ways = tuple(and_(_NOTE, holds(c.state, state)) for state in criteria.states)
        yield "state", _Lead(source=inbound, ways=ways, at=c.received_at)
    for name, values in _columns(criteria).items():
        if values:
            ways = tuple(c[name] == value for value in values)
            yield name, _Lead(source=inbound, ways=ways, at=c.received_at)
    if criteria.patient_reference is not None:
        ways = (c.patient_reference == criteria.patient_reference,)
        yield "patient_reference", _Lead(source=inbound, ways=ways, at=c.received_at)
    if criteria.findings:
        f = inbound_finding.c
        ways = tuple(f.code == code for code in criteria.findings)
        yield "finding", _Lead(source=inbound_finding, ways=ways, at=f.received_at, joined=True)


def _columns(criteria: InboundFilter) -> dict[str, tuple[str, ...]]:
    return {
        "system": criteria.systems,
        "unit": criteria.units,
        "municipality": criteria.municipalities,
    }


def _plain(criteria: InboundFilter, dialect: str) -> dict[str, ColumnElement[bool]]:
    """The filters as conditions that no index is taken for."""
    c, conditions = inbound.c, dict[str, ColumnElement[bool]]()
    if criteria.states:
        conditions["state"] = _without_index(c.state).in_([s.value for s in criteria.states])
    for name, values in _columns(criteria).items():
        if values:
            conditions[name] = _without_index(c[name]).in_(values)
    if criteria.patient_reference is not None:
        conditions["patient_reference"] = _without_index(c.patient_reference) == criteria.patient_reference
    for name, prefix in (("id", criteria.id_prefix), ("msg_id", criteria.msg_id_prefix)):
        if prefix is not None:
            conditions[name] = _begins(_without_index(c[name]), prefix, dialect)
    if criteria.findings:
        codes = (f'"code":"{code}"' for code in criteria.findings)
        conditions["finding"] = or_(*(c.findings.contains(code, autoescape=True) for code in codes))
    return conditions


def _without_index(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.coalesce(column, literal_column("''"))


def _places(session: Session, criteria: InboundFilter) -> Iterator[ColumnElement[bool]]:
    """What is asked of the sendings, and of ids."""
    c = inbound.c
    if criteria.errors:
        broken = select(sending.c.inbound_id).where(
            text(FAILED_SENDING), or_(*(failed_with(code) for code in criteria.errors))
        )
        if criteria.receivers:
            # One sending, which has both.
            yield c.id.in_(broken.where(_without_index(sending.c.receiver).in_(criteria.receivers)))
        else:
            yield or_(c.id.in_(broken), c.reason.in_(criteria.errors))
    elif criteria.receivers:
        yield _received(session, criteria.receivers)
    if criteria.replaces is not None:
        yield c.replaces == criteria.replaces
    if criteria.before_id is not None:
        last = session.select(select(c.received_at, c.sequence).where(c.id == criteria.before_id))
        for at, sequence in last:
            yield or_(c.received_at < at, and_(c.received_at == at, c.sequence < sequence))


def _received(session: Session, receivers: Sequence[str]) -> ColumnElement[bool]:
    """Something was made for one of these."""
    theirs = sending.c.receiver.in_(receivers)
    some = select(sending.c.inbound_id).where(theirs).limit(_FEW)
    if session.select(select(func.count()).select_from(some.subquery()))[0][0] < _FEW:
        return inbound.c.id.in_(select(sending.c.inbound_id).where(theirs))
    one_of_them = _without_index(sending.c.receiver).in_(receivers)
    return exists().where(one_of_them, sending.c.inbound_id == inbound.c.id)


def _begins(column: ColumnElement[str], prefix: str, dialect: str) -> ColumnElement[bool]:
    """Text that begins so: by the index on it (PostgreSQL has one for patterns, SQLite compares bytes)."""
    if dialect == "postgresql" or not prefix:
        return column.startswith(prefix, autoescape=True)
    return and_(column >= prefix, column < prefix[:-1] + chr(ord(prefix[-1]) + 1))


def _kinds(criteria: InboundFilter) -> Iterator[ColumnElement[bool]]:
    """Notes and the others have indexes of their own, which are found by these words."""
    kinds = criteria.kinds
    if kinds:
        if InboundKind.NOTE not in kinds:
            yield text("inbound.kind <> 'note'")  # type: ignore[misc]
        yield holds(inbound.c.kind, *kinds)


def _when(criteria: InboundFilter, column: ColumnElement[int]) -> Iterator[ColumnElement[bool]]:
    if criteria.since is not None:
        yield column >= to_time(criteria.since)
    if criteria.until is not None:
        yield column < to_time(criteria.until)


def sendings_of(
    session: Session, inbound_ids: Sequence[str], kinds: Sequence[SendingKind]
) -> dict[str, list[Sending]]:
    """What was made of each of these messages, oldest first; without payloads."""
    c, made = sending.c, dict[str, list[Sending]]()
    for begin in range(0, len(inbound_ids), _MOST_VALUES):
        some = inbound_ids[begin : begin + _MOST_VALUES]
        query = (
            select(*(c[name] for name in SENDING.columns))
            .where(c.inbound_id.in_(some), holds(c.kind, *kinds))
            .order_by(c.sequence)
        )
        for row in session.select(query):
            each = rows.sending(row, None)
            made.setdefault(each.inbound_id, []).append(each)
    return made
