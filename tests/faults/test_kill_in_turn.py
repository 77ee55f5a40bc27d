"""kill -9 at every fail-point, one after the other, under one stream of notes with one ledger in the end."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.contracts.fail_points import VARIABLE, FailPoint
from tests.faults.keeper import Keeper
from tests.faults.processes import forked
from tests.faults.stream import Stream, settle
from tests.faults.test_kill_at_fail_points import EVERYTHING_OVERDUE, QUICK, points_on
from tests.faults.world import World

pytestmark = [pytest.mark.crash, pytest.mark.timeout(900)]

_GRANT = 3
"""Notes for each life, and again where it lives on"""
_PATIENCE_SECONDS = 1.5
_LONGEST_LIFE_SECONDS = 120.0


def environments(points: list[FailPoint]) -> Iterator[Mapping[str, str]]:
    """What each life has in its environment besides."""
    for point in points:
        yield {VARIABLE: point.value} | (EVERYTHING_OVERDUE if point is FailPoint.OVERDUE_MARKED else {})


def test_killed_at_every_point_in_turn(world: World, tmp_path: Path) -> None:
    # What a life leaves that ends right after a mark is unanswered when the next one looks for it.
    points = sorted(points_on(world.journal), key=lambda point: point is FailPoint.OVERDUE_MARKED)
    points = [point for point in points if point is not FailPoint.MARK_COMMITTED]
    points.insert(-1, FailPoint.MARK_COMMITTED)
    # Each death may fall on the same message; here it is not the message's fault.
    world = replace(world, settings=QUICK | {"PAKKEHJEM__FLOW__POISON_ATTEMPTS": "1000"})
    keeper = Keeper(
        world.config,
        tmp_path / "log",
        environment=world.environment,
        lives=environments(points),
        begin=forked,
    )
    with Stream(world) as stream, keeper:
        for number, point in enumerate(points, start=1):
            keeper.ready(number)
            stream.grant(_GRANT)
            if point is FailPoint.DRAINING:
                keeper.signal(signal.SIGTERM)
            last = time.monotonic() + _LONGEST_LIFE_SECONDS
            while not killed(keeper, number):
                assert time.monotonic() < last, f"{point} is not reached"
                stream.grant(_GRANT)
        account = stream.close(keeper)
        assert keeper.end() == 0
    assert {code for _, code in keeper.deaths} == {-signal.SIGKILL}
    assert len(keeper.deaths) == len(points)
    # One death follows the other: nothing is written between some of them.
    settle(account, world, f"kill -9 at {len(points)} fail-points in turn", len(points), [])


def killed(keeper: Keeper, number: int) -> bool:
    """Whether so many lives have ended; for a while, what is there may be enough for that."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while len(keeper.deaths) < number and time.monotonic() < until:
        time.sleep(0.02)
    return len(keeper.deaths) >= number
