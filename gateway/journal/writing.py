"""What a transaction writes: gathered, and written together before the next statement that could see it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from gateway.contracts.fail_points import FailPoint, reached
from gateway.journal.errors import DuplicateInboundError, UnknownRowError
from gateway.journal.gathered import Gathered
from gateway.journal.rows import INBOUND, SENDING, Codec, Row
from gateway.journal.session import Session
from gateway.journal.statement import Statement
from gateway.journal.statements import Statements

_POINTED_AT = frozenset({INBOUND.table.name, SENDING.table.name})
"""Tables whose rows others point at"""


class Writing:
    """A session whose rows and changes may wait for each other."""

    def __init__(self, session: Session, statements: Statements) -> None:
        """Of a transaction that has begun."""
        self.session = session
        self._statements = statements
        self._gathered = Gathered()

    def rows(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Row]:
        """Read, what waits for these tables included."""
        if not statement.tables.isdisjoint(self._gathered.tables):
            self.write()
        return self.session.rows(statement, values)

    def change(self, statement: Statement, values: Mapping[str, Any]) -> int:
        """Write now, after what waits; how many rows it touched."""
        tables = self._gathered.tables
        if not (statement.tables.isdisjoint(tables) and _POINTED_AT.isdisjoint(tables)):
            self.write()
        return self.session.change(statement, values)

    def gather(self, statement: Statement, values: Mapping[str, Any]) -> None:
        """Write a row later."""
        self._gathered.add(statement, statement.bind(values))

    def gather_change(self, codec: Codec, row_id: str, values: Mapping[str, Any]) -> None:
        """Change a row, which is known to be there, later."""
        self._gathered.change(codec, row_id, values)

    @contextmanager
    def savepoint(self, *, gather: bool) -> Iterator[None]:
        """What is written inside is undone, alone, if the block raises.

        With `gather`, what was gathered inside may be written after it, together with other rows.
        """
        if not gather:
            self.write()
        with self.session.savepoint(when_written=gather), self._gathered.inside():
            yield
            if not gather:
                self.write()

    def write(self) -> None:
        """Write what was gathered: first the rows that others point at, last what changes rows.

        Raises:
            DuplicateInboundError: a row of the inbox is there already.
            UnknownRowError: a row that was to be changed is not.
        """
        s = self._statements
        waiting = self._gathered.taken()
        first = [each for each in (s.add_inbound, s.add_sending, s.put_content) if each in waiting.rows]
        for statement in (*first, *(each for each in waiting.rows if each not in first)):
            parameters = waiting.rows[statement]
            count = self.session.change_many(statement, parameters)
            if statement is s.add_inbound:
                if count != len(parameters):
                    raise DuplicateInboundError
                reached(FailPoint.INBOX_WRITTEN)
            else:
                reached(FailPoint.OUTBOX_WRITTEN if statement is s.add_sending else FailPoint.HISTORY_WRITTEN)
        alike: dict[tuple[Codec, frozenset[str]], list[dict[str, Any]]] = {}
        for (codec, row_id), values in waiting.changes.items():
            named = {f"new_{name}": value for name, value in values.items()} | {"row_id": row_id}
            alike.setdefault((codec, frozenset(values)), []).append(named)
        for (codec, names), each in alike.items():
            statement = s.change(codec, names)
            if self.session.change_many(statement, [statement.bind(values) for values in each]) != len(each):
                raise UnknownRowError
