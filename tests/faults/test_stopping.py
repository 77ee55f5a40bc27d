"""SIGTERM under load: what is at hand is finished within the time that is set; a second one ends at once."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.contracts.errors import EXIT_PARTLY
from tests.faults.conftest import at_length
from tests.faults.keeper import Keeper, wait_until
from tests.faults.world import Progress, World, play, settle
from tests.postgres_server import PostgresServer
from tests.servers import RabbitServer

pytestmark = [pytest.mark.crash, pytest.mark.timeout(1500), at_length]

NOTES = 60
STOP_SECONDS = 30.0
LATE_SECONDS = 3.0
"""How much later a machine that is busy with much else may see an end that came in time"""
TIMES = 5


@pytest.mark.parametrize("workers", [1, 2])
def test_it_drains_and_ends_in_time(
    config: Path, rabbitmq: str, postgres: PostgresServer, tmp_path: Path, workers: int
) -> None:
    with postgres.database() as url:
        world = World(
            config=config,
            broker=rabbitmq,
            journal=url,
            settings={"PAKKEHJEM__FLOW__STOP_SECONDS": str(STOP_SECONDS)},
        )
        keeper = Keeper(config, tmp_path / "log", environment=world.environment, workers=workers)
        with play(world, NOTES, rate=6) as playing, Progress(world) as progress, keeper:
            for number in range(1, TIMES + 1):
                playing.taken_in(0.9 * number / TIMES)
                ended = len(keeper.deaths)
                begun = time.monotonic()
                keeper.signal(signal.SIGTERM)
                wait_until(lambda ended=ended: len(keeper.deaths) > ended, "it does not end")  # type: ignore[misc] # a default
                assert keeper.deaths[-1][0] - begun < STOP_SECONDS + LATE_SECONDS
                playing.fault()
                keeper.ready((number + 1) * workers)
            settle(playing, progress, f"SIGTERM under load, {workers} worker{'s' * (workers > 1)}")
            assert keeper.end() == 0
        assert {code for _, code in keeper.deaths} == {0}, "each time it had finished what was at hand"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_second_sigterm_under_load_ends_it_at_once(
    config: Path, rabbitmq: str, postgres: PostgresServer, tmp_path: Path, workers: int
) -> None:
    with postgres.database() as url:
        # Who is killed holds what it had taken for no longer than that.
        settings = {"PAKKEHJEM__FLOW__LEASE_SECONDS": "1"}
        world = World(config=config, broker=rabbitmq, journal=url, settings=settings)
        keeper = Keeper(config, tmp_path / "log", environment=world.environment, workers=workers)
        with play(world, 3 * NOTES) as playing, Progress(world) as progress, keeper:
            for number in range(1, TIMES + 1):
                playing.taken_in(0.9 * number / TIMES)
                stopping = keeper.lines.count('"event":"stopping"')
                keeper.signal(signal.SIGTERM)
                wait_until(
                    lambda said=stopping: keeper.lines.count('"event":"stopping"') > said,  # type: ignore[misc] # a default
                    "it does not hear",
                )
                begun = time.monotonic()
                keeper.signal(signal.SIGTERM)
                wait_until(lambda ended=number: len(keeper.deaths) >= ended, "it does not end")  # type: ignore[misc] # a default
                assert keeper.deaths[-1][0] - begun < LATE_SECONDS
                playing.fault()
                keeper.ready((number + 1) * workers)
            settle(playing, progress, f"second SIGTERM under load, {workers} worker{'s' * (workers > 1)}")
            assert keeper.end() == 0
        codes = [code for _, code in keeper.deaths]
        cut = -signal.SIGTERM if workers == 1 else EXIT_PARTLY
        assert set(codes) <= {0, cut}
        assert cut in codes, "it was never in the middle of anything"


@contextmanager
def frozen(server: RabbitServer) -> Iterator[None]:
    """A broker that neither answers nor goes away."""
    process = int((server.folder / "node.pid").read_text())
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def test_a_second_sigterm_ends_it_at_once(
    frail_rabbit_server: RabbitServer, config: Path, tmp_path: Path
) -> None:
    world = World(config=config, broker=frail_rabbit_server.new_vhost(), journal="sqlite")
    keeper = Keeper(config, tmp_path / "log", environment=world.environment)
    with play(world, NOTES, rate=10) as playing, Progress(world) as progress, keeper:
        playing.taken_in(1 / 4)
        with frozen(frail_rabbit_server):
            time.sleep(2)
            keeper.signal(signal.SIGTERM)
            wait_until(lambda: '"event":"stopping"' in keeper.lines, "it does not hear")
            time.sleep(1)
            assert keeper.deaths == [], "it waits for the broker"
            begun = time.monotonic()
            keeper.signal(signal.SIGTERM)
            wait_until(lambda: keeper.deaths, "it does not end")
            assert keeper.deaths[0][0] - begun < LATE_SECONDS, "long before the time that is set"
            assert keeper.deaths[0][1] == -signal.SIGTERM
        playing.fault()
        settle(playing, progress, "second SIGTERM, broker frozen")
        assert keeper.end() == 0


def test_what_hangs_is_not_waited_for_longer_than_is_set(
    frail_rabbit_server: RabbitServer, config: Path, tmp_path: Path
) -> None:
    world = World(
        config=config,
        broker=frail_rabbit_server.new_vhost(),
        journal="sqlite",
        settings={"PAKKEHJEM__FLOW__STOP_SECONDS": "4"},
    )
    keeper = Keeper(config, tmp_path / "log", environment=world.environment)
    with play(world, NOTES, rate=10) as playing, Progress(world) as progress, keeper:
        playing.taken_in(1 / 4)
        with frozen(frail_rabbit_server):
            time.sleep(2)
            begun = time.monotonic()
            keeper.signal(signal.SIGTERM)
            wait_until(lambda: keeper.deaths, "it does not end")
            assert keeper.deaths[0][0] - begun < 4 + LATE_SECONDS, "what it waits for would take longer"
            assert keeper.deaths[0][1] in {0, EXIT_PARTLY}
        playing.fault()
        settle(playing, progress, "SIGTERM, broker frozen")
        assert keeper.end() == 0
