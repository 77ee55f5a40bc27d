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
BEGIN, END = "<!-- results -->\n", "<!-- end of results -->\n"


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


def table(results: Iterable[Result]) -> str:
    """The table: runs of the same fault on the same servers are one row."""
    rows: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        rows.setdefault((result.fault, result.on), []).append(result)
    lines = [
        "| fault | on | times | notes | lost | doubled | invalid | s to recover: mean, longest |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for (fault, on), runs in sorted(rows.items()):
        totals = [sum(getattr(run, name) for run in runs) for name in ("times", "notes", "lost", "doubled")]
        seconds = [each for run in runs for each in run.recovery]
        recovery = f"{sum(seconds) / len(seconds):.1f}, {max(seconds):.1f}" if seconds else "–"
        cells = [fault, on, *map(str, totals), str(sum(run.invalid for run in runs)), recovery]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def write(results: Path, document: Path) -> None:
    """Put the table into the document, in place of the one that is there."""
    found = [Result(**json.loads(line)) for line in results.read_text().splitlines()]
    before, _, rest = document.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    document.write_text(f"{before}{BEGIN}\n{table(found)}\n{END}{after}")


if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(sys.argv[2]))
