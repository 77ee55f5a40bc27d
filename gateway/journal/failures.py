"""What failed, found and counted, and the runs that replay it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, TypeVar

import orjson
from sqlalchemy import ColumnElement, Select, func, literal_column, select, text, union_all

from gateway.contracts.failures import Cause, Failure, FailureCount, FailureFilter, FailureGrouping
from gateway.contracts.records import Sending
from gateway.contracts.replays import Planned, ReplayMode, ReplayRun
from gateway.contracts.states import InboundKind, InboundState, SendingState
from gateway.journal import rows
from gateway.journal.failure_queries import FAILED_AT, failed_messages, failed_sendings
from gateway.journal.rows import INBOUND, SENDING, Row, to_time
from gateway.journal.session import Session
from gateway.journal.tables import inbound, replay, replay_run, sending

Value = TypeVar("Value")
Opening = Callable[[], AbstractContextManager[Session]]

_MOST_VALUES = 500
"""Of one query: databases take so many only"""

_INBOUND = tuple(inbound.c[name] for name in INBOUND.columns)


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
            found = [
                *_of_sendings(session, criteria, newest),
                *_of_messages(session, criteria, newest),
            ]
        found.sort(key=lambda each: each.failed_at)
        return found if newest is None else found[-newest:]

    def count(self, criteria: FailureFilter) -> tuple[int, int]:
        """How many failures the filter finds, and of how many messages."""
        queries = [
            failed_sendings((sending.c.inbound_id.label("message"),), criteria),
            *failed_messages((inbound.c.id.label("message"),), criteria),
        ]
        every = union_all(*queries).subquery()
        counted: tuple[ColumnElement[Any], ...] = (func.count(), func.count(every.c.message.distinct()))
        with self._reading() as session:
            (counts,) = session.select(select(*counted).select_from(every))
        return counts[0], counts[1]

    def counts(self, criteria: FailureFilter, by: FailureGrouping) -> list[FailureCount]:
        """How many failures of each cause, and of each receiver or municipality, the filter finds."""
        with self._reading() as session:
            return [
                *_sendings_counted(session, criteria, by),
                *_messages_counted(session, criteria, by),
            ]

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


def _batches(values: Sequence[Value]) -> Iterator[Sequence[Value]]:
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
    columns = (*_INBOUND, *(sending.c[name] for name in SENDING.columns))
    whole = select(*columns).join_from(sending, inbound, sending.c.inbound_id == inbound.c.id)
    which = failed_sendings((sending.c.sequence,), criteria)
    width = len(INBOUND.columns)
    for row in _whole_rows(session, whole, which, (FAILED_AT, sending.c.sequence), newest):
        yield Failure(message=rows.inbound_message(row[:width], None), sending=_without_body(row[width:]))


def _of_messages(session: Session, criteria: FailureFilter, newest: int | None) -> Iterator[Failure]:
    order = (inbound.c.received_at, inbound.c.sequence)
    for which in failed_messages((inbound.c.sequence,), criteria):
        for row in _whole_rows(session, select(*_INBOUND), which, order, newest):
            yield Failure(message=rows.inbound_message(row, None), sending=None)


def _whole_rows(
    session: Session,
    whole: Select[Any],
    which: Select[Any],
    order: tuple[ColumnElement[Any], ColumnElement[Any]],
    newest: int | None,
) -> Iterator[Row]:
    """Rows of those that are looked for: which these are the indexes tell, and no other row is read."""
    if newest is not None:
        which = which.order_by(*(each.desc() for each in order)).limit(newest)
    for some in _batches([row[0] for row in session.select(which)]):
        yield from session.select(whole.where(order[-1].in_(some)))


def _without_body(row: Row) -> Sending:
    return rows.sending(row, None)


def _sendings_counted(
    session: Session, criteria: FailureFilter, by: FailureGrouping
) -> Iterator[FailureCount]:
    c = sending.c
    key, joined = {
        FailureGrouping.ERROR: (literal_column("NULL"), False),
        FailureGrouping.RECEIVER: (c.receiver, False),
        FailureGrouping.MUNICIPALITY: (inbound.c.municipality, True),
    }[by]
    why = (c.state, c.apprec, c.error)
    columns = (key.label("key"), *why, *_counted(FAILED_AT))
    query = failed_sendings(columns, criteria, joined=joined).group_by(text("1"), *why)
    for value, state, apprec, error, *counted in session.select(query):
        cause = Cause.of_sending(SendingState(state), apprec, error)
        yield _count(cause, cause.code if by is FailureGrouping.ERROR else value, counted)


def _messages_counted(
    session: Session, criteria: FailureFilter, by: FailureGrouping
) -> Iterator[FailureCount]:
    c = inbound.c
    key = c.municipality if by is FailureGrouping.MUNICIPALITY else literal_column("NULL")
    why = (c.kind, c.state, c.reason)
    columns = (key.label("key"), *why, *_counted(c.received_at))
    for query in failed_messages(columns, criteria):
        for value, kind, state, reason, *counted in session.select(query.group_by(text("1"), *why)):
            cause = Cause.of_message(InboundKind(kind), InboundState(state), reason)
            yield _count(cause, cause.code if by is FailureGrouping.ERROR else value, counted)


def _counted(at: ColumnElement[Any]) -> tuple[ColumnElement[Any], ...]:
    return func.count(), func.min(at), func.max(at)


def _count(cause: Cause, key: str | None, counted: Sequence[int]) -> FailureCount:
    count, oldest, newest = counted
    return FailureCount(
        key=key,
        cause=cause,
        count=count,
        oldest=rows.from_time(oldest),
        newest=rows.from_time(newest),
    )
