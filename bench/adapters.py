"""Adapter time for a note: CPU milliseconds from a parsed message to its reading, for each system.

    python -m bench.adapters [NOTES] [--rounds N] [--json]

NOTES is a folder of messages (default: `fixtures/notes`). Each note is read N times, and its fastest time is
kept, which is the one least disturbed by what else the machine does; the table shows median, quartiles and
slowest of a system's notes. The first note of a process, whose time holds the vocabulary, stands apart.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import adapters
from gateway.contracts.errors import PermanentError
from gateway.contracts.messages import Message
from gateway.contracts.ports import Adapter
from gateway.formats import read_message
from gateway.security.gate import parse

NOTES = Path(__file__).parent.parent / "fixtures" / "notes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Adapter time of one system's notes, in CPU milliseconds."""

    system: str
    notes: int
    median: float
    lower_quartile: float
    upper_quartile: float
    slowest: float


def measure(folder: Path, rounds: int) -> tuple[float, list[Times]]:
    """Read every note of a folder again and again.

    Returns:
        The time of the very first reading of this process, and the times of each system.
    """
    messages = list(_messages(folder))
    first = _milliseconds(*messages[0])
    for adapter, message in messages:
        adapter.read(message, None)
    gc.collect()
    gc.freeze()  # as the service does with what is loaded at its start
    fastest: dict[int, float] = {}
    for _ in range(rounds):
        for index, (adapter, message) in enumerate(messages):
            took = _milliseconds(adapter, message)
            fastest[index] = min(took, fastest.get(index, took))
    by_system: dict[str, list[float]] = defaultdict(list)
    for index, (adapter, _) in enumerate(messages):
        by_system[adapter.name].append(fastest[index])
    return first, [_times(system, values) for system, values in sorted(by_system.items())]


def _messages(folder: Path) -> Iterator[tuple[Adapter, Message]]:
    installed = adapters.installed()
    for path in sorted(folder.rglob("*.xml")):
        try:
            message = read_message(parse(path.read_bytes()))
        except PermanentError:
            continue  # broken on purpose: no adapter sees it
        adapter = installed.choose(message)
        if adapter is not None:
            yield adapter, message


def _milliseconds(adapter: Adapter, message: Message) -> float:
    start = time.process_time_ns()
    adapter.read(message, None)
    return (time.process_time_ns() - start) / 1e6


def _times(system: str, values: list[float]) -> Times:
    low, median, high = statistics.quantiles(values, n=4) if len(values) > 1 else values * 3
    return Times(
        system=system,
        notes=len(values),
        median=round(median, 3),
        lower_quartile=round(low, 3),
        upper_quartile=round(high, 3),
        slowest=round(max(values), 3),
    )


def table(first: float, systems: list[Times]) -> str:
    """The times for a person."""
    rows = [f"{'system':<18}{'notes':>6}{'median':>9}{'quartiles':>15}{'slowest':>9}   CPU ms a note"]
    for one in systems:
        quartiles = f"{one.lower_quartile:.2f}-{one.upper_quartile:.2f}"
        rows.append(f"{one.system:<18}{one.notes:>6}{one.median:>9.2f}{quartiles:>15}{one.slowest:>9.2f}")
    return "\n".join((*rows, f"first note of the process, vocabulary included: {first:.0f} ms\n"))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Adapter time for a note, for each system.")
    parser.add_argument("notes", nargs="?", type=Path, default=NOTES)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    first, systems = measure(options.notes, options.rounds)
    if options.json:
        document = {"first_note_ms": round(first, 1), "systems": [asdict(one) for one in systems]}
        sys.stdout.write(f"{json.dumps(document, indent=2)}\n")
    else:
        sys.stdout.write(table(first, systems))


if __name__ == "__main__":
    main()
