"""Rows that wait to be written together, and savepoints that may undo them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from gateway.journal.statement import Parameters, Statement

Rows = dict[Statement, list[Parameters]]


def _add(rows: Rows, more: Mapping[Statement, list[Parameters]]) -> None:
    for statement, parameters in more.items():
        rows.setdefault(statement, []).extend(parameters)


class Gathered:
    """What was gathered, level by level: each savepoint that is open begins one.

    What was gathered before a savepoint and written inside it is undone with it, and waits again.
    """

    def __init__(self) -> None:
        """Nothing waits."""
        self._levels: list[Rows] = [{}]
        self._written_inside: list[Rows] = []
        """Of each open savepoint: what was gathered before it and is written"""
        self.tables: set[str] = set()
        """That rows wait for"""

    def add(self, statement: Statement, parameters: Parameters) -> None:
        """One row more."""
        self._levels[-1].setdefault(statement, []).append(parameters)
        self.tables |= statement.tables

    def taken(self) -> Rows:
        """All that waits, to be written now."""
        rows: Rows = {}
        for depth, level in enumerate(self._levels):
            for written in self._written_inside[depth:]:
                _add(written, level)
            _add(rows, level)
            level.clear()
        self.tables.clear()
        return rows

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Inside a savepoint, which is undone where the block raises."""
        self._levels.append({})
        self._written_inside.append({})
        try:
            yield
        except BaseException:
            self._levels.pop()
            _add(self._levels[-1], self._written_inside.pop())
            self.tables = {t for level in self._levels for statement in level for t in statement.tables}
            raise
        self._written_inside.pop()
        _add(self._levels[-2], self._levels.pop())
