"""`pakkehjem failed`: what could not be delivered, was refused, or could not be worked on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from gateway.contracts.errors import EXIT_DONE, EXIT_PARTLY
from gateway.contracts.failures import Failure, FailureGrouping
from gateway.ops import browsing, causes, failing
from gateway.ops.cli.failure_options import (
    asked_for_something,
    chosen_failures,
    failure_filter,
    failure_filters,
    opened_failures,
)
from gateway.ops.cli.options import (
    config_option,
    json_option,
    message_argument,
    messages_argument,
    reason_option,
    reveal_option,
)
from gateway.ops.cli.replay import replay, resume_command
from gateway.ops.completing import receivers
from gateway.ops.console import fact, local_time, print_json, say, table, table_time
from gateway.ops.counted import counted

_SHORT = 8
"""Characters of an id that mostly tell one message from another"""


@click.group()
def command() -> None:
    """See what failed, why, and what to do; send it again, end it, or take it out and correct it.

    Example: pakkehjem failed list --by error
    """


command.add_command(replay)


@command.command("list")
@failure_filters
@click.option(
    "--by", type=click.Choice([each.value for each in FailureGrouping]), help="Count them, with what to do."
)
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True)
@config_option
@json_option
def list_failed(
    config: Path | None,
    by: str | None,
    limit: int,
    *,
    as_json: bool,
    **chosen: Any,  # noqa: ANN401 - the filters
) -> int:
    """List what failed, the newest first. Filters combine.

    Example: pakkehjem failed list --error E21 --municipality 5001 --since 2h
    """
    criteria = failure_filter(chosen)
    with opened_failures(config) as opened:
        log = opened.journal.failed
        found = log.find(criteria, newest=limit) if by is None else []
        groups = failing.groups(log.counts(criteria, FailureGrouping(by))) if by is not None else []
        failures, messages = log.count(criteria)
        runs = log.runs(unfinished=True)
    if by is not None:
        _show_groups(groups, by, as_json=as_json)
    elif as_json:
        print_json([failing.document(each) for each in found[::-1]])
    else:
        _show_list(found[::-1])
    if as_json:
        return EXIT_DONE
    more = " (more with --limit)" if by is None and failures > len(found) else ""
    say(f"{counted(failures, 'failure')} of {counted(messages, 'message')}{more}")
    for run in runs:
        say(f"a replay by {run.by} of {local_time(run.at)} did not end: {resume_command(run)}")
    if found:
        say("next: pakkehjem failed list --by error, or pakkehjem failed show ID")
    elif groups:
        say("next: pakkehjem failed replay --error CODE --dry-run")
    return EXIT_DONE


def _show_groups(groups: Sequence[failing.Group], by: str, *, as_json: bool) -> None:
    if as_json:
        print_json([group.document() for group in groups])
        return
    table(
        [by, "count", "oldest", "newest", "what to do"],
        [
            (
                group.key,
                group.count,
                local_time(group.oldest)[5:-3],
                local_time(group.newest)[5:-3],
                group.advice,
            )
            for group in groups
        ],
        whole=("count", "oldest", "newest"),
    )


def _show_list(found: Sequence[Failure]) -> None:
    table(
        ["id", "failed", "what", "to", "cause", "munic.", "system"],
        [
            (
                each.message.id[:_SHORT],
                table_time(each.failed_at),
                each.sending.kind.value if each.sending is not None else f"{each.message.kind.value} came in",
                each.sending.receiver if each.sending is not None else None,
                each.cause.code,
                each.message.municipality,
                each.message.system,
            )
            for each in found
        ],
        whole=("id", "failed", "to", "munic."),
    )


@command.command("show")
@message_argument
@config_option
@json_option
def show(identifier: str, config: Path | None, *, as_json: bool) -> int:
    """Show what failed of one message, how often it was tried, and what to do.

    Example: pakkehjem failed show 3f2a91c0
    """
    with opened_failures(config) as opened:
        message = browsing.find(opened.journal, identifier)
        found = failing.of_message(opened.journal, message.id)
        with opened.journal.reader() as view:
            done = {each.id: view.replays(each.id) for each in found}
    if as_json:
        documents = []
        for each in found:
            replays = [
                {"at": r.at.astimezone().isoformat(), "by": r.by, "as": r.mode.value, "error": r.error}
                for r in done[each.id]
            ]
            documents.append(failing.document(each) | {"replays": replays})
        print_json(documents)
        return EXIT_DONE
    for each in found:
        fact("id", message.id)
        fact("received", local_time(message.received_at))
        if each.sending is not None:
            fact("sending", f"{each.sending.kind.value} ({each.sending.format}) to {each.sending.receiver}")
            fact("attempts", each.sending.attempts)
        fact("failed", local_time(each.failed_at))
        fact("cause", each.cause.code)
        fact("what to do", causes.advice(each.cause))
        for each_time in done[each.id]:
            how = f"by {each_time.by} as {each_time.mode.value}: {each_time.error}"
            fact("replayed", f"{local_time(each_time.at)} {how}")
        click.echo()
    short = message.id[:_SHORT]
    say(f"next: pakkehjem failed replay {short} --dry-run, or pakkehjem messages trace {short}")
    return EXIT_DONE


@command.command("discard")
@messages_argument
@failure_filters
@click.option("--all", "everything", is_flag=True, help="Everything that failed.")
@reason_option
@config_option
@json_option
def discard(
    identifiers: tuple[str, ...],
    config: Path | None,
    reason: str,
    *,
    everything: bool,
    as_json: bool,
    **chosen: Any,  # noqa: ANN401 - the filters
) -> int:
    """End what failed: it is sent no more, and stays in the history.

    Example: pakkehjem failed discard 3f2a91c0 --reason "sendt på nytt av avdelingen"
    """
    criteria = failure_filter(chosen)
    asked_for_something(identifiers, criteria, everything=everything)
    with opened_failures(config) as opened:
        found = chosen_failures(opened, identifiers, criteria)
        ended = failing.discard(opened.journal, found, reason=reason)
    if as_json:
        print_json({"found": len(found), "discarded": ended})
    else:
        say(f"{ended} of {len(found)} ended")
    return EXIT_DONE if ended == len(found) else EXIT_PARTLY


@command.command("export")
@message_argument
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--receiver",
    metavar="HER-ID",
    shell_complete=receivers,
    help="Which sending, where several have failed.",
)
@reveal_option
@reason_option
@config_option
def export(
    identifier: str, file: Path, receiver: str | None, reason: str, config: Path | None, *, reveal: bool
) -> int:
    """Write the message as it was sent (or came in) to a new FILE that only you can read.

    It is patient data: --reveal says that you know, --reason why. Correct it, and replay it --with FILE.

    Example: pakkehjem failed export 3f2a91c0 note.xml --reveal --reason "feil dato i EPJ"
    """
    if not reveal:
        raise click.UsageError("the file will hold patient data: say --reveal, and why with --reason TEXT")
    with opened_failures(config) as opened:
        message = browsing.find(opened.journal, identifier)
        failure = failing.the_one(opened.journal, message.id, receiver)
        size = failing.export(opened.journal, failure, file, reason=reason)
    say(f"{file}: {size} bytes, readable by you only; remove it when it is done")
    to = f" --receiver {receiver}" if receiver is not None else ""
    say(f"next: pakkehjem failed replay {message.id[:_SHORT]}{to} --with {file}")
    return EXIT_DONE
