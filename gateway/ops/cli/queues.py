"""`pakkehjem queues`: what is on the broker, and making what the configuration needs there."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.contracts.errors import EXIT_DONE, EXIT_NO
from gateway.contracts.queues import QueueStatus
from gateway.ops.cli.options import config_option, json_option
from gateway.ops.composition import all_queues, connect_queue, open_registry
from gateway.ops.configuration import load
from gateway.ops.console import print_json, say, table


@click.group()
def command() -> None:
    """Look at the queues, or make those that are needed.

    Example: pakkehjem queues status -c gateway.toml
    """


@command.command()
@config_option
@json_option
def status(config: Path | None, *, as_json: bool) -> int:
    """How full each queue is, the error and dead-letter queues too.

    What a broker does not tell is shown as `-`. Exit code 1 where a queue is missing.

    Example: pakkehjem queues status -c gateway.toml --json
    """
    configuration = load(config)
    names = all_queues(configuration, open_registry(configuration))
    with connect_queue(configuration) as queue:
        found = {each.name: each for each in queue.status(names)}
    missing = [name for name in names if name not in found]
    shown = [found[name] for name in names if name in found]
    if as_json:
        print_json({"queues": [_document(each) for each in shown], "missing": missing})
    else:
        table(
            ("queue", "ready", "unacknowledged", "consumers", "oldest"),
            [
                (each.name, each.ready, each.unacknowledged, each.consumers, _age(each.oldest_seconds))
                for each in shown
            ],
            whole=("queue",),
        )
        if missing:
            say(f"{len(missing)} of {len(names)} are missing: {', '.join(missing)}")
            say("next: pakkehjem queues setup")
    return EXIT_NO if missing else EXIT_DONE


@command.command()
@config_option
@json_option
def setup(config: Path | None, *, as_json: bool) -> int:
    """Make the queues that the configuration and the register need.

    Where `queues.declare` is false they are only looked for, and one that is missing is an error.

    Example: pakkehjem queues setup -c gateway.toml
    """
    configuration = load(config)
    names = all_queues(configuration, open_registry(configuration))
    with connect_queue(configuration) as queue:
        there = {each.name for each in queue.status(names)}
        queue.declare(names)
    made = [name for name in names if name not in there]
    if as_json:
        print_json({"queues": names, "made": made})
    else:
        for name in made:
            click.echo(name)
        say(f"{len(made)} of {len(names)} queues were made" if made else f"all {len(names)} queues are there")
    return EXIT_DONE


def _document(status: QueueStatus) -> dict[str, object]:
    return {
        "name": status.name,
        "ready": status.ready,
        "unacknowledged": status.unacknowledged,
        "consumers": status.consumers,
        "oldest_seconds": None if status.oldest_seconds is None else round(status.oldest_seconds, 1),
    }


def _age(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
