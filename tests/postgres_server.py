"""A PostgreSQL server for the tests, started by the project's own script and shared by xdist's workers."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest

from tests.conftest import ROOT, require

SCRIPT = ROOT / "deploy" / "servers" / "postgresql.sh"


class PostgresServer:
    """A server in a folder of its own, with databases for tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self._free: list[str] = []

    def start(self) -> None:
        done = subprocess.run(
            [str(SCRIPT), "start", str(self.folder)], capture_output=True, text=True, timeout=300, check=False
        )
        require(done.returncode == 0, f"PostgreSQL can not be started here: {done.stderr.strip()[-300:]}")
        self.url = done.stdout.strip()

    def stop(self) -> None:
        subprocess.run([str(SCRIPT), "stop", str(self.folder)], check=True, timeout=60, capture_output=True)

    def restart(self) -> None:
        """Pull the plug (`pg_ctl stop -m immediate`: no checkpoint, every connection is cut); start again."""
        self.crash()
        self.start()

    def crash(self) -> None:
        lock = self.folder / "data" / "postmaster.pid"
        os.kill(int(lock.read_text().splitlines()[0]), signal.SIGQUIT)  # what `-m immediate` sends
        deadline = time.monotonic() + 30
        while lock.exists():
            assert time.monotonic() < deadline, "the server does not end"
            time.sleep(0.01)

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of an empty database."""
        url = self._free.pop() if self._free else self._made()
        yield url
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        self._free.append(url)

    def _made(self) -> str:
        name = f"test_{uuid4().hex}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))


def restore_dump(url: str, file: Path) -> None:
    """Put a dump into a database, in place of what is there."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_restore"), reverse=True)
    tool = str(next(iter(installed), "pg_restore"))
    subprocess.run([tool, "--clean", "--if-exists", "--dbname", url, str(file)], check=True, timeout=60)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / "postgresql.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@cache
def _folder(shared: Path) -> Path:
    # pytest's own folders are closed to the user that the server runs as.
    name = hashlib.sha256(str(shared).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"pakkehjem-postgresql-{name}"


@contextmanager
def shared_server(shared: Path) -> Iterator[PostgresServer]:
    """One server for all processes of a run of the tests; the last one stops and removes it.

    Args:
        shared: a folder that these processes have in common, and no other run.
    """
    server = PostgresServer(_folder(shared))
    user = shared / f"postgresql-user-{os.getpid()}"
    with _locked(shared):
        server.start()
        user.touch()
    try:
        yield server
    finally:
        with _locked(shared):
            user.unlink(missing_ok=True)
            if not list(shared.glob("postgresql-user-*")):
                server.stop()
                shutil.rmtree(server.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """The server; a test that stops it has its own."""
    base = tmp_path_factory.getbasetemp()
    with shared_server(base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) as server:
        yield server


@pytest.fixture(scope="module")
def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A server for tests that stop it."""
    with shared_server(tmp_path_factory.mktemp("postgresql")) as server:
        yield server
