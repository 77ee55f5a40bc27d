"""kill -9 between any two steps: the books are in order in the end, on both journals."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.contracts.fail_points import FailPoint
from tests.faults.keeper import Keeper, wait_until
from tests.faults.world import Progress, World, play, settle

pytestmark = [pytest.mark.crash, pytest.mark.timeout(1500)]

NOTES = 30
PASSINGS = (1, 4)
"""The first life dies at the first passing, the second one at the fourth"""
ONLY_WHEN_STOPPED = frozenset({FailPoint.DRAINING})
ONLY_WITH_DEADLINES = frozenset({FailPoint.OVERDUE_MARKED})
ONLY_WITH_LEASES = frozenset({FailPoint.LEASED})
_ALWAYS = {FailPoint.COMMITTED: "sqlite", FailPoint.PUBLISHED: "postgresql"}
"""Those that every run of the tests kills at, and on which journal"""

points = [
    pytest.param(
        point,
        marks=pytest.mark.skipif(
            point not in _ALWAYS and not os.environ.get("FAULTS"), reason="takes minutes: make faults"
        ),
    )
    for point in FailPoint
    if point not in ONLY_WHEN_STOPPED | ONLY_WITH_DEADLINES
]


@pytest.mark.parametrize("point", points)
def test_killed_at(point: FailPoint, world: World, tmp_path: Path) -> None:
    if not os.environ.get("FAULTS") and _ALWAYS[point] not in world.journal:
        pytest.skip("takes minutes: make faults")
    if point in ONLY_WITH_LEASES and world.journal == "sqlite":
        pytest.skip("SQLite has one gateway, and no leases")
    orders = [f"{point}:{1 if point is FailPoint.STARTED else count}" for count in PASSINGS]
    keeper = Keeper(world.config, tmp_path / "log", environment=world.environment, fail_points=orders)
    with play(world, NOTES, rate=15) as playing, Progress(world) as progress, keeper:
        settle(playing, progress, f"kill -9 at `{point}`", faults=keeper.kills)
        assert len(keeper.kills()) == len(PASSINGS), keeper.lines
        assert keeper.end() == 0
    assert {code for _, code in keeper.deaths} == {-signal.SIGKILL}


@pytest.mark.skipif(not os.environ.get("FAULTS"), reason="takes minutes: make faults")
def test_killed_while_it_is_stopping(world: World, tmp_path: Path) -> None:
    point = FailPoint.DRAINING
    keeper = Keeper(world.config, tmp_path / "log", environment=world.environment, fail_points=[point.value])
    with play(world, NOTES, rate=15) as playing, Progress(world) as progress, keeper:
        playing.taken_in(1 / 3)
        keeper.signal(signal.SIGTERM)
        settle(playing, progress, f"kill -9 at `{point}`", faults=keeper.kills)
        assert len(keeper.kills()) == 1, keeper.lines
        assert keeper.end() == 0


@pytest.mark.skipif(not os.environ.get("FAULTS"), reason="takes minutes: make faults")
def test_killed_while_it_marks_what_is_overdue(world: World, tmp_path: Path) -> None:
    point = FailPoint.OVERDUE_MARKED
    world = replace(world, settings={"PAKKEHJEM__FLOW__RECEIPT_DEADLINE_HOURS": "0.0003"})
    keeper = Keeper(
        world.config, tmp_path / "log", environment=world.environment, fail_points=[None, f"{point}:2"]
    )
    unanswered = "SELECT count(*) FROM sending WHERE kind = 'note' AND state = 'delivered'"
    with play(world, NOTES, rate=15) as playing, Progress(world) as progress, keeper:
        # What is due is looked for at the start: those that never answer are overdue by then.
        playing.taken_in(1)
        wait_until(lambda: world.count(unanswered) >= 2, "every sending is answered")
        keeper.signal(signal.SIGTERM)
        settle(playing, progress, f"kill -9 at `{point}`", faults=keeper.kills)
        assert len(keeper.kills()) == 1, keeper.lines
        assert keeper.end() == 0
