"""`pakkehjem send`: messages onto the gateway's inbound queue."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import click

from gateway.contracts.errors import EXIT_DONE, EXIT_PARTLY, EXIT_UNREACHABLE
from gateway.contracts.queues import Envelope, PublishOutcome
from gateway.ops.cli.options import config_option, files_argument, json_option, read_bytes
from gateway.ops.configuration import load
from gateway.ops.console import print_json, say
from gateway.ops.stores import connect_queue


@click.command()
@files_argument
@config_option
@json_option
def command(files: tuple[Path, ...], config: Path | None, *, as_json: bool) -> int:
    """Put messages on the inbound queue, as a hospital's record system does.

    Example: pakkehjem send -c gateway.toml note.xml
    """
    configuration = load(config)
    bodies = [read_bytes(file) for file in files]
    name = configuration.queues.inbound
    with connect_queue(configuration) as queue:
        queue.declare([name])
        outcomes = queue.publish([(name, Envelope(body=body, message_id=str(uuid4()))) for body in bodies])
    results = [
        {"file": str(file), "outcome": outcome.value} for file, outcome in zip(files, outcomes, strict=True)
    ]
    stored = sum(outcome is PublishOutcome.CONFIRMED for outcome in outcomes)
    if as_json:
        print_json({"queue": name, "sent": stored, "files": results})
    else:
        for result in results:
            if result["outcome"] != PublishOutcome.CONFIRMED:
                say(f"{result['file']}: {result['outcome']}")
        click.echo(f"{stored} of {len(files)} on {name}")
        say("next: pakkehjem messages list")
    if stored == len(files):
        return EXIT_DONE
    return EXIT_PARTLY if stored else EXIT_UNREACHABLE
