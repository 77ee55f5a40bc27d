"""How the commands about failures choose them, and what they open."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from gateway.contracts.failures import Failure, FailureFilter
from gateway.contracts.ports import Vault
from gateway.journal.sql_journal import SqlJournal
from gateway.ops import browsing, failing
from gateway.ops.cli.options import FindingCode
from gateway.ops.completing import receivers
from gateway.ops.configuration import Configuration, load
from gateway.ops.replaying import Replayer, open_replayer
from gateway.ops.stores import open_journal, open_vault

Command = TypeVar("Command", bound=Callable[..., Any])


class Opened:
    """The journal with what works on it."""

    def __init__(self, configuration: Configuration, vault: Vault, journal: SqlJournal) -> None:
        """Of a configuration."""
        self.journal = journal
        self._configuration = configuration
        self._vault = vault

    def replayer(self) -> Replayer:
        """With the register and the keys of now."""
        return open_replayer(self._configuration, self._vault, self.journal)


@contextmanager
def opened_failures(config: Path | None) -> Iterator[Opened]:
    """Open what the commands work on."""
    configuration = load(config)
    vault = open_vault(configuration)
    journal = open_journal(configuration, vault)
    try:
        yield Opened(configuration, vault, journal)
    finally:
        journal.close()


def failure_filters(command: Command) -> Command:
    """The options that choose failures; they combine."""
    options = (
        click.option("--error", "errors", metavar="CODE", help="E21, unroutable, overdue, …", multiple=True),
        click.option(
            "--receiver",
            "receivers",
            metavar="HER-ID",
            help="Municipality or GP.",
            multiple=True,
            shell_complete=receivers,
        ),
        click.option(
            "--municipality", "municipalities", metavar="CODE", help="Kommune, bydel.", multiple=True
        ),
        click.option("--system", "systems", metavar="NAME", help="dips, doculive, …", multiple=True),
        click.option("--unit", "units", metavar="HER-ID", help="Department.", multiple=True),
        click.option(
            "--finding",
            "findings",
            metavar="CODE",
            type=FindingCode(),
            help="PH030, …",
            multiple=True,
        ),
        click.option("--since", metavar="WHEN", help="Failed since: 2h, 30m, 7d ago, or a date or time."),
        click.option("--until", metavar="WHEN", help="Failed before: the same."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def failure_filter(chosen: dict[str, Any]) -> FailureFilter:
    """What the options say."""
    since, until = chosen.pop("since"), chosen.pop("until")
    return FailureFilter(
        **chosen,
        since=browsing.point_in_time(since) if since is not None else None,
        until=browsing.point_in_time(until) if until is not None else None,
    )


def chosen_failures(opened: Opened, identifiers: Sequence[str], criteria: FailureFilter) -> list[Failure]:
    """Failures by id, by filter, or both."""
    if identifiers:
        ids = tuple(browsing.find(opened.journal, each).id for each in identifiers)
        criteria = replace(criteria, ids=ids)
    found = opened.journal.failed.find(criteria)
    if identifiers and not found:
        failing.of_message(opened.journal, criteria.ids[0])
    return found


def asked_for_something(identifiers: Sequence[str], criteria: FailureFilter, *, everything: bool) -> None:
    """Nothing is done to everything by an oversight."""
    if not identifiers and criteria.everything and not everything:
        raise click.UsageError("say which: ids, filters (--error, --receiver, …), or --all")
