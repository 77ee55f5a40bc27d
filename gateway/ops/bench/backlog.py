"""A backlog: so many notes lie on the queue at once, and one worker works them off."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from gateway.ops import stores
from gateway.ops.bench.notes import SAMPLES, make_notes
from gateway.ops.bench.processes import Counterparties, Process
from gateway.ops.bench.recording import record
from gateway.ops.bench.setup import Setup
from gateway.ops.bench.world import World
from gateway.ops.configuration import load
from gateway.ops.console import say, table
from gateway.ops.security import message_signer

_NAME = "backlog"
_PARTS = 10
FEWEST = 10 * _PARTS
"""Notes of a backlog that can be told apart by its tenths"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What came of it."""

    notes: int
    rates: tuple[float, ...]
    """Notes a second of each tenth"""
    peak_mebibytes: float
    """Of the worker"""
    cpu_milliseconds: float
    """Of the worker, for a note"""

    @property
    def last_to_first(self) -> float:
        """How fast the last third of the tenths was, as a share of the first third."""
        third = len(self.rates) // 3
        return sum(self.rates[-third:]) / sum(self.rates[:third])

    def document(self) -> dict[str, object]:
        """As `bench --backlog --json` gives it."""
        return {
            "notes": self.notes,
            "notes_per_second": [round(rate, 1) for rate in self.rates],
            "last_to_first": round(self.last_to_first, 3),
            "peak_rss_mb": round(self.peak_mebibytes, 1),
            "cpu_ms_per_message": round(self.cpu_milliseconds, 2),
        }

    def print(self) -> None:
        """For people."""
        table(
            ("tenth", "notes/s"),
            [(str(number), f"{rate:.1f}") for number, rate in enumerate(self.rates, start=1)],
            title="A backlog",
        )
        say(
            f"{self.notes:,} notes: {self.cpu_milliseconds:.1f} ms of processor a note, "
            f"{self.peak_mebibytes:.0f} MB at the most, end at {self.last_to_first:.2f} of the beginning"
        )


def measure_backlog(count: int, *, broker: str | None) -> Backlog:
    """Lay so many notes of 8 KB on the queue and have one worker do them, receipts and all; journal SQLite.

    Args:
        count: of notes; `FEWEST` at least. Each takes about 10 KB of memory of this machine meanwhile.
        broker: URL of RabbitMQ; None: the embedded queue.

    Raises:
        NotMeasuredError: something did not come up, or lost a message.
    """
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="pakkehjem-backlog-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        world = World(folder, key_bits=2048)
        broker = broker or f"embedded://{folder}/{_NAME}.queue"
        file = world.configure(_NAME, broker=broker, journal=f"sqlite:{folder}/{_NAME}.journal")
        setup = _set_up(world, file, count)
        counterparties = Counterparties(setup)
        stack.callback(counterparties.stop)
        counterparties.ask({"do": "open", "name": _NAME, "broker": broker})
        worker = Process(["-m", "gateway.ops.cli", "run", "-c", str(file)], folder / "worker.log")
        stack.callback(worker.stop)
        worker.wait_until_ready()
        before = worker.cpu_seconds()
        order = {"do": "flood", "name": _NAME, "count": count, "window": count, "every": count // _PARTS}
        done_after: Sequence[float] = counterparties.ask(order)["done_after"][:_PARTS]
        return Backlog(
            notes=count,
            rates=tuple(count // _PARTS / (end - begin) for begin, end in pairwise((0.0, *done_after))),
            peak_mebibytes=worker.peak_mebibytes(),
            cpu_milliseconds=1000 * (worker.cpu_seconds() - before) / count,
        )


def _set_up(world: World, file: Path, count: int) -> Path:
    configuration = load(file)
    registry = stores.open_registry(configuration)
    notes = make_notes(registry, message_signer(configuration), count)
    senders = {note.sender for note in notes[: len(SAMPLES)]}
    setup = Setup(
        keys=str(configuration.path(configuration.signing.keys)),
        hospitals={h.her_id: h.org_no or "" for h in registry.hospitals if h.her_id in senders},
        notes=notes,
        recorded=record(world, notes, "recording"),
    )
    written = world.folder / "setup.json"
    setup.write(written)
    return written
