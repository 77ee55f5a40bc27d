"""`pakkehjem failed replay`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from gateway.contracts.errors import EXIT_DONE, EXIT_NO, EXIT_PARTLY
from gateway.contracts.failures import FailureFilter
from gateway.contracts.replays import Planned, ReplayMode, ReplayRun
from gateway.ops import browsing, failing
from gateway.ops.cli.failure_options import (
    Opened,
    asked_for_something,
    chosen_failures,
    failure_filter,
    failure_filters,
    opened_failures,
)
from gateway.ops.cli.options import config_option, json_option, messages_argument, read_bytes
from gateway.ops.console import print_json, say, table
from gateway.ops.progress import progress
from gateway.ops.replaying import Outcome, Replayer, Tally
from gateway.ops.watching import watch_sendings

_SHORT = 8
"""Characters of an id that mostly tell one message from another"""

_SHOWN = 20
"""Refusals that are named one by one"""


@click.command("replay")
@messages_argument
@failure_filters
@click.option("--all", "everything", is_flag=True, help="Everything that failed.")
@click.option(
    "--as",
    "mode",
    type=click.Choice(["same", "new"]),
    help="The same message (same MsgId), or a new one  [default: the same, unless it was refused]",
)
@click.option("--dry-run", is_flag=True, help="Show exactly what would be done; do nothing.")
@click.option("--with", "file", type=click.Path(path_type=Path), help="Send it as corrected in FILE.")
@click.option("--resume", metavar="RUN", help="Go on with a replay that was interrupted.")
@click.option("--watch", is_flag=True, help="Wait until the service has delivered them.")
@click.option("--reason", metavar="TEXT", help="Why; kept in the audit log, encrypted. Not for patient data.")
@config_option
@json_option
def replay(  # noqa: PLR0913 - click gives one parameter for each option
    identifiers: tuple[str, ...],
    config: Path | None,
    mode: str | None,
    file: Path | None,
    resume: str | None,
    reason: str | None,
    *,
    everything: bool,
    dry_run: bool,
    watch: bool,
    as_json: bool,
    **chosen: Any,  # noqa: ANN401 - the filters
) -> int:
    """Send again what failed: by id, by filter, or all; with the addresses and certificates of now.

    What its receiver has refused goes as a new message, all else as the same one (a receiver that has it
    drops the repeat). Messages that could not be worked on are worked on again. What was interrupted goes
    on with --resume.

    Example: pakkehjem failed replay --error unroutable --receiver 8910031 --dry-run
    """
    criteria = failure_filter(chosen)
    with opened_failures(config) as opened:
        replayer = opened.replayer()
        if file is not None:
            return _with_file(opened, replayer, identifiers, criteria, file, reason, as_json=as_json)
        run: ReplayRun | None = None
        if resume is not None:
            run = replayer.interrupted(resume)
            planned = run.planned
        else:
            asked_for_something(identifiers, criteria, everything=everything)
            failures = chosen_failures(opened, identifiers, criteria)
            planned = tuple(replayer.plan(failures, mode=ReplayMode(mode) if mode is not None else None))
        if run is None and planned and not dry_run:
            run = replayer.begin(planned)
        tally = Tally(planned=len(planned))
        _carry_out(replayer, tally, planned, run, reason, dry_run=dry_run)
        if run is not None and not dry_run:
            replayer.finish(run)
        _show_tally(tally, run, dry_run=dry_run, as_json=as_json)
        made = [o.made for o in tally.outcomes if o.made is not None and o.receiver is not None]
        if watch and made and not dry_run:
            arrived = watch_sendings(opened.journal, made)
            return _exit_code(tally) if arrived else EXIT_PARTLY
    return _exit_code(tally)


def _carry_out(
    replayer: Replayer,
    tally: Tally,
    planned: Sequence[Planned],
    run: ReplayRun | None,
    reason: str | None,
    *,
    dry_run: bool,
) -> None:
    run_id = run.id if run is not None else None
    try:
        with progress("dry run" if dry_run else "replaying", len(planned)) as advance:
            for outcome in replayer.carry_out(planned, run=run_id, reason=reason, dry_run=dry_run):
                tally.outcomes.append(outcome)
                advance(len(tally.outcomes))
    except KeyboardInterrupt:
        if run is not None and not dry_run:
            say(f"interrupted after {len(tally.outcomes)} of {len(planned)}")
            say(f"  go on with: {resume_command(run)}")
        raise


def resume_command(run: ReplayRun) -> str:
    """What goes on with a run."""
    return f"pakkehjem failed replay --resume {run.id[:_SHORT]}"


def _exit_code(tally: Tally) -> int:
    if not tally.refused:
        return EXIT_DONE
    return EXIT_PARTLY if tally.replayed or tally.already else EXIT_NO


def _show_tally(tally: Tally, run: ReplayRun | None, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "run": run.id if run is not None else None,
                "dry_run": dry_run,
                "planned": tally.planned,
                "replayed": tally.replayed,
                "already": tally.already,
                "refused": len(tally.refused),
                "items": [o.document() for o in tally.outcomes],
            }
        )
        return
    counts = Counter((o.planned.mode.value, o.receiver, o.result) for o in tally.outcomes if o.done)
    if counts:
        table(
            ["as", "to", "becomes", "count"],
            [
                (how, receiver, result, count)
                for (how, receiver, result), count in sorted(counts.items(), key=str)
            ],
        )
    for outcome in tally.refused[:_SHOWN]:
        _show_refusal(outcome)
    if len(tally.refused) > _SHOWN:
        say(f"  and {len(tally.refused) - _SHOWN} more: --json has them all")
    words = "would be replayed" if dry_run else "replayed"
    already = f", {tally.already} had been already" if tally.already else ""
    refused = f", {len(tally.refused)} refused" if tally.refused else ""
    say(f"{tally.replayed} of {tally.planned} {words}{already}{refused}")
    if not tally.planned:
        say("nothing that failed fits: pakkehjem failed list shows what has")
    elif tally.replayed and not dry_run:
        say("the running service sends them; next: pakkehjem messages list --state sending")


def _show_refusal(outcome: Outcome) -> None:
    to = f" to {outcome.receiver}" if outcome.receiver is not None else ""
    say(f"not replayed: {outcome.planned.inbound_id[:_SHORT]}{to}: {outcome.why}")
    if outcome.hint is not None:
        say(f"  {outcome.hint}")


def _with_file(
    opened: Opened,
    replayer: Replayer,
    identifiers: Sequence[str],
    criteria: FailureFilter,
    file: Path,
    reason: str | None,
    *,
    as_json: bool,
) -> int:
    if len(identifiers) != 1:
        raise click.UsageError("--with FILE corrects one message: give its ID")
    receiver = criteria.receivers[0] if len(criteria.receivers) == 1 else None
    message = browsing.find(opened.journal, identifiers[0])
    failure = failing.the_one(opened.journal, message.id, receiver)
    outcome = replayer.correct(failure, read_bytes(file), reason=reason)
    if as_json:
        print_json(outcome.document())
        return EXIT_DONE
    to = f" to {outcome.receiver}" if outcome.receiver is not None else ""
    say(f"corrected, checked, and replayed{to}: {outcome.result}; both versions are kept")
    made = outcome.made if outcome.receiver is None and outcome.made is not None else message.id
    say(f"next: pakkehjem messages trace {made[:_SHORT]}")
    return EXIT_DONE
