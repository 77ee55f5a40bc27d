from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.contracts.next_points import NextPointSettings, months_after, next_points
from gateway.contracts.summary import Basis, PathwayStatus

STARTED = PathwayStatus.STARTED
DATES: dict[str, Any] = {
    "started_on": datetime.date(2026, 3, 2),
    "diagnosis_date": datetime.date(2026, 2, 6),
    "survey_date": datetime.date(2026, 3, 1),
    "discharge_date": datetime.date(2026, 3, 5),
}


def test_the_example_of_the_contract() -> None:
    second, third = next_points(STARTED, 1, started_on=datetime.date(2026, 3, 2))
    assert second.model_dump(mode="json") == {
        "point": 2,
        "from": "2026-06-02",
        "to": "2026-07-02",
        "basis": "started_on",
    }
    assert third.model_dump(mode="json") == {
        "point": 3,
        "from": "2027-03-02",
        "to": "2027-09-02",
        "basis": "started_on",
    }


@pytest.mark.parametrize("status", [PathwayStatus.DECLINED, PathwayStatus.UNKNOWN])
def test_none_for_who_does_not_want_it_or_may_not(status: PathwayStatus) -> None:
    assert next_points(status, 1, **DATES) == ()


def test_who_wants_the_offer_later_has_points() -> None:
    points = next_points(PathwayStatus.OFFER_LATER, 1, diagnosis_date=DATES["diagnosis_date"])
    assert [point.basis for point in points] == [Basis.DIAGNOSIS_DATE, Basis.DIAGNOSIS_DATE]


def test_none_without_a_date() -> None:
    assert next_points(STARTED, 1) == ()


@pytest.mark.parametrize(
    ("dropped", "basis"),
    [(0, Basis.STARTED_ON), (1, Basis.DIAGNOSIS_DATE), (2, Basis.SURVEY_DATE), (3, Basis.DISCHARGE_DATE)],
)
def test_the_best_known_date_is_counted_from(dropped: int, basis: Basis) -> None:
    known: dict[str, Any] = dict(list(DATES.items())[dropped:])
    points = next_points(STARTED, 1, **known)
    assert {point.basis for point in points} == {basis}
    assert points[0].start == months_after(known[basis.value], 3)


def test_the_order_of_dates_and_the_windows_are_settings() -> None:
    custom = NextPointSettings(sp2_months=(2, 2), sp3_months=(6, 9), bases=(Basis.DISCHARGE_DATE,))
    second, third = next_points(STARTED, 1, **DATES, settings=custom)
    assert (second.start, second.end) == (datetime.date(2026, 5, 5), datetime.date(2026, 5, 5))
    assert (third.start, third.end) == (datetime.date(2026, 9, 5), datetime.date(2026, 12, 5))
    assert next_points(STARTED, 1, started_on=DATES["started_on"], settings=custom) == ()


@pytest.mark.parametrize("window", [(4, 3), (-1, 3)])
def test_a_window_goes_forward(window: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="from low to high"):
        NextPointSettings(sp2_months=window)
    with pytest.raises(ValueError, match="from low to high"):
        NextPointSettings(sp3_months=window)


@pytest.mark.parametrize(("point", "left"), [(1, [2, 3]), (2, [3]), (3, [])])
def test_only_points_after_the_notes_own(point: int, left: list[int]) -> None:
    assert [found.point for found in next_points(STARTED, point, **DATES)] == left


@pytest.mark.parametrize(
    ("date", "months", "expected"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2026-10-31", 4, "2027-02-28"),
        ("2026-11-30", 3, "2027-02-28"),
        ("2026-12-31", 12, "2027-12-31"),
        ("2028-02-29", 12, "2029-02-28"),
        ("2026-12-01", 0, "2026-12-01"),
    ],
)
def test_month_ends_clamp(date: str, months: int, expected: str) -> None:
    assert months_after(datetime.date.fromisoformat(date), months) == datetime.date.fromisoformat(expected)


def test_no_point_after_the_end_of_the_calendar() -> None:
    assert [point.point for point in next_points(STARTED, 1, started_on=datetime.date(9999, 7, 1))] == [2]


@given(date=st.dates(), months=st.integers(0, 240))
@settings(max_examples=100, deadline=None)
def test_counting_months_keeps_the_day_or_the_end_of_the_month(date: datetime.date, months: int) -> None:
    later = months_after(date, months)
    if later is None:
        assert date.year + 20 >= datetime.MAXYEAR
        return
    assert (later.year - date.year) * 12 + later.month - date.month == months
    assert later.day == date.day or (later.day < date.day and (later + datetime.timedelta(days=1)).day == 1)
