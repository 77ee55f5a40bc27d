"""`pakkehjem simulate`: everybody but the gateway, on the configured broker."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.contracts.errors import EXIT_DONE, EXIT_NO
from gateway.ops import stores
from gateway.ops.cli.options import config_option, json_option
from gateway.ops.configuration import load
from gateway.ops.console import print_json, say
from gateway.ops.counted import counted
from gateway.ops.samples import notes_directory
from gateway.ops.simulation.assemble import assemble
from gateway.ops.simulation.live import live
from gateway.ops.simulation.report import explain, print_result
from gateway.ops.simulation.simulation import Orders, first_free_round


@click.command()
@config_option
@click.option(
    "--notes",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of notes [default: the samples].",
)
@click.option("--count", type=click.IntRange(min=1), help="How many notes [default: each file once].")
@click.option(
    "--rate", type=click.FloatRange(min=0, min_open=True), help="Notes a second [default: all at once]."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Decides persons, ids and answers.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=120.0,
    show_default=True,
    help="Seconds.",
)
@json_option
def command(
    config: Path | None,
    notes: Path | None,
    count: int | None,
    rate: float | None,
    seed: int,
    timeout: float,
    *,
    as_json: bool,
) -> int:
    """Play the hospitals, municipalities and GPs beside a running gateway, and keep the books.

    Notes are sent as the hospitals; each receiver checks signature and schema and answers, mostly well. Ends
    when everything is accounted for. Exit code 1 where anything was lost, doubled or wrong.

    Example: pakkehjem simulate -c gateway.toml --count 200 --rate 20
    """
    configuration = load(config)
    registry = stores.open_registry(configuration)
    journal = stores.open_journal(configuration)
    try:
        with live(enabled=not as_json) as observer:
            simulation, cast = assemble(configuration, journal, notes or notes_directory(), seed, observer)
            result = simulation.run(
                Orders(
                    count=count or len(cast.book.samples),
                    rate=rate,
                    timeout_seconds=timeout,
                    first_round=first_free_round(cast.book, journal),
                )
            )
    finally:
        journal.close()
    explain(result.account, registry)
    if cast.ledger.strays:
        say(f"of earlier runs {counted(cast.ledger.strays, 'message')} lay on the queues")
    if as_json:
        print_json(result.document())
    else:
        print_result(result)
    return EXIT_DONE if result.account.in_order else EXIT_NO
