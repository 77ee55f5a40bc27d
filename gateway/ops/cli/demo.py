"""`pakkehjem demo`: the main job at work, with everybody around it simulated."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click

from gateway.contracts.errors import EXIT_DONE, EXIT_NO, GatewayError
from gateway.ops import stores
from gateway.ops.cli.options import json_option
from gateway.ops.configuration import load
from gateway.ops.console import print_json, say, stdout_console
from gateway.ops.initialise import initialise
from gateway.ops.samples import notes_directory
from gateway.ops.simulation.assemble import assemble
from gateway.ops.simulation.example import Story, tell
from gateway.ops.simulation.gateway_process import GatewayProcess
from gateway.ops.simulation.live import live
from gateway.ops.simulation.report import explain, print_result
from gateway.ops.simulation.settlement import Account
from gateway.ops.simulation.simulation import Orders, Result

_SEED = 1
_TIMEOUT_SECONDS = 45.0
_NOTES_A_SECOND = 20.0
"""So that people can watch"""


class DrainError(GatewayError):
    """The gateway did not stop in order."""

    code = "drain"


@click.command()
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Work in this folder and leave it: configuration, journal, log.",
)
@json_option
def command(keep: Path | None, *, as_json: bool) -> int:
    """Show the whole gateway at work: hospitals send, municipalities and GPs answer, all simulated.

    A gateway is started on an embedded queue and store in a temporary folder. Sixty notes of three record
    systems go in; the ledger says what became of them. No configuration, no server, no patient data shown.

    Example: pakkehjem demo
    """
    with _surroundings(keep) as folder:
        if not as_json:
            say("making a configuration with a test PKI …")
        configuration_file = initialise(folder)
        result, story = _demonstrate(configuration_file, as_json=as_json)
    if as_json:
        print_json(result.document())
    else:
        _print_story(story)
        print_result(result)
    if keep is not None:
        say(f"next: pakkehjem messages list -c {keep / 'gateway.toml'}")
    return EXIT_DONE if result.account.in_order else EXIT_NO


def _demonstrate(configuration_file: Path, *, as_json: bool) -> tuple[Result, Story | None]:
    configuration = load(configuration_file)
    registry = stores.open_registry(configuration)
    with GatewayProcess(configuration_file, configuration_file.with_name("gateway.log")) as gateway:
        gateway.wait_until_ready()
        if not as_json:
            say("the gateway runs; the notes go in …")
        journal = stores.open_journal(configuration)
        try:
            with live(enabled=not as_json) as show:

                def watch(account: Account) -> None:
                    gateway.check()
                    show(account)

                simulation, cast = assemble(
                    configuration, journal, notes_directory(), _SEED, watch, decides=False
                )
                rate = None if as_json else _NOTES_A_SECOND
                result = simulation.run(
                    Orders(count=len(cast.book.samples), rate=rate, timeout_seconds=_TIMEOUT_SECONDS)
                )
            story = tell(cast.ledger, journal, registry)
        finally:
            journal.close()
        if (code := gateway.drain()) != 0:
            raise DrainError(
                f"The gateway did not stop in order (exit code {code}).", hint=gateway.last_lines()
            )
    explain(result.account, registry)
    return result, story


def _print_story(story: Story | None) -> None:
    if story is None:
        return
    out = stdout_console()
    out.print(f"\n[bold]One of them, step by step[/bold]: {story.name}")
    for step in story.steps:
        out.print(f"  {step.seconds:6.2f} s  {step.what:10} {step.told}", markup=False, soft_wrap=False)
    out.print("\n[bold]All of them[/bold]")


@contextmanager
def _surroundings(keep: Path | None) -> Iterator[Path]:
    """A folder, the environment without settings of another gateway, and SIGTERM as orderly as Ctrl-C."""
    others = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("PAKKEHJEM")}
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        if keep is not None:
            yield keep
        else:
            with tempfile.TemporaryDirectory(prefix="pakkehjem-demo-") as folder:
                yield Path(folder)
    finally:
        signal.signal(signal.SIGTERM, before)
        os.environ.update(others)


def _stop(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt
