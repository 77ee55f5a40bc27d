"""Everybody around the gateway, in this process: notes are sent as they are granted, the books stay open."""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self, cast

import pytest

from gateway.ops import stores
from gateway.ops.configuration import load
from gateway.ops.simulation import simulation
from gateway.ops.simulation.assemble import assemble
from gateway.ops.simulation.settlement import Account
from gateway.ops.simulation.simulation import Orders, Result
from tests.conftest import NOTES
from tests.faults import results
from tests.faults.keeper import Keeper, wait_until
from tests.faults.world import World

_NEVER = 1_000_000


class _Orders:
    """What the simulation is to do: as many notes as were granted so far; an end when it is closed."""

    rate = None
    first_round = 0

    def __init__(self, timeout_seconds: float) -> None:
        self.timeout_seconds = timeout_seconds
        self.patience_seconds: float | None = None
        self.granted = 0
        self.closed = threading.Event()

    @property
    def count(self) -> int:
        return self.granted if self.closed.is_set() else _NEVER


class Stream:
    """`pakkehjem simulate` on a thread, whose books are closed when the test says so."""

    def __init__(self, world: World, *, seed: int = 1, seconds: float = 600) -> None:
        """Nobody has sent anything yet."""
        self.world = world
        self._orders = _Orders(seconds)
        with pytest.MonkeyPatch.context() as patch:
            for name in [each for each in os.environ if each.startswith("PAKKEHJEM")]:
                patch.delenv(name)
            for name, value in world.environment.items():
                patch.setenv(name, value)
            configuration = load(world.config)
        self._journal = stores.open_journal(configuration)
        self._simulation, self._cast = assemble(configuration, self._journal, NOTES, seed)
        # No note is made before it is granted.
        self._patch = pytest.MonkeyPatch()
        self._patch.setattr(simulation, "_PREPARED", 0)
        self._patch.setattr(
            self._simulation,
            "_due",
            lambda _orders, _elapsed: self._orders.granted - len(self._cast.ledger.entries),
        )
        self._thread = ThreadPoolExecutor(1)
        self._playing: Future[Result]

    def __enter__(self) -> Self:
        self._playing = self._thread.submit(self._simulation.run, cast("Orders", self._orders))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Where the test has failed the books are of no interest.
        self._orders.patience_seconds = 0.0
        self._orders.closed.set()
        self._thread.shutdown(wait=True)
        self._patch.undo()
        self._journal.close()

    def grant(self, notes: int) -> None:
        """So many notes more are sent."""
        assert not self._playing.done(), self._playing.result()
        self._orders.granted += notes

    def close(self, keeper: Keeper) -> Account:
        """Close the books, when the gateway is at work and has nothing left to send."""
        keeper.ready(len(keeper.kills()) + 1)
        pending = "SELECT count(*) FROM sending WHERE state = 'pending'"
        notes = "SELECT count(*) FROM inbound WHERE kind IN ('note', 'unreadable')"
        wait_until(lambda: self.world.count(notes) >= self._orders.granted, "notes are not taken in")
        wait_until(lambda: not self.world.count(pending), "something waits to be sent")
        self._orders.closed.set()
        result = self._playing.result()
        assert not result.timed_out, result.account.problems
        return result.account


def settle(account: Account, world: World, fault: str, times: int, recovery: list[float]) -> None:
    """Note the books for the table, and see that they are in order."""
    found = {name: account.count(name) for name in ("lost", "duplicated", "invalid")}
    results.record(
        results.Result(
            fault=fault,
            on=world.name,
            times=times,
            notes=account.sent,
            lost=found["lost"],
            doubled=found["duplicated"],
            invalid=found["invalid"],
            recovery=recovery,
        )
    )
    assert found == {"lost": 0, "duplicated": 0, "invalid": 0}, account.problems
    assert account.settled
    assert account.delivered["municipality"] > 0
