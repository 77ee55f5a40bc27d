"""The fewest durable rows that the work needs, by the drivers alone: what the floor and the baseline keep."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit

import psycopg

INBOX = "INSERT INTO inbox (id, msg_id, sender, state, body) VALUES (?, ?, ?, ?, ?)"
OUTBOX = "INSERT INTO outbox (id, inbox_id, queue, state, body) VALUES (?, ?, ?, ?, ?)"
MARK = "UPDATE outbox SET state = ? WHERE id = ?"

_TABLES = (
    "CREATE TABLE inbox (id TEXT PRIMARY KEY, msg_id TEXT, sender TEXT, state TEXT, body {bytes})",
    "CREATE UNIQUE INDEX inbox_msg_id ON inbox (msg_id, sender)",
    "CREATE TABLE outbox (id TEXT PRIMARY KEY, inbox_id TEXT, queue TEXT, state TEXT, body {bytes})",
)

Batch = tuple[str, Sequence[Sequence[Any]]]


class Rows(Protocol):
    """A durable store of them."""

    def commit(self, batches: Sequence[Batch]) -> None:
        """Run statements with many values each, in one transaction."""


class SqliteRows:
    """WAL, `synchronous=FULL`."""

    def __init__(self, path: str) -> None:
        """In a new file."""
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        for statement in _TABLES:
            self._db.execute(statement.format(bytes="BLOB"))

    def commit(self, batches: Sequence[Batch]) -> None:
        """Run statements with many values each, in one transaction."""
        self._db.execute("BEGIN IMMEDIATE")
        for statement, values in batches:
            if values:
                self._db.executemany(statement, values)
        self._db.execute("COMMIT")


class PostgresRows:
    """`synchronous_commit=on`, in a schema of their own."""

    def __init__(self, url: str, schema: str) -> None:
        """Make the schema."""
        self._db = psycopg.connect(url, autocommit=True)
        self._db.execute(psycopg.sql.SQL("CREATE SCHEMA {}").format(psycopg.sql.Identifier(schema)))
        self._db.execute(psycopg.sql.SQL("SET search_path TO {}").format(psycopg.sql.Identifier(schema)))
        self._db.execute("SET synchronous_commit TO on")
        for statement in _TABLES:
            self._db.execute(psycopg.sql.SQL(statement.format(bytes="BYTEA")))

    def commit(self, batches: Sequence[Batch]) -> None:
        """Run statements with many values each, in one transaction."""
        with self._db.transaction(), self._db.cursor() as cursor:
            for statement, values in batches:
                if values:
                    cursor.executemany(statement.replace("?", "%s").encode(), values)


def open_rows(url: str, name: str) -> Rows:
    """`sqlite:FILE` or `postgresql://…`; `name` is new."""
    if urlsplit(url).scheme == "sqlite":
        return SqliteRows(url.removeprefix("sqlite:"))
    return PostgresRows(url, name.replace("-", "_"))
