"""What is particular to SQLite: its settings, its locks, and what its errors mean.

One connection writes; others read beside it, in this process and in others (WAL). Every commit is on the
disk before it returns (`synchronous=FULL`).
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.pool import QueuePool

from gateway.contracts.errors import ConfigurationError, GatewayError, JournalUnavailableError, LocalError
from gateway.journal.errors import RowRefusedError
from gateway.journal.exclusive import ExclusiveHold
from gateway.journal.new_file import new_file
from gateway.journal.store import Store

BUSY_SECONDS = 10.0
"""How long a writer waits for another's transaction."""

_READERS = 4
_SECONDS_BETWEEN_ATTEMPTS = 0.001

# Pages of 8 KB and a checkpoint every 32 MB: a sealed message of usual size takes two pages, and pages that
# change often are copied to the database once for many commits.
_PAGE_BYTES = 8192
_CHECKPOINT_PAGES = 4096
_CACHE_KIB = 16384

_UNAVAILABLE = {
    sqlite3.SQLITE_BUSY: "The journal is locked by another process.",
    sqlite3.SQLITE_LOCKED: "The journal is locked by another connection.",
    sqlite3.SQLITE_FULL: "The disk of the journal is full.",
    sqlite3.SQLITE_IOERR: "The disk of the journal fails.",
    sqlite3.SQLITE_CANTOPEN: "The journal's file can not be opened.",
    sqlite3.SQLITE_NOMEM: "There is no memory left for the journal.",
}
_OURS = {
    sqlite3.SQLITE_NOTADB: "The file is no journal (no SQLite database).",
    sqlite3.SQLITE_CORRUPT: "The journal's file is damaged.",
    sqlite3.SQLITE_READONLY: "The journal can not be written here: the file, or this view, is for reading.",
    sqlite3.SQLITE_PERM: "The journal's file may not be used by this user.",
}


def _meaning(error: BaseException) -> GatewayError:
    """The error of ours that an error of the driver stands for. Its text is not passed on."""
    code = getattr(error, "sqlite_errorcode", 0)
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    if isinstance(error, sqlite3.IntegrityError):
        return RowRefusedError(f"The row does not fit the others in the journal ({name}).")
    primary = code & 0xFF
    if primary in _UNAVAILABLE:
        return JournalUnavailableError(f"{_UNAVAILABLE[primary]} ({name})")
    return LocalError(f"{_OURS.get(primary, 'The journal can not do what was asked.')} ({name})")


def _translate(context: ExceptionContext) -> None:
    if isinstance(context.original_exception, sqlite3.Error):
        raise _meaning(context.original_exception)


def _settle(connection: sqlite3.Connection, *, writes: bool) -> None:
    connection.isolation_level = None  # transactions begin where we say, not where the driver guesses
    connection.execute(f"PRAGMA busy_timeout={int(BUSY_SECONDS * 1000)}")
    connection.execute(f"PRAGMA page_size={_PAGE_BYTES}")
    _when_free(connection, "PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
    connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
    connection.execute("PRAGMA temp_store=MEMORY")  # where savepoints keep what they may have to undo
    connection.execute("PRAGMA busy_timeout=0" if writes else "PRAGMA query_only=ON")  # writers wait to begin


def _begin_to_read(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _begin_to_write(connection: Connection) -> None:
    driver = connection.connection.driver_connection
    try:
        _when_free(cast("sqlite3.Connection", driver), "BEGIN IMMEDIATE")
    except sqlite3.Error as error:
        raise _meaning(error) from None


def _when_free(connection: sqlite3.Connection, statement: str) -> None:
    """Run a statement as soon as other writers let us.

    SQLite itself sleeps up to 0.1 s between attempts, so that of several busy writers one starves; and it
    does not wait at all where two switch a new file to WAL at once.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute(statement)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_SECONDS_BETWEEN_ATTEMPTS)
        else:
            return


def _database_file(url: URL) -> Path:
    """The file of a URL; made, for its owner only, if new."""
    if not url.database or url.database == ":memory:" or url.query:
        raise ConfigurationError("The journal's URL names no file: write sqlite:///path/to/file.")
    path = Path(url.database)
    try:
        # Never opened where it exists: closing it would drop this process's locks on it.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise JournalUnavailableError(f"The journal's file can not be made: {error.strerror}.") from None
    return path


def _engine(path: Path, *, writes: bool) -> Engine:
    """Connections that write (one, each transaction `BEGIN IMMEDIATE`), or that read."""
    made = create_engine(
        URL.create("sqlite", database=str(path)),
        poolclass=QueuePool,
        pool_size=1 if writes else _READERS,
        max_overflow=0 if writes else -1,
        pool_timeout=BUSY_SECONDS,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        hide_parameters=True,
    )

    def on_connect(connection: sqlite3.Connection, _record: Any) -> None:  # noqa: ANN401 - a private type
        _settle(connection, writes=writes)

    event.listen(made, "connect", on_connect)
    event.listen(made, "begin", _begin_to_write if writes else _begin_to_read)
    event.listen(made, "handle_error", _translate)
    return made


def _back_up(reader: Engine, file: Path) -> None:
    """Copy by SQLite's online backup: of one moment, and nobody waits for it."""
    with new_file(file) as unfinished, reader.connect() as connection:
        source = cast("sqlite3.Connection", connection.connection.driver_connection)
        try:
            with closing(sqlite3.connect(unfinished)) as copy:
                source.backup(copy)
                # Whole in one file, not beside a log of its own.
                copy.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.Error as error:
            raise _meaning(error) from None


def open_store(url: URL) -> Store:
    """The journal's store in a file: `sqlite:///relative` or `sqlite:////absolute`.

    Raises:
        ConfigurationError: the URL names no file.
        JournalUnavailableError: the file can not be made.
    """
    path = _database_file(url)
    reader = _engine(path, writes=False)
    return Store(
        writer=_engine(path, writes=True),
        reader=reader,
        meaning=_meaning,
        hold=lambda name: ExclusiveHold(path.with_name(f"{path.name}.{name}.lock"), name),
        shared=False,
        backup=lambda file: _back_up(reader, file),
    )
