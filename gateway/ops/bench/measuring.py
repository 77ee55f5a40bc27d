"""Measures workloads: gateways, floor and baseline are fed the same messages in turn."""

from __future__ import annotations

import shutil
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from gateway.ops import stores
from gateway.ops.bench.notes import SAMPLES, make_notes
from gateway.ops.bench.processes import Counterparties, Process
from gateway.ops.bench.recording import record
from gateway.ops.bench.setup import Setup
from gateway.ops.bench.world import World
from gateway.ops.configuration import load
from gateway.ops.security import message_signer

FLOOR, GLUED = "floor", "glued"
_WHOLE, _BRIEF = "setup.json", "brief.json"
_WINDOW = 300
"""Notes under way for each process"""
ATTACHMENTS = {"8 KB": 0, "30 KB": 15_000}
"""Bytes of the document that makes a note so large"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What is measured together."""

    size: str
    key_bits: int
    broker: str
    """`rabbitmq` or `embedded`"""
    journal: str
    """`sqlite` or `postgresql`"""
    processes: tuple[int, ...] = (1,)
    loads: tuple[float, ...] = ()
    """Shares of the throughput that latency is measured at, besides the low load"""

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.size}, RSA-{self.key_bits}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How long is measured."""

    repeats: int = 5
    seconds: float = 2.5
    """Of a repeat, about"""
    low_rate: float = 10.0
    """Notes a second of the low load"""
    low_count: int = 80
    fewest: int = 60
    """Notes of a repeat"""
    probe: int = 40
    """Notes that the warm-up begins with"""


@dataclass(slots=True)
class Series:
    """Rates of one process or group of processes, in notes a second."""

    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    """Seconds of processor for each note"""

    @property
    def cpu_milliseconds(self) -> float:
        """For each note; the median."""
        return 1000 * statistics.median(self.cpu)

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.rates)

    @property
    def spread(self) -> float:
        """Half the distance between the quartiles, as a share of the median."""
        if len(self.rates) < 2:
            return 0.0
        low, _, high = statistics.quantiles(self.rates, n=4, method="inclusive")
        return (high - low) / 2 / self.median


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Milliseconds from a note in until both sendings out."""

    load: float
    """Notes a second"""
    milliseconds: tuple[float, ...]

    def percentile(self, share: float) -> float:
        """The one that so many are not above."""
        ordered = sorted(self.milliseconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A workload with a number of gateway processes."""

    workload: Workload
    processes: int
    gateway: Series
    floor: Series
    glued: Series
    one: Series
    """The gateway with one process"""
    latencies: tuple[Latency, ...]
    """The first is that at low load"""
    peak_mebibytes: float

    def document(self) -> dict[str, object]:
        """As `bench --json` gives it."""
        low = self.latencies[0]
        rate = self.gateway.median
        return {
            "workload": self.workload.name,
            "broker": self.workload.broker,
            "journal": self.workload.journal,
            "processes": self.processes,
            "messages_per_second": round(rate, 1),
            "spread": round(self.gateway.spread, 3),
            "floor_per_second": round(self.floor.median, 1),
            "ratio_to_floor": round(_ratio(self.gateway, self.floor), 3),
            "glued_per_second": round(self.glued.median, 1),
            "ratio_to_glued": round(_ratio(self.gateway, self.glued), 2),
            "ratio_to_one_process": round(_ratio(self.gateway, self.one), 2),
            "latency_ms": {
                name: round(low.percentile(share), 1)
                for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
            },
            "latency_under_load": [
                {
                    "messages_per_second": round(each.load, 1),
                    "p50": round(each.percentile(0.5), 1),
                    "p95": round(each.percentile(0.95), 1),
                    "p99": round(each.percentile(0.99), 1),
                }
                for each in self.latencies
            ],
            "cpu_ms_per_message": round(self.gateway.cpu_milliseconds, 2),
            "floor_cpu_ms_per_message": round(self.floor.cpu_milliseconds, 2),
            "glued_cpu_ms_per_message": round(self.glued.cpu_milliseconds, 2),
            "peak_rss_mb": round(self.peak_mebibytes, 1),
            "repeats": len(self.gateway.rates),
        }


def _ratio(one: Series, other: Series) -> float:
    """The median of the ratios of repeats that followed on each other: what moves the machine moves both."""
    return statistics.median(a / b for a, b in zip(one.rates, other.rates, strict=True))


class Bench:
    """Measures one workload after the other."""

    def __init__(self, effort: Effort, *, rabbitmq: str | None, postgresql: str | None) -> None:
        """On these servers."""
        self._effort = effort
        self._servers = {"rabbitmq": rabbitmq, "postgresql": postgresql}
        self._count = 0

    def measure(self, workload: Workload) -> list[Measured]:
        """One result for each number of processes.

        Raises:
            NotMeasuredError: something did not come up, or lost a message.
        """
        with ExitStack() as stack:
            folder = Path(tempfile.mkdtemp(prefix="pakkehjem-bench-"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            return self._measured(workload, folder, stack)

    def _measured(self, workload: Workload, folder: Path, stack: ExitStack) -> list[Measured]:
        self._count += 1
        world = World(folder, key_bits=workload.key_bits)
        self._set_up(workload, world)
        engines = self._engines(workload, world, stack)
        counterparties = Counterparties(world.folder / _WHOLE)
        stack.callback(counterparties.stop)
        for name in engines:
            counterparties.ask({"do": "open", "name": name, "broker": self._broker(workload, folder, name)})
        for engine in engines.values():
            engine.start()
        for engine in engines.values():
            engine.process.wait_until_ready(engine.processes)
        feeder = _Feeder(counterparties, self._effort)
        for name, engine in engines.items():
            feeder.warm_up(name, engine.processes)
        for _ in range(self._effort.repeats):
            for name, engine in engines.items():
                feeder.repeat(name, engine)
        one = next(e for e in engines.values() if e.processes == min(workload.processes) and e.is_gateway)
        found = []
        for name, engine in engines.items():
            if not engine.is_gateway:
                continue
            latencies = [feeder.trickle(name, self._effort.low_rate, self._effort.low_count)]
            for share in workload.loads if engine is one else ():
                rate = share * engine.series.median
                latencies.append(feeder.trickle(name, rate, max(20, int(rate * self._effort.seconds))))
            found.append(
                Measured(
                    workload=workload,
                    processes=engine.processes,
                    gateway=engine.series,
                    floor=engines[self._name(FLOOR)].series,
                    glued=engines[self._name(GLUED)].series,
                    one=one.series,
                    latencies=tuple(latencies),
                    peak_mebibytes=engine.process.peak_mebibytes(),
                )
            )
        return found

    def _name(self, kind: str) -> str:
        return f"b{self._count}-{kind}"

    def _broker(self, workload: Workload, folder: Path, name: str) -> str:
        if workload.broker == "rabbitmq":
            return self._servers["rabbitmq"] or ""
        return f"embedded://{folder}/{name}.queue"

    def _journal(self, workload: Workload, folder: Path, name: str, stack: ExitStack) -> str:
        if workload.journal == "sqlite":
            return f"sqlite:{folder}/{name}.journal"
        return stack.enter_context(_database(self._servers["postgresql"] or ""))

    def _set_up(self, workload: Workload, world: World) -> None:
        file = world.configure("keys", broker="embedded:keys.queue", journal="sqlite:keys.journal")
        configuration = load(file)
        registry = stores.open_registry(configuration)
        effort = self._effort
        count = int(effort.seconds * (effort.repeats + 2) * _MOST_A_SECOND[workload.size])
        count += effort.low_count + effort.fewest * effort.repeats + 20 * effort.probe
        notes = make_notes(
            registry, message_signer(configuration), count, attachment=ATTACHMENTS[workload.size]
        )
        senders = {note.sender for note in notes}
        setup = Setup(
            keys=str(configuration.path(configuration.signing.keys)),
            hospitals={h.her_id: h.org_no or "" for h in registry.hospitals if h.her_id in senders},
            notes=notes,
            recorded=record(world, notes, "recording"),
        )
        setup.write(world.folder / _WHOLE)
        # What is measured needs none of the notes that lie ready, but to know their kinds.
        replace(setup, notes=notes[: len(SAMPLES)]).write(world.folder / _BRIEF)

    def _engines(self, workload: Workload, world: World, stack: ExitStack) -> dict[str, _Engine]:
        engines: dict[str, _Engine] = {}
        for processes in workload.processes:
            name = self._name(f"gateway{processes}")
            broker = self._broker(workload, world.folder, name)
            journal = self._journal(workload, world.folder, name, stack)
            file = world.configure(name, broker=broker, journal=journal)
            command = ["-m", "gateway.ops.cli", "run", "-c", str(file), "--workers", str(processes)]
            engines[name] = _Engine(command, world.folder / f"{name}.log", processes, is_gateway=True)
        for kind in (FLOOR, GLUED):
            name = self._name(kind)
            broker = self._broker(workload, world.folder, name)
            journal = self._journal(workload, world.folder, name, stack)
            setup = str(world.folder / _BRIEF)
            command = ["-m", f"gateway.ops.bench.{kind}", setup, name, broker, journal]
            engines[name] = _Engine(command, world.folder / f"{name}.log", 1, is_gateway=False)
        for engine in engines.values():
            stack.callback(engine.stop)
        return engines


_MOST_A_SECOND = {"8 KB": 450, "30 KB": 300}
"""Notes that lie ready for the fastest of them; where it wants more its repeats get shorter"""


class _Engine:
    """What is measured: a gateway, the floor, or the baseline."""

    def __init__(self, command: Sequence[str], log: Path, processes: int, *, is_gateway: bool) -> None:
        self._command = list(command)
        self._log = log
        self.processes = processes
        self.is_gateway = is_gateway
        self.series = Series()
        self.process: Process

    def start(self) -> None:
        self.process = Process(self._command, self._log)

    def stop(self) -> None:
        if hasattr(self, "process"):
            self.process.stop()


class _Feeder:
    """Has the counterparties feed what is measured."""

    def __init__(self, counterparties: Counterparties, effort: Effort) -> None:
        self._counterparties = counterparties
        self._effort = effort
        self._rates: dict[str, float] = {}
        self._left: dict[str, int] = {}

    def warm_up(self, name: str, processes: int) -> None:
        """So that caches are full, and it is known how many notes a repeat takes."""
        self._flood(name, self._effort.probe, processes)
        self._rates[name] = self._flood(name, 2 * self._effort.probe * processes, processes)

    def repeat(self, name: str, engine: _Engine) -> None:
        """Once more, with as many notes as the time allows."""
        wanted = max(self._effort.fewest, int(self._rates[name] * self._effort.seconds))
        count = min(wanted, max(1, self._left[name] // 2))
        used = engine.process.cpu_seconds()
        rate = self._flood(name, count, engine.processes)
        engine.series.rates.append(rate)
        engine.series.cpu.append((engine.process.cpu_seconds() - used) / count)
        self._rates[name] = rate

    def _flood(self, name: str, count: int, processes: int) -> float:
        order = {"do": "flood", "name": name, "count": count, "window": _WINDOW * processes}
        answer = self._counterparties.ask(order)
        self._left[name] = answer["left"]
        rate: float = count / answer["seconds"]
        return rate

    def trickle(self, name: str, rate: float, count: int) -> Latency:
        """Latencies at a rate."""
        count = min(count, max(1, self._left[name] // 2))
        order = {"do": "trickle", "name": name, "count": count, "rate": rate}
        answer = self._counterparties.ask(order)
        self._left[name] = answer["left"]
        seen = answer["latencies"]
        return Latency(load=rate, milliseconds=tuple(1000 * seconds for seconds in seen))


@contextmanager
def _database(url: str) -> Iterator[str]:
    """A new database on a server."""
    name = f"bench_{Path(tempfile.mktemp()).name.lower()}"  # noqa: S306 - a word, no file
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
