"""kill -9 of the service in the middle of its work: nothing is lost, nothing comes twice."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NOTES = 200
COMMAND = [sys.executable, "-m", "gateway.ops.cli"]


@contextmanager
def service(config: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`pakkehjem run`, until the block ends or it is killed."""
    with log.open("ab") as output:
        process = subprocess.Popen([*COMMAND, "run", "-c", str(config)], stderr=output)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=60)


def taken_in(config: Path) -> int:
    """How many notes the journal has."""
    journal = config.with_name("journal.sqlite")
    if not journal.exists():
        return 0
    connection = sqlite3.connect(f"file:{journal}?mode=ro", uri=True)
    try:
        (count,) = connection.execute("SELECT count(*) FROM inbound WHERE kind = 'note'").fetchone()
        return int(count)
    except sqlite3.OperationalError:
        return 0
    finally:
        connection.close()


@pytest.mark.crash
@pytest.mark.timeout(240)
def test_a_killed_service_loses_nothing_and_doubles_nothing(config: Path, tmp_path: Path) -> None:
    log = tmp_path / "service.log"
    simulation = subprocess.Popen(
        [*COMMAND, "simulate", "-c", str(config), "--count", str(NOTES), "--timeout", "180", "--json"],
        stdout=subprocess.PIPE,
    )
    try:
        kills = 0
        for threshold in (NOTES // 5, NOTES // 2, 4 * NOTES // 5):
            with service(config, log) as running:
                deadline = time.monotonic() + 60
                while taken_in(config) < threshold and time.monotonic() < deadline:
                    assert running.poll() is None, "the service ended by itself"
                    time.sleep(0.005)
                assert threshold <= taken_in(config)
                running.send_signal(signal.SIGKILL)
                running.wait(timeout=10)
                kills += 1
        with service(config, log):
            output, _ = simulation.communicate(timeout=200)
    finally:
        if simulation.poll() is None:
            os.kill(simulation.pid, signal.SIGKILL)
            simulation.wait(timeout=10)
    ledger = json.loads(output)
    assert kills == 3
    assert ledger["sent"] == NOTES
    assert (ledger["lost"], ledger["duplicated"], ledger["invalid"]) == (0, 0, 0)
    assert ledger["delivered"]["municipality"] > 0
    assert simulation.returncode == 0
