"""What the service counts, and what it answers whoever watches it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from gateway.contracts.errors import JournalUnavailableError
from gateway.contracts.queues import Envelope
from gateway.contracts.records import Event
from gateway.ops import observer, watchdog
from gateway.ops.configuration import load
from gateway.ops.metrics import MeasuredQueue, Metrics
from gateway.ops.watchdog import Hearts
from tests.conftest import NOTES, ROOT
from tests.ops.conftest import Pakkehjem
from tests.ops.memory_broker import MemoryBroker
from tests.ops.test_crash import COMMAND
from tests.postgres_server import PostgresServer

NOW = datetime(2026, 3, 2, tzinfo=UTC)
DEPLOY = ROOT / "deploy"
NAME = re.compile(r"\bpakkehjem_(?!in\b)[a-z0-9_]+")


def event(name: str, *, seconds: float | None = None, **detail: str | int | None) -> Event:
    return Event(inbound_id="i", at=NOW, name=name, detail=detail, seconds=seconds)


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_events_are_counted_by_names_that_are_known() -> None:
    metrics = Metrics()
    metrics.observe([event("received"), event("received"), event("of-tomorrow")])
    assert value(metrics, "pakkehjem_events_total", event="received") == 2
    assert value(metrics, "pakkehjem_events_total", event="other") == 1
    assert value(metrics, "pakkehjem_events_total", event="failed") == 0


def test_no_label_is_what_a_message_says() -> None:
    metrics = Metrics()
    metrics.observe(
        [
            event("held", findings="PH030,PH021,01017012345"),
            event("receipt", apprec="2 E21 01017012345"),
            event("delivered", kind="note", seconds=0.3),
        ]
    )
    assert value(metrics, "pakkehjem_findings_total", code="PH030") == 1
    assert value(metrics, "pakkehjem_findings_total", code="other") == 1
    assert value(metrics, "pakkehjem_apprecs_total", code="E21") == 1
    assert value(metrics, "pakkehjem_apprecs_total", code="other") == 1
    assert value(metrics, "pakkehjem_sendings_total", kind="note", outcome="delivered") == 1
    assert b"01017012345" not in generate_latest(metrics.registry)


def test_times_are_those_of_the_events() -> None:
    metrics = Metrics()
    metrics.observe([event("receipt", apprec="1", seconds=40), event("delivered", kind="note", seconds=0.3)])
    assert value(metrics, "pakkehjem_apprec_seconds_sum") == 40
    assert value(metrics, "pakkehjem_delivery_seconds_bucket", kind="note", le="0.5") == 1
    assert value(metrics, "pakkehjem_delivery_seconds_bucket", kind="note", le="0.25") == 0


class TestHearts:
    def test_a_worker_that_does_not_turn_is_seen(self, monkeypatch: pytest.MonkeyPatch) -> None:
        hearts = Hearts()
        heart = hearts.heart(3)
        assert (hearts.alive(), hearts.hung()) == (0, [])
        for each in (heart, hearts.heart(4)):
            each.beat()
        assert (hearts.alive(), hearts.hung()) == (2, [])
        monkeypatch.setattr(watchdog, "HUNG_SECONDS", -1.0)
        assert hearts.hung() == [3, 4]
        hearts.forget(4)
        assert hearts.hung() == [3]
        monkeypatch.undo()
        heart.beat()
        assert (hearts.alive(), hearts.hung()) == (1, [])

    def test_systemd_is_told_where_it_listens(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
            listening.bind(str(tmp_path / "notify"))
            monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
            watchdog.notify("READY=1")
            assert listening.recv(100) == b"READY=1"
        watchdog.notify("READY=1")  # nobody listens, and nothing happens
        monkeypatch.delenv("NOTIFY_SOCKET")
        watchdog.notify("READY=1")

    @pytest.mark.parametrize(
        ("patience", "words"),
        [(None, [0, 10, 20, 30]), ("6000000", [*range(0, 31, 3)]), ("x", [0, 10, 20, 30])],
    )
    def test_systemd_hears_of_it_twice_in_the_time_that_it_waits(
        self, patience: str | None, words: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("WATCHDOG_USEC", raising=False)
        if patience is not None:
            monkeypatch.setenv("WATCHDOG_USEC", patience)
        now, told = 0, list[int]()
        monkeypatch.setattr(time, "monotonic", lambda: float(now))
        monkeypatch.setattr(watchdog, "notify", lambda _: told.append(now))
        pulse = watchdog.Pulse()
        for now in range(31):  # noqa: B007 - what the clock says
            pulse.tell()
        assert told == words


def listen(config: Path, address: str) -> None:
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace('# listen = "127.0.0.1:9464"', f'listen = "{address}"'), encoding="utf-8")


@contextmanager
def watched(config: Path, log: Path, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A service that listens, and its address."""
    listen(config, "127.0.0.1:0")
    with log.open("wb") as out:
        service = subprocess.Popen([*COMMAND, "run", "-c", str(config), *options], stderr=out)
    try:
        port = until(lambda: next((e["port"] for e in lines(log) if e["event"] == "observing"), None))
        until(lambda: any(e["event"] == "ready" for e in lines(log)))
        yield service, f"http://127.0.0.1:{port}"
        service.send_signal(signal.SIGTERM)
        service.wait(timeout=60)
    finally:
        service.kill()
        service.wait(timeout=10)


def test_who_watches_asks_no_name_service(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> str:
        raise AssertionError("a name was asked for")

    for name in ("getfqdn", "gethostbyaddr", "gethostname"):
        monkeypatch.setattr(socket, name, refuse)
    monkeypatch.setenv(observer.FOLDER_VARIABLE, "")
    with observer.Observer(load(config), ("127.0.0.1", 0), Hearts()) as made:
        assert asked(f"http://127.0.0.1:{made.port}/healthz")[0] == 200


def lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line.startswith("{")]


def until(found: Any, seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (result := found()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)
    return result


def asked(address: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:  # noqa: S310 - the loopback address
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def families(address: str) -> dict[str, Any]:
    status, text = asked(f"{address}/metrics")
    assert status == 200
    return {family.name: family for family in text_string_to_metric_families(text)}


@pytest.fixture(scope="module")
def names() -> frozenset[str]:
    """The names in what rules and dashboard ask for."""
    texts = [(DEPLOY / name).read_text() for name in ("prometheus/alerts.yml", "grafana/dashboard.json")]
    return frozenset(name for text in texts for name in NAME.findall(text))


def test_a_running_service_tells_all_that_rules_and_dashboard_ask_for(
    pakkehjem: Pakkehjem, config: Path, tmp_path: Path, names: frozenset[str]
) -> None:
    with watched(config, tmp_path / "log") as (service, address):
        until(lambda: asked(f"{address}/readyz")[0] == 200)
        note = next(NOTES.glob("dips/01-*.xml"))
        assert pakkehjem("send", note, "-c", config).code == 0

        def delivered() -> bool:
            samples = families(address)["pakkehjem_sendings"].samples
            return any(s.labels == {"kind": "note", "outcome": "delivered"} and s.value >= 2 for s in samples)

        until(delivered)
        found = families(address)
        samples = {sample.name for family in found.values() for sample in family.samples}
        # A receiver that is not reached and a pause are there when there is one; their names always are.
        known = samples | set(found)
        assert names <= known, names - known
        assert found["pakkehjem_ready"].samples[0].value == 1

        def shown() -> bool:
            samples = families(address)["pakkehjem_notes"].samples
            return bool({s.labels["state"]: s.value for s in samples}["delivered"] == 1)

        until(shown)  # journal and broker are looked at every ten seconds
        assert found["pakkehjem_step_messages"].samples[0].value > 0
        assert found["pakkehjem_journal_bytes"].samples[0].value > 10_000
        assert asked(f"{address}/healthz") == (200, '{"healthy": true, "why": []}\n')
        assert asked(f"{address}/elsewhere")[0] == 404
        assert service.poll() is None
    with pytest.raises(urllib.error.URLError):
        asked(f"{address}/healthz")


def test_what_several_workers_count_is_added_up_and_outlives_them(
    pakkehjem: Pakkehjem, postgres: PostgresServer, tmp_path: Path
) -> None:
    files = sorted(NOTES.glob("dips/*.xml"))

    def received(address: str) -> float:
        samples = families(address)["pakkehjem_events"].samples
        return float(sum(s.value for s in samples if s.labels["event"] == "received"))

    with postgres.database() as url:
        config = Path(pakkehjem("init", tmp_path / "gateway", "--journal", url).out.strip())
        log = tmp_path / "log"
        with watched(config, log, "--workers", "3") as (_, address):
            for file in files:
                assert pakkehjem("send", file, "-c", config).code == 0
            until(lambda: received(address) == len(files))
            assert families(address)["pakkehjem_workers"].samples[0].value == 3
            started = [e["worker"] for e in lines(log) if e["event"] == "worker-started"]
            for worker in started:
                os.kill(worker, signal.SIGKILL)
            until(lambda: sum(e["event"] == "worker-started" for e in lines(log)) == 2 * len(started))
            until(lambda: asked(f"{address}/readyz")[0] == 200)
            assert received(address) == len(files)


def test_a_service_that_is_not_ready_says_why(config: Path, tmp_path: Path) -> None:
    with watched(config, tmp_path / "log") as (_, address):
        (config.parent / "register.toml").rename(config.parent / "gone")
        status, text = until(lambda: (a := asked(f"{address}/readyz"))[0] == 503 and a, 90)
        assert status == 503
        (why,) = json.loads(text)["why"]
        assert "register.toml can not be read" in why
        (config.parent / "gone").rename(config.parent / "register.toml")


def test_the_observer_ends_with_a_service_that_is_killed(config: Path, tmp_path: Path) -> None:
    with watched(config, tmp_path / "log") as (service, address):
        service.kill()
        service.wait(timeout=30)

        def silent() -> bool:
            try:
                asked(f"{address}/healthz")
            except (urllib.error.URLError, ConnectionError):
                return True
            return False

        until(silent)


def test_an_address_that_is_taken_stops_no_message(config: Path, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        listen(config, f"127.0.0.1:{taken.getsockname()[1]}")
        log = tmp_path / "log"
        with log.open("wb") as out:
            service = subprocess.Popen([*COMMAND, "run", "-c", str(config)], stderr=out)
        until(lambda: any(e["event"] == "ready" for e in lines(log)))
        service.send_signal(signal.SIGTERM)
        assert service.wait(timeout=60) == 0
        assert any(e["event"] == "not-observed" for e in lines(log))


def test_a_measured_queue_passes_everything_on() -> None:
    metrics, inner = Metrics(), MemoryBroker().connect()
    queue = MeasuredQueue(inner, metrics)
    queue.declare(["q"])
    queue.publish([("q", Envelope(body=b"b", message_id="m"))])
    (delivery,) = queue.take(["q"], limit=5, wait_seconds=0)
    queue.requeue([delivery])
    (delivery,) = queue.take(["q"], limit=5, wait_seconds=0)
    queue.acknowledge([delivery])
    assert queue.take(["q"], limit=5, wait_seconds=0) == []
    assert value(metrics, "pakkehjem_step_messages_total", step="work") == 1
    assert value(metrics, "pakkehjem_step_messages_total", step="publish") == 1


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (package prometheus)")
def test_prometheus_takes_the_rules() -> None:
    done = subprocess.run(
        ["promtool", "check", "rules", DEPLOY / "prometheus" / "alerts.yml"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_says_what_to_do() -> None:
    text = (DEPLOY / "prometheus" / "alerts.yml").read_text()
    assert text.count("- alert:") == text.count("action:") == text.count("summary:") > 8


def test_who_asks_is_told_in_time_that_journal_and_broker_do_not_answer(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, looks = threading.Event(), list[str]()

    def slow(*_: object) -> NoReturn:
        looks.append("journal")
        answers.wait(60)
        raise JournalUnavailableError("The journal's database can not be reached.")

    monkeypatch.setattr(observer, "open_journal", slow)
    monkeypatch.setattr(observer, "_PATIENCE_SECONDS", 0.05)
    watch = observer._Watch(load(config), Hearts(), tmp_path)
    for _ in range(3):
        assert [t for t in watch.look().troubles if "have not answered within" in t]
    assert looks == ["journal"]
    answers.set()
    monkeypatch.setattr(observer, "_PATIENCE_SECONDS", 60.0)
    assert watch.look().troubles[0] == "journal: The journal's database can not be reached."
    assert watch.look() is watch.look()
    assert looks == ["journal"]
