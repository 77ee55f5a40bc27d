"""What is particular to PostgreSQL: its settings, its locks, and what its errors mean.

Several processes on several machines may work on one journal. Their transactions that write go one at a
time, by a lock that ends with the transaction: a decision then sees everything that was decided before it
(the note that a change is about, the receipt of the other receiver), as it does on SQLite. What takes long,
taking messages apart and publishing them, is done outside of transactions and runs side by side.

Every commit is on the disk before it returns (`synchronous_commit=on`).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.pool import QueuePool

from gateway.contracts.errors import ConfigurationError, GatewayError, JournalUnavailableError, LocalError
from gateway.journal.errors import RowRefusedError
from gateway.journal.exclusive import SharedHold
from gateway.journal.new_file import new_file
from gateway.journal.store import Store

BUSY_SECONDS = 30.0
"""How long a writer waits for another's transaction."""

_READERS = 4
_CONNECT_SECONDS = 5

_WRITE_LOCK = 0x70616B6B65686A
"""Number of the lock that writers take turns by (`pakkehj`); such locks are of one database each"""

_SETTINGS = {
    "synchronous_commit": "on",
    "client_encoding": "utf8",
    # Compiling a query of the report takes longer than running it.
    "jit": "off",
    "lock_timeout": f"{int(BUSY_SECONDS * 1000)}ms",
    # A process that hangs, or a machine that is gone, keeps the others waiting no longer than this.
    "idle_in_transaction_session_timeout": "60s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
_FOR_READING = {
    "default_transaction_isolation": "repeatable\\ read",
    "default_transaction_read_only": "on",
    # What is read by a cursor is read to the end.
    "cursor_tuple_fraction": "1.0",
    # Who wants the newest fifty of a few has them sooner by one process than by three that read ahead;
    # and the cores are for what is on its way.
    "max_parallel_workers_per_gather": "0",
}

_UNAVAILABLE = {
    "08": "The connection to the journal's database was lost.",
    "25P03": "The journal's database ended a transaction that lasted too long.",
    "40": "The journal's database undid the transaction to let others go on.",
    "53": "The journal's database has no room, or no connection, left.",
    "55P03": "The journal is busy: another process's transaction lasts.",
    "57": "The journal's database stops, or starts.",
    "58": "The disk of the journal's database fails.",
}
_OURS = {
    "25006": "The journal can not be written here: this view is for reading.",
    "42501": "The user may not do this in the journal's database.",
    "XX": "The journal's database is damaged.",
}
_UNREACHABLE = "The journal's database can not be reached, or refuses the user."
_UNREACHABLE_HINT = "See that it runs, and that host, port, database, user and password are right."


def _meaning(error: BaseException) -> GatewayError:
    """The error of ours that an error of the driver stands for. Its text is not passed on."""
    code = getattr(error, "sqlstate", None)
    if code is None:
        if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
            return JournalUnavailableError(_UNREACHABLE, hint=_UNREACHABLE_HINT)
        return LocalError(f"The journal can not do what was asked. ({type(error).__name__})")
    if code.startswith("23"):
        return RowRefusedError(f"The row does not fit the others in the journal ({code}).")
    for table, kind in ((_UNAVAILABLE, JournalUnavailableError), (_OURS, LocalError)):
        text = table.get(code) or table.get(code[:2])
        if text is not None:
            return kind(f"{text} ({code})")
    return LocalError(f"The journal can not do what was asked. ({code})")


def _translate(context: ExceptionContext) -> None:
    if not context.is_pre_ping and isinstance(context.original_exception, psycopg.Error):
        raise _meaning(context.original_exception)


def _take_turn(connection: Connection) -> None:
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITE_LOCK})")


def _engine(url: URL, *, writes: bool) -> Engine:
    """Connections that write (one, in turn with those of other processes), or that read."""
    settings = _SETTINGS if writes else _SETTINGS | _FOR_READING
    made = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=1 if writes else _READERS,
        max_overflow=0 if writes else -1,
        pool_timeout=BUSY_SECONDS,
        pool_pre_ping=True,
        connect_args={
            "application_name": "pakkehjem",
            "connect_timeout": _CONNECT_SECONDS,
            "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 20_000,
        },
        hide_parameters=True,
    )
    if writes:
        event.listen(made, "begin", _take_turn)
    event.listen(made, "handle_error", _translate)
    return made


def _back_up(url: URL, file: Path) -> None:
    """Dump by PostgreSQL's own tool: of one moment, and nobody waits for it."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_dump"), key=lambda p: (len(str(p)), str(p)))
    tool = shutil.which("pg_dump") or next((str(path) for path in reversed(installed)), None)
    if tool is None:
        raise LocalError("There is no pg_dump here.", hint="Install postgresql-client, or run it elsewhere.")
    # Not on the command line, which others can read.
    environment = dict(os.environ) if url.password is None else os.environ | {"PGPASSWORD": str(url.password)}
    # Made anew: `URL.set` takes None for "as it was".
    server = URL.create(
        "postgresql", url.username, host=url.host, port=url.port, database=url.database, query=url.query
    ).render_as_string(hide_password=False)
    with new_file(file) as unfinished:
        arguments = ["--format=custom", "--no-owner", "--no-password", f"--file={unfinished}", server]
        done = subprocess.run([tool, *arguments], env=environment, capture_output=True, check=False)  # noqa: S603 - no words of others but the configured URL
        if done.returncode != 0:
            raise LocalError(
                f"pg_dump has failed (exit code {done.returncode}); there is no backup.",
                hint="See that the server runs, and that pg_dump is not older than it.",
            )


def open_store(url: URL) -> Store:
    """The journal's store in a database: `postgresql://user:password@host:port/database`.

    What libpq knows may follow: `?sslmode=verify-full&sslrootcert=/path`.

    Raises:
        ConfigurationError: the URL names no database.
    """
    if not url.database or "options" in url.query:
        raise ConfigurationError(
            "The journal's URL names no database, or sets options: write postgresql://user@host/database."
        )
    if "password" in url.query or "sslpassword" in url.query:
        # `pg_dump` would get it on its command line, which others can read.
        raise ConfigurationError(
            "The journal's URL has a password among its settings.", hint="Use journal.password_file."
        )
    driven = url.set(drivername="postgresql+psycopg")
    return Store(
        writer=_engine(driven, writes=True),
        reader=_engine(driven, writes=False),
        meaning=_meaning,
        hold=lambda _name: SharedHold(),
        shared=True,
        backup=lambda file: _back_up(url, file),
    )
