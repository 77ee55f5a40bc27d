"""Real servers for tests: started once for all workers by the project's own scripts, on loopback.

Each is bound to the process that started pytest: it ends when that one ends, however that came about.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.certificates import write_certificates
from tests.conftest import ROOT, require

RABBITMQ = ROOT / "deploy" / "servers" / "rabbitmq.sh"
_HOSTS_AT_ONCE = 40


@contextmanager
def alone(file: Path) -> Iterator[None]:
    """One process at a time."""
    with file.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """One folder for all workers of a run."""
    base = factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


def owner() -> int:
    """The process that was started to run the tests."""
    return os.getppid() if os.environ.get("PYTEST_XDIST_WORKER") else os.getpid()


class RabbitServer:
    """A node of our own."""

    def __init__(self, folder: Path) -> None:
        """It lives in the folder."""
        self.folder = folder

    def script(self, action: str, *words: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        """`rabbitmq.sh ACTION FOLDER …`."""
        return subprocess.run(
            [str(RABBITMQ), action, str(self.folder), *words],
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            env={**os.environ, "OWNER": str(owner())},
        )

    def start(self) -> None:
        """Start it, where it does not run."""
        done = self.script("start")
        assert done.returncode == 0, done.stderr

    def stop(self) -> None:
        """Stop it in good order."""
        assert self.script("stop").returncode == 0

    def kill(self) -> None:
        """kill -9."""
        assert self.script("kill").returncode == 0

    def ctl(self, *words: str) -> str:
        """`rabbitmqctl`."""
        done = self.script("ctl", *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def url(self) -> str:
        """Of the first virtual host."""
        done = self.script("status")
        assert done.returncode == 0, "the node does not run"
        return done.stdout.strip()

    def tls_url(self, host: str = "localhost") -> str:
        """With TLS; certificates are for the caller to add."""
        parts = urlsplit(self.url)
        port = (self.folder / "tls" / "port").read_text().strip()
        return f"amqps://{parts.username}:{parts.password}@{host}:{port}/"

    def new_vhost(self) -> str:
        """URL of a virtual host that nobody has used. They are made in bulk: asking costs seconds."""
        with alone(self.folder / "vhosts.lock"):
            free = self.folder / "vhosts"
            names = free.read_text().split() if free.exists() else []
            if not names:
                numbers = self.folder / "vhosts.made"
                made = int(numbers.read_text()) if numbers.exists() else 0
                names = [f"test{number}" for number in range(made, made + _HOSTS_AT_ONCE)]
                self._make_vhosts(names)
                numbers.write_text(str(made + _HOSTS_AT_ONCE))
            name, *rest = names
            free.write_text("\n".join(rest))
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))

    def _make_vhosts(self, names: list[str]) -> None:
        every = '<<".*">>'
        listed = ",".join(f'<<"{name}">>' for name in names)
        self.ctl(
            "eval",
            f'[begin rabbit_vhost:add(X, <<"test">>), rabbit_auth_backend_internal:set_permissions('
            f'<<"pakkehjem">>, X, {every}, {every}, {every}, <<"test">>) end || X <- [{listed}]].',
        )


def _started(folder: Path, prepare: Callable[[Path], None] | None = None) -> RabbitServer:
    server = RabbitServer(folder)
    with alone(folder.with_suffix(".lock")):
        if not folder.exists():
            folder.mkdir()
            if prepare is not None:
                prepare(folder)
            made = server.script("start")
            if made.returncode:
                shutil.rmtree(folder, ignore_errors=True)
                require(False, f"RabbitMQ can not be started: {made.stderr.strip()}")  # noqa: FBT003 - a verdict
    return server


@pytest.fixture(scope="session")
def rabbit_server(tmp_path_factory: pytest.TempPathFactory) -> RabbitServer:
    """A node that all tests and workers share: leave it running and open."""
    return _started(shared_folder(tmp_path_factory) / "rabbitmq")


@pytest.fixture
def frail_rabbit_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitServer]:
    """A node to be stopped, killed and choked, by one test at a time; it runs again for the next.

    It listens with TLS, too.
    """
    folder = shared_folder(tmp_path_factory)
    with alone(folder / "frail-rabbitmq.turn"):
        server = _started(folder / "frail-rabbitmq", lambda place: write_certificates(place / "tls"))
        server.start()
        yield server


@pytest.fixture
def rabbitmq(rabbit_server: RabbitServer) -> str:
    """URL of a RabbitMQ virtual host with nothing in it."""
    return rabbit_server.new_vhost()
