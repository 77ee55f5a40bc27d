"""Counts the answers that the report tells of: AppRecs of municipalities and GPs, and replies, by cell.

Sendings are counted by the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import and_, case, func, select

from gateway.contracts.registry import PartyKind
from gateway.contracts.states import InboundKind, InboundState, SendingKind, SendingState
from gateway.journal.figure_columns import UNIT, came_in, number, which_month
from gateway.journal.figures import Cell, Month, NoteFigures
from gateway.journal.session import Session, session_of
from gateway.journal.statement import holds
from gateway.journal.store import open_store
from gateway.journal.tables import inbound, sending

_SECOND = 1_000_000
_MINUTE_SECONDS = 60
_EXACT_SECONDS = 3600
"""Up to here times are counted to the second, beyond it to the minute"""

_TOGETHER = 4
"""Months whose sendings are counted by one query: enough for a plan that reads much, and sorted in memory"""

_ANSWERED = (SendingState.ACKNOWLEDGED, SendingState.REFUSED)


def answers_of(url: str, counted: Sequence[Month], deadline: timedelta) -> dict[Cell, NoteFigures]:
    """What an `AnswerReader` counts in the journal at this URL, whose version is known to be ours.

    Raises:
        JournalUnavailableError: it can not be reached.
    """
    store = open_store(url)
    with session_of(store.reader, store.meaning) as session:
        return AnswerReader(session, deadline=deadline).read(counted)


class AnswerReader:
    """Counts, in a session that reads."""

    def __init__(self, session: Session, *, deadline: timedelta) -> None:
        """`deadline`: how long a receiver has to answer."""
        self._session = session
        self._deadline_seconds = int(deadline.total_seconds())
        self._cells: dict[Cell, NoteFigures] = {}

    def read(self, counted: Sequence[Month]) -> dict[Cell, NoteFigures]:
        """Count the answers to the notes of some months, and the replies that came in them."""
        for begin in range(0, len(counted), _TOGETHER):
            self._sendings(counted[begin : begin + _TOGETHER])
        for month in counted:
            self._replies(month)
        return self._cells

    def _cell(self, month: str, unit: str | None, municipality: str | None) -> NoteFigures:
        cell = Cell(month=month, unit=unit or "", municipality=municipality or "")
        return self._cells.setdefault(cell, NoteFigures())

    def _sendings(self, some: Sequence[Month]) -> None:
        seconds = (sending.c.settled_at - sending.c.created_at) // number(_SECOND)
        minute = number(_MINUTE_SECONDS)
        rounded = case((seconds < number(_EXACT_SECONDS), seconds), else_=seconds // minute * minute)
        group = (which_month(some), UNIT, inbound.c.municipality, sending.c.state, sending.c.apprec, rounded)
        query = (
            select(*group, func.count())
            .select_from(inbound)
            .join(sending, sending.c.inbound_id == inbound.c.id)
            .where(*came_in(some), holds(sending.c.kind, SendingKind.NOTE))
            .group_by(*group)
        )
        for month, unit, municipality, state, apprec, taken, count in self._session.select(query):
            self._count_sending(self._cell(some[month].name, unit, municipality), state, apprec, taken, count)

    def _count_sending(
        self, cell: NoteFigures, state: str, apprec: str | None, seconds: int | None, count: int
    ) -> None:
        match state:
            case SendingState.ACKNOWLEDGED:
                key = max(seconds or 0, 0)
                cell.acknowledged[key] = cell.acknowledged.get(key, 0) + count
            case SendingState.REFUSED:
                cell.refused += count
                for code in (apprec or "").split()[1:] or ["?"]:
                    cell.negative[code] = cell.negative.get(code, 0) + count
            case SendingState.FAILED:
                cell.failed += count
            case SendingState.PENDING | SendingState.DELIVERED:
                cell.waiting += count
        late = seconds is not None and seconds > self._deadline_seconds
        if state == SendingState.OVERDUE or (late and state in _ANSWERED):
            cell.overdue += count

    def _replies(self, month: Month) -> None:
        note = inbound.alias("note")
        query = (
            select(
                inbound.c.id,
                func.coalesce(inbound.c.unit, note.c.unit, inbound.c.hospital, note.c.hospital),
                func.coalesce(note.c.municipality, inbound.c.municipality),
                inbound.c.state,
                func.max(sending.c.settled_at),
                func.max(sending.c.receiver_role),
                inbound.c.received_at,
            )
            .select_from(inbound)
            .outerjoin(note, note.c.id == inbound.c.replaces)
            .outerjoin(
                sending,
                and_(sending.c.inbound_id == inbound.c.id, holds(sending.c.kind, SendingKind.REPLY)),
            )
            .where(*came_in([month], InboundKind.REPLY))
            .group_by(
                inbound.c.id,
                inbound.c.unit,
                note.c.unit,
                inbound.c.hospital,
                note.c.hospital,
                note.c.municipality,
                inbound.c.municipality,
                inbound.c.state,
                inbound.c.received_at,
            )
        )
        for _, unit, municipality, state, settled, role, came in self._session.select(query):
            if state == InboundState.REJECTED or (role is not None and role != PartyKind.HOSPITAL):
                continue
            cell = self._cell(month.name, unit, municipality)
            cell.replies += 1
            taken = state in {InboundState.ACKNOWLEDGED, InboundState.DISCARDED, InboundState.ACCEPTED}
            if not taken:
                cell.replies_waiting += 1
            elif settled is not None:
                seconds = _rounded(max(settled - came, 0) // _SECOND)
                cell.replies_taken[seconds] = cell.replies_taken.get(seconds, 0) + 1


def _rounded(seconds: int) -> int:
    return seconds if seconds < _EXACT_SECONDS else seconds // _MINUTE_SECONDS * _MINUTE_SECONDS
