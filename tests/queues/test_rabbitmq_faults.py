"""A broker that is stopped, killed, or out of memory: nothing confirmed is lost, nothing done comes again."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import pytest

from gateway.contracts.errors import ConfigurationError, LocalError, QueueUnavailableError
from gateway.contracts.queues import PublishOutcome
from queues import connect
from queues.rabbitmq import RabbitQueue
from tests.queues.brokers import envelope
from tests.servers import RabbitServer

pytestmark = pytest.mark.crash

_UNSURE_SECONDS = 1.0
"""So long before a fall of the broker an acknowledgement may have been on its way to the disk"""


class Traffic:
    """A publisher and a taker that go on whatever happens to the broker."""

    def __init__(self, url: str, name: str) -> None:
        self.url, self.name = url, name
        self.confirmed: set[str] = set()
        self.taken: dict[str, list[float]] = {}
        self.acknowledged: dict[str, float] = {}
        self.failures = 0
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._publish), threading.Thread(target=self._take)]

    def __enter__(self) -> Self:
        with connect(self.url) as queue:
            queue.declare([self.name])
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(90)

    def flows(self) -> None:
        """Wait until messages are confirmed and taken."""
        confirmed, acknowledged = len(self.confirmed), len(self.acknowledged)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if len(self.confirmed) > confirmed + 50 and len(self.acknowledged) > acknowledged + 50:
                return
            time.sleep(0.01)
        pytest.fail("nothing flows")

    def _publish(self) -> None:
        numbers = iter(range(1_000_000))
        pending: list[str] = []
        with connect(self.url) as queue:
            while pending or not self._stop.is_set():
                pending = pending or [f"m{next(numbers)}" for _ in range(25)]
                try:
                    outcomes = queue.publish([(self.name, envelope(each, b"x" * 3000)) for each in pending])
                except QueueUnavailableError:
                    self.failures += 1
                    continue
                done = {i for i, o in zip(pending, outcomes, strict=True) if o is PublishOutcome.CONFIRMED}
                assert PublishOutcome.UNROUTABLE not in outcomes
                self.confirmed |= done
                pending = [each for each in pending if each not in done]
                time.sleep(0.005)

    def _take(self) -> None:
        with connect(self.url) as queue:
            assert isinstance(queue, RabbitQueue)
            quiet = 0
            while quiet < 2:
                try:
                    got = queue.take([self.name], limit=20, wait_seconds=0.2)
                except QueueUnavailableError:
                    self.failures += 1
                    continue
                for each in got:
                    self.taken.setdefault(each.envelope.message_id, []).append(time.monotonic())
                queue.acknowledge(got)
                if queue._taking is not None and not queue._taking[0].lost:
                    for each in got:
                        self.acknowledged[each.envelope.message_id] = time.monotonic()
                quiet = (
                    quiet + 1 if self._stop.is_set() and not got and not self._threads[0].is_alive() else 0
                )


def test_a_broker_that_is_stopped_and_killed(frail_rabbit_server: RabbitServer) -> None:
    server = frail_rabbit_server
    falls: list[float] = []
    kinds = [server.stop, *([server.kill, server.stop] if os.environ.get("FAULTS") else [])]
    with Traffic(server.url, f"q-{uuid4()}") as traffic:
        for fall in kinds:
            traffic.flows()
            falls.append(time.monotonic())
            fall()
            server.start()
        traffic.flows()
    assert traffic.failures > 0, "the broker was away"
    assert traffic.confirmed <= set(traffic.taken), "nothing confirmed is lost"
    for message, at in traffic.acknowledged.items():
        again = [each for each in traffic.taken[message] if each > at]
        unsure = any(fall - _UNSURE_SECONDS < at < fall + 5 for fall in falls)
        assert not again or unsure, "what was acknowledged came again"


def test_a_broker_without_memory(frail_rabbit_server: RabbitServer) -> None:
    server = frail_rabbit_server
    name = f"q-{uuid4()}"
    with connect(f"{server.url}?confirm_seconds=0.5") as queue:
        queue.declare([name])
        assert queue.publish([(name, envelope(each)) for each in "12"]) == ["confirmed"] * 2
        server.ctl("set_vm_memory_high_watermark", "0")
        try:
            for _ in range(3):
                begun = time.monotonic()
                assert queue.publish([(name, envelope("3"))]) == ["not_confirmed"]
                assert 0.4 < time.monotonic() - begun < 5
            # What is there is taken and acknowledged all the same.
            got = queue.take([name], limit=2, wait_seconds=5)
            assert [each.envelope.message_id for each in got] == ["1", "2"]
            queue.acknowledge(got)
        finally:
            server.ctl("set_vm_memory_high_watermark", "0.4")
        deadline = time.monotonic() + 20
        while queue.publish([(name, envelope("3"))]) != ["confirmed"]:
            assert time.monotonic() < deadline
        taken = []
        while got := queue.take([name], limit=10, wait_seconds=0.3):
            taken += [each.envelope.message_id for each in got]
            queue.acknowledge(got)
    assert set(taken) == {"3"}
    assert len(taken) <= 4, "an attempt leaves at most one copy behind, under the same id"


def test_connections_that_the_operator_closes(frail_rabbit_server: RabbitServer) -> None:
    name = f"q-{uuid4()}"
    with connect(frail_rabbit_server.url) as queue:
        queue.declare([name])
        queue.publish([(name, envelope("1"))])
        got = queue.take([name], limit=1, wait_seconds=5)
        frail_rabbit_server.ctl("close_all_connections", "maintenance")
        queue.acknowledge(got)
        with contextlib.suppress(QueueUnavailableError):
            queue.publish([(name, envelope("2"))])
        assert queue.publish([(name, envelope("2"))]) == ["confirmed"]
        (again, *_) = queue.take([name], limit=5, wait_seconds=5)
        assert (again.envelope.message_id, again.redelivered) == ("1", True)


class TestTls:
    @staticmethod
    def url(
        server: RabbitServer, *, host: str = "localhost", client: str | None = "client", ca: bool = True
    ) -> str:
        folder = server.folder / "tls"
        settings = {"ca": folder / "ca.pem"} if ca else {}
        if client is not None:
            settings |= {"certificate": folder / f"{client}.cert.pem", "key": folder / f"{client}.key.pem"}
        return f"{server.tls_url(host)}?{'&'.join(f'{key}={value}' for key, value in settings.items())}"

    def test_with_a_client_certificate(self, frail_rabbit_server: RabbitServer) -> None:
        name = f"q-{uuid4()}"
        with connect(self.url(frail_rabbit_server)) as queue:
            queue.declare([name])
            body = bytes(range(256)) * 4000
            assert queue.publish([(name, envelope("1", body))]) == ["confirmed"]
            assert queue.take([name], limit=1, wait_seconds=5)[0].envelope.body == body

    @pytest.mark.parametrize(
        "how", [{"ca": False}, {"host": "127.0.0.1"}], ids=["unknown root", "another name"]
    )
    def test_a_broker_that_is_not_trusted(
        self, frail_rabbit_server: RabbitServer, how: dict[str, str]
    ) -> None:
        with pytest.raises(LocalError, match="certificate"):
            connect(self.url(frail_rabbit_server, **how))  # type: ignore[arg-type] # by name

    @pytest.mark.parametrize("client", [None, "stranger"])
    def test_the_broker_refuses_other_clients(
        self, frail_rabbit_server: RabbitServer, client: str | None
    ) -> None:
        with pytest.raises((LocalError, QueueUnavailableError)):
            connect(self.url(frail_rabbit_server, client=client))

    def test_no_tls_on_that_port(self, frail_rabbit_server: RabbitServer) -> None:
        parts = urlsplit(self.url(frail_rabbit_server))
        plain = urlsplit(frail_rabbit_server.url)
        url = urlunsplit(parts._replace(netloc=f"{parts.netloc.rpartition(':')[0]}:{plain.port}"))
        with pytest.raises((LocalError, QueueUnavailableError)):
            connect(url)


def test_certificates_that_can_not_be_used(tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("nothing")
    for query in (
        f"ca={tmp_path}/x.pem",
        f"ca={tmp_path}/none.pem",
        f"certificate={tmp_path}/x.pem",
        f"certificate={tmp_path}/x.pem&key={tmp_path}/x.pem",
    ):
        with pytest.raises(ConfigurationError, match="certificate"):
            connect(f"amqps://u:secret@localhost/?{query}")
