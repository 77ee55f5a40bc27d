"""`pakkehjem db`: the journal's database."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from gateway.contracts.audit import AuditAction
from gateway.contracts.errors import EXIT_DONE
from gateway.contracts.retention import DataClass, kinds_of
from gateway.journal.opening import upgrade_journal
from gateway.journal.sql_journal import SqlJournal
from gateway.ops.auditing import audit_entry, audited, record
from gateway.ops.cli.options import config_option, json_option
from gateway.ops.configuration import load
from gateway.ops.console import fact, print_json, say
from gateway.ops.counted import counted
from gateway.ops.sections import RetentionSection
from gateway.ops.stores import open_journal, open_vault

_AGE = re.compile(r"(\d{1,5})([dh])")


class Age(click.ParamType[timedelta]):
    """`90d` or `12h`."""

    name = "age"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read it."""
        if isinstance(value, timedelta):
            return value
        match = _AGE.fullmatch(str(value))
        if match is None:
            self.fail("write days or hours: 90d, 12h", param, ctx)
        return timedelta(**{"days" if match[2] == "d" else "hours": int(match[1])})


@contextmanager
def _journal(config: Path | None) -> Iterator[SqlJournal]:
    journal = open_journal(load(config))
    try:
        yield journal
    finally:
        journal.close()


@click.group()
def command() -> None:
    """Keep the journal's database: upgrade, back up, purge, change keys.

    Example: pakkehjem db backup journal-monday.sqlite
    """


@command.command()
@config_option
def upgrade(config: Path | None) -> int:
    """Bring the journal to the version of this program. Stop every gateway on it first.

    Example: pakkehjem db upgrade -c gateway.toml
    """
    configuration = load(config)
    before, after = upgrade_journal(
        configuration.file_url(configuration.journal.url), open_vault(configuration)
    )
    if before != after:
        with _journal(config) as journal:
            detail = {"from": before or None, "to": after}
            record(journal, audit_entry(AuditAction.DB_UPGRADE, detail=detail))
    if before == after:
        click.echo(f"version {after} already")
    else:
        click.echo(f"version {before} -> {after}" if before else f"made new, version {after}")
    return EXIT_DONE


@command.command()
@config_option
@click.argument("file", type=click.Path(path_type=Path))
def backup(config: Path | None, file: Path) -> int:
    """Write a backup to a new FILE; gateways work on meanwhile. The keys are not in it.

    SQLite: the file is a journal as it stands. PostgreSQL: a dump for pg_restore.

    Example: pakkehjem db backup journal-monday.sqlite
    """
    with _journal(config) as journal, audited(journal, audit_entry(AuditAction.DB_BACKUP)) as facts:
        journal.backup(file)
        facts["bytes"] = file.stat().st_size
    click.echo(f"{file}: {counted(file.stat().st_size, 'byte')}")
    say("payloads in it are sealed: keep the key file too, in another place")
    return EXIT_DONE


@command.command()
@click.option(
    "--older-than", type=Age(), metavar="AGE", help="For example 90d, or 12h [default: as in [retention]]."
)
@click.option(
    "--class",
    "classes",
    multiple=True,
    metavar="CLASS",
    type=click.Choice([data.value for data in DataClass]),
    help=f"Only this: {', '.join(DataClass)}  [default: all; audit only where it is named or configured]",
)
@config_option
@json_option
def purge(
    config: Path | None, older_than: timedelta | None, classes: tuple[str, ...], *, as_json: bool
) -> int:
    """Take away the content of what has ended; rows, history and the audit log stay, and say so.

    Never taken is what is held, refused, failed, not delivered or not answered. The age counts from the last
    that happened to a message.

    Example: pakkehjem db purge --class receipts --older-than 90d
    """
    periods = _periods(load(config).retention, older_than, [DataClass(name) for name in classes])
    now = datetime.now(UTC)
    done: dict[str, int] = {}
    entry = audit_entry(
        AuditAction.DB_PURGE, detail={f"{d.value}_hours": _hours(p) for d, p in periods.items()}
    )
    with _journal(config) as journal, audited(journal, entry) as facts:
        for data, period in periods.items():
            if data is DataClass.AUDIT:
                done[data.value] = journal.purge_reasons(now - period, audit_entry(AuditAction.DB_PURGE))
            else:
                done[data.value] = journal.purge(now - period, at=now, kinds=kinds_of(data))
        facts.update(done)
    if as_json:
        print_json(done)
        return EXIT_DONE
    messages = sum(count for data, count in done.items() if data != DataClass.AUDIT)
    click.echo(f"payloads of {counted(messages, 'message')} taken away")
    for name, count in done.items():
        fact(name, counted(count, "reason" if name == DataClass.AUDIT else "message"))
    return EXIT_DONE


def _hours(period: timedelta) -> int:
    return period // timedelta(hours=1)


def _periods(
    section: RetentionSection, older_than: timedelta | None, classes: Sequence[DataClass]
) -> dict[DataClass, timedelta]:
    """How long what is asked for is kept."""
    if older_than is None:
        configured = section.periods()
        if not configured:
            raise click.UsageError("nothing is set under [retention]: say --older-than AGE")
        return {data: period for data, period in configured.items() if not classes or data in classes}
    asked = classes or [data for data in DataClass if data is not DataClass.AUDIT]
    return dict.fromkeys(asked, older_than)


@command.command()
@config_option
def rekey(config: Path | None) -> int:
    """Seal every payload with the first key of the key file, so that the older ones can be dropped.

    Put the new key before the old and restart every gateway first.

    Example: pakkehjem db rekey
    """
    with _journal(config) as journal, audited(journal, audit_entry(AuditAction.DB_REKEY)) as facts:
        count = facts["payloads"] = journal.reseal()
    click.echo(f"{counted(count, 'payload')} sealed anew")
    return EXIT_DONE
