"""`pakkehjem messages`: what came in, and what became of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import orjson

from gateway.contracts.errors import EXIT_DONE, GatewayError
from gateway.contracts.journal import Journal
from gateway.contracts.ports import Vault
from gateway.contracts.records import InboundFilter
from gateway.contracts.registry import Registry
from gateway.contracts.states import InboundKind, InboundState
from gateway.ops import browsing, story
from gateway.ops.cli.options import (
    FindingCode,
    config_option,
    json_option,
    message_argument,
    reveal_option,
    reveal_reason_option,
    revealed_for,
)
from gateway.ops.completing import receivers as complete_receivers
from gateway.ops.configuration import load
from gateway.ops.console import fact, local_time, print_json, printable, say, table, table_time
from gateway.ops.counted import counted
from gateway.ops.stores import open_journal, open_registry, open_vault
from gateway.security.files import write_private

_SHORT = 8
"""Characters of an id that mostly tell one message from another"""


@contextmanager
def _opened(config: Path | None) -> Iterator[tuple[Journal, Vault]]:
    configuration = load(config)
    vault = open_vault(configuration)
    journal = open_journal(configuration, vault)
    try:
        yield journal, vault
    finally:
        journal.close()


@click.group()
def command() -> None:
    """Browse messages; the whole history of one.

    Example: pakkehjem messages list -c gateway.toml --state held --since 2h
    """


@command.command("list")
@click.option(
    "--state",
    "states",
    multiple=True,
    metavar="STATE",
    type=click.Choice([s.value for s in InboundState]),
    help=", ".join(InboundState),
)
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    metavar="KIND",
    type=click.Choice([k.value for k in InboundKind]),
    help=f"{', '.join(InboundKind)}  [default: note]",
)
@click.option(
    "--system", "systems", multiple=True, metavar="NAME", help="dips, doculive, helseplattformen, …"
)
@click.option("--unit", "units", multiple=True, metavar="HER-ID", help="Department.")
@click.option("--municipality", "municipalities", multiple=True, metavar="CODE", help="Kommune or bydel.")
@click.option(
    "--finding",
    "findings",
    multiple=True,
    metavar="CODE",
    type=FindingCode(),
    help="PH030, …",
)
@click.option(
    "--error", "errors", multiple=True, metavar="CODE", help="What failed: E21, unroutable, overdue, …"
)
@click.option(
    "--receiver",
    "receivers",
    multiple=True,
    metavar="HER-ID",
    shell_complete=complete_receivers,
    help="Who it was sent to.",
)
@click.option("--since", metavar="WHEN", help="2h, 30m, 7d ago, or a date or time.")
@click.option("--until", metavar="WHEN", help="The same.")
@click.option(
    "--patient", metavar="ID", help="The patient's identifier; '-' asks for it, so that no history has it."
)
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True)
@click.option("--before", metavar="ID", help="The next page: what stands after this message.")
@config_option
@json_option
def list_messages(  # noqa: PLR0913, PLR0917 - click gives one parameter for each filter
    config: Path | None,
    states: tuple[str, ...],
    kinds: tuple[str, ...],
    systems: tuple[str, ...],
    units: tuple[str, ...],
    municipalities: tuple[str, ...],
    findings: tuple[str, ...],
    errors: tuple[str, ...],
    receivers: tuple[str, ...],
    since: str | None,
    until: str | None,
    patient: str | None,
    limit: int,
    before: str | None,
    *,
    as_json: bool,
) -> int:
    """List messages, newest first. Several values of one filter mean any of them; filters combine.

    A patient is searched for by a keyed hash.

    Example: pakkehjem messages list --state failed --municipality 5001 --since 2h --error E21
    """
    criteria = InboundFilter(
        states=tuple(InboundState(s) for s in states),
        kinds=tuple(InboundKind(k) for k in kinds) or (InboundKind.NOTE,),
        systems=systems,
        units=units,
        municipalities=municipalities,
        findings=findings,
        errors=errors,
        receivers=receivers,
        since=browsing.point_in_time(since) if since is not None else None,
        until=browsing.point_in_time(until) if until is not None else None,
        limit=limit,
    )
    with _opened(config) as (journal, vault):
        if before is not None:
            criteria = replace(criteria, before_id=browsing.find(journal, before).id)
        if patient is not None:
            if patient != "-":
                say("others may have seen the identifier (ps, the shell's history): --patient - asks for it")
            identifier = _asked() if patient == "-" else patient
            criteria = browsing.of_patient(journal, criteria, vault, identifier)
        found = browsing.listed(journal, criteria)
    if as_json:
        print_json([each.document() for each in found])
        return EXIT_DONE
    table(
        ["id", "received", "system", "state", "munic.", "findings", "sendings"],
        [
            (
                each.message.id[:_SHORT],
                table_time(each.message.received_at),
                each.message.system,
                each.message.state.value,
                each.message.municipality,
                " ".join(f.code for f in each.message.findings) or each.message.reason,
                _in_short(each),
            )
            for each in found
        ],
        whole=("id", "received", "state", "munic."),
        cut=("system",),
    )
    say(counted(len(found), "message") + (" (more with --limit)" if len(found) == limit else ""))
    if len(found) == limit:
        say(f"next page: the same with --before {found[-1].message.id[:_SHORT]}")
    if found:
        say("next: pakkehjem messages show ID")
    return EXIT_DONE


def _asked() -> str:
    """The patient's identifier, from a terminal without echo, or from a pipe."""
    if sys.stdin.isatty():
        answer: str = click.prompt("Patient's identifier", hide_input=True, err=True)
        return answer
    return sys.stdin.readline()


def _in_short(listed: browsing.Listed) -> str:
    """Who it was sent to; and what became of that, where it is not what became of the message."""
    if all(s.state.value == listed.message.state.value for s in listed.sendings):
        return " ".join(s.receiver for s in listed.sendings)
    return "\n".join(f"{s.receiver} {s.state.value}" for s in listed.sendings)


@command.command("show")
@message_argument
@reveal_option
@reveal_reason_option
@click.option(
    "--html",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the content to a new FILE, as a page that a record system would show.",
)
@config_option
@json_option
def show(
    identifier: str,
    reason: str | None,
    html: Path | None,
    config: Path | None,
    *,
    reveal: bool,
    as_json: bool,
) -> int:
    """Show one message. ID: ours or the MsgId, or the beginning of either.

    Example: pakkehjem messages show 3f2a91c0
    """
    if html is not None and not reveal:
        raise click.UsageError("--html shows the content: add --reveal and its reason")
    why = revealed_for(reason, reveal=reveal)
    with _opened(config) as (journal, _):
        message = browsing.find(journal, identifier)
        document = browsing.shown(journal, message)
        content = browsing.revealed(journal, message, reason=why) if why is not None else {}
    if html is not None:
        write_private(html, browsing.page(content).encode())
        say(f"written: {html}; it holds patient data, delete it when it has been read")
        content = {}
    if as_json:
        print_json(document | content)
        return EXIT_DONE
    _show(document)
    for key, value in content.items():
        text = value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
        click.echo(f"--- {key}\n{printable(text)}")
    say(f"next: pakkehjem messages trace {message.id[:_SHORT]}")
    return EXIT_DONE


def _show(document: dict[str, Any]) -> None:
    lists = ("findings", "sendings", "receipts", "address_faults")
    for key, value in document.items():
        if key not in lists and value is not None:
            fact(key, value)
    for found in document["findings"]:
        fact("finding", f"{found['code']} {found['severity']}: {found['message']}")
    for row in document["sendings"]:
        apprec = f", AppRec {row['apprec']}" if row["apprec"] else ""
        fact("sending", f"{row['format']} to {row['receiver']}: {row['state']}{apprec}")
    for row in document["receipts"]:
        fact("receipt", f"AppRec {row['apprec']} to {row['to']}: {row['state']}")
    for row in document["address_faults"]:
        fact("address", f"{row['receiver']} said {row['codes']}: {row['outcome'] or 'its entry is flagged'}")


@command.command("trace")
@message_argument
@config_option
@json_option
def trace(identifier: str, config: Path | None, *, as_json: bool) -> int:
    """Tell the whole story of one message, with its replies and the answers to them, in order.

    Example: pakkehjem messages trace 3f2a91c0 --json
    """
    with _opened(config) as (journal, _):
        message = browsing.find(journal, identifier)
        if as_json:
            print_json(browsing.traced(journal, message))
            return EXIT_DONE
        lines = story.tell(journal, _registry(config), message)
    say(f"{message.kind.value} {message.id}, on {local_time(lines[0].at)[:10]}: {message.state.value}")
    table(
        ["time", "message", "what happened"],
        [(f"{line.at.astimezone():%d. %H:%M:%S.%f}"[:-3], line.who, line.told) for line in lines],
        whole=("time", "message"),
    )
    say(f"next: pakkehjem messages show {message.id[:_SHORT]}")
    return EXIT_DONE


def _registry(config: Path | None) -> Registry | None:
    """The register, which gives names to HER-ids; a history can be read without it."""
    try:
        return open_registry(load(config))
    except GatewayError:
        return None
