"""A connection in a transaction, as the journal's statements use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Insert, Select, Update
from sqlalchemy.exc import TimeoutError as NoConnectionError

from gateway.contracts.errors import GatewayError, JournalUnavailableError
from gateway.journal.rows import Row
from gateway.journal.statement import Parameters, Statement

_AT_A_TIME = 5_000
"""Rows of a stream that are in memory together"""

Meaning = Callable[[BaseException], GatewayError]
"""What an error of a driver means to us."""


class Session:
    """Runs statements. After one that failed nothing more is run, but by undoing to a savepoint.

    (A store may have undone a part, or all, of the transaction by then; what would be written next would
    stand alone.)

    Statements of fixed shape go straight to the driver: what SQLAlchemy adds to each costs several times
    what SQLite needs to run it.
    """

    def __init__(self, connection: Connection, meaning: Meaning) -> None:
        """On a connection that has begun a transaction."""
        self.connection = connection
        self._cursor = connection.connection.cursor()
        self._error = connection.dialect.loaded_dbapi.Error
        self._meaning = meaning
        self._savepoints = 0
        self._open: list[str] = []
        """Names of the savepoints that are open, outermost first"""
        self._begun = 0
        """How many of them the store knows of"""
        self._failure: GatewayError | None = None

    def change(self, statement: Statement, values: Mapping[str, Any]) -> int:
        """Write; how many rows it touched."""
        self._begin_savepoints()
        self._run(statement.sql, statement.bind(values))
        return self._cursor.rowcount

    def change_many(self, statement: Statement, parameters: list[Any]) -> int:
        """Write the same with many values, bound already; how many rows it touched."""
        self._begin_savepoints()
        with self._guarded():
            self._cursor.executemany(statement.sql, parameters)
        return self._cursor.rowcount

    def rows(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Row]:
        """Read."""
        return self._run(statement.sql, statement.bind(values), fetch=True)

    def select(self, query: Select[Any]) -> Sequence[Row]:
        """Read by a query that is made for the occasion."""
        with self._guarded():
            return self.connection.execute(query).all()

    def stream(self, query: Select[Any]) -> Iterator[Row]:
        """Read many rows by such a query, some at a time."""
        with self._guarded():
            yield from self.connection.execute(query, execution_options={"yield_per": _AT_A_TIME})

    def execute(self, change: Insert | Update, values: Mapping[str, Any] | None = None) -> None:
        """Write by a statement that is made for the occasion."""
        self._begin_savepoints()
        with self._guarded():
            self.connection.execute(change, values)

    @contextmanager
    def savepoint(self, *, when_written: bool = False) -> Iterator[None]:
        """What is written inside is undone, alone, if the block raises.

        With `when_written` the store hears of it with the first statement inside that writes; what fails
        before that (a statement that reads) fails the whole transaction.
        """
        self._savepoints += 1
        name = f"s{self._savepoints}"
        self._open.append(name)
        try:
            if not when_written:
                self._begin_savepoints()
            yield
        except BaseException:
            if self._closed():
                self._undo(name)
            raise
        if self._closed():
            self._run(f"RELEASE SAVEPOINT {name}")

    def _begin_savepoints(self) -> None:
        """Tell the store of those that it does not know of."""
        while self._begun < len(self._open):
            self._run(f"SAVEPOINT {self._open[self._begun]}")
            self._begun += 1

    def _closed(self) -> bool:
        """The innermost is no longer open; whether the store knew of it."""
        self._open.pop()
        known = self._begun > len(self._open)
        self._begun = min(self._begun, len(self._open))
        return known

    def _undo(self, name: str) -> None:
        failure, self._failure = self._failure, None
        try:
            self._run(f"ROLLBACK TO SAVEPOINT {name}")
            self._run(f"RELEASE SAVEPOINT {name}")
        except GatewayError as lost:
            # The store has ended the whole transaction: what it failed with first says why.
            self._failure = failure or lost
            raise self._failure from None

    def check(self) -> None:
        """Raise what a statement has failed with, even if that was caught: this can not be committed."""
        if self._failure is not None:
            raise self._failure

    def _run(self, sql: str, values: Parameters = (), *, fetch: bool = False) -> Sequence[Row]:
        """Run a statement; as `_guarded`, which costs as much as some statements do."""
        self.check()
        try:
            self._cursor.execute(sql, values)
            return self._cursor.fetchall() if fetch else ()
        except (self._error, GatewayError) as error:
            raise self._failed(error) from None

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        self.check()
        try:
            yield
        except (self._error, GatewayError) as error:
            raise self._failed(error) from None

    def _failed(self, error: Exception) -> GatewayError:
        """What a statement has failed with; it is remembered."""
        self._failure = error if isinstance(error, GatewayError) else self._meaning(error)
        return self._failure


@contextmanager
def connection_of(engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction: committed at the end of the block, undone if it raises.

    Raises:
        JournalUnavailableError: every connection is in use.
    """
    try:
        connection = engine.connect()
    except NoConnectionError:
        raise JournalUnavailableError(
            "The journal is busy: another transaction of this process lasts."
        ) from None
    with connection, connection.begin():
        yield connection


@contextmanager
def session_of(engine: Engine, meaning: Meaning) -> Iterator[Session]:
    """A session in a transaction; what a statement in it has failed with is raised at the end."""
    with connection_of(engine) as connection:
        session = Session(connection, meaning)
        yield session
        session.check()
