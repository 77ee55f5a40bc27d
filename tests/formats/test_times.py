from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.formats.times import is_date, is_timestamp, read_time, xml_date_time

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-03-02T13:45:00+01:00", "2026-03-02T13:45:00+01:00"),
        ("2026-03-02T13:45:00", "2026-03-02T13:45:00+01:00"),
        ("2026-07-02T13:45:00", "2026-07-02T13:45:00+02:00"),
        ("2005-11-17T09:30:47.0Z", "2005-11-17T09:30:47+00:00"),
        ("2025-05-13T11:51:01.5833859Z", "2025-05-13T11:51:01.583385+00:00"),
        (" 2026-03-02 ", "2026-03-02T00:00:00+01:00"),
        ("2026-03-02T13:45", "2026-03-02T13:45:00+01:00"),
        ("2026-03-02 13:45:00,5-0330", "2026-03-02T13:45:00.500000-03:30"),
        ("2026-02-30", None),
        ("2026-03-02T25:00:00", None),
        ("2026-03-02T10:00:00+99:00", None),
        ("2026", None),
        ("13:45:00", None),
        ("i dag", None),
        ("", None),
        (None, None),
    ],
)
def test_read_time(written: str | None, expected: str | None) -> None:
    moment = read_time(written)
    assert (moment.isoformat() if moment else None) == expected


def test_a_valid_time_stays_as_it_was_written() -> None:
    assert xml_date_time("2005-11-17T09:30:47.0Z", NOW) == "2005-11-17T09:30:47.0Z"
    assert xml_date_time("2026-03-02T13:45:00", NOW) == "2026-03-02T13:45:00"


@pytest.mark.parametrize("written", ["2009-02-03", "2009-02-03T10:15", "2009-02-03 10:15:00"])
def test_an_odd_time_becomes_a_valid_one(written: str) -> None:
    made = xml_date_time(written, NOW)
    assert read_time(made) == read_time(written)
    assert len(made) == len("2009-02-03T10:15:00+01:00")


@pytest.mark.parametrize("written", ["", "2009", "2009-02-30T10:00:00", "x", None])
def test_no_time_becomes_the_other_one(written: str | None) -> None:
    assert xml_date_time(written, NOW) == "2026-03-02T12:00:00+00:00"


@given(st.text(max_size=30))
def test_any_text_is_taken(written: str) -> None:
    moment = read_time(written)
    assert moment is None or moment.tzinfo is not None
    assert read_time(xml_date_time(written, NOW)) is not None


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2100, 1, 1)), st.integers(-14, 14))  # noqa: DTZ001 - the strategy wants bounds without zone
def test_a_time_with_zone_comes_back(moment: datetime, hours: int) -> None:
    aware = moment.replace(tzinfo=timezone(timedelta(hours=hours)))
    assert read_time(aware.isoformat()) == aware


def test_timestamps_and_dates() -> None:
    assert is_timestamp("2026-03-02")
    assert is_timestamp("2026-03-02T10:00:00Z")
    assert is_timestamp("2026")
    assert is_timestamp("2026-03")
    assert not is_timestamp("2026-13")
    assert not is_timestamp("2026-02-30")
    assert not is_timestamp("2026-03-02 10:00")
    assert not is_timestamp(None)
    assert is_date("2026-03-02")
    assert not is_date("2026-02-30")
    assert not is_date("2026-03-02T10:00:00")
