"""`pakkehjem held`: notes that wait for a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from gateway.contracts.errors import EXIT_DONE
from gateway.contracts.journal import Journal
from gateway.contracts.records import InboundFilter
from gateway.contracts.registry import Registry
from gateway.ops import browsing, holding
from gateway.ops.auditing import login_name
from gateway.ops.cli.options import FindingCode, config_option, json_option, reason_option
from gateway.ops.configuration import Configuration, load
from gateway.ops.console import fact, local_time, print_json, say, table, table_time
from gateway.ops.counted import counted
from gateway.ops.holding import Decision, Waiting
from gateway.ops.stores import open_journal, open_registry
from gateway.pipeline.held import HeldNotes, Person, RouteCorrection

_SHORT = 8
"""Characters of an id that mostly tell one message from another"""
_MOST = 100_000

Command = Callable[..., int]


@click.group()
def command() -> None:
    """Notes that wait for a person: see them, send one on, or end it.

    A note must be answered within 96 hours of its time: those with the least time left stand first.

    Example: pakkehjem held list -c gateway.toml
    """


def _filters(decorated: Command) -> Command:
    """The options that choose notes."""
    for option in (
        click.option("--until", metavar="WHEN", help="Received before: 2h, 7d ago, a date or a time."),
        click.option("--since", metavar="WHEN", help="Received since then."),
        click.option("--unit", "units", multiple=True, metavar="HER-ID", help="Department."),
        click.option("--system", "systems", multiple=True, metavar="NAME", help="dips, doculive, …"),
        click.option(
            "--finding",
            "findings",
            multiple=True,
            metavar="CODE",
            type=FindingCode(),
            help="PH021, …",
        ),
    ):
        decorated = option(decorated)
    return decorated


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """What the filters say."""

    findings: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    municipalities: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None

    def criteria(self) -> InboundFilter:
        return InboundFilter(
            findings=self.findings,
            systems=self.systems,
            units=self.units,
            municipalities=self.municipalities,
            since=browsing.point_in_time(self.since) if self.since is not None else None,
            until=browsing.point_in_time(self.until) if self.until is not None else None,
            limit=_MOST,
        )


@contextmanager
def _opened(config: Path | None) -> Iterator[tuple[Configuration, Journal, timedelta]]:
    configuration = load(config)
    journal = open_journal(configuration)
    try:
        yield configuration, journal, timedelta(hours=configuration.flow.receipt_deadline_hours)
    finally:
        journal.close()


@command.command("list")
@_filters
@click.option("--municipality", "municipalities", multiple=True, metavar="CODE", help="Kommune or bydel.")
@click.option("--limit", "shown", type=click.IntRange(1, _MOST), default=50, show_default=True)
@config_option
@json_option
def list_held(
    config: Path | None,
    shown: int,
    *,
    as_json: bool,
    **filters: Any,  # noqa: ANN401 - one for each filter
) -> int:
    """List the notes that are held, the one with the least time left first.

    Example: pakkehjem held list --finding PH050
    """
    now = datetime.now(UTC)
    with _opened(config) as (_, journal, limit):
        found = holding.waiting(journal, limit=limit, criteria=_Chosen(**filters).criteria())
    if as_json:
        print_json([each.document(now) for each in found[:shown]])
        return EXIT_DONE
    _table(found[:shown], now)
    held = f"{counted(len(found), 'note')} {'is' if len(found) == 1 else 'are'} held"
    say(held + (" (more with --limit)" if len(found) > shown else ""))
    if found:
        say("next: pakkehjem held show ID")
    return EXIT_DONE


def _table(found: Sequence[Waiting], now: datetime) -> None:
    table(
        ["id", "time left", "received", "held by", "department", "munic."],
        [
            (
                each.message.id[:_SHORT],
                holding.time_left(each.left(now)),
                table_time(each.message.received_at),
                " ".join(each.holding),
                each.message.unit_name or each.message.hospital,
                each.message.municipality,
            )
            for each in found
        ],
        whole=("id", "time left", "received", "munic."),
    )


@command.command("show")
@click.argument("identifier", metavar="ID")
@config_option
@json_option
def show(identifier: str, config: Path | None, *, as_json: bool) -> int:
    """Show what holds a note, and where it would go. ID: ours or the MsgId, or the beginning of either.

    The content is shown by: pakkehjem messages show ID --reveal

    Example: pakkehjem held show 3f2a91c0
    """
    now = datetime.now(UTC)
    with _opened(config) as (configuration, journal, limit):
        held = holding.find(journal, identifier, limit=limit)
        document = holding.shown(journal, open_registry(configuration), held, now)
    if as_json:
        print_json(document)
        return EXIT_DONE
    message = held.message
    fact("id", message.id)
    fact("msg_id", message.msg_id)
    fact("from", f"{message.unit_name or message.hospital} ({message.unit or message.hospital})")
    fact("received", local_time(message.received_at))
    fact("time left", f"{holding.time_left(held.left(now))} (until {local_time(held.deadline)})")
    for why in document["why"]:
        fact("held by" if why["severity"] == "hold" else why["severity"], f"{why['code']} {why['message']}")
    if not document["why"]:
        fact("held by", message.reason)
    for kind, party in document["would_go_to"].items():
        fact(f"{kind}", f"{party['name']} ({party['her_id']})" if party is not None else "not known")
    short = message.id[:_SHORT]
    say(f"content: pakkehjem messages show {short} --reveal --reason TEXT")
    say(
        f"next: pakkehjem held release {short} --reason TEXT, or pakkehjem held discard {short} --reason TEXT"
    )
    return EXIT_DONE


_dry_run_option = click.option("--dry-run", is_flag=True, help="Show what the run would do; change nothing.")
_identifiers = click.argument("identifiers", metavar="[ID]...", nargs=-1)


@command.command("release")
@_identifiers
@click.option("--municipality", metavar="CODE", help="Send it to this kommune or bydel.")
@click.option("--to", metavar="HER-ID", help="The same, by the HER-id of its service.")
@click.option("--gp", metavar="HER-ID", help="Send the copy to this GP.")
@reason_option
@_dry_run_option
@_filters
@config_option
@json_option
def release(
    identifiers: tuple[str, ...],
    municipality: str | None,
    to: str | None,
    gp: str | None,
    reason: str,
    config: Path | None,
    *,
    dry_run: bool,
    as_json: bool,
    **filters: Any,  # noqa: ANN401 - one for each filter
) -> int:
    """Send held notes on, by id or by filter; if need be to another municipality or GP.

    What holds a note is overridden; it is judged again, and what may not be sent is not. The content is the
    hospital's to correct. The reason is kept, and must hold no patient data.

    Example: pakkehjem held release 3f2a91c0 --municipality 3222 --reason "bekreftet med avdelingen"
    """
    with _opened(config) as (configuration, journal, limit):
        registry = open_registry(configuration)
        correction = RouteCorrection.find(registry, municipality=municipality, to=to, gp=gp)
        person = Person(name=login_name(), reason=reason)
        decision = holding.releasing(_held_notes(configuration, registry), person, correction)
        chosen = _chosen(journal, limit, identifiers, _Chosen(**filters))
        return _decide(journal, chosen, decision, "released", dry_run=dry_run, as_json=as_json)


@command.command("discard")
@_identifiers
@reason_option
@_dry_run_option
@_filters
@config_option
@json_option
def discard(
    identifiers: tuple[str, ...],
    reason: str,
    config: Path | None,
    *,
    dry_run: bool,
    as_json: bool,
    **filters: Any,  # noqa: ANN401 - one for each filter
) -> int:
    """End held notes, by id or by filter: they go nowhere, and their sender is answered negatively.

    The reason is kept, and told to the sender beside what held the note.

    Example: pakkehjem held discard 3f2a91c0 --reason "avdelingen sender nytt notat"
    """
    with _opened(config) as (configuration, journal, limit):
        person = Person(name=login_name(), reason=reason)
        notes = _held_notes(configuration, open_registry(configuration))
        decision = holding.discarding(notes, person)
        chosen = _chosen(journal, limit, identifiers, _Chosen(**filters))
        return _decide(journal, chosen, decision, "discarded", dry_run=dry_run, as_json=as_json)


def _held_notes(configuration: Configuration, registry: Registry) -> HeldNotes:
    # Not on top: it loads the whole gateway, and a list decides nothing.
    from gateway.ops.composition import held_notes  # noqa: PLC0415

    return held_notes(configuration, registry)


def _chosen(journal: Journal, limit: timedelta, identifiers: Sequence[str], chosen: _Chosen) -> list[Waiting]:
    """The notes that are meant.

    Raises:
        UsageError: neither an id nor a filter is given, or both.
    """
    if bool(identifiers) is (chosen != _Chosen()):
        raise click.UsageError("give ids, or a filter such as --finding PH040")
    if identifiers:
        return [holding.find(journal, each, limit=limit) for each in dict.fromkeys(identifiers)]
    return holding.waiting(journal, limit=limit, criteria=chosen.criteria())


def _decide(
    journal: Journal,
    chosen: Sequence[Waiting],
    decision: Decision,
    done: str,
    *,
    dry_run: bool,
    as_json: bool,
) -> int:
    decided = holding.decide(journal, chosen, decision, dry_run=dry_run)
    if as_json:
        print_json([each.document() for each in decided])
    not_done, done = (f"would not be {done}", f"would be {done}") if dry_run else (f"is not {done}", done)
    for each in decided:
        if each.refusal is not None:
            say(f"{each.message.id[:_SHORT]} {not_done}: {each.refusal.message}")
            if each.refusal.hint:
                say(f"  {each.refusal.hint}")
            continue
        to = ", ".join(s.receiver for s in each.sendings)
        say(f"{done}: {each.message.id}" + (f" to {to}" if to else ""))
    if len(decided) == 1 and decided[0].refusal is None and not dry_run:
        say(f"next: pakkehjem messages trace {decided[0].message.id[:_SHORT]}")
    elif len(decided) != 1:
        say(f"{sum(each.refusal is None for each in decided)} of {len(decided)} notes {done}")
    return holding.exit_code(decided)
