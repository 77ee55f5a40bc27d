"""Processes that are kept at work: who dies is replaced, and everybody ends when told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import ROOT

SCRIPT = """
import os, signal, sys, time
from gateway.ops.workers import Workers

def stubborn(heart):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print(os.getpid(), flush=True)
    time.sleep(60)

def orderly(heart):
    told = []
    signal.signal(signal.SIGTERM, lambda *_: told.append(1))
    print(os.getpid(), flush=True)
    while not told:
        time.sleep(0.01)
    print("finished", flush=True)
    return 0

def hopeless(heart):
    return 3

sys.exit(Workers(globals()[sys.argv[1]], 2).run())
"""


@contextmanager
def supervisor(work: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, work], cwd=ROOT, stdout=output, stderr=subprocess.DEVNULL
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait(timeout=10)


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def pids(log: Path) -> list[int]:
    return [int(line) for line in log.read_text().split() if line.isdigit()]


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_who_dies_is_replaced_and_all_finish_when_told_to(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with supervisor("orderly", log) as process:
        eventually(lambda: len(pids(log)) == 2)
        os.kill(pids(log)[0], signal.SIGKILL)
        eventually(lambda: len(pids(log)) == 3)
        process.terminate()
        assert process.wait(timeout=20) == 0
    assert log.read_text().count("finished") == 2
    assert not any(alive(each) for each in pids(log))


def test_the_second_signal_ends_them_at_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with supervisor("stubborn", log) as process:
        eventually(lambda: len(pids(log)) == 2)
        process.terminate()
        time.sleep(0.5)
        assert process.poll() is None
        assert all(alive(each) for each in pids(log))
        process.terminate()
        process.wait(timeout=10)
    assert not any(alive(each) for each in pids(log))


def test_who_is_orphaned_finishes(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with supervisor("orderly", log) as process:
        eventually(lambda: len(pids(log)) == 2)
        process.kill()
        eventually(lambda: log.read_text().count("finished") == 2)


def test_what_can_not_go_well_is_not_tried_again(tmp_path: Path) -> None:
    with supervisor("hopeless", tmp_path / "log") as process:
        assert process.wait(timeout=20) == 3
