"""Every fail-point stands in the code, is passed on a message's way, and kills the process when armed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.contracts.errors import ConfigurationError
from gateway.contracts.fail_points import VARIABLE, FailPoint, arm, reached, watch
from tests.conftest import ROOT
from tests.flow.dialogue import answer_to, written
from tests.flow.harness import Gateway, note, receipt
from tests.ops.test_crash import COMMAND
from tests.postgres_server import PostgresServer
from tests.servers import rabbit_server, rabbitmq

__all__ = ["rabbit_server", "rabbitmq"]


@pytest.fixture
def passed() -> Iterator[Counter[FailPoint]]:
    """How often each point was passed."""
    counted: Counter[FailPoint] = Counter()
    watch(lambda point: counted.update([point]))
    yield counted
    watch(None)


def test_every_name_stands_in_the_code() -> None:
    sources = [*(ROOT / "gateway").rglob("*.py"), *(ROOT / "queues").rglob("*.py")]
    text = "".join(path.read_text() for path in sources if path.name != "fail_points.py")
    used = set(re.findall(r"FailPoint\.([A-Z_]+)", text))
    assert used == {point.name for point in FailPoint}


def test_a_message_passes_every_point(
    config: Path,
    rabbitmq: str,
    postgres: PostgresServer,
    passed: Counter[FailPoint],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PAKKEHJEM__QUEUES__URL", rabbitmq)
    with postgres.database() as url:
        monkeypatch.setenv("PAKKEHJEM__JOURNAL__URL", url)
        gateway = Gateway(config)
        try:
            gateway.note(note("dips/01"), note("dips/02"))
            (sent,) = gateway.messages("8910031_async")
            hospital = gateway.rows()[0].hospital
            assert hospital is not None
            gateway.outside(hospital, receipt(sent), written(answer_to(sent)))
            deadlines = gateway.worker.deadlines
            monkeypatch.setattr(deadlines, "_clock", lambda: datetime.now(UTC) + timedelta(days=30))
            gateway.settle()
            gateway.worker.service.stop()
            gateway.worker.service.run()
        finally:
            gateway.close()
    assert set(passed) == set(FailPoint) - {FailPoint.STARTED}, "that one is the command's"


@pytest.mark.crash
def test_what_is_armed_kills_the_process(config: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "run", "-c", str(config)],
        env=os.environ | {VARIABLE: "started"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert '"event":"fail-point-armed","step":"started"' in done.stderr
    assert '"event":"ready"' in done.stderr


def test_the_count_says_which_passing(monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda *how: killed.append(how))
    try:
        assert arm("committed:3") is FailPoint.COMMITTED
        for point in (FailPoint.COMMITTED, FailPoint.TAKEN, FailPoint.COMMITTED):
            reached(point)
        assert not killed
        reached(FailPoint.COMMITTED)
        reached(FailPoint.COMMITTED)
        assert killed == [(os.getpid(), signal.SIGKILL)]
    finally:
        watch(None)


@pytest.mark.parametrize("order", ["nowhere", "committed:0", "committed:-1", "committed:x", ":3"])
def test_an_order_that_can_not_be_followed_is_refused(order: str) -> None:
    with pytest.raises(ConfigurationError, match="can not be used"):
        arm(order)


@pytest.mark.parametrize("order", [None, ""])
def test_nothing_is_armed_by_default(order: str | None) -> None:
    assert arm(order) is None
