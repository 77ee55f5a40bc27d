"""What a note costs as things grow: processor time of a gateway in this process, on the embedded queue.

Processor time holds on a busy machine where the clock does not.
"""

from __future__ import annotations

import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.contracts.queues import Envelope, PublishOutcome
from gateway.ops import composition, stores
from gateway.ops.bench.counterparties import Side
from gateway.ops.bench.notes import Note, make_notes
from gateway.ops.bench.plot import Axis, lines
from gateway.ops.bench.world import World
from gateway.ops.configuration import load
from gateway.ops.security import message_signer

_NAME = "curve"
_WARM = 20
_TABLES = ("inbound", "sending", "event", "receipt")
_IDS = frozenset(
    (
        "id",
        "msg_id",
        "inbound_id",
        "sending_id",
        "apprec_id",
        "conversation_root",
        "patient_reference",
        "document_id",
    )
)
"""Columns whose values tell one message from another"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One measurement."""

    x: float
    cpu_milliseconds: float
    """For a note with all that follows from it; the median of the groups"""
    start_seconds: float
    """Processor time until the gateway is ready"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """What cost is plotted against."""

    title: str
    axis: Axis
    logarithmic_cost: bool
    measure: Callable[[], list[Point]]

    def svg(self, points: Sequence[Point]) -> str:
        """The plot."""
        return lines(
            self.title,
            self.axis,
            Axis(title="processor ms for a note", logarithmic=self.logarithmic_cost),
            {"a note with all that follows": [(p.x, p.cpu_milliseconds) for p in points]},
        )


class _Gateway:
    """A gateway with everybody around it."""

    def __init__(self, world: World, notes_count: int, **settings: Any) -> None:  # noqa: ANN401 - of `World.configure`
        attachment = settings.pop("attachment", 0)
        broker = f"embedded://{world.folder}/{_NAME}.queue"
        file = world.configure(
            _NAME, broker=broker, journal=f"sqlite:{world.folder}/{_NAME}.journal", **settings
        )
        configuration = load(file)
        registry = stores.open_registry(configuration)
        signer = message_signer(configuration)
        self.notes: list[Note] = make_notes(registry, signer, notes_count, attachment=attachment)
        begun = time.process_time()
        self.worker = composition.build_worker(configuration)
        self.start_seconds = time.process_time() - begun
        self.side = Side(_NAME, broker, self.notes)
        self.journal_file = world.folder / f"{_NAME}.journal"

    def cost(self, group: int) -> float:
        """Milliseconds of processor for each note of a group."""
        return 1000 * self.side.drive(group, self._step) / group

    def cut_off(self, count: int) -> None:
        """From now on there are no queues for so many of the receivers."""
        gone = set(self.side.receivers[:count])
        publish = self.worker.queue.publish

        def without(messages: Sequence[tuple[str, Envelope]]) -> list[PublishOutcome]:
            outcomes = iter(publish([each for each in messages if each[0] not in gone]))
            return [PublishOutcome.UNROUTABLE if name in gone else next(outcomes) for name, _ in messages]

        setattr(self.worker.queue, "publish", without)  # noqa: B010 - one queue of one measurement

    def _step(self) -> tuple[int, float]:
        begun = time.process_time()
        done = self.worker.service.step(wait_seconds=0.0)
        return done, time.process_time() - begun

    def close(self) -> None:
        self.side.close()
        self.worker.close()


@contextmanager
def small_gateway(notes: int, **settings: Any) -> Iterator[_Gateway]:  # noqa: ANN401 - of `World.configure`
    """A gateway in a folder of its own, and so many notes for it."""
    folder = Path(tempfile.mkdtemp(prefix="pakkehjem-bench-"))
    try:
        grown = settings.pop("municipalities", 0)
        world = World(folder, key_bits=2048)
        if grown:
            settings["register"] = _grown(world.register, grown)
        gateway = _Gateway(world, notes, **settings)
        try:
            yield gateway
        finally:
            gateway.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _point(x: float, gateway: _Gateway, *, groups: int = 5, group: int = 50) -> Point:
    return Point(
        x=x,
        cpu_milliseconds=statistics.median(gateway.cost(group) for _ in range(groups)),
        start_seconds=gateway.start_seconds,
    )


def _message_size() -> list[Point]:
    """Notes with a document of growing size; `x` is what travels."""
    found = []
    for attachment, group in (
        (0, 20),
        (15_000, 20),
        (70_000, 10),
        (750_000, 5),
        (2_250_000, 3),
        (7_400_000, 2),
    ):
        with small_gateway(6 * group + _WARM, attachment=attachment) as gateway:
            gateway.cost(min(_WARM, group))
            mean = statistics.mean(len(note.body) for note in gateway.notes[:2])
            found.append(_point(mean, gateway, groups=4, group=group))
    return found


def _municipalities() -> list[Point]:
    """A register of growing size."""
    found = []
    for count in (10, 100, 1000, 10_000):
        with small_gateway(300, municipalities=count) as gateway:
            gateway.cost(_WARM)
            found.append(_point(count, gateway))
    return found


def _grown(register: dict[str, Any], count: int) -> dict[str, Any]:
    """With more municipalities: the sample's own codes have four digits or begin with 03."""
    more = [
        {
            "code": f"{900_000 - number}",
            "name": f"Kommune {number}",
            "her_id": f"{7_000_000 + 2 * number}",
            "service": {"name": "Tildelingskontoret", "her_id": f"{7_000_001 + 2 * number}"},
            "accepts": ["plo-1.6"],
        }
        for number in range(count - len(register["municipality"]))
    ]
    return {**register, "municipality": [*register["municipality"], *more]}


def _journal() -> list[Point]:
    """Rows in the journal (inbox, outbox, history, receipts), as of notes that have ended."""
    with small_gateway(1500) as gateway:
        gateway.cost(100)
        return [
            _point(grow_journal(gateway.journal_file, rows), gateway)
            for rows in (0, 10_000, 100_000, 1_000_000)
        ]


def grow_journal(file: Path, rows: int) -> int:
    """Repeat the rows of a SQLite journal under other ids until there are so many; how many there are.

    Payloads are left out, as after `db purge`.
    """
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA foreign_keys=OFF")
        columns = {table: [row[1] for row in db.execute(f"PRAGMA table_info({table})")] for table in _TABLES}
        first = {table: db.execute(f"SELECT max(sequence) FROM {table}").fetchone()[0] for table in _TABLES}  # noqa: S608 - our own names
        count: int = sum(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in _TABLES)  # noqa: S608 - our own names
        lap = 0
        while count < rows:
            lap += 1
            for table in _TABLES:
                names = [name for name in columns[table] if name != "sequence"]
                values = [
                    f"CASE WHEN {name} IS NULL THEN NULL ELSE {name} || '-{rows}-{lap}' END"
                    if name in _IDS
                    else name
                    for name in names
                ]
                done = db.execute(
                    f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(values)} FROM {table} "  # noqa: S608 - our own names
                    "WHERE sequence <= ?",
                    (first[table],),
                )
                count += done.rowcount
            db.commit()
    return count


def _down() -> list[Point]:
    """Receivers that are down: 0, 1 and 2 of the 4 that notes go to."""
    found = []
    for down in (0, 1, 2):
        with small_gateway(400) as gateway:
            gateway.cost(_WARM)
            gateway.cut_off(down)
            found.append(_point(25.0 * down, gateway))
    return found


CURVES = {
    "size": Curve(
        title="Cost as messages grow",
        axis=Axis(title="bytes of the note as it travels", logarithmic=True),
        logarithmic_cost=True,
        measure=_message_size,
    ),
    "municipalities": Curve(
        title="Cost as the register grows",
        axis=Axis(title="municipalities in the register", logarithmic=True),
        logarithmic_cost=False,
        measure=_municipalities,
    ),
    "journal": Curve(
        title="Cost as the journal grows",
        axis=Axis(title="rows in the journal", logarithmic=True),
        logarithmic_cost=False,
        measure=_journal,
    ),
    "down": Curve(
        title="Cost as receivers are down",
        axis=Axis(title="percent of the receivers that are down"),
        logarithmic_cost=False,
        measure=_down,
    ),
}
