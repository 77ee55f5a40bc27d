"""The whole gateway with two workers while its database falls, and while its connections are cut."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.faults.conftest import at_length
from tests.faults.keeper import Keeper
from tests.faults.world import Play, Progress, World, play, settle
from tests.postgres_server import PostgresServer

pytestmark = [pytest.mark.crash, pytest.mark.timeout(1500), at_length]

NOTES = 100


def crashed(server: PostgresServer, playing: Play) -> None:
    """As at a loss of power: no checkpoint, every connection is cut."""
    for share in (0.2, 0.5):
        playing.taken_in(share)
        server.restart()
        playing.fault()


def restarted(server: PostgresServer, playing: Play) -> None:
    playing.taken_in(0.3)
    server.stop()
    time.sleep(5)
    server.start()
    playing.fault()


def connections_dropped(server: PostgresServer, playing: Play) -> None:
    """The gateway's, inside transactions that have written something, as they are met."""
    del server
    playing.taken_in(0.1)
    chance = random.Random(7)  # noqa: S311 - when
    cut = 0
    with psycopg.connect(playing.world.journal, autocommit=True) as connection:
        while cut < 20 and playing.process.poll() is None:
            found = connection.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE datname = current_database() AND application_name = 'pakkehjem' "
                "AND backend_xid IS NOT NULL"
            ).fetchone()
            if found is not None and found[0]:
                cut += 1
                playing.fault()
                time.sleep(chance.uniform(0.2, 1))
            time.sleep(chance.uniform(0, 0.01))
    assert cut >= 10, "hardly a transaction was met"


FAULTS: dict[str, Callable[[PostgresServer, Play], None]] = {
    "database killed and started": crashed,
    "database stopped for 5 s": restarted,
    "connection dropped inside a transaction": connections_dropped,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_database_that_falls_under_load(
    config: Path, rabbitmq: str, own_postgres: PostgresServer, tmp_path: Path, fault: str
) -> None:
    with own_postgres.database() as url:
        world = World(
            config=config, broker=rabbitmq, journal=url, settings={"PAKKEHJEM__FLOW__LEASE_SECONDS": "3"}
        )
        keeper = Keeper(config, tmp_path / "log", environment=world.environment, workers=2)
        with play(world, NOTES, rate=10) as playing, Progress(world) as progress, keeper:
            FAULTS[fault](own_postgres, playing)
            settle(playing, progress, fault)
            assert keeper.end() == 0
            assert keeper.deaths == [], "the supervisor ended by itself"
