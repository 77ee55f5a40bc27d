"""Counts the notes that the report tells of, by department, municipality and month.

They are read one by one, with their sealed facts, which never leave this module but as sums; where a note was
purged, its facts are in such a sum already.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    exists,
    literal_column,
    select,
)

from gateway.contracts.facts import FactSums
from gateway.contracts.ports import Vault
from gateway.contracts.registry import PartyKind
from gateway.contracts.states import InboundKind, InboundState, SendingKind
from gateway.contracts.summary import Action
from gateway.journal.figure_columns import UNIT, came_in, number, which_month
from gateway.journal.figures import Cell, Figures, Month, NoteFigures, month_of, months
from gateway.journal.rows import (
    facts_from_bytes,
    from_time,
    sums_from_bytes,
    sums_to_bytes,
)
from gateway.journal.session import Session
from gateway.journal.statement import holds
from gateway.journal.statements import Statements
from gateway.journal.tables import content, inbound, sending

_FACTS = "inbound.facts"
_SUMS = "report.sums"
_SUMS_PREFIX = "report:"

# A version that itself went nowhere replaces nothing.
_NOT_SENT = (
    InboundState.RECEIVED,
    InboundState.HELD,
    InboundState.REJECTED,
    InboundState.WITHHELD,
    InboundState.DISCARDED,
)


_NO_NAME = (-1, "")


@dataclass(slots=True, kw_only=True)
class _Counted:
    """What is counted of the notes of one cell."""

    name: Cell
    figures: NoteFigures | None
    """None: only the facts of the month are wanted"""
    facts: FactSums
    any_facts: bool = False


class FigureReader:
    """Counts, in a session that reads."""

    def __init__(self, session: Session, vault: Vault) -> None:
        """Nothing is counted yet."""
        self._session = session
        self._vault = vault
        self._figures = Figures()

    def read(self, counted: Sequence[Month], *, facts_from: str) -> Figures:
        """Count the notes of some months.

        Args:
            counted: the months.
            facts_from: the first month whose facts are wanted (windows open long after a note).

        Returns:
            The figures; facts for every month from `facts_from` to the last.

        Raises:
            LocalError: no key opens what is sealed.
        """
        first, last = min(facts_from, counted[0].name), counted[-1].name
        self._notes(months(first, last), {month.name for month in counted})
        self._sums(first, last)
        return self._figures

    def _notes(self, looked_at: Sequence[Month], counted: Collection[str]) -> None:
        """Count notes and their facts, each read once."""
        replaced = {row[0] for row in self._session.select(_replaced())}
        names = [month.name for month in looked_at]
        found: dict[tuple[int, str, str], _Counted] = {}
        unit_names: dict[str, tuple[int, str]] = {}
        for row in self._session.stream(_notes_of(looked_at)):
            month, unit, municipality, unit_name, action, first_time, *missing, row_id, sealed = row
            key = (month, unit or "", municipality or "")
            if (cell := found.get(key)) is None:
                name = Cell(month=names[month], unit=key[1], municipality=key[2])
                wanted = name.month in counted
                figures = self._figures.cells.setdefault(name, NoteFigures()) if wanted else None
                cell = found[key] = _Counted(name=name, figures=figures, facts=FactSums())
            if cell.figures is not None:
                cell.figures.notes += first_time
                cell.figures.changes += action == Action.CHANGE and not first_time
                cell.figures.cancellations += action == Action.CANCEL
                if first_time:
                    cell.figures.without_phone += missing[0]
                    cell.figures.without_diagnosis += missing[1]
                    cell.figures.repeats += missing[2]
                if unit and unit_name and unit_names.get(unit, _NO_NAME) < (month, unit_name):
                    unit_names[unit] = (month, unit_name)
            if sealed is not None and action != Action.CANCEL:
                facts = facts_from_bytes(self._vault.open(sealed, context=f"{_FACTS}:{row_id}".encode()))
                cell.facts.add(facts, counted=bool(first_time), stands=row_id not in replaced)
                cell.any_facts = True
        self._figures.unit_names |= {unit: name for unit, (_, name) in unit_names.items()}
        self._figures.facts |= {cell.name: cell.facts for cell in found.values() if cell.any_facts}

    def _sums(self, first: str, last: str) -> None:
        c = content.c
        query = select(c.row_id, c.sealed).where(
            c.row_id >= f"{_SUMS_PREFIX}{first}", c.row_id < f"{_SUMS_PREFIX}{last};", c.part == _SUMS
        )
        for row_id, sealed in self._session.select(query):
            _, month, unit, municipality = row_id.split(":")
            sums = sums_from_bytes(self._vault.open(sealed, context=f"{_SUMS}:{row_id}".encode()))
            cell = Cell(month=month, unit=unit, municipality=municipality)
            self._figures.facts.setdefault(cell, FactSums()).merge([sums])


def add_up(session: Session, statements: Statements, vault: Vault, ids: Sequence[str]) -> None:
    """Add the facts of some notes to the sums of their cells, before their payloads are taken away.

    Args:
        session: of a transaction that writes.
        statements: in its dialect.
        vault: opens and seals.
        ids: of the notes.
    """
    added: dict[str, FactSums] = {}
    replaced = {row[0] for row in session.select(_replaced(ids))}
    for unit, municipality, row_id, counted, sealed, received_at in session.select(_facts_of(ids)):
        facts = facts_from_bytes(vault.open(sealed, context=f"{_FACTS}:{row_id}".encode()))
        month = month_of(from_time(received_at))
        key = f"{_SUMS_PREFIX}{month}:{unit or ''}:{municipality or ''}"
        added.setdefault(key, FactSums()).add(facts, counted=bool(counted), stands=row_id not in replaced)
    # In one order, so that two who purge do not wait for each other.
    for key in sorted(added):
        context = f"{_SUMS}:{key}".encode()
        before = session.select(
            select(content.c.sealed).where(content.c.row_id == key, content.c.part == _SUMS).with_for_update()
        )
        added[key].merge([sums_from_bytes(vault.open(row[0], context=context)) for row in before])
        sealed = vault.seal(sums_to_bytes(added[key]), context=context)
        session.change(statements.put_content, {"row_id": key, "part": _SUMS, "sealed": sealed})


def _sent_on() -> ColumnElement[bool]:
    """Something of it was sent to a municipality or a GP."""
    return exists().where(sending.c.inbound_id == inbound.c.id, holds(sending.c.kind, SendingKind.NOTE))


def _first_time() -> ColumnElement[int]:
    """1 for a new note, or a change of one that never went to this municipality; else 0.

    Its sending begins the thread.
    """
    begins = exists().where(
        sending.c.inbound_id == inbound.c.id,
        holds(sending.c.kind, SendingKind.NOTE),
        sending.c.receiver_role == literal_column(f"'{PartyKind.MUNICIPALITY.value}'"),
        sending.c.conversation_root == sending.c.msg_id,
    )
    # A case is looked at no further than it must be; SQLite looks at both sides of an «or».
    return case(
        (holds(inbound.c.action, Action.NEW), number(1)),
        (and_(holds(inbound.c.action, Action.CHANGE), begins), number(1)),
        else_=number(0),
    )


def _found(code: str) -> ColumnElement[int]:
    """1 where it has this finding, else 0."""
    found = inbound.c.findings.like(literal_column(f"""'%"code":"{code}"%'"""))
    return case((found, number(1)), else_=number(0))


_IS_FACTS = and_(content.c.row_id == inbound.c.id, content.c.part == literal_column(f"'{_FACTS}'"))


def _notes_of(some: Sequence[Month]) -> Select[Any]:
    """A row for each note that was sent on, with its sealed facts where it has any."""
    return (
        select(
            which_month(some),
            UNIT,
            inbound.c.municipality,
            inbound.c.unit_name,
            inbound.c.action,
            _first_time(),
            *(_found(code) for code in ("PH030", "PH020", "PH040")),
            inbound.c.id,
            content.c.sealed,
        )
        .select_from(inbound)
        .outerjoin(content, _IS_FACTS)
        .where(*came_in(some), _sent_on())
    )


def _facts_of(ids: Sequence[str]) -> Select[Any]:
    return (
        select(
            UNIT,
            inbound.c.municipality,
            inbound.c.id,
            _first_time(),
            content.c.sealed,
            inbound.c.received_at,
        )
        .select_from(inbound)
        .join(content, _IS_FACTS)
        .where(
            content.c.sealed.is_not(None),
            holds(inbound.c.action, Action.NEW, Action.CHANGE),
            _sent_on(),
            inbound.c.id.in_(ids),
        )
    )


def _replaced(ids: Iterable[str] | None = None) -> Select[Any]:
    """The notes that a later version has replaced."""
    query = select(inbound.c.replaces).where(
        holds(inbound.c.kind, InboundKind.NOTE),
        inbound.c.replaces.is_not(None),
        inbound.c.state.not_in([state.value for state in _NOT_SENT]),
    )
    return query if ids is None else query.where(inbound.c.replaces.in_(list(ids)))
