"""`pakkehjem bench`: how fast the whole service is, beside what its primitives allow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from gateway.contracts.errors import EXIT_DONE
from gateway.ops.bench.backlog import FEWEST, measure_backlog
from gateway.ops.bench.curves import CURVES, Point
from gateway.ops.bench.measuring import Bench, Effort, Measured, Workload
from gateway.ops.bench.reporting import print_results, write_files
from gateway.ops.bench.servers import Servers
from gateway.ops.cli.options import json_option
from gateway.ops.console import print_json, say, table

_LOADS = (0.25, 0.5, 0.75, 0.9)


@click.command()
@click.option("--quick", is_flag=True, help="The shortest honest run: about two minutes.")
@click.option(
    "--broker", envvar="PAKKEHJEM_BENCH_BROKER", metavar="URL", help="RabbitMQ [default: one of its own]."
)
@click.option(
    "--journal", envvar="PAKKEHJEM_BENCH_JOURNAL", metavar="URL", help="PostgreSQL [default: one of its own]."
)
@click.option(
    "--repeats", type=click.IntRange(min=3), default=5, show_default=True, help="Of each measurement."
)
@click.option(
    "--curve",
    "curves",
    multiple=True,
    type=click.Choice(["size", "municipalities", "journal", "down"]),
    help="Instead: what a note costs as this grows. May be given several times.",
)
@click.option(
    "--backlog",
    type=click.IntRange(min=FEWEST),
    metavar="NOTES",
    help="Instead: so many notes lie on the queue; rate by tenths, and memory.",
)
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), help="Folder for JSON and plots.")
@json_option
def command(
    *,
    quick: bool,
    broker: str | None,
    journal: str | None,
    repeats: int,
    curves: tuple[str, ...],
    backlog: int | None,
    output: Path | None,
    as_json: bool,
) -> int:
    """Measure throughput and latency beside the floor and the glued baseline, on the same messages.

    Everything is made for the run and removed after it. From the source tree RabbitMQ and PostgreSQL are
    started on loopback; elsewhere give their URLs, or only the embedded queue and SQLite are measured. The
    queues on a broker that was given stay there; their names begin with `b` and a number.

    Example: pakkehjem bench --quick --json
    """
    if curves:
        return _curves(curves, output, as_json=as_json)
    with Servers(broker, journal) as servers:
        rabbitmq = servers.rabbitmq
        if backlog is not None:
            worked_off = measure_backlog(backlog, broker=rabbitmq)
            print_json(worked_off.document()) if as_json else worked_off.print()
            return EXIT_DONE
        workloads = list(_workloads(servers, rabbitmq=rabbitmq, quick=quick))
        effort = Effort(repeats=repeats, seconds=1.8 if quick else 2.2, low_count=60 if quick else 80)
        bench = Bench(effort, rabbitmq=rabbitmq, postgresql=None if quick else servers.postgresql)
        results: list[Measured] = []
        for number, workload in enumerate(workloads, start=1):
            say(f"{number} of {len(workloads)}: {workload.name}, {workload.broker}, {workload.journal}")
            results += bench.measure(workload)
    if as_json:
        print_json([each.document() for each in results])
    else:
        print_results(results)
    if output is not None:
        for file in write_files(results, output):
            say(f"wrote {file}")
    return EXIT_DONE


def _curves(names: tuple[str, ...], output: Path | None, *, as_json: bool) -> int:
    found: dict[str, list[Point]] = {}
    for name in names:
        say(CURVES[name].title)
        found[name] = CURVES[name].measure()
        if output is not None:
            output.mkdir(parents=True, exist_ok=True)
            (output / f"{name}.svg").write_text(CURVES[name].svg(found[name]), encoding="utf-8")
    if as_json:
        print_json({name: [asdict(point) for point in points] for name, points in found.items()})
        return EXIT_DONE
    for name, points in found.items():
        table(
            (CURVES[name].axis.title, "CPU ms a note", "CPU s to start"),
            [(f"{p.x:,.0f}", f"{p.cpu_milliseconds:.1f}", f"{p.start_seconds:.2f}") for p in points],
            title=CURVES[name].title,
        )
    return EXIT_DONE


def _workloads(servers: Servers, *, rabbitmq: str | None, quick: bool) -> Iterator[Workload]:
    broker = "rabbitmq" if rabbitmq is not None else "embedded"
    yield Workload(size="8 KB", key_bits=2048, broker=broker, journal="sqlite", loads=() if quick else _LOADS)
    if quick:
        if rabbitmq is not None:
            yield Workload(size="8 KB", key_bits=2048, broker="embedded", journal="sqlite")
        return
    for size, bits in (("8 KB", 3072), ("30 KB", 2048), ("30 KB", 3072)):
        yield Workload(size=size, key_bits=bits, broker=broker, journal="sqlite")
    if rabbitmq is not None:
        if servers.postgresql is not None:
            yield Workload(
                size="8 KB", key_bits=2048, broker=broker, journal="postgresql", processes=(1, 2, 4)
            )
            yield Workload(size="30 KB", key_bits=3072, broker=broker, journal="postgresql", processes=(1, 2))
        yield Workload(size="8 KB", key_bits=2048, broker="embedded", journal="sqlite", loads=_LOADS)
