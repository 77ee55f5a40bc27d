"""The whole gateway with two workers on PostgreSQL, while everything around it is killed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from tests.postgres_server import PostgresServer

NOTES = 100
COMMAND = [sys.executable, "-m", "gateway.ops.cli"]


def count(url: str, query: str) -> int:
    """The answer to a query; 0 while there is no journal."""
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            row = connection.execute(query).fetchone()
    except (psycopg.OperationalError, psycopg.errors.UndefinedTable):
        return 0
    return int(row[0]) if row is not None else 0


def wait_for(url: str, query: str, least: int) -> None:
    deadline = time.monotonic() + 90
    while count(url, query) < least:
        assert time.monotonic() < deadline, query
        time.sleep(0.02)


def workers(log: Path) -> list[int]:
    """The processes that are at work, by what the log says."""
    text = log.read_text()
    started = re.findall(r'"worker-started","worker":(\d+)', text)
    ended = set(re.findall(r'"worker-ended","worker":(\d+)', text))
    return [int(each) for each in started if each not in ended]


@pytest.mark.crash
@pytest.mark.timeout(280)
def test_nothing_is_lost_or_doubled_when_database_and_workers_are_killed(
    config: Path, tmp_path: Path, own_postgres: PostgresServer
) -> None:
    log = tmp_path / "service.log"
    taken_in = "SELECT count(*) FROM inbound WHERE kind = 'note'"
    delivered = "SELECT count(*) FROM sending WHERE state <> 'pending'"
    with own_postgres.database() as url, log.open("ab") as output:
        environment = os.environ | {
            "PAKKEHJEM__JOURNAL__URL": url,
            "PAKKEHJEM__FLOW__LEASE_SECONDS": "2",
            "PAKKEHJEM__FLOW__GROUP_SIZE": "10",
        }
        service = subprocess.Popen(
            [*COMMAND, "run", "-c", str(config), "--workers", "2"], stderr=output, env=environment
        )
        orders = ["--count", str(NOTES), "--rate", "25", "--timeout", "200", "--json"]
        simulation = subprocess.Popen(
            [*COMMAND, "simulate", "-c", str(config), *orders], stdout=subprocess.PIPE, env=environment
        )
        try:
            wait_for(url, taken_in, NOTES // 5)
            own_postgres.restart()
            wait_for(url, delivered, NOTES // 2)
            os.kill(workers(log)[0], signal.SIGKILL)
            wait_for(url, taken_in, NOTES // 2)
            own_postgres.restart()
            ledger = json.loads(simulation.communicate(timeout=220)[0])
            assert len(workers(log)) == 2
            service.send_signal(signal.SIGTERM)
            assert service.wait(timeout=40) == 0
        finally:
            for process in (simulation, service):
                if process.poll() is None:
                    process.kill()
                    process.wait(timeout=10)
        assert ledger["sent"] == NOTES
        assert (ledger["lost"], ledger["duplicated"], ledger["invalid"]) == (0, 0, 0)
        assert ledger["delivered"]["municipality"] > 0
        assert simulation.returncode == 0
        assert log.read_text().count('"event":"stopped"') == 2, "both finished what was at hand"


def test_workers_finish_and_end_when_their_supervisor_is_killed(
    config: Path, tmp_path: Path, postgres: PostgresServer
) -> None:
    log = tmp_path / "service.log"
    with postgres.database() as url, log.open("ab") as output:
        environment = os.environ | {"PAKKEHJEM__JOURNAL__URL": url}
        command = [*COMMAND, "run", "-c", str(config), "--workers", "2"]
        service = subprocess.Popen(command, stderr=output, env=environment)
        deadline = time.monotonic() + 60
        while log.read_text().count('"event":"ready"') < 2:
            assert service.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        service.kill()
        service.wait(timeout=10)
        while log.read_text().count('"event":"stopped"') < 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_sqlite_is_for_one_process(config: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "run", "-c", str(config), "--workers", "2"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "PostgreSQL takes several" in done.stderr
