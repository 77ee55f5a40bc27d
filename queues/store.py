"""The SQLite file of the embedded queue: its tables, its settings, and what its errors mean."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.contracts.errors import LocalError, QueueUnavailableError

BUSY_SECONDS = 10.0
"""How long a writer waits for another's transaction."""

_SECONDS_BETWEEN_ATTEMPTS = 0.0005

_SCHEMA_VERSION = 2
_PAGE_BYTES = 8192
_CHECKPOINT_PAGES = 4096

# Envelopes stand apart, so that a lease is a change of a small row. A lease is the id of a connection.
_SCHEMA = f"""
CREATE TABLE connection (id INTEGER PRIMARY KEY AUTOINCREMENT, token TEXT NOT NULL UNIQUE);
CREATE TABLE queue (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE consumer (
    connection INTEGER NOT NULL REFERENCES connection ON DELETE CASCADE,
    queue INTEGER NOT NULL REFERENCES queue,
    PRIMARY KEY (connection, queue)
) WITHOUT ROWID;
CREATE TABLE message (
    sequence INTEGER PRIMARY KEY,
    queue INTEGER NOT NULL REFERENCES queue,
    lease INTEGER,
    redelivered INTEGER NOT NULL DEFAULT 0,
    abandoned INTEGER NOT NULL DEFAULT 0,
    published_at REAL NOT NULL
);
CREATE INDEX message_ready ON message (queue, lease, sequence);
CREATE INDEX message_lease ON message (lease) WHERE lease IS NOT NULL;
CREATE TABLE envelope (
    sequence INTEGER PRIMARY KEY REFERENCES message ON DELETE CASCADE,
    message_id TEXT NOT NULL,
    headers TEXT NOT NULL,
    content_type TEXT NOT NULL,
    correlation_id TEXT,
    reply_to TEXT,
    body BLOB NOT NULL
);
PRAGMA user_version = {_SCHEMA_VERSION};
"""

_UPGRADES = {1: "ALTER TABLE message ADD COLUMN abandoned INTEGER NOT NULL DEFAULT 0"}
"""From a version to the next one; a program of the older version works on with the newer file"""

_UNAVAILABLE = {
    sqlite3.SQLITE_BUSY: "The embedded queue is locked by another process.",
    sqlite3.SQLITE_LOCKED: "The embedded queue is locked by another connection.",
    sqlite3.SQLITE_FULL: "The disk of the embedded queue is full.",
    sqlite3.SQLITE_IOERR: "The disk of the embedded queue fails.",
    sqlite3.SQLITE_CANTOPEN: "The file of the embedded queue can not be opened.",
    sqlite3.SQLITE_NOMEM: "There is no memory left for the embedded queue.",
}


def begin(db: sqlite3.Connection) -> None:
    """Begin to write, when the others let us.

    SQLite itself sleeps up to 0.1 s between attempts, so that of several busy writers one starves.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            db.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_SECONDS_BETWEEN_ATTEMPTS)
        else:
            return


@contextmanager
def guarded() -> Iterator[None]:
    """Errors of the driver become ours. Their text is not passed on."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        name = getattr(error, "sqlite_errorname", type(error).__name__)
        if code in _UNAVAILABLE:
            raise QueueUnavailableError(f"{_UNAVAILABLE[code]} ({name})") from None
        raise LocalError(f"The file of the embedded queue can not be used. ({name})") from None


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, and make it where it is new. One process at a time may do so.

    Raises:
        QueueUnavailableError: the file can not be opened.
        LocalError: it is no embedded queue, or one of another version.
    """
    try:
        # Never opened where it exists: closing it would drop this process's locks on it.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise QueueUnavailableError(
            f"The file of the embedded queue can not be made: {error.strerror}."
        ) from None
    with guarded():
        return _settled(path)


def _settled(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        new = _is_new(db)
        db.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA foreign_keys = ON")
        db.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        if new:
            db.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
        else:
            _upgrade(db)
        db.execute("PRAGMA busy_timeout = 0")  # `begin` waits
    except BaseException:
        db.close()
        raise
    return db


def _upgrade(db: sqlite3.Connection) -> None:
    """Bring a file of an older version to this one."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    for older in range(version, _SCHEMA_VERSION):
        db.executescript(f"BEGIN IMMEDIATE; {_UPGRADES[older]}; PRAGMA user_version = {older + 1}; COMMIT;")


def _is_new(db: sqlite3.Connection) -> bool:
    """Whether there is nothing in the file; what is must be ours. Nothing is changed before that is known."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and version != _SCHEMA_VERSION and version not in _UPGRADES:
        raise LocalError(
            f"The file is no embedded queue of version {_SCHEMA_VERSION}.",
            hint="Give the queue a file of its own, or use the version of the program that wrote it.",
        )
    return not tables
