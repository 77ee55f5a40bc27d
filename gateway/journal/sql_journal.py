"""The journal in an SQL database: SQLite now; the tables and statements are those of PostgreSQL, too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection, Engine, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.exc import TimeoutError as NoConnectionError

from gateway.contracts.errors import ConfigurationError, JournalUnavailableError, LocalError
from gateway.contracts.journal import Event, InboundFilter, InboundMessage, InboundState, Receipt
from gateway.contracts.ports import Vault
from gateway.journal import rows, sqlite, tables
from gateway.journal.exclusive import ExclusiveHold
from gateway.journal.listing import listing
from gateway.journal.rows import Row
from gateway.journal.session import Session
from gateway.journal.statements import Statement, Statements
from gateway.journal.store import Store
from gateway.journal.tables import content, meta
from gateway.journal.transaction import SqlTransaction

_KEY_CHECK = {"row_id": "journal", "part": "key"}
_KEY_CONTEXT = b"journal:key"
_VERSION = "schema_version"


class SqlJournal:
    """The durable memory of the gateway; see `gateway.contracts.journal.Journal`.

    Several threads may use it; those that write wait for each other.
    """

    def __init__(self, store: Store, vault: Vault) -> None:
        """In a store; `open_journal` opens one."""
        self._store = store
        self._vault = vault
        self._holds: list[ExclusiveHold] = []
        self._statements = Statements(store.writer.dialect)

    @contextmanager
    def transaction(self) -> Iterator[SqlTransaction]:
        """Begin; commit at the end of the block, or roll back if it raises.

        Raises:
            JournalUnavailableError: the store can not be reached.
            LocalError: the store can not be used.
        """
        with self._session(self._store.writer) as session:
            transaction = SqlTransaction(session, self._statements, self._vault)
            yield transaction
            transaction.write_gathered()

    @contextmanager
    def reader(self) -> Iterator[SqlTransaction]:
        """A view for reading only, of one moment. What is written in it is refused with a LocalError."""
        with self._session(self._store.reader) as session:
            view = SqlTransaction(session, self._statements, self._vault)
            yield view
            view.write_gathered()

    def list_inbound(self, criteria: InboundFilter) -> list[InboundMessage]:
        """Inbox rows, newest first; `body` and `summary` are left out (empty, None).

        Of several values for one criterion any will do; `since` is included, `until` is not.
        """
        with self._session(self._store.reader) as session:
            return [rows.inbound_message(row, None) for row in session.select(listing(criteria))]

    def events(self, inbound_id: str) -> list[Event]:
        """The history of a message, oldest first."""
        return [rows.event(row) for row in self._read(self._statements.events, inbound_id=inbound_id)]

    def receipts(self, sending_id: str) -> list[Receipt]:
        """The receipts for a sending, oldest first."""
        return [rows.receipt(row) for row in self._read(self._statements.receipts, sending_id=sending_id)]

    def count_by_state(self) -> Mapping[str, int]:
        """How many notes stand in each state; states without any are there with 0."""
        found = {row[0]: row[1] for row in self._read(self._statements.count_by_state)}
        return {state.value: found.get(state.value, 0) for state in InboundState}

    def next_due(self) -> datetime | None:
        """When the next pending sending is due (1970 for one that is due at once)."""
        (found,) = self._read(self._statements.next_due)
        return None if found[0] is None else rows.from_time(found[0])

    def acquire_exclusive(self, name: str) -> ExclusiveHold:
        """Be the only one of this name (`gateway`) that works on the journal, until closed or dead.

        The check value of the key is sealed anew, so that a key that was changed can be dropped when the
        last row that it sealed is gone.

        Raises:
            LocalError: another is; its process id is in the text.
        """
        hold = self._store.exclusive(name)
        self._holds.append(hold)
        with self._session(self._store.writer) as session:
            self._seal_key_check(session)
        return hold

    def close(self) -> None:
        """Give the store back, and what is held exclusively."""
        self._store.reader.dispose()
        self._store.writer.dispose()
        while self._holds:
            self._holds.pop().release()

    def prepare(self) -> None:
        """Make the tables in a new store; check version and key of one that is there.

        Raises:
            LocalError: it is no journal, one of another version, or one sealed with another key.
        """
        with _connection(self._store.reader) as connection:
            ready = self._check(connection)
        if not ready:
            with self._session(self._store.writer) as session:
                if not self._check(session.connection):
                    tables.metadata.create_all(session.connection)
                    session.change(
                        self._statements.add_fact, {"name": _VERSION, "value": str(tables.SCHEMA_VERSION)}
                    )
                    self._seal_key_check(session)

    def _check(self, connection: Connection) -> bool:
        """Whether there are tables; they must be ours."""
        names = inspect(connection).get_table_names()
        if not names:
            return False
        if meta.name not in names or content.name not in names:
            raise LocalError("The database is no journal: it holds other tables.")
        version = connection.scalar(select(meta.c.value).where(meta.c.name == _VERSION))
        if version != str(tables.SCHEMA_VERSION):
            raise LocalError(
                f"The journal has schema version {version}; this program works with {tables.SCHEMA_VERSION}.",
                hint="Use the version of the program that wrote it, or a newer one.",
            )
        where = (content.c[name] == value for name, value in _KEY_CHECK.items())
        sealed = connection.scalar(select(content.c.sealed).where(*where))
        try:
            self._vault.open(sealed or b"", context=_KEY_CONTEXT)
        except LocalError as error:
            raise LocalError(
                "The journal was written with another key.", hint="Give the key that belongs to this journal."
            ) from error
        return True

    def _seal_key_check(self, session: Session) -> None:
        sealed = self._vault.seal(b"journal", context=_KEY_CONTEXT)
        session.change(self._statements.put_content, {**_KEY_CHECK, "sealed": sealed})

    def _read(self, statement: Statement, **values: object) -> Sequence[Row]:
        with self._session(self._store.reader) as session:
            return session.rows(statement, values)

    @contextmanager
    def _session(self, engine: Engine) -> Iterator[Session]:
        with _connection(engine) as connection:
            session = Session(connection, self._store.meaning)
            yield session
            session.check()


@contextmanager
def _connection(engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction."""
    try:
        connection = engine.connect()
    except NoConnectionError:
        raise JournalUnavailableError(
            "The journal is busy: another transaction of this process lasts."
        ) from None
    with connection, connection.begin():
        yield connection


_BACKENDS = {"sqlite": sqlite.open_store}


def open_journal(url: str, vault: Vault) -> SqlJournal:
    """Open a journal, and make it where it is new.

    Args:
        url: `sqlite:///relative/path` or `sqlite:////absolute/path`.
        vault: Seals the payloads; a journal opens with a vault that has its key only.

    Raises:
        ConfigurationError: the URL can not be used.
        LocalError: what is there is no journal, is one of another version, or of another key.
        JournalUnavailableError: the store can not be reached.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigurationError("The journal's URL can not be read: write sqlite:///path/to/file.") from None
    backend = _BACKENDS.get(parsed.get_backend_name())
    if backend is None:
        raise ConfigurationError(
            f"There is no journal of kind {parsed.get_backend_name()!r}; known: {', '.join(_BACKENDS)}."
        )
    journal = SqlJournal(backend(parsed), vault)
    try:
        journal.prepare()
    except BaseException:
        journal.close()
        raise
    return journal
