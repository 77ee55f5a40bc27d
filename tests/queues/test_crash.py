"""Real processes, killed at any moment: nothing confirmed is lost, nothing acknowledged comes again."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gateway.contracts.queues import Queue
from tests.conftest import ROOT
from tests.queues.brokers import Broker, envelope
from tests.queues.players import BATCH, NAME

pytestmark = pytest.mark.crash


@contextmanager
def player(play: str, broker: Broker) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.queues.players", play, broker.url],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def kill_after_first_line(process: subprocess.Popen[str], seconds: float) -> list[list[str]]:
    """The words of every whole line that it wrote until it was killed."""
    assert process.stdout is not None
    first = process.stdout.readline()
    time.sleep(seconds)
    process.kill()
    rest = process.stdout.read()
    return [line.split() for line in (first + rest).splitlines(keepends=True) if line.endswith("\n")]


def everything(queue: Queue) -> list[tuple[str, bool]]:
    """All that is there now, and whether it was redelivered; given back in the end."""
    seen = []
    while taken := queue.take([NAME], limit=100, wait_seconds=0.2):
        seen += [(each.envelope.message_id, each.redelivered) for each in taken]
    return seen


def test_nothing_confirmed_is_lost(broker: Broker, queue: Queue) -> None:
    queue.declare([NAME])
    chance = random.Random(1)  # noqa: S311 - when to kill, the same each time
    confirmed: list[str] = []
    for _ in range(4):
        with player("publish", broker) as process:
            lines = kill_after_first_line(process, chance.uniform(0.01, 0.25))
            confirmed += [batch for _, batch in lines]
    there = [message for message, _ in everything(queue)]
    assert len(confirmed) > 4
    assert len(there) == len(set(there))
    batches = Counter(message.rpartition("-")[0] for message in there)
    assert set(confirmed) <= set(batches)
    if broker.atomic:
        assert set(batches.values()) == {BATCH}, "a batch is there as a whole or not at all"
    assert all(batches[each] == BATCH for each in confirmed)
    assert len(batches) - len(confirmed) <= 4, "at most the one that was under way in each process"


def test_nothing_acknowledged_comes_again(broker: Broker, queue: Queue) -> None:
    everyone = [f"m{number}" for number in range(6000)]
    queue.declare([NAME])
    queue.publish([(NAME, envelope(each, b"x" * 1000)) for each in everyone])
    chance = random.Random(2)  # noqa: S311 - the same
    acknowledged: set[str] = set()
    unsure: set[str] = set()
    for _ in range(4):
        with player("consume", broker) as process:
            lines = kill_after_first_line(process, chance.uniform(0.01, 0.15))
        taken = [words[1] for words in lines if words[0] == "taken"]
        assert not acknowledged & set(taken)
        assert len(taken) == len(set(taken))
        acknowledged |= {words[1] for words in lines if words[0] == "acknowledged"}
        unsure |= set(taken) - acknowledged
    left = dict(everything(queue))
    assert acknowledged
    assert not acknowledged & set(left)
    assert set(everyone) - set(left) - acknowledged <= unsure, "only what was under way may be gone"
    assert [each for each in left if not left[each]] == [e for e in everyone if e in left and not left[e]]


def test_what_a_killed_process_held_comes_back_at_once(broker: Broker, queue: Queue) -> None:
    queue.declare([NAME])
    queue.publish([(NAME, envelope("1")), (NAME, envelope("2"))])
    with player("hold_and_fork", broker) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline().split()[1])
        try:
            assert [d.envelope.message_id for d in queue.take([NAME], limit=1, wait_seconds=0)] == ["2"]
            assert queue.take([NAME], limit=1, wait_seconds=0.3) == []
            process.kill()
            process.wait()
            killed = time.monotonic()
            (again,) = queue.take([NAME], limit=5, wait_seconds=10)
            assert time.monotonic() - killed < 1, "although a child that was forked lives on"
            assert again.envelope.message_id == "1"
            assert again.redelivered
        finally:
            os.kill(child, signal.SIGKILL)


def test_two_processes_share_without_doubles(broker: Broker, queue: Queue) -> None:
    everyone = [f"m{number}" for number in range(600)]
    queue.declare([NAME])
    with player("drain", broker) as first, player("drain", broker) as second:
        for process in (first, second):
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for start in range(0, 600, 50):
            queue.publish([(NAME, envelope(each)) for each in everyone[start : start + 50]])
        outputs = [process.communicate(timeout=60)[0].split() for process in (first, second)]
    shares = [[word for word in output if word != "acknowledged"] for output in outputs]
    assert sorted(shares[0] + shares[1]) == sorted(everyone)
    assert all(shares), "both had some"
    assert everything(queue) == []


def test_several_processes_may_make_the_queue(broker: Broker) -> None:
    code = (
        "import sys; from queues import connect\n"
        "sys.stdin.readline()\n"
        "with connect(sys.argv[1]) as queue: queue.declare(['a', sys.argv[2]])"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, broker.url, f"q{number}"], cwd=ROOT, stdin=subprocess.PIPE, text=True
        )
        for number in range(6)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=60)
    assert [process.returncode for process in processes] == [0] * 6
    with broker.connect() as queue:
        expected = ["a", *(f"q{number}" for number in range(6))]
        assert [each.name for each in queue.status(expected)] == expected
