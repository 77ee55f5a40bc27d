"""The process that answers whoever watches the service: `/metrics`, `/healthz`, `/readyz`.

A process of its own, so that nobody who asks takes time from a worker. It sees what workers count through
files that they share, whether they turn through shared memory, and all else as any other command does.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from typing import TYPE_CHECKING, Final, Self

import structlog

from gateway.contracts.errors import GatewayError
from gateway.contracts.queues import QueueStatus
from gateway.journal.state import JournalState
from gateway.ops.certificate_list import certificates
from gateway.ops.configuration import Configuration
from gateway.ops.counted import counted
from gateway.ops.queue_names import all_queues
from gateway.ops.stores import connect_queue, open_journal, open_registry
from gateway.ops.watchdog import Hearts

if TYPE_CHECKING:
    from prometheus_client.core import Metric

log = structlog.get_logger()

FOLDER_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Tells prometheus_client where processes share what they count; it looks once, when it is imported"""

_FRESH_SECONDS: Final = 10.0
"""For how long an answer of journal and broker is given again"""
_PATIENCE_SECONDS: Final = 3.0
"""For how long who asks is let wait: who watches gives up soon, and would not hear why"""
_NAMED: Final = 4


def shared_folder() -> Path:
    """A new folder for what workers count; in the runtime directory of systemd, where there is one."""
    runtime = os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
    folder = Path(tempfile.mkdtemp(prefix="pakkehjem-metrics-", dir=runtime or None))
    os.environ[FOLDER_VARIABLE] = str(folder)
    return folder


class _Server(ThreadingHTTPServer):
    """Without a name of its own: the library asks the name service for one, which is away when it matters."""

    def server_bind(self) -> None:
        """Bind to the address, and no more."""
        TCPServer.server_bind(self)


class Observer:
    """Started by `with`; ended with it, and with the process that started it."""

    def __init__(self, configuration: Configuration, address: tuple[str, int], hearts: Hearts) -> None:
        """Bind the address.

        Raises:
            OSError: it is taken, or not ours.
        """
        self._folder = shared_folder()
        self._process = 0
        self._alive = os.pipe()
        try:
            self._server = _Server(address, _handler(_Watch(configuration, hearts, self._folder)))
        except OSError:
            self._clean()
            raise
        self._server.daemon_threads = True

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        """Fork."""
        owner = os.getpid()
        self._process = os.fork()
        if self._process == 0:
            try:
                self._serve()
            finally:
                os._exit(0)
        self._server.server_close()
        os.close(self._alive[0])
        log.info("observing", port=self.port, pid=self._process)
        self._owner = owner
        return self

    def __exit__(self, *exc: object) -> None:
        """End it; workers that were forked meanwhile leave it alone."""
        if os.getpid() != self._owner:
            return
        os.close(self._alive[1])
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)
        self._clean()

    def _serve(self) -> None:
        os.setsid()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        os.close(self._alive[1])
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        # Nothing is ever written to this pipe: its end is the end of who started us.
        os.read(self._alive[0], 1)

    def _clean(self) -> None:
        os.environ.pop(FOLDER_VARIABLE, None)
        shutil.rmtree(self._folder, ignore_errors=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Journal and broker at one moment."""

    at: float
    journal: JournalState | None
    queues: tuple[QueueStatus, ...]
    troubles: tuple[str, ...]
    """Why the service is not ready"""


class _Watch:
    """Looks, and remembers for a moment what it saw."""

    def __init__(self, configuration: Configuration, hearts: Hearts, folder: Path) -> None:
        self._configuration = configuration
        self._hearts = hearts
        self._folder = folder
        self._lock = threading.Lock()
        self._seen: Seen | None = None
        self._looking: Future[Seen] | None = None
        self._eyes = ThreadPoolExecutor(max_workers=1)

    def healthy(self) -> list[str]:
        """Why the service should be started anew; empty where it should not."""
        hung = self._hearts.hung()
        return [f"{counted(len(hung), 'worker')} did not turn in time"] if hung else []

    def ready(self) -> list[str]:
        """Why the service does not take messages now; empty where it does."""
        alive = [] if self._hearts.alive() else ["no worker turns"]
        return [*alive, *self.healthy(), *self.look().troubles]

    def look(self) -> Seen:
        """As of some seconds ago at most; only one looks at a time, and nobody waits for it for long."""
        with self._lock:
            if self._seen is not None and time.monotonic() - self._seen.at <= _FRESH_SECONDS:
                return self._seen
            if self._looking is None:
                self._looking = self._eyes.submit(self._looked)
            looking = self._looking
        if not wait([looking], timeout=_PATIENCE_SECONDS).done:
            trouble = f"journal and broker have not answered within {_PATIENCE_SECONDS:.0f} s"
            return Seen(at=time.monotonic(), journal=None, queues=(), troubles=(trouble,))
        with self._lock:
            if self._looking is looking:
                self._looking = None
                if looking.exception() is None:
                    self._seen = looking.result()
        return looking.result()

    def _looked(self) -> Seen:
        troubles: list[str] = []
        journal: JournalState | None = None
        queues: tuple[QueueStatus, ...] = ()
        try:
            opened = open_journal(self._configuration)
            try:
                journal = opened.state()
            finally:
                opened.close()
        except GatewayError as error:
            troubles.append(f"journal: {error.message}")
        try:
            names = all_queues(self._configuration, open_registry(self._configuration))
            with connect_queue(self._configuration) as queue:
                queues = tuple(queue.status(names))
            there = {status.name for status in queues}
            missing = [name for name in names if name not in there]
            if missing:
                named = ", ".join(missing[:_NAMED])
                troubles.append(f"broker: {counted(len(missing), 'queue')} missing: {named}")
        except GatewayError as error:
            troubles.append(f"broker: {error.message}")
        return Seen(at=time.monotonic(), journal=journal, queues=queues, troubles=tuple(troubles))

    def metrics(self) -> bytes:
        """All of it, in Prometheus' text format."""
        from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415 - once the folder is known
        from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415

        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=str(self._folder))  # type: ignore[no-untyped-call]
        registry.register(_Gauges(self))
        return generate_latest(registry)

    def gauges(self) -> Iterator[Metric]:
        """What is asked for when somebody looks."""
        from prometheus_client.core import GaugeMetricFamily as Gauge  # noqa: PLC0415

        seen = self.look()
        yield Gauge("pakkehjem_ready", "1 where messages are taken", value=float(not self.ready()))
        yield Gauge("pakkehjem_workers", "Workers that turn", value=self._hearts.alive())
        depth = Gauge("pakkehjem_queue_messages", "Messages that wait on a queue", labels=["queue"])
        oldest = Gauge("pakkehjem_queue_oldest_seconds", "Age of the oldest of them", labels=["queue"])
        consumers = Gauge("pakkehjem_queue_consumers", "Consumers of a queue", labels=["queue"])
        for status in seen.queues:
            depth.add_metric([status.name], status.ready)
            if status.oldest_seconds is not None:
                oldest.add_metric([status.name], status.oldest_seconds)
            if status.consumers is not None:
                consumers.add_metric([status.name], status.consumers)
        yield from (depth, oldest, consumers)
        if seen.journal is not None:
            yield from _journal_gauges(seen.journal)
        days = Gauge(
            "pakkehjem_certificate_days_left", "Days until a certificate ends", labels=["purpose", "name"]
        )
        now = datetime.now(UTC)
        for listed in certificates(self._configuration, now):
            left = listed.days_left(now)
            if left is not None:
                days.add_metric([listed.purpose.value, listed.name], left)
        yield days


def _journal_gauges(state: JournalState) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily as Gauge  # noqa: PLC0415

    notes = Gauge("pakkehjem_notes", "Notes in each state", labels=["state"])
    for name, count in state.notes.items():
        notes.add_metric([name], count)
    yield notes
    yield Gauge("pakkehjem_outbox_messages", "What waits in the outbox", value=state.waiting)
    now = datetime.now(UTC)
    age = max((now - state.oldest_waiting).total_seconds(), 0.0) if state.oldest_waiting is not None else 0.0
    yield Gauge("pakkehjem_outbox_oldest_seconds", "Age of the oldest that waits there", value=age)
    yield Gauge("pakkehjem_unanswered", "Sendings whose AppRec has not come", value=state.unanswered)
    yield Gauge("pakkehjem_journal_bytes", "Size of the journal", value=state.size_bytes)
    circuits = Gauge(
        "pakkehjem_circuit_open", "1 for a receiver that is not reached, and probed only", labels=["receiver"]
    )
    for circuit in state.circuits:
        circuits.add_metric([circuit.receiver], float(circuit.opened_at is not None))
    yield circuits
    paused = Gauge("pakkehjem_paused", "1 for what an operator has paused", labels=["scope"])
    for scope in state.pauses:
        paused.add_metric([scope], 1.0)
    yield paused


class _Gauges:
    """A collector, as prometheus_client takes one."""

    def __init__(self, watch: _Watch) -> None:
        self._watch = watch

    def collect(self) -> Iterator[Metric]:
        return self._watch.gauges()


def _handler(watch: _Watch) -> type[BaseHTTPRequestHandler]:
    def told(key: str, why: list[str]) -> tuple[int, str, bytes]:
        document = json.dumps({key: not why, "why": why}).encode() + b"\n"
        return (503 if why else 200), "application/json", document

    answers: dict[str, Callable[[], tuple[int, str, bytes]]] = {
        "/metrics": lambda: (200, "text/plain; version=0.0.4; charset=utf-8", watch.metrics()),
        "/healthz": lambda: told("healthy", watch.healthy()),
        "/readyz": lambda: told("ready", watch.ready()),
    }

    class Handler(BaseHTTPRequestHandler):
        """Answers GET at three places."""

        server_version = "pakkehjem"
        sys_version = ""
        timeout = 10.0

        def do_GET(self) -> None:
            """Answer."""
            answer = answers.get(self.path.partition("?")[0])
            if answer is None:
                self.send_error(404)
                return
            try:
                status, kind, body = answer()
            except Exception as error:  # noqa: BLE001 - who asks is told that there is no answer, and no more
                log.warning("not-observed", error=type(error).__name__)
                self.send_error(500)
                return
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Nothing: who scrapes does so every few seconds."""

    return Handler
