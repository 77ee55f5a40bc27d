"""`pakkehjem replies`: what municipalities and GPs have answered, and nobody has taken."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from gateway.contracts.errors import EXIT_DONE
from gateway.ops import browsing, unplaced
from gateway.ops.auditing import login_name
from gateway.ops.cli.options import config_option, json_option, reason_option
from gateway.ops.configuration import load
from gateway.ops.console import print_json, say, table, table_time
from gateway.ops.counted import counted
from gateway.ops.stores import open_journal, open_registry

_SHORT = 8
"""Characters of an id that mostly tell one message from another"""


@click.group()
def command() -> None:
    """Replies that nobody has taken: see them, claim one, send one to another mailbox.

    Example: pakkehjem replies list -c gateway.toml
    """


@command.command("list")
@click.option(
    "--all", "on_their_way", is_flag=True, help="Those that are not acknowledged yet, and not late, too."
)
@config_option
@json_option
def list_replies(config: Path | None, *, on_their_way: bool, as_json: bool) -> int:
    """List replies that fit no note, or that the hospital has not acknowledged in time; oldest first.

    Each with the mailbox that it was delivered to.

    Example: pakkehjem replies list --all
    """
    configuration = load(config)
    journal = open_journal(configuration)
    try:
        hours = configuration.flow.reply_deadline_hours
        found = unplaced.waiting(journal, deadline=timedelta(hours=hours), on_their_way=on_their_way)
    finally:
        journal.close()
    if as_json:
        print_json([each.document() for each in found])
        return EXIT_DONE
    table(
        ["id", "received", "why", "from", "mailbox", "department"],
        [
            (
                each.message.id[:_SHORT],
                table_time(each.message.received_at),
                each.why,
                each.message.sender,
                each.sending.receiver if each.sending is not None else None,
                each.message.unit_name,
            )
            for each in found
        ],
        whole=("id", "received", "why", "from", "mailbox"),
    )
    few = len(found) == 1
    state = ("is" if few else "are") + " not taken" if on_their_way else "waits" if few else "wait"
    say(f"{counted(len(found), 'reply', 'replies')} {state}" + ("" if on_their_way else " for a person"))
    if found:
        say("next: pakkehjem replies claim ID --reason TEXT, or pakkehjem replies send-on ID --to MAILBOX")
    return EXIT_DONE


@command.command("claim")
@click.argument("identifier", metavar="ID")
@reason_option
@config_option
def claim(identifier: str, reason: str, config: Path | None) -> int:
    """Take a reply over: a person follows it up, and nothing more is done with it.

    Example: pakkehjem replies claim 3f2a91c0 --reason "ringt avdelingen"
    """
    journal = open_journal(load(config))
    try:
        reply = browsing.find(journal, identifier)
        unplaced.claim(journal, reply, by=login_name(), reason=reason)
    finally:
        journal.close()
    say(f"claimed: {reply.id}")
    say(f"next: pakkehjem messages trace {reply.id[:_SHORT]}")
    return EXIT_DONE


@command.command("send-on")
@click.argument("identifier", metavar="ID")
@click.option("--to", "mailbox", required=True, metavar="MAILBOX", help="HER-id of a unit or its mailbox.")
@config_option
def send_on(identifier: str, mailbox: str, config: Path | None) -> int:
    """Send a reply to another mailbox; the running service delivers it.

    Example: pakkehjem replies send-on 3f2a91c0 --to 8900102
    """
    # Not on top: they load the whole gateway, and a list sends nothing.
    from gateway.ops.composition import schema_set  # noqa: PLC0415
    from gateway.ops.way_back import passing_on  # noqa: PLC0415

    configuration = load(config)
    registry = open_registry(configuration)
    journal = open_journal(configuration)
    try:
        reply = browsing.find(journal, identifier)
        writer = passing_on(configuration, registry, schema_set(configuration))
        made = unplaced.send_on(journal, registry, writer, reply, to=mailbox, by=login_name())
    finally:
        journal.close()
    say(f"sent on to {made.receiver}: {reply.id}")
    say(f"next: pakkehjem messages trace {reply.id[:_SHORT]}")
    return EXIT_DONE
