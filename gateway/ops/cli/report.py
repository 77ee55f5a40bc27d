"""`pakkehjem report`: how the pathway goes, in numbers."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from gateway.contracts.errors import EXIT_DONE, GatewayError
from gateway.journal.figures import months
from gateway.ops.cli.options import config_option, json_option
from gateway.ops.configuration import load
from gateway.ops.console import print_json, say, table
from gateway.ops.report.csv_file import render_csv
from gateway.ops.report.page import render_page
from gateway.ops.report.report import Names, Report, facts_from, make_report, period
from gateway.ops.report.words import BOKMAL, ENGLISH
from gateway.ops.stores import open_journal, open_registry

_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?")
_MOST_MONTHS = 60


class Month(click.ParamType[str]):
    """`2026-03`; of a date, its month."""

    name = "month"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read it."""
        match = _MONTH.fullmatch(str(value))
        if match is None:
            self.fail("write a month: 2026-03", param, ctx)
        return f"{match[1]}-{match[2]}"


@click.command()
@click.option("--from", "first", type=Month(), metavar="MONTH", help="2026-03  [default: a year back]")
@click.option("--to", "last", type=Month(), metavar="MONTH", help="Included.  [default: this month]")
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="A page with charts.")
@click.option("--csv", type=click.Path(path_type=Path), metavar="FILE", help="A table for a spreadsheet.")
@click.option("--english", is_flag=True, help="The page in English instead of bokmål.")
@config_option
@json_option
def command(
    config: Path | None,
    first: str | None,
    last: str | None,
    html: Path | None,
    csv: Path | None,
    *,
    english: bool,
    as_json: bool,
) -> int:
    """Tell how the pathway goes, by department, municipality and month.

    Whole months; no single patient stands in it, and counts of distress, relapse and work-up that are too
    small are hidden. It works after payloads were purged, too.

    Example: pakkehjem report --from 2026-01 --html report.html --csv report.csv
    """
    words = ENGLISH if english else BOKMAL
    made = _made(config, first, last, unknown=words.unknown)
    if html is not None:
        _write(html, render_page(made, words))
    if csv is not None:
        _write(csv, render_csv(made))
    if as_json:
        print_json(made.document())
    elif html is None and csv is None:
        _show(made)
    return EXIT_DONE


def _made(config: Path | None, first: str | None, last: str | None, *, unknown: str) -> Report:
    configuration = load(config)
    now = datetime.now(UTC)
    begin, end = period(first, last, now)
    if begin > end:
        raise click.UsageError(f"--from {begin} is after --to {end}")
    counted = months(begin, end)
    if len(counted) > _MOST_MONTHS:
        raise click.UsageError(f"{begin} to {end} is more than {_MOST_MONTHS} months")
    registry = open_registry(configuration)
    journal = open_journal(configuration)
    try:
        figures = journal.figures(
            counted,
            facts_from=facts_from(begin, now),
            deadline=timedelta(hours=configuration.flow.receipt_deadline_hours),
        )
    finally:
        journal.close()
    names = Names(registry, figures.unit_names, unknown=unknown)
    return make_report(figures, names, first=begin, last=end, made_at=now)


def _write(file: Path, text: str) -> None:
    try:
        file.write_bytes(text.encode())
    except OSError as error:
        raise GatewayError(f"{file} can not be written: {error.strerror}") from None
    say(f"written: {file}")


def _show(made: Report) -> None:
    for title, groups in (
        ("month", made.by_month),
        ("department", made.by_unit),
        ("municipality", made.by_municipality),
    ):
        table(
            [title, "notes", "phone", "diagn.", "acked", "median", "95 %", "refused", "overdue", "replies"],
            [
                (
                    group.name,
                    group.measures.notes,
                    group.measures.with_phone,
                    group.measures.with_diagnosis,
                    group.measures.answered,
                    _age(group.measures.answer_median),
                    _age(group.measures.answer_p95),
                    group.measures.refused,
                    group.measures.overdue,
                    group.measures.replies,
                )
                for group in groups
            ],
        )
        click.echo()
    say(f"{made.total.notes} notes sent, {made.first} to {made.last}; more: --html, --csv, --json")


def _age(seconds: int | None) -> str | None:
    if seconds is None:
        return None
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds} s"
