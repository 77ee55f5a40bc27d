from __future__ import annotations

import datetime
import json
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters.reading.dates import FoundDate, find_dates
from tests.conftest import NOTES

SENT = datetime.date(2026, 6, 30)


def days(text: str, sent_on: datetime.date = SENT) -> list[tuple[str | None, str]]:
    return [
        (found.value.isoformat() if found.value else None, found.precision)
        for found in find_dates(text, sent_on=sent_on)
    ]


def one(text: str, sent_on: datetime.date = SENT) -> FoundDate:
    (found,) = find_dates(text, sent_on=sent_on)
    return found


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("operert 24.02.2026. Diagnosen", "2026-02-24"),
        ("påvist 11.2.26.", "2026-02-11"),
        ("biopsisvar 14/7-25.", "2025-07-14"),
        ("startet 29.6.-26", "2026-06-29"),
        ("d. 3/9 2025. Opstartet", "2025-09-03"),
        ("2/3/26", "2026-03-02"),
        ("02-03-2026", "2026-03-02"),
        ("02-03-26", "2026-03-02"),
        ("2. 3. 2026", "2026-03-02"),
        ("f. 6.6.74, mob", "1974-06-06"),
        ("2026-03-02", "2026-03-02"),
        ("2026-03-02T13:45:00", "2026-03-02"),
        ("4. mai 2026", "2026-05-04"),
        ("den 3 august 2025. Hun", "2025-08-03"),
        ("8. okt. -25", "2025-10-08"),
        ("8.okt.25", "2025-10-08"),
        ("torsdag 1. oktober 2025, og", "2025-10-01"),
        ("TORSDAG 1. OKTOBER 2025", "2025-10-01"),
        ("10.–12.03.2026", "2026-03-12"),
        ("10.03.2026-", "2026-03-10"),
    ],
)
def test_a_whole_date(text: str, value: str) -> None:
    found = one(text)
    assert (str(found.value), found.precision, found.ambiguous, found.year_written) == (
        value,
        "day",
        False,
        True,
    )
    assert text[slice(*found.span)] == found.words


@pytest.mark.parametrize(
    ("text", "value", "words"),
    [
        ("Samtale 27.02.", "2026-02-27", "27.02."),
        ("CT 6.10. ved kontroll", "2026-10-06", "6.10."),
        ("Operert 14.06., kurativt", "2026-06-14", "14.06."),
        ("(27.05.)", "2026-05-27", "27.05."),
        ("utført 23.sep kl 13", "2026-09-23", "23.sep"),
        ("den 21 maj. Opererad", "2026-05-21", "21 maj"),
        ("Samtale 27. mai på", "2026-05-27", "27. mai"),
        ("Samtale 27. mai. 14 dager etter", "2026-05-27", "27. mai"),
        ("fra 4. juni 10 mg", "2026-06-04", "4. juni"),
        ("24 juni 25 juni", "2026-06-24", "24 juni"),
    ],
)
def test_a_date_without_its_year_is_of_the_messages(text: str, value: str, words: str) -> None:
    found = find_dates(text, sent_on=SENT)[0]
    assert (str(found.value), found.words) == (value, words)
    assert (found.precision, found.ambiguous, found.year_written) == ("day", False, False)


@pytest.mark.parametrize(
    ("sent", "text", "value"),
    [
        ("2026-01-10", "påvist 12.12.", "2025-12-12"),
        ("2026-01-10", "time 10.7.", "2026-07-10"),
        ("2026-01-10", "time 20.7.", "2025-07-20"),
        ("2026-12-20", "påvist 3.1.", "2026-01-03"),
        ("2026-12-20", "påvist 3. januar", "2026-01-03"),
    ],
)
def test_more_than_half_a_year_ahead_is_the_year_before(sent: str, text: str, value: str) -> None:
    assert str(one(text, datetime.date.fromisoformat(sent)).value) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Op. 13/5 (Hartmann)", "2026-05-13"),
        ("søknad 20.05\nNESTE", "2026-05-20"),
        ("samtale 6.6 v/ kveldsvakt", "2026-06-06"),
        ("helsesykepleier (10/5). BUP", "2026-05-10"),
        ("på telefon 21/5 om", "2026-05-21"),
        ("skåret 7/10", "2025-10-07"),
        ("samtale 120626 på posten", "2026-06-12"),
    ],
)
def test_what_may_be_something_else_is_marked(text: str, value: str) -> None:
    found = find_dates(text, sent_on=SENT)
    if "skåret" in text:
        assert found == []
        return
    assert (str(found[0].value), found[0].ambiguous) == (value, True)


def test_a_fraction_and_a_date_are_both_marked() -> None:
    assert [found.ambiguous for found in find_dates("gav 7/10, time 10/5", sent_on=SENT)] == [True, True]


@pytest.mark.parametrize(
    ("text", "value", "precision"),
    [
        ("Startet i dag", "2026-06-30", "day"),
        ("snakket i går", "2026-06-29", "day"),
        ("i forgårs", "2026-06-28", "day"),
        ("reiser i morgen", "2026-07-01", "day"),
        ("reiser i morgon", "2026-07-01", "day"),
        ("dags dato", "2026-06-30", "day"),
        ("I DAG", "2026-06-30", "day"),
        ("start uke 29", "2026-07-13", "week"),
        ("i veke 44", "2026-10-26", "week"),
        ("uke 1", "2025-12-29", "week"),
        ("i mandags", "2026-06-29", "day"),
        ("forrige fredag", "2026-06-26", "day"),
        ("innen torsdag", "2026-07-02", "day"),
        ("neste tysdag", "2026-07-07", "day"),
        ("hver måndag", None, "weekday"),
        ("hjem fredag", None, "weekday"),
        ("i løpet av juli", "2026-07-01", "month"),
        ("våren, mai 2025", "2025-05-01", "month"),
        ("i januar", "2026-01-01", "month"),
        ("i 2019 fikk", "2019-01-01", "year"),
        ("(primær 2023)", "2023-01-01", "year"),
        ("i fjor", "2025-01-01", "year"),
    ],
)
def test_relative_days_and_longer_times(text: str, value: str | None, precision: str) -> None:
    assert days(text) == [(value, precision)]


def test_a_week_is_the_nearest_one() -> None:
    assert str(one("uke 2", datetime.date(2026, 12, 20)).value) == "2027-01-11"
    assert str(one("uke 50", datetime.date(2026, 1, 10)).value) == "2025-12-08"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Samtale 22. april 2026, startet samme dag.", "2026-04-22"),
        ("1. juni 2026, og same dagen gjekk han inn", "2026-06-01"),
        ("9.6.2026 over video. Starta på nytt frå same dato.", "2026-06-09"),
        ("Samtale 1. juni 2026, time 3. august, startet samme dag", "2026-06-01"),
        ("startet samme dag", None),
    ],
)
def test_the_same_day_is_the_day_named_before(text: str, value: str | None) -> None:
    same_day = next(found for found in find_dates(text, sent_on=SENT) if found.precision == "same_day")
    assert (str(same_day.value) if same_day.value else None) == value


def test_the_name_of_a_day_before_its_date_is_no_date_of_its_own() -> None:
    assert days("torsdag 4. juni 2026") == [("2026-06-04", "day")]
    assert days("torsdag, den 4. juni 2026") == [("2026-06-04", "day")]


@pytest.mark.parametrize(
    "text",
    [
        "31.02.2026",
        "29.2.2025, 0.5.26, 5.13.26",
        "Tlf 900 00 012, 22.85.00.10 og +47 90.00.05.51",
        "fnr 14896112148, 148961 12148",
        "pT2bN1M0, C18.7, C50.9",
        "time kl. 10.10",
        "klokken 10.10 til 11.11",
        "kl 08.00-15.30",
        "37,4 og 2.5 mg, 5.5 cm, 1/2 tabl, 2/3 av",
        "NCCN 4/10. T 5/10. Termometer 8/10. VAS 3/10",
        "2 x uka, 3-4 mnd, 14 dager, 20 min",
        "0283 OSLO, 2004 LILLESTRØM",
        "1. arret 2. orker ikke 3. tenåring",
        "hver 14. dag, 2. kur",
        "uke 60, uke 0",
        "mandelen, marsipan, maiblomst, augustinus",
        "25000 kr, 1998 kcal",
    ],
)
def test_what_only_looks_like_a_date(text: str) -> None:
    assert find_dates(text, sent_on=SENT) == []


WRITTEN = [
    "{d:02}.{m:02}.{y}",
    "{d}.{m}.{y}",
    "{d}/{m}-{yy:02}",
    "{d}.{m}.{yy:02}",
    "{d}.{m}.-{yy:02}",
    "{d}/{m} {y}",
    "{d}. {month} {y}",
    "{d}.{month} {y}",
    "{y}-{m:02}-{d:02}",
]
MONTHS = (
    "januar",
    "februar",
    "mars",
    "april",
    "mai",
    "juni",
    "juli",
    "august",
    "september",
    "oktober",
    "november",
    "desember",
)


@given(
    date=st.dates(datetime.date(1930, 1, 1), datetime.date(2026, 12, 31)),
    written=st.sampled_from(WRITTEN),
    around=st.sampled_from(
        [("", ""), ("Op. ", "."), ("(", ")"), ("den ", ", time"), ("\n", "\n"), ("=", " kl 13")]
    ),
)
@settings(max_examples=100, deadline=None)
def test_every_way_of_writing_reads_back(date: datetime.date, written: str, around: tuple[str, str]) -> None:
    words = written.format(
        d=date.day, m=date.month, y=date.year, yy=date.year % 100, month=MONTHS[date.month - 1]
    )
    found = one(f"{around[0]}{words}{around[1]}")
    assert (found.value, found.words, found.precision) == (date, words, "day")


@given(
    text=st.text(st.sampled_from("0123456789./- \nuke mai idag sep,kl:+(2026)"), max_size=60),
    sent_on=st.dates(datetime.date(1900, 1, 1), datetime.date(2100, 1, 1)),
)
@example(text="29.2.", sent_on=datetime.date(2025, 1, 1))
@example(text="29. februar", sent_on=datetime.date(2024, 12, 31))
@settings(max_examples=100, deadline=None)
def test_any_text_can_be_read(text: str, sent_on: datetime.date) -> None:
    found = find_dates(text, sent_on=sent_on)
    assert [date.span for date in found] == sorted(date.span for date in found)
    for before, after in pairwise(found):
        assert before.span[1] <= after.span[0]
    for date in found:
        assert text[slice(*date.span)] == date.words


def test_the_dates_that_the_fixtures_name_in_words() -> None:
    read = 0
    for expected_path in sorted(NOTES.glob("*/*.expected.json")):
        expected = json.loads(expected_path.read_bytes())
        if not expected["summary"]:
            continue
        root = etree.parse(
            expected_path.parent / expected_path.name.replace(".expected.json", ".xml")
        ).getroot()
        text = "\n\n".join(
            "".join(map(str, element.itertext()))
            for element in root.iter("{*}Notat", "{*}TekstNotatInnhold", "{*}TextResultValue")
        )
        sent_on = datetime.date.fromisoformat(expected["summary"]["source"]["sent_at"][:10])
        found = {
            str(date.value)
            for date in find_dates(text, sent_on=sent_on)
            if date.precision in {"day", "same_day"}
        }
        for part, field in (("pathway", "started_on"), ("diagnosis", "date"), ("survey", "held_on")):
            date = (expected["summary"][part] or {}).get(field)
            if date and f"{part}.{field}" not in expected.get("lenient", []):
                assert date in found, f"{expected_path.name}: {part}.{field}"
                read += 1
    assert read > 50
