"""`pakkehjem messages`: what came in, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import orjson

from gateway.contracts.errors import EXIT_DONE
from gateway.contracts.journal import Event, InboundFilter, InboundKind, InboundState, Journal
from gateway.contracts.ports import Vault
from gateway.ops import browsing
from gateway.ops.cli.options import config_option, json_option
from gateway.ops.composition import open_journal, open_vault
from gateway.ops.configuration import load
from gateway.ops.console import print_json, say, table


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
@click.option("--state", "states", multiple=True, type=click.Choice([s.value for s in InboundState]))
@click.option("--kind", "kinds", multiple=True, type=click.Choice([k.value for k in InboundKind]))
@click.option("--system", "systems", multiple=True, help="dips, doculive, helseplattformen, …")
@click.option("--unit", "units", multiple=True, help="HER-id of a department.")
@click.option("--municipality", "municipalities", multiple=True, help="Kommune or bydel code.")
@click.option("--finding", "findings", multiple=True, help="PH030, …")
@click.option("--since", help="2h, 30m, 7d, or a date or time.")
@click.option("--until", help="The same.")
@click.option("--patient", help="Identifier of the patient; '-' asks for it. Searched by keyed hash.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True)
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
    since: str | None,
    until: str | None,
    patient: str | None,
    limit: int,
    *,
    as_json: bool,
) -> int:
    """List messages, newest first. Filters combine.

    Example: pakkehjem messages list --state failed --municipality 5001 --since 2h
    """
    if patient == "-":
        patient = click.prompt("Patient's identifier", hide_input=True, err=True)
    with _opened(config) as (journal, vault):
        criteria = InboundFilter(
            states=tuple(InboundState(s) for s in states),
            kinds=tuple(InboundKind(k) for k in kinds) or (InboundKind.NOTE,),
            systems=systems,
            units=units,
            municipalities=municipalities,
            findings=findings,
            since=browsing.point_in_time(since) if since else None,
            until=browsing.point_in_time(until) if until else None,
            patient_reference=vault.reference(patient.replace(" ", "")) if patient else None,
            limit=limit,
        )
        rows = browsing.listed(journal, criteria)
    if as_json:
        print_json(rows)
        return EXIT_DONE
    table(
        ["id", "received", "system", "state", "munic.", "findings", "sendings"],
        [
            (
                row["id"][:8],
                row["received_at"][:16].replace("T", " "),
                row["system"],
                row["state"],
                row["municipality"],
                " ".join(row["findings"]) or row["reason"],
                _in_short(row["sendings"]),
            )
            for row in rows
        ],
    )
    say(f"{len(rows)} messages" + (" (more with --limit)" if len(rows) == limit else ""))
    if rows:
        say("next: pakkehjem messages show ID")
    return EXIT_DONE


def _in_short(sendings: list[dict[str, Any]]) -> str:
    return ", ".join(f"{s['receiver']} {s['state']}" for s in sendings)


@command.command("show")
@click.argument("identifier", metavar="ID")
@click.option("--reveal", is_flag=True, help="Show the content, which is patient data. Audited.")
@config_option
@json_option
def show(identifier: str, config: Path | None, *, reveal: bool, as_json: bool) -> int:
    """Show one message. ID: ours or the MsgId, or the beginning of either.

    Example: pakkehjem messages show 3f2a91c0
    """
    with _opened(config) as (journal, _):
        message = browsing.find(journal, identifier)
        document = browsing.shown(journal, message)
        if reveal:
            document |= _content(journal, message.id)
    if as_json:
        print_json(document)
        return EXIT_DONE
    findings = document.pop("findings")
    sendings, receipts = document.pop("sendings"), document.pop("receipts")
    content = {k: document.pop(k) for k in ("summary", "body") if k in document}
    for key, value in document.items():
        if value is not None:
            click.echo(f"{key:13} {value}")
    for found in findings:
        click.echo(f"{'finding':13} {found['code']} {found['severity']}: {found['message']}")
    for row in sendings:
        apprec = f", AppRec {row['apprec']}" if row["apprec"] else ""
        click.echo(f"{'sending':13} {row['format']} to {row['receiver']}: {row['state']}{apprec}")
    for row in receipts:
        click.echo(f"{'receipt':13} AppRec {row['apprec']} to {row['to']}: {row['state']}")
    for key, value in content.items():
        click.echo(f"--- {key}")
        click.echo(
            value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
        )
    say(f"next: pakkehjem messages trace {document['id'][:8]}")
    return EXIT_DONE


def _content(journal: Journal, inbound_id: str) -> dict[str, Any]:
    """The content, with a trace that it was looked at."""
    with journal.transaction() as transaction:
        message = transaction.inbound(inbound_id)
        transaction.add_event(Event(inbound_id=inbound_id, at=datetime.now(UTC), name="revealed"))
    if message is None:
        return {}
    return {
        "summary": orjson.loads(message.summary) if message.summary else None,
        "body": message.body.decode("utf-8", "replace"),
    }


@command.command("trace")
@click.argument("identifier", metavar="ID")
@config_option
@json_option
def trace(identifier: str, config: Path | None, *, as_json: bool) -> int:
    """Tell the whole history of one message: every step, its sendings, receipts, replies.

    Example: pakkehjem messages trace 3f2a91c0 --json
    """
    with _opened(config) as (journal, _):
        steps = browsing.traced(journal, browsing.find(journal, identifier))
    if as_json:
        print_json(steps)
        return EXIT_DONE
    hidden = {"at", "event", "sending"}
    table(
        ["time", "event", "facts"],
        [
            (
                step["at"][:23].replace("T", " "),
                step["event"],
                " ".join(f"{k}={v}" for k, v in step.items() if k not in hidden),
            )
            for step in steps
        ],
    )
    return EXIT_DONE
