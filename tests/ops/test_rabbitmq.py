"""The whole gateway on a real RabbitMQ, killed in the middle of its work."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import pika
import pytest

from gateway.contracts.states import InboundKind, InboundState, SendingKind, SendingState
from gateway.ops.configuration import Configuration, load
from gateway.ops.queue_names import all_queues
from gateway.ops.stores import open_registry
from gateway.security.files import write_private
from tests.flow.harness import Gateway, note
from tests.ops.conftest import Pakkehjem
from tests.ops.test_crash import COMMAND, service, taken_in
from tests.servers import rabbit_server, rabbitmq

__all__ = ["rabbit_server", "rabbitmq"]

NOTES = 60


@pytest.mark.crash
@pytest.mark.timeout(240)
def test_a_service_killed_on_rabbitmq_loses_nothing(
    pakkehjem: Pakkehjem, rabbitmq: str, tmp_path: Path
) -> None:
    made = pakkehjem("init", tmp_path / "gateway", "--broker", rabbitmq)
    assert made.code == 0
    config = Path(made.out.strip())
    simulation = subprocess.Popen(
        [*COMMAND, "simulate", "-c", str(config), "--count", str(NOTES), "--timeout", "120", "--json"],
        stdout=subprocess.PIPE,
    )
    try:
        with service(config, tmp_path / "log") as running:
            deadline = time.monotonic() + 60
            while taken_in(config) < NOTES // 3 and time.monotonic() < deadline:
                assert running.poll() is None, "the service ended by itself"
                time.sleep(0.005)
            running.send_signal(signal.SIGKILL)
            running.wait(timeout=10)
        with service(config, tmp_path / "log"):
            output, _ = simulation.communicate(timeout=150)
    finally:
        if simulation.poll() is None:
            os.kill(simulation.pid, signal.SIGKILL)
            simulation.wait(timeout=10)
    ledger = json.loads(output)
    assert ledger["sent"] == NOTES
    assert (ledger["lost"], ledger["duplicated"], ledger["invalid"]) == (0, 0, 0)
    assert ledger["delivered"]["municipality"] > 0
    assert simulation.returncode == 0
    document = pakkehjem("queues", "status", "-c", config, "--json").json()
    assert document["missing"] == []
    assert {each["name"]: each["ready"] for each in document["queues"]}["pakkehjem_in"] == 0


@pytest.mark.crash
def test_what_a_broker_lets_expire_is_not_taken_as_sent(
    config: Path, rabbitmq: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A receiver's queue gives it up: it comes to our dead-letter queue, and the sending has failed."""
    monkeypatch.setenv("PAKKEHJEM__QUEUES__URL", rabbitmq)
    monkeypatch.setenv("PAKKEHJEM__QUEUES__DECLARE", "false")
    configuration = load(config)
    connection = pika.BlockingConnection(pika.URLParameters(rabbitmq))
    channel = connection.channel()
    for name in all_queues(configuration, open_registry(configuration)):
        arguments: dict[str, object] = {"x-queue-type": "quorum"}
        if name == "8910031_async":
            arguments |= {
                "x-message-ttl": 100,
                "x-dead-letter-exchange": "",
                "x-dead-letter-routing-key": "8900100_dl",
            }
        channel.queue_declare(name, durable=True, arguments=arguments)
    connection.close()
    gateway = Gateway(config)
    try:
        gateway.note(note("dips/01"))
        deadline = time.monotonic() + 30
        while not gateway.rows([InboundKind.DEAD_LETTER]):
            assert time.monotonic() < deadline
            gateway.worker.service.step(wait_seconds=0.2)
        (row,) = gateway.rows()
        states = {s.receiver: (s.state, s.error) for s in gateway.sendings(row.id, SendingKind.NOTE)}
        assert states["8910031"] == (SendingState.FAILED, "dead-letter:expired")
        assert row.state is InboundState.FAILED
    finally:
        gateway.close()


class TestQueues:
    def test_setup_makes_what_is_needed_and_status_shows_it(
        self, pakkehjem: Pakkehjem, config: Path, rabbitmq: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PAKKEHJEM__QUEUES__URL", rabbitmq)
        before = pakkehjem("queues", "status", "-c", config, "--json")
        assert before.code == 1
        assert before.json()["queues"] == []
        needed = before.json()["missing"]
        assert {"pakkehjem_in", "8999900_async", "8999900_error", "8999900_dl", "8910011_async"} <= set(
            needed
        )

        assert pakkehjem("queues", "setup", "-c", config, "--json").json() == {
            "queues": needed,
            "made": needed,
        }
        assert pakkehjem("queues", "setup", "-c", config, "--json").json()["made"] == []
        assert pakkehjem("send", "-c", config, config).code == 0

        after = pakkehjem("queues", "status", "-c", config)
        assert after.code == 0
        (line,) = [each for each in after.out.splitlines() if each.startswith("pakkehjem_in")]
        assert line.split() == ["pakkehjem_in", "1", "-", "0", "-"]

    def test_queues_that_others_make_are_only_looked_for(
        self, pakkehjem: Pakkehjem, config: Path, rabbitmq: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PAKKEHJEM__QUEUES__URL", rabbitmq)
        monkeypatch.setenv("PAKKEHJEM__QUEUES__DECLARE", "false")
        setup = pakkehjem("queues", "setup", "-c", config)
        assert setup.code == 3
        assert "no queue pakkehjem_in" in setup.err
        assert "pakkehjem_in" in pakkehjem("queues", "status", "-c", config, "--json").json()["missing"]

    def test_on_the_embedded_queue(self, pakkehjem: Pakkehjem, config: Path) -> None:
        assert pakkehjem("queues", "setup", "-c", config).code == 0
        assert pakkehjem("send", "-c", config, config).code == 0
        status = pakkehjem("queues", "status", "-c", config, "--json").json()
        (inbound,) = [each for each in status["queues"] if each["name"] == "pakkehjem_in"]
        assert (inbound["ready"], inbound["unacknowledged"], inbound["consumers"]) == (1, 0, 0)
        assert 0 <= inbound["oldest_seconds"] < 60

    @pytest.mark.parametrize(
        ("settings", "expected"),
        [
            ({}, ""),
            ({"declare": False}, "?declare=false"),
            (
                {"ca": "ca file.pem", "certificate": "/c.pem", "key": "k.pem"},
                "?ca=FOLDER%2Fca+file.pem&certificate=%2Fc.pem&key=FOLDER%2Fk.pem",
            ),
        ],
    )
    def test_what_the_section_says_reaches_the_connection(
        self, tmp_path: Path, settings: dict[str, object], expected: str
    ) -> None:
        write_private(tmp_path / "k.pem", b"a key")
        url = "amqps://user@one,two:5671/vhost"
        configuration = Configuration.from_document({"queues": {"url": url, **settings}}, tmp_path)
        assert configuration.broker_url() == url + expected.replace("FOLDER", quote(str(tmp_path), safe=""))
