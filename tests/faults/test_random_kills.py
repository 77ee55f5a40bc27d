"""kill -9 at random moments, of the whole gateway or of one of its workers, under load."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.faults.conftest import at_length
from tests.faults.keeper import Keeper
from tests.faults.world import Progress, World, play, settle
from tests.postgres_server import PostgresServer

pytestmark = [pytest.mark.crash, at_length]

NOTES = int(os.environ.get("FAULTS_NOTES", "2000"))
KILLS = 20


@pytest.mark.timeout(3600)
def test_twenty_kills_of_two_workers(
    config: Path, rabbitmq: str, postgres: PostgresServer, tmp_path: Path
) -> None:
    chance = random.Random(20)  # noqa: S311 - whom to kill and when
    with postgres.database() as url:
        world = World(
            config=config,
            broker=rabbitmq,
            journal=url,
            settings={"PAKKEHJEM__FLOW__LEASE_SECONDS": "3"},
        )
        keeper = Keeper(config, tmp_path / "log", environment=world.environment, workers=2)
        with play(world, NOTES, seconds=3000) as playing, Progress(world) as progress, keeper:
            for number in range(1, KILLS + 1):
                # The last one falls well before the last note.
                playing.taken_in(0.9 * number / (KILLS + 1), seconds=900)
                time.sleep(chance.uniform(0, 1))
                workers = keeper.workers()
                if number % 2 and workers:
                    kill(chance.choice(workers))
                else:
                    # All at once, the supervisor first: it would start others.
                    keeper.signal(signal.SIGKILL)
                    for worker in workers:
                        kill(worker)
                playing.fault()
            settle(playing, progress, "kill -9 at random moments, 2 workers", seconds=3000)
            assert len(playing.faults) == KILLS
            assert keeper.end() == 0


def kill(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)
