"""kill -9 between any two steps: the books are in order in the end, on both journals."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.contracts.fail_points import VARIABLE, FailPoint
from tests.faults.keeper import Keeper, wait_until
from tests.faults.processes import forked
from tests.faults.stream import Stream, settle
from tests.faults.world import Progress, World

pytestmark = [pytest.mark.crash, pytest.mark.timeout(300)]

NOTES = 8
"""Of which some are answered with a reply, and one with several"""
QUICK = {"PAKKEHJEM__FLOW__LEASE_SECONDS": "1", "PAKKEHJEM__FLOW__RETRY_FIRST_SECONDS": "0.2"}
EVERYTHING_OVERDUE = {"PAKKEHJEM__FLOW__RECEIPT_DEADLINE_HOURS": "0.0001"}
"""What was sent by one life is overdue when the next one has started"""
_ALWAYS = {(FailPoint.COMMITTED, "sqlite"), (FailPoint.PUBLISHED, "postgresql")}
"""Those that every run of the tests kills at, beside those in turn"""


def points_on(journal: str) -> list[FailPoint]:
    """Those that there are. On SQLite there is one gateway, and no leases."""
    return [point for point in FailPoint if point is not FailPoint.LEASED or journal != "sqlite"]


def lives(point: FailPoint) -> list[dict[str, str]]:
    """What each life has in its environment: the second one gets further than the first."""
    if point in {FailPoint.STARTED, FailPoint.DRAINING}:
        return [{VARIABLE: point.value}] * 2
    if point is FailPoint.OVERDUE_MARKED:
        # What is out is overdue then, whatever its receivers have answered meanwhile.
        return [
            {VARIABLE: FailPoint.MARK_COMMITTED.value},
            {VARIABLE: f"{point}:1", **EVERYTHING_OVERDUE},
            {VARIABLE: f"{point}:2", **EVERYTHING_OVERDUE},
            EVERYTHING_OVERDUE,
        ]
    return [{VARIABLE: f"{point}:{count}"} for count in (1, 2)]


@pytest.mark.parametrize(
    ("journal", "point"),
    [
        pytest.param(
            journal,
            point,
            marks=pytest.mark.skipif(
                (point, journal) not in _ALWAYS and not os.environ.get("FAULTS"),
                reason="takes minutes: make faults",
            ),
        )
        for journal in ("sqlite", "postgresql")
        for point in points_on(journal)
    ],
    indirect=["journal"],
)
def test_killed_at(point: FailPoint, world: World, tmp_path: Path) -> None:
    world = replace(world, settings=QUICK)
    orders = lives(point)
    deaths = sum(VARIABLE in each for each in orders)
    keeper = Keeper(world.config, tmp_path / "log", environment=world.environment, lives=orders, begin=forked)
    with Stream(world) as stream, Progress(world) as progress, keeper:
        stream.grant(NOTES)
        for number in range(1, deaths + 1):
            keeper.ready(number)
            if point is FailPoint.DRAINING:
                wait_until(lambda: world.notes() > 0, "nothing is taken in")
                keeper.signal(signal.SIGTERM)
            killed = lambda number=number: len(keeper.kills()) >= number  # noqa: E731 - a default
            wait_until(killed, f"{orders[number - 1][VARIABLE]} is not reached", 120)
        account = stream.close(keeper)
        assert keeper.end() == 0
    assert {code for _, code in keeper.deaths} == {-signal.SIGKILL}
    assert len(keeper.deaths) == deaths
    settle(account, world, f"kill -9 at `{point}`", deaths, progress.recovery(keeper.kills()))
