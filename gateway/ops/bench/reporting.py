"""What a benchmark shows: a table, JSON, and plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson

from gateway.ops.bench.measuring import Measured, Series
from gateway.ops.bench.plot import Axis, bars, lines
from gateway.ops.console import table


def print_results(results: Sequence[Measured]) -> None:
    """Everything, for people."""
    table(
        (
            "messages",
            "broker",
            "journal",
            "proc",
            "notes/s",
            "± %",
            "floor/s",
            "of floor",
            "glued/s",
            "× glued",
        ),
        [
            (
                each.workload.name,
                each.workload.broker,
                each.workload.journal,
                each.processes,
                f"{each.gateway.median:.0f}",
                f"{100 * each.gateway.spread:.0f}",
                f"{each.floor.median:.0f}",
                f"{each.document()['ratio_to_floor']:.2f}",
                f"{each.glued.median:.0f}",
                f"{each.document()['ratio_to_glued']:.1f}",
            )
            for each in results
        ],
        title="A note in, two signed sendings out, two AppRecs in and passed on",
    )
    table(
        (
            "messages",
            "broker",
            "journal",
            "proc",
            "× one",
            "CPU ms",
            "floor's",
            "p50 ms",
            "p95 ms",
            "p99 ms",
            "MB",
        ),
        [
            (
                each.workload.name,
                each.workload.broker,
                each.workload.journal,
                each.processes,
                f"{each.document()['ratio_to_one_process']:.2f}",
                f"{each.gateway.cpu_milliseconds:.2f}",
                f"{each.floor.cpu_milliseconds:.2f}",
                *(f"{each.latencies[0].percentile(share):.0f}" for share in (0.5, 0.95, 0.99)),
                f"{each.peak_mebibytes:.0f}",
            )
            for each in results
        ],
        title="Of the same: processes, processor time for a note, latency in to both out, memory",
    )


def write_files(results: Sequence[Measured], folder: Path) -> list[Path]:
    """JSON and plots into a folder; the files that were written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = [folder / "results.json", folder / "throughput.svg"]
    documents = [each.document() for each in results]
    written[0].write_bytes(orjson.dumps(documents, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    written[1].write_text(_throughput(results), encoding="utf-8")
    under_load = [each for each in results if len(each.latencies) > 1]
    for each in under_load:
        file = folder / f"latency-{each.workload.broker}.svg"
        file.write_text(_latency(each), encoding="utf-8")
        written.append(file)
    return written


def _throughput(results: Sequence[Measured]) -> str:
    groups: dict[tuple[str, str, str], dict[str, tuple[float, float]]] = {}
    for each in results:
        load = each.workload
        values = groups.setdefault((load.name, load.broker, load.journal), {})
        count = "1 process" if each.processes == 1 else f"{each.processes} processes"
        values[count] = _bar(each.gateway)
        values["floor"], values["glued"] = _bar(each.floor), _bar(each.glued)
    order = ("floor", "1 process", "2 processes", "4 processes", "glued")
    return bars(
        "Throughput against the floor and the glued baseline",
        "notes a second",
        [
            (f"{name}\n{broker}\n{journal}", {o: values[o] for o in order if o in values})
            for (name, broker, journal), values in groups.items()
        ],
    )


def _bar(series: Series) -> tuple[float, float]:
    return series.median, series.spread * series.median


def _latency(each: Measured) -> str:
    shares: Mapping[str, float] = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    ordered = sorted(each.latencies, key=lambda latency: latency.load)
    return lines(
        f"Latency, a note in to both sendings out: {each.workload.name}, {each.workload.broker}, "
        f"{each.workload.journal}",
        Axis(title="notes a second"),
        Axis(title="milliseconds", logarithmic=True),
        {name: [(o.load, o.percentile(share)) for o in ordered] for name, share in shares.items()},
    )
