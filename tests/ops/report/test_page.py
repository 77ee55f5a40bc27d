"""The page and the table: what every reader and every program that reads it must find there."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from gateway.contracts.facts import NoteFacts
from gateway.contracts.findings import finding
from gateway.journal.figures import months
from gateway.journal.sql_journal import SqlJournal
from gateway.ops.report import charts
from gateway.ops.report.csv_file import render_csv
from gateway.ops.report.page import render_page
from gateway.ops.report.report import Names, Report, make_report, period, quantile
from gateway.ops.report.words import BOKMAL, ENGLISH
from gateway.routing.register_file import RegisterFile
from tests.journal.stores import SqliteStore
from tests.journal.test_figures import put
from tests.ops.conftest import Pakkehjem
from tests.ops.report.world import fill

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
HOSTILE = "=cmd|' /C calc'!A0 <script>alert(1)</script>"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqlJournal]:
    opened = SqliteStore(tmp_path).open()
    yield opened
    opened.close()


def report_of(journal: SqlJournal, registry_file: Path, first: str, last: str) -> Report:
    figures = journal.figures(months(first, last), facts_from=first, deadline=timedelta(hours=96))
    names = Names(RegisterFile.load(registry_file), figures.unit_names, unknown="ukjent")
    return make_report(figures, names, first=first, last=last, made_at=NOW)


@pytest.fixture
def report(journal: SqlJournal, registry_file: Path) -> Report:
    fill(journal, now=NOW, count=400)
    put(journal, "hostile", received_at=NOW, unit="999", unit_name=HOSTILE, municipality="4601")
    return report_of(journal, registry_file, *period(None, None, NOW))


def cells(rows: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(rows.removeprefix("\ufeff")), delimiter=";"))


class TestPage:
    def test_it_is_one_file_that_asks_for_nothing(self, report: Report) -> None:
        page = render_page(report, BOKMAL)
        tree: Any = html.document_fromstring(page)
        assert not tree.xpath("//script | //iframe | //object | //embed | //form | //img | //*[@onload]")
        assert [link.get("href") for link in tree.xpath("//link")] == ["data:,"]
        assert not re.search(r"https?://|url\(|@import", page.replace("http://www.w3.org", ""))

    def test_it_can_be_read_with_the_ears(self, report: Report) -> None:
        tree: Any = html.document_fromstring(render_page(report, BOKMAL))
        assert tree.get("lang") == "nb"
        assert [len(tree.xpath(f"//{name}")) for name in ("header", "main", "footer", "h1")] == [1, 1, 1, 1]
        levels = [int(each.tag[1]) for each in tree.xpath("//h1 | //h2 | //h3")]
        assert all(after <= before + 1 for before, after in pairwise(levels))
        ids = tree.xpath("//@id")
        assert len(ids) == len(set(ids))
        for each in tree.xpath("//*[@aria-labelledby]"):
            assert each.get("aria-labelledby") in ids
        for drawing in tree.xpath("//svg"):
            assert drawing.get("role") == "img"
            assert drawing.get("aria-label")
        for table in tree.xpath("//table"):
            assert table.xpath("caption")
            width = len(table.xpath("thead/tr/th[@scope='col']"))
            for row in table.xpath("tbody/tr | tfoot/tr"):
                assert len(row.xpath("th[@scope='row']")) == 1
                assert len(row.xpath("td")) == width - 1
            (around,) = table.xpath("..")
            assert around.get("tabindex") == "0"

    def test_what_comes_from_messages_is_text(self, report: Report) -> None:
        page = render_page(report, BOKMAL)
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)" in page

    def test_it_is_norwegian_or_english(self, report: Report) -> None:
        assert "Notater sendt" in render_page(report, BOKMAL)
        english = render_page(report, ENGLISH)
        assert 'lang="en"' in english
        assert "Notes sent" in english
        assert "Notater" not in english

    def test_an_empty_journal_makes_a_page(self, journal: SqlJournal, registry_file: Path) -> None:
        empty = report_of(journal, registry_file, "2026-01", "2026-02")
        assert "Ingen notater er sendt i perioden." in render_page(empty, BOKMAL)

    def test_all_colours_of_text_have_contrast_enough(self) -> None:
        page = Path(charts.__file__).with_name("page.py").read_text(encoding="utf-8")
        colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", page))
        # WCAG 2.2: 4.5 for text (1.4.3), 3 for what a chart is read by (1.4.11).
        for name in ("ink", "soft"):
            for ground in ("#ffffff", "#f3f5f8"):
                assert contrast(colours[name], ground) >= 4.5
        for name in ("a", "b"):
            assert contrast(colours[name], "#ffffff") >= 3


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


class TestTable:
    def test_every_line_adds_up(self, report: Report) -> None:
        rows = cells(render_csv(report))
        by_level = {level: [r for r in rows if r["level"] == level] for level in {r["level"] for r in rows}}
        (total,) = by_level.pop("total")
        assert set(by_level) == {"month", "department", "municipality", "detail"}
        for lines in by_level.values():
            for column in ("notes", "with_phone", "answered", "refused", "replies"):
                assert sum(int(line[column]) for line in lines) == int(total[column]) > 0

    def test_no_cell_is_a_formula(self, report: Report) -> None:
        for row in csv.reader(io.StringIO(render_csv(report).removeprefix("\ufeff")), delimiter=";"):
            assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]

    def test_small_counts_of_health_are_nowhere(self, journal: SqlJournal, registry_file: Path) -> None:
        for number in range(12):
            put(journal, f"many{number}", facts=NoteFacts(relapse=False, in_work_up=False, distress_score=5))
        put(journal, "one", facts=NoteFacts(relapse=True, in_work_up=True, distress_score=9))
        made = report_of(journal, registry_file, "2026-03", "2026-03")
        assert made.total.notes == 13
        assert made.total.relapse is None
        assert made.total.in_work_up is None
        assert made.scores[9] is None
        for row in cells(render_csv(made)):
            assert row["relapse"] in {"*", ""}
            assert row["distress_7_to_10"] in {"*", ""}
        document = made.document()
        assert document["details"][0]["relapse"] is None
        assert "distress" not in document["details"][0]


def test_shares_and_times_are_those_of_the_notes(journal: SqlJournal, registry_file: Path) -> None:
    put(journal, "a", seconds=60, findings=(finding("PH030"),))
    for number, seconds in enumerate((10, 20, 30)):
        put(journal, f"b{number}", seconds=seconds)
    made = report_of(journal, registry_file, "2026-03", "2026-03")
    (month,) = made.by_month
    assert (month.measures.notes, month.measures.with_phone) == (4, 3)
    assert (month.measures.answer_median, month.measures.answer_p95) == (20, 60)
    assert "75\u00a0%" in render_page(made, BOKMAL)


def test_windows_are_counted_for_the_months_ahead(journal: SqlJournal, registry_file: Path) -> None:
    fill(journal, now=NOW, count=100)
    made = report_of(journal, registry_file, *period(None, None, NOW))
    assert made.ahead == ("2026-11", "2026-12", "2027-01", "2027-02", "2027-03", "2027-04")
    assert sum(sum(w.counts[2]) for w in made.windows) > 0
    assert "Samhandlingspunkt 2" in render_page(made, BOKMAL)


@pytest.mark.parametrize(
    ("counts", "share", "expected"),
    [
        ({}, 0.5, None),
        ({7: 1}, 0.95, 7),
        ({1: 1, 2: 1}, 0.5, 1),
        ({1: 95, 9: 5}, 0.95, 1),
        ({1: 94, 9: 6}, 0.95, 9),
    ],
)
def test_quantiles(counts: dict[int, int], share: float, expected: int | None) -> None:
    assert quantile(counts, share) == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [("2026-11-20", ("2025-12", "2026-11")), ("2026-12-31", ("2026-01", "2026-12"))],
)
def test_a_report_is_of_twelve_months(now: str, expected: tuple[str, str]) -> None:
    assert period(None, None, datetime.fromisoformat(now).replace(tzinfo=UTC)) == expected


def test_the_axis_ends_at_or_above_the_highest_bar() -> None:
    for highest in (0, 1, 3, 7, 99, 101, 12_345):
        values = charts.ticks(highest)
        assert values[0] == 0
        assert values[-1] >= highest
        assert len(values) <= 6


def test_the_command_writes_page_table_and_json(pakkehjem: Pakkehjem, config: Path, tmp_path: Path) -> None:
    page, table = tmp_path / "r.html", tmp_path / "r.csv"
    done = pakkehjem("report", "-c", config, "--html", page, "--csv", table, "--json", "--from", "2026-01")
    assert done.code == 0
    assert done.json()["from"] == "2026-01"
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert table.read_bytes().startswith(b"\xef\xbb\xbflevel;")
    assert pakkehjem("report", "-c", config, "--html", page).code == 0
    assert pakkehjem("report", "-c", config, "--from", "2026-13").code == 2
    assert pakkehjem("report", "-c", config, "--from", "2027-01", "--to", "2026-01").code == 2
    assert pakkehjem("report", "-c", config, "--html", tmp_path / "no" / "r.html").code == 1
