"""The queries of `failed list`, and the runs that replay what they find."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Select, exists, func, literal, or_, select, text, union

from gateway.contracts.failures import Failure, FailureFilter
from gateway.contracts.records import Sending
from gateway.contracts.replays import Planned, ReplayMode, ReplayRun
from gateway.contracts.states import InboundState, SendingKind, SendingState
from gateway.journal import rows
from gateway.journal.rows import INBOUND, SENDING, Row, to_time
from gateway.journal.session import Session
from gateway.journal.statement import holds
from gateway.journal.tables import FAILED_SENDING, inbound, replay, replay_run, sending

Opening = Callable[[], AbstractContextManager[Session]]

_MOST_VALUES = 500
"""Of one query: databases take so many only"""

_WORKED_ON = (SendingKind.NOTE, SendingKind.REPLY)
_INBOUND = tuple(inbound.c[name] for name in INBOUND.columns)
_FAILED_AT = func.coalesce(sending.c.settled_at, sending.c.created_at, inbound.c.received_at)


class FailureLog:
    """What failed in a journal, and the runs that replay it."""

    def __init__(self, reading: Opening, writing: Opening) -> None:
        """By sessions that read, and that write."""
        self._reading = reading
        self._writing = writing

    def find(self, criteria: FailureFilter, *, newest: int | None = None) -> list[Failure]:
        """What the filter finds, the newest last; without payloads.

        Args:
            criteria: which.
            newest: how many at most are read, the newest of them; without it, all.
        """
        with self._reading() as session:
            found = list(_of_sendings(session, criteria, newest))
            if not criteria.sendings and not criteria.receivers:
                found += _of_messages(session, criteria, newest)
        found.sort(key=lambda each: each.failed_at)
        return found if newest is None else found[-newest:]

    def count(self, criteria: FailureFilter) -> tuple[int, int]:
        """How many failures the filter finds, and of how many messages."""
        message = inbound.c.id.label("message")
        queries = [_failed_sendings((sending.c.id.label("id"), message), criteria)]
        if not criteria.sendings and not criteria.receivers:
            queries += _failed_messages((inbound.c.id.label("id"), message), criteria)
        every = union(*queries).subquery()
        counted: tuple[ColumnElement[Any], ...] = (func.count(), func.count(every.c.message.distinct()))
        with self._reading() as session:
            (counts,) = session.select(select(*counted).select_from(every))
        return counts[0], counts[1]

    def replay_counts(self, subjects: Sequence[str]) -> dict[str, int]:
        """How often each of these was replayed; those that never were are left out."""
        counts: dict[str, int] = {}
        with self._reading() as session:
            for some in _batches(subjects):
                query = (
                    select(replay.c.subject, func.max(replay.c.generation))
                    .where(replay.c.subject.in_(some))
                    .group_by(replay.c.subject)
                )
                counts |= {row[0]: row[1] for row in session.select(query)}
        return counts

    def sending_states(self, sendings: Sequence[str]) -> dict[str, int]:
        """How many of these sendings stand in each state."""
        c, counts = sending.c, dict[str, int]()
        with self._reading() as session:
            for some in _batches(sendings):
                query = select(c.state, func.count()).where(c.id.in_(some)).group_by(c.state)
                for state, count in session.select(query):
                    counts[state] = counts.get(state, 0) + count
        return counts

    def runs(self, *, run_id: str | None = None, unfinished: bool = False) -> list[ReplayRun]:
        """Runs, the oldest first; those whose id begins so, those that were interrupted."""
        c = replay_run.c
        query: Select[Any] = select(c.id, c.at, c.by, c.planned, c.finished_at).order_by(c.sequence)
        if run_id is not None:
            query = query.where(c.id.startswith(run_id, autoescape=True))
        if unfinished:
            query = query.where(c.finished_at.is_(None))
        with self._reading() as session:
            return [_run(row) for row in session.select(query)]

    def add_run(self, run: ReplayRun) -> None:
        """Keep what a run is to do."""
        planned = [(p.subject, p.inbound_id, p.mode.value, p.generation) for p in run.planned]
        values = {
            "id": run.id,
            "at": to_time(run.at),
            "by": run.by,
            "planned": orjson.dumps(planned).decode(),
        }
        with self._writing() as session:
            session.execute(replay_run.insert().values(values))

    def finish_run(self, run_id: str, at: datetime) -> None:
        """Say that there is nothing more to do in a run."""
        ended = replay_run.update().where(replay_run.c.id == run_id).values(finished_at=to_time(at))
        with self._writing() as session:
            session.execute(ended)


def _batches(values: Sequence[str]) -> Iterator[Sequence[str]]:
    return (values[begin : begin + _MOST_VALUES] for begin in range(0, len(values), _MOST_VALUES))


def _run(row: Row) -> ReplayRun:
    return ReplayRun(
        id=row[0],
        at=rows.from_time(row[1]),
        by=row[2],
        planned=tuple(
            Planned(subject=subject, inbound_id=inbound_id, mode=ReplayMode(mode), generation=generation)
            for subject, inbound_id, mode, generation in orjson.loads(row[3])
        ),
        finished_at=rows.from_time(row[4]) if row[4] is not None else None,
    )


def _of_sendings(session: Session, criteria: FailureFilter, newest: int | None) -> Iterator[Failure]:
    query = _failed_sendings((*_INBOUND, *(sending.c[name] for name in SENDING.columns)), criteria)
    width = len(INBOUND.columns)
    for row in session.select(_newest(query, newest, _FAILED_AT, sending.c.sequence)):
        yield Failure(message=rows.inbound_message(row[:width], None), sending=_without_body(row[width:]))


def _of_messages(session: Session, criteria: FailureFilter, newest: int | None) -> Iterator[Failure]:
    seen: set[str] = set()
    for query in _failed_messages(_INBOUND, criteria):
        for row in session.select(_newest(query, newest, inbound.c.received_at, inbound.c.sequence)):
            message = rows.inbound_message(row, None)
            if message.id not in seen:
                seen.add(message.id)
                yield Failure(message=message, sending=None)


def _newest(query: Select[Any], newest: int | None, *order: ColumnElement[Any]) -> Select[Any]:
    """The query, cut to the newest rows where a number is given."""
    return query if newest is None else query.order_by(*(each.desc() for each in order)).limit(newest)


def _failed_sendings(columns: Sequence[ColumnElement[Any]], criteria: FailureFilter) -> Select[Any]:
    c = sending.c
    query: Select[Any] = (
        select(*columns)
        .join_from(sending, inbound, c.inbound_id == inbound.c.id)
        .where(text(FAILED_SENDING), inbound.c.state != InboundState.DISCARDED.value, *_common(criteria))
    )
    if criteria.sendings:
        query = query.where(c.id.in_(criteria.sendings))
    if criteria.receivers:
        query = query.where(c.receiver.in_(criteria.receivers))
    if criteria.errors:
        query = query.where(or_(*(failed_with(code) for code in criteria.errors)))
    return query.where(*_when(criteria, _FAILED_AT))


def _failed_messages(columns: Sequence[ColumnElement[Any]], criteria: FailureFilter) -> Iterator[Select[Any]]:
    """Those that could not be worked on, and those that nobody could be answered for."""
    made = exists().where(sending.c.inbound_id == inbound.c.id, holds(sending.c.kind, *_WORKED_ON))
    answered = exists().where(sending.c.inbound_id == inbound.c.id)
    asides = (
        (text("inbound.state = 'failed'"), ~made),
        (
            text("inbound.kind = 'unreadable'"),
            holds(inbound.c.state, InboundState.REJECTED) & ~answered,
        ),
    )
    for which, alone in asides:
        query: Select[Any] = select(*columns).where(which, alone, *_common(criteria))
        if criteria.errors:
            query = query.where(inbound.c.reason.in_(criteria.errors))
        yield query.where(*_when(criteria, inbound.c.received_at))


def _common(criteria: FailureFilter) -> Iterator[ColumnElement[bool]]:
    c = inbound.c
    for column, values in (
        (c.id, criteria.ids),
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


def _without_body(row: Row) -> Sending:
    return Sending(**SENDING.decode(row))
