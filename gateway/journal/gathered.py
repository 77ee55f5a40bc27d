"""Rows, and changes of rows, that wait to be written together, and savepoints that may undo them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from gateway.journal.rows import Codec
from gateway.journal.statement import Parameters, Statement


@dataclass(slots=True)
class Waiting:
    """What waits: new rows in the order in which they were made, and the values that rows are to get."""

    rows: dict[Statement, list[Parameters]] = field(default_factory=dict)
    changes: dict[tuple[Codec, str], dict[str, Any]] = field(default_factory=dict)
    """By table and id: values by column, as they are stored; of several for a column the last one"""

    def add(self, more: Waiting) -> None:
        """And this, which was made later."""
        for statement, parameters in more.rows.items():
            self.rows.setdefault(statement, []).extend(parameters)
        for row, values in more.changes.items():
            self.changes.setdefault(row, {}).update(values)

    def tables(self) -> set[str]:
        """What it writes to."""
        return {table for statement in self.rows for table in statement.tables} | {
            codec.table.name for codec, _ in self.changes
        }

    def clear(self) -> None:
        """Nothing waits."""
        self.rows.clear()
        self.changes.clear()


class Gathered:
    """What was gathered, level by level: each savepoint that is open begins one.

    What was gathered before a savepoint and written inside it is undone with it, and waits again.
    """

    def __init__(self) -> None:
        """Nothing waits."""
        self._levels = [Waiting()]
        self._written_inside: list[Waiting] = []
        """Of each open savepoint: what was gathered before it and is written"""
        self.tables: set[str] = set()
        """That rows or changes wait for"""

    def add(self, statement: Statement, parameters: Parameters) -> None:
        """One row more."""
        self._levels[-1].rows.setdefault(statement, []).append(parameters)
        self.tables |= statement.tables

    def change(self, codec: Codec, row_id: str, values: Mapping[str, Any]) -> None:
        """A row is to get these values, by column."""
        self._levels[-1].changes.setdefault((codec, row_id), {}).update(values)
        self.tables.add(codec.table.name)

    def taken(self) -> Waiting:
        """All that waits, to be written now."""
        everything = Waiting()
        for depth, level in enumerate(self._levels):
            for written in self._written_inside[depth:]:
                written.add(level)
            everything.add(level)
            level.clear()
        self.tables.clear()
        return everything

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Inside a savepoint, which is undone where the block raises."""
        self._levels.append(Waiting())
        self._written_inside.append(Waiting())
        try:
            yield
        except BaseException:
            self._levels.pop()
            self._levels[-1].add(self._written_inside.pop())
            self.tables = {table for level in self._levels for table in level.tables()}
            raise
        self._written_inside.pop()
        self._levels[-2].add(self._levels.pop())
