"""What the runs have shown: kept as lines of JSON, and written as the table of docs/reliability.md.

python -m tests.faults.results RESULTS.jsonl docs/reliability.md
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

VARIABLE = "FAULTS_RESULTS"
"""Names the file that results are added to"""
BEGIN, END = "<!-- results -->\n\n", "\n<!-- end of results -->\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One run."""

    fault: str
    on: str
    """Broker and journal"""
    times: int
    """How often the fault happened"""
    notes: int
    lost: int
    doubled: int
    invalid: int
    recovery: list[float]
    """Seconds to the next thing that the gateway wrote"""


def record(result: Result) -> None:
    """Add a line to the file of results, where there is one."""
    if os.environ.get(VARIABLE):
        with Path(os.environ[VARIABLE]).open("a") as file:
            file.write(json.dumps(asdict(result)) + "\n")


_HEAD = [
    "| fault | on | times | notes | lost | doubled | invalid | s to recover: mean, longest |",
    "|---|---|--:|--:|--:|--:|--:|--:|",
]


def rows(results: Iterable[Result]) -> dict[tuple[str, str], str]:
    """The lines of the table: runs of the same fault on the same servers are one."""
    grouped: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        grouped.setdefault((result.fault, result.on), []).append(result)
    lines = {}
    for (fault, on), runs in grouped.items():
        names = ("times", "notes", "lost", "doubled", "invalid")
        totals = [str(sum(getattr(run, name) for run in runs)) for name in names]
        seconds = [each for run in runs for each in run.recovery]
        recovery = f"{sum(seconds) / len(seconds):.1f}, {max(seconds):.1f}" if seconds else "–"
        lines[fault, on] = f"| {' | '.join([fault, on, *totals, recovery])} |"
    return lines


def write(results: Path, document: Path) -> None:
    """Put what was shown into the table of the document; lines of other faults and servers stay."""
    before, _, rest = document.read_text().partition(BEGIN)
    table, _, after = rest.partition(END)
    lines = {}
    for line in table.splitlines()[2:]:
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) > 2:
            lines[cells[1], cells[2]] = line
    lines |= rows(Result(**json.loads(line)) for line in results.read_text().splitlines())
    text = "\n".join([*_HEAD, *(lines[key] for key in sorted(lines))])
    document.write_text(f"{before}{BEGIN}{text}\n{END}{after}")


if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(sys.argv[2]))
