"""kill -9 at every fail-point, one after the other, under one stream of notes with one ledger in the end."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from gateway.contracts.fail_points import FailPoint
from gateway.ops import stores
from gateway.ops.configuration import load
from gateway.ops.simulation.assemble import assemble
from gateway.ops.simulation.simulation import Orders
from tests.conftest import NOTES
from tests.faults.conftest import at_length
from tests.faults.keeper import Keeper
from tests.faults.results import Result, record
from tests.faults.test_kill_at_fail_points import ONLY_WHEN_STOPPED, ONLY_WITH_DEADLINES, ONLY_WITH_LEASES
from tests.faults.world import World

pytestmark = [pytest.mark.crash, pytest.mark.timeout(3000), at_length]

_GRANT = 5
"""Notes for each life, and again where it lives on"""
_PATIENCE_SECONDS = 4.0


class Feed:
    """What the simulation is to do: as many notes as were granted so far; an end when it is closed."""

    rate = None
    timeout_seconds = 2400.0
    first_round = 0

    def __init__(self) -> None:
        self.granted = 0
        self.closed = threading.Event()

    @property
    def count(self) -> int:
        return self.granted if self.closed.is_set() else 1_000_000


def test_killed_at_every_point_in_turn(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left_out = ONLY_WHEN_STOPPED | ONLY_WITH_DEADLINES
    if world.journal == "sqlite":
        left_out |= ONLY_WITH_LEASES
    points = [point for point in FailPoint if point not in left_out]
    # Each death may fall on the same message; here it is not the message's fault.
    world = replace(world, settings={"PAKKEHJEM__FLOW__POISON_ATTEMPTS": "1000"})
    for name, value in world.environment.items():
        monkeypatch.setenv(name, value)
    configuration = load(world.config)
    journal = stores.open_journal(configuration)
    simulation, cast_ = assemble(configuration, journal, NOTES, 1)
    feed = Feed()
    monkeypatch.setattr(
        simulation, "_due", lambda _orders, _elapsed: feed.granted - len(cast_.ledger.entries)
    )
    keeper = Keeper(
        world.config, tmp_path / "log", environment=world.environment, fail_points=[p.value for p in points]
    )
    try:
        with ThreadPoolExecutor(1) as others, keeper:
            playing = others.submit(simulation.run, cast("Orders", feed))
            try:
                while len(keeper.kills()) < len(points):
                    lives = keeper.lines.count('"event":"ready"')
                    assert not playing.done(), playing.result()
                    if lives > len(keeper.kills()):
                        feed.granted += _GRANT
                    until = time.monotonic() + _PATIENCE_SECONDS
                    while time.monotonic() < until and keeper.lines.count('"event":"ready"') == lives:
                        time.sleep(0.1)
            finally:
                feed.closed.set()
            account = playing.result().account
            assert keeper.end() == 0
    finally:
        journal.close()
    found = {name: account.count(name) for name in ("lost", "duplicated", "invalid")}
    record(
        Result(
            fault=f"kill -9 at {len(points)} fail-points in turn",
            on=world.name,
            times=len(keeper.kills()),
            notes=account.sent,
            lost=found["lost"],
            doubled=found["duplicated"],
            invalid=found["invalid"],
            # One death follows the other: nothing is written between some of them.
            recovery=[],
        )
    )
    assert found == {"lost": 0, "duplicated": 0, "invalid": 0}
    assert account.settled
    assert account.delivered["municipality"] > 0
