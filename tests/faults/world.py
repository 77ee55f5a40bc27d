"""A gateway on a broker and a journal, everybody around it, and the books in the end."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import pika
import psycopg

from queues.rabbitmq_values import text
from tests.faults.keeper import wait_until
from tests.faults.processes import COMMAND, Begin, Process, started
from tests.faults.results import Result, record

_LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Where everything is."""

    config: Path
    broker: str
    """URL"""
    journal: str
    """URL of a database, or `sqlite`"""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Further environment of everyone"""

    @property
    def environment(self) -> dict[str, str]:
        """What tells every process where it is."""
        found = {"PAKKEHJEM__QUEUES__URL": self.broker, **self.settings}
        if self.journal != "sqlite":
            found["PAKKEHJEM__JOURNAL__URL"] = self.journal
        return found

    @property
    def name(self) -> str:
        """For the table."""
        connection = pika.BlockingConnection(pika.URLParameters(self.broker))
        version = text(connection._impl.server_properties["version"])
        connection.close()
        return f"RabbitMQ {version} + {'SQLite' if self.journal == 'sqlite' else 'PostgreSQL'}"

    def count(self, query: str) -> int:
        """The number that a query of the journal gives; 0 where it can not be asked now."""
        if self.journal == "sqlite":
            file = self.settings.get("PAKKEHJEM__JOURNAL__URL", "").removeprefix("sqlite:///")
            path = Path(file) if file else self.config.with_name("journal.sqlite")
            try:
                with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
                    row = connection.execute(query).fetchone()
            except sqlite3.OperationalError:
                return 0
        else:
            try:
                with psycopg.connect(self.journal, connect_timeout=5) as connection:
                    row = connection.execute(query).fetchone()
            except (psycopg.OperationalError, psycopg.errors.UndefinedTable):
                return 0
        return int(row[0] or 0) if row is not None else 0

    def notes(self) -> int:
        """How many notes were taken in."""
        return self.count("SELECT count(*) FROM inbound WHERE kind = 'note'")

    def command(self, *words: str, timeout: float = 600) -> subprocess.CompletedProcess[str]:
        """Run one of the commands."""
        return subprocess.run(
            [*COMMAND, *words, "-c", str(self.config)],
            env=_clean(self.environment),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )


class Progress:
    """Watches the history grow: how long the gateway stood still after each fault."""

    def __init__(self, world: World) -> None:
        """Nothing is seen yet."""
        self._world = world
        self._seen: list[tuple[float, int]] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._end.set()
        self._thread.join(30)

    def recovery(self, faults: list[float]) -> list[float]:
        """Seconds from each fault to the next thing that was written; without those that nothing followed."""
        found = []
        for at in faults:
            before = max((count for when, count in self._seen if when <= at), default=0)
            after = [when for when, count in self._seen if when > at and count > before]
            found += [after[0] - at] if after else []
        return found

    def _watch(self) -> None:
        while not self._end.wait(_LOOK_SECONDS):
            count = self._world.count("SELECT max(sequence) FROM event")
            if count > (self._seen[-1][1] if self._seen else 0):
                self._seen.append((time.monotonic(), count))


class Play:
    """`pakkehjem simulate` beside the gateway."""

    def __init__(self, world: World, process: Process, output: Path, notes: int) -> None:
        """It runs."""
        self.world, self.process, self.notes = world, process, notes
        self._output = output
        self._before = world.notes()
        self.faults: list[float] = []
        """When (monotonic) each was over: from then on the gateway could work again"""

    def taken_in(self, share: float, seconds: float = 600) -> None:
        """Wait until the gateway has a share of the notes."""
        least = self._before + int(share * self.notes)
        wait_until(
            lambda: self.world.notes() >= least or self.process.poll() is not None,
            f"{least} notes are not taken in",
            seconds,
        )
        assert self.world.notes() >= least, "the simulation has ended"

    def fault(self) -> None:
        """A fault is over."""
        self.faults.append(time.monotonic())

    def ledger(self, seconds: float) -> dict[str, Any]:
        """The books, when all is accounted for."""
        self.process.wait(seconds)
        found: dict[str, Any] = json.loads(self._output.read_text())
        return found


@contextmanager
def play(
    world: World,
    notes: int,
    *,
    rate: float | None = None,
    seconds: float = 900,
    seed: int = 1,
    begin: Begin = started,
) -> Iterator[Play]:
    """Send notes, and have everybody answer."""
    words = ["simulate", "-c", str(world.config), "--json"]
    words += ["--count", str(notes), "--timeout", str(seconds), "--seed", str(seed)]
    words += ["--rate", str(rate)] if rate else []
    output = world.config.with_name(f"simulation-{uuid4()}.json")
    process = begin(words, _clean(world.environment), output, output.with_suffix(".log"))
    try:
        yield Play(world, process, output, notes)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def settle(
    playing: Play,
    progress: Progress,
    fault: str,
    *,
    seconds: float = 900,
    faults: Callable[[], list[float]] | None = None,
) -> None:
    """Wait for the books, note them for the table, and see that they are in order.

    Args:
        playing: the run.
        progress: what shows how long the gateway stood still.
        fault: what happened, for the table.
        seconds: how long the simulation may take.
        faults: when it happened, if the run does not know.
    """
    ledger = playing.ledger(seconds + 60)
    at = playing.faults if faults is None else faults()
    record(
        Result(
            fault=fault,
            on=playing.world.name,
            times=len(at),
            notes=ledger["sent"],
            lost=ledger["lost"],
            doubled=ledger["duplicated"],
            invalid=ledger["invalid"],
            recovery=progress.recovery(at),
        )
    )
    assert ledger["sent"] == playing.notes
    assert (ledger["lost"], ledger["duplicated"], ledger["invalid"]) == (0, 0, 0), ledger
    assert ledger["delivered"]["municipality"] > 0
    assert playing.process.returncode == 0, ledger


def _clean(environment: Mapping[str, str]) -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith("PAKKEHJEM")} | dict(environment)
