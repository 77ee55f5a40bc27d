"""`pakkehjem queues`: what is on the broker, what is needed there, and what is paused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click

from gateway.contracts.audit import AuditAction
from gateway.contracts.errors import EXIT_DONE, EXIT_NO, GatewayError
from gateway.contracts.queues import QueueStatus
from gateway.contracts.traffic import EVERY_RECEIVER, INTAKE, Circuit, Pause
from gateway.journal.sql_journal import SqlJournal
from gateway.ops.auditing import audit_entry
from gateway.ops.cli.options import config_option, json_option, reason_option
from gateway.ops.configuration import Configuration, load
from gateway.ops.console import local_time, print_json, printable, say, table
from gateway.ops.counted import counted
from gateway.ops.queue_names import all_queues, inbound_queues
from gateway.ops.stores import connect_queue, open_journal, open_registry

_NAMED = 10
"""Queues that are missing, by name"""


@click.group()
def command() -> None:
    """Look at the queues, or make those that are needed.

    Example: pakkehjem queues status -c gateway.toml
    """


@command.command()
@click.option("--all", "everything", is_flag=True, help="Also the receivers' queues that are empty.")
@config_option
@json_option
def status(config: Path | None, *, everything: bool, as_json: bool) -> int:
    """How full each queue is, the error and dead-letter queues too; whom nothing is sent to just now.

    What a broker does not tell is shown as `-`. Exit code 1 where a queue is missing.

    Example: pakkehjem queues status -c gateway.toml --json
    """
    configuration = load(config)
    registry = open_registry(configuration)
    names = all_queues(configuration, registry)
    ours = set(inbound_queues(configuration, registry))
    with connect_queue(configuration) as queue:
        found = {each.name: each for each in queue.status(names)}
    circuits, pauses = _stopped(configuration)
    missing = [name for name in names if name not in found]
    shown = [found[name] for name in names if name in found]
    if as_json:
        print_json(
            {
                "queues": [_document(each) for each in shown],
                "missing": missing,
                "circuits": [_circuit(each) for each in circuits],
                "paused": [_pause(each) for each in pauses],
            }
        )
    else:
        telling = [
            each for each in shown if everything or each.name in ours or each.ready or each.unacknowledged
        ]
        table(
            ("queue", "ready", "unacknowledged", "consumers", "oldest"),
            [
                (each.name, each.ready, each.unacknowledged, each.consumers, _age(each.oldest_seconds))
                for each in telling
            ],
            whole=("queue",),
        )
        if quiet := len(shown) - len(telling):
            empty = f"{counted(quiet, 'queue')} of others {'is' if quiet == 1 else 'are'} empty"
            say(f"{empty}: --all shows them")
        _show_stopped(circuits, pauses)
        if missing:
            named = missing if everything else missing[:_NAMED]
            more = ", …" if len(named) < len(missing) else ""
            say(f"{len(missing)} of {len(names)} are missing: {', '.join(named)}{more}")
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
            click.echo(printable(name))
        say(f"{len(made)} of {len(names)} queues were made" if made else f"all {len(names)} queues are there")
    return EXIT_DONE


@command.command()
@click.argument("receivers", metavar="[RECEIVER]...", nargs=-1)
@click.option("--all", "everybody", is_flag=True, help="Send nothing to anybody.")
@click.option("--intake", is_flag=True, help="Take nothing from the queues either.")
@reason_option
@config_option
@json_option
def pause(
    receivers: tuple[str, ...],
    config: Path | None,
    reason: str,
    *,
    everybody: bool,
    intake: bool,
    as_json: bool,
) -> int:
    """Stop sending to a RECEIVER (HER-id), or to all, until `resume`. What is for them waits.

    The service need not run, and may be restarted. With --all --intake it does nothing but wait.

    Example: pakkehjem queues pause 8910031 --reason "mottakeren bytter server"
    """
    configuration = load(config)
    scopes = _scopes(configuration, receivers, everybody=everybody, intake=intake)
    changed = []
    with _journal(configuration) as journal, journal.transaction() as transaction:
        for scope in scopes:
            entry = audit_entry(AuditAction.QUEUES_PAUSE, reason=reason, detail={"scope": scope})
            if transaction.pause(Pause(scope=scope, at=entry.at, by=entry.who, reason=reason)):
                transaction.record(entry)
                changed.append(scope)
    return _told(scopes, changed, "paused", as_json=as_json)


@command.command()
@click.argument("receivers", metavar="[RECEIVER]...", nargs=-1)
@click.option(
    "--all", "everybody", is_flag=True, help="Lift the pause of all. Those of single receivers stay."
)
@click.option("--intake", is_flag=True, help="Take from the queues again.")
@reason_option
@config_option
@json_option
def resume(
    receivers: tuple[str, ...],
    config: Path | None,
    reason: str,
    *,
    everybody: bool,
    intake: bool,
    as_json: bool,
) -> int:
    """Lift a pause. What waited is sent.

    Example: pakkehjem queues resume 8910031 --reason "serveren er oppe"
    """
    configuration = load(config)
    scopes = _scopes(configuration, receivers, everybody=everybody, intake=intake)
    changed = []
    with _journal(configuration) as journal:
        with journal.transaction() as transaction:
            for scope in scopes:
                if transaction.resume(scope):
                    entry = audit_entry(AuditAction.QUEUES_RESUME, reason=reason, detail={"scope": scope})
                    transaction.record(entry)
                    changed.append(scope)
        left = [each.scope for each in journal.pauses()]
    code = _told(scopes, changed, "resumed", as_json=as_json)
    if left:
        say(f"still paused: {', '.join(map(_named, left))}")
    return code


@contextmanager
def _journal(configuration: Configuration) -> Iterator[SqlJournal]:
    journal = open_journal(configuration)
    try:
        yield journal
    finally:
        journal.close()


def _scopes(
    configuration: Configuration, receivers: Sequence[str], *, everybody: bool, intake: bool
) -> list[str]:
    """What is to be stopped or to go on.

    Raises:
        UsageError: nothing was named, or somebody whom the register does not know.
    """
    registry = open_registry(configuration)
    for her_id in receivers:
        known = registry.endpoint(her_id), registry.unit(her_id), registry.hospital(her_id)
        if not any(known):
            raise click.UsageError(f"the register knows no receiver {her_id}: pakkehjem register list")
    scopes = [
        *dict.fromkeys(receivers),
        *([EVERY_RECEIVER] if everybody else []),
        *([INTAKE] if intake else []),
    ]
    if not scopes:
        raise click.UsageError("name a RECEIVER (HER-id), --all or --intake")
    return scopes


def _told(scopes: Sequence[str], changed: Sequence[str], what: str, *, as_json: bool) -> int:
    if as_json:
        print_json({what: list(changed), "unchanged": [each for each in scopes if each not in changed]})
        return EXIT_DONE
    for scope in scopes:
        say(f"{_named(scope)}: {what if scope in changed else f'not {what}, it was so already'}")
    return EXIT_DONE


def _named(scope: str) -> str:
    return {EVERY_RECEIVER: "all receivers", INTAKE: "intake"}.get(scope, f"receiver {scope}")


def _stopped(configuration: Configuration) -> tuple[list[Circuit], list[Pause]]:
    """Receivers that are down, and what is paused; nothing where the journal can not be read."""
    try:
        with _journal(configuration) as journal:
            return [each for each in journal.circuits() if each.opened_at is not None], journal.pauses()
    except GatewayError as error:
        say(f"circuits and pauses are not shown: {error.message}")
        return [], []


def _show_stopped(circuits: Sequence[Circuit], pauses: Sequence[Pause]) -> None:
    for circuit in circuits:
        since, probe = (local_time(at) if at else "-" for at in (circuit.opened_at, circuit.next_probe_at))
        say(f"receiver {circuit.receiver} is down since {since} ({circuit.error}); tried again at {probe}")
    for pause in pauses:
        since, reason = local_time(pause.at), printable(pause.reason)
        say(f"{_named(pause.scope)}: paused since {since} by {pause.by}: {reason}")


def _circuit(circuit: Circuit) -> dict[str, object]:
    return {
        "receiver": circuit.receiver,
        "since": _time(circuit.opened_at),
        "error": circuit.error,
        "faults": circuit.faults,
        "probes": circuit.probes,
        "next_probe_at": _time(circuit.next_probe_at),
    }


def _pause(pause: Pause) -> dict[str, object]:
    return {"scope": pause.scope, "since": _time(pause.at), "by": pause.by, "reason": pause.reason}


def _time(at: datetime | None) -> str | None:
    return at.astimezone().isoformat(timespec="seconds") if at is not None else None


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
