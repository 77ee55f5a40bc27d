"""SIGTERM: what is at hand is finished, in time; a second one ends the process; nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from gateway.contracts.queues import Envelope
from gateway.contracts.records import InboundFilter
from gateway.contracts.states import InboundState
from gateway.ops.configuration import load
from gateway.ops.queue_names import all_queues
from gateway.ops.stores import connect_queue, open_journal, open_registry
from tests.conftest import ROOT
from tests.flow.harness import note, with_new_id

MARK = "<!-- hanging -->"
NOTES = 60


@contextmanager
def service(config: Path, log: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.ops.deadly_gateway", "run", "-c", str(config)],
            cwd=ROOT,
            stderr=output,
            env=os.environ | environment,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait(timeout=10)


def put(config: Path, *bodies: bytes) -> None:
    configuration = load(config)
    with connect_queue(configuration) as queue:
        queue.declare(all_queues(configuration, open_registry(configuration)))
        queue.publish([("pakkehjem_in", Envelope(body=each, message_id=str(uuid4()))) for each in bodies])


def states(config: Path) -> dict[InboundState, int]:
    journal = open_journal(load(config))
    try:
        found = [m.state for m in journal.list_inbound(InboundFilter())]
    finally:
        journal.close()
    return {state: found.count(state) for state in set(found)}


def waiting(config: Path) -> tuple[int, int | None]:
    with connect_queue(load(config)) as queue:
        (status,) = queue.status(["pakkehjem_in"])
    return status.ready, status.unacknowledged


def eventually(condition: Callable[[], bool], seconds: float = 150) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.crash
@pytest.mark.timeout(400)
def test_under_load_it_drains_and_ends_in_time_and_nothing_is_lost(config: Path, tmp_path: Path) -> None:
    put(config, *(with_new_id(note("dips/01")) for _ in range(NOTES)))
    log = tmp_path / "log"
    with service(config, log, PAKKEHJEM__FLOW__GROUP_SIZE="10") as process:
        eventually(lambda: sum(states(config).values()) >= NOTES // 4)
        process.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        assert process.wait(timeout=60) == 0
        assert time.monotonic() - begun < 35, "flow.stop_seconds is 30"
    taken = sum(states(config).values())
    ready, held = waiting(config)
    assert (taken + ready, held) == (NOTES, 0), "each is in the journal or on its queue, and none in both"
    assert InboundState.SENDING not in states(config), "what was due went out"
    with service(config, log):
        eventually(lambda: sum(states(config).values()) == NOTES and waiting(config)[0] == 0)
    assert '"event":"stopped"' in log.read_text()


@pytest.mark.crash
@pytest.mark.timeout(400)
def test_what_hangs_is_left_and_comes_again(config: Path, tmp_path: Path) -> None:
    hanging = with_new_id(note("dips/01")).replace(b"<MsgInfo>", MARK.encode() + b"<MsgInfo>", 1)
    put(config, hanging)
    log = tmp_path / "log"
    # A second SIGTERM ends it where it is.
    with service(config, log, HANGING_MARK=MARK) as process:
        eventually(lambda: waiting(config) == (0, 1))
        process.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=1)
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == -signal.SIGTERM
        assert time.monotonic() - begun < 5
    # Time does, too.
    with service(config, log, HANGING_MARK=MARK, PAKKEHJEM__FLOW__STOP_SECONDS="1") as process:
        eventually(lambda: waiting(config) == (0, 1))
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 5
    assert states(config) == {}
    with service(config, log):
        eventually(lambda: states(config) == {InboundState.DELIVERED: 1})
