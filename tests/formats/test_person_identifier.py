from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from stdnum.no import fodselsnummer

from gateway.contracts.summary import PersonIdentifierType, Sex
from gateway.formats.person_identifier import check_digits_ok, classify, normalise
from tests.conftest import NOTES

FNR, DNR = PersonIdentifierType.FNR, PersonIdentifierType.DNR
HNR, FHN = PersonIdentifierType.HNR, PersonIdentifierType.FHN

WEIGHTS_1 = (3, 7, 6, 1, 8, 9, 4, 5, 2)
WEIGHTS_2 = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)


def with_check_digits(nine: str, remainder: int = 0) -> str | None:
    """The number as the register would make it, None where it would skip the individual number."""
    first = (remainder - sum(weight * int(digit) for weight, digit in zip(WEIGHTS_1, nine, strict=True))) % 11
    if first == 10:
        return None
    ten = f"{nine}{first}"
    second = -sum(weight * int(digit) for weight, digit in zip(WEIGHTS_2, ten, strict=True)) % 11
    return None if second == 10 else f"{ten}{second}"


SERIES = [
    (datetime.date(1854, 1, 1), datetime.date(1899, 12, 31), 500, 749),
    (datetime.date(1900, 1, 1), datetime.date(1999, 12, 31), 0, 499),
    (datetime.date(1940, 1, 1), datetime.date(1999, 12, 31), 900, 999),
    (datetime.date(2000, 1, 1), datetime.date(2039, 12, 31), 500, 999),
]

SHIFTS = {
    # day, month: kind, synthetic
    (0, 0): (FNR, False),
    (40, 0): (DNR, False),
    (0, 40): (HNR, False),
    (0, 80): (FNR, True),
    (40, 80): (DNR, True),
    (0, 65): (FNR, True),
    (40, 65): (DNR, True),
    (40, 40): (DNR, True),
}


@st.composite
def numbers(draw: Any, remainders: range = range(1)) -> tuple[str, datetime.date, int, tuple[int, int]]:
    first, last, low, high = draw(st.sampled_from(SERIES))
    born = draw(st.dates(first, last))
    individual = draw(st.integers(low, high))
    shift = draw(st.sampled_from(sorted(SHIFTS)))
    nine = f"{born.day + shift[0]:02}{born.month + shift[1]:02}{born.year % 100:02}{individual:03}"
    digits = with_check_digits(nine, draw(st.sampled_from(remainders)))
    assume(digits is not None)
    return digits or "", born, individual, shift


@given(numbers())
@settings(max_examples=100, deadline=None)
def test_a_number_of_each_kind_is_read_back(made: tuple[str, datetime.date, int, tuple[int, int]]) -> None:
    digits, born, individual, shift = made
    found = classify(digits)
    assert found is not None
    assert (found.kind, found.synthetic) == SHIFTS[shift]
    assert found.birth_date == born
    assert found.sex is (Sex.MALE if individual % 2 else Sex.FEMALE)
    assert check_digits_ok(digits)


@given(numbers(range(1, 4)))
@settings(max_examples=50, deadline=None)
def test_a_number_of_2032_is_accepted_and_says_less(
    made: tuple[str, datetime.date, int, tuple[int, int]],
) -> None:
    digits, _, _, shift = made
    found = classify(digits)
    assert found is not None
    assert (found.kind, found.synthetic) == SHIFTS[shift]
    assert (found.birth_date, found.sex) == (None, Sex.UNKNOWN)
    assert check_digits_ok(digits)


@given(numbers(range(4)), st.integers(0, 10), st.integers(1, 9))
@settings(max_examples=100, deadline=None)
def test_one_wrong_digit_is_always_found(
    made: tuple[str, datetime.date, int, tuple[int, int]], place: int, by: int
) -> None:
    digits = made[0]
    wrong = f"{digits[:place]}{(int(digits[place]) + by) % 10}{digits[place + 1 :]}"
    assert not check_digits_ok(wrong)


@given(st.text(st.sampled_from("0123456789abcæ ٣"), max_size=14))
@settings(max_examples=100, deadline=None)
def test_anything_can_be_asked(text: str) -> None:
    found = classify(text)
    if found is not None:
        assert len(text) == 11
    assert not check_digits_ok(text) or len(text) == 11


@given(st.integers(8, 9), st.integers(0, 10**8 - 1))
@settings(max_examples=50, deadline=None)
def test_a_felles_hjelpenummer_says_nothing_of_the_person(first: int, rest: int) -> None:
    digits = with_check_digits(f"{first}{rest:08}")
    assume(digits is not None)
    found = classify(digits or "")
    assert found is not None
    assert (found.kind, found.birth_date, found.sex) == (FHN, None, Sex.UNKNOWN)
    assert check_digits_ok(digits or "")


def test_the_test_person_with_a_d_number_of_the_nineteenth_century() -> None:
    found = classify("70019950032")
    assert found is not None
    assert (found.kind, found.birth_date) == (DNR, datetime.date(1899, 1, 30))
    assert check_digits_ok("70019950032")


def test_a_mistyped_number_keeps_its_kind() -> None:
    assert check_digits_ok("14896112148")
    assert not check_digits_ok("14896112149")
    assert classify("14896112149") == classify("14896112148")


def test_the_check_digits_are_the_librarys_where_both_know_the_number() -> None:
    assert fodselsnummer.is_valid("15108695088")
    assert check_digits_ok("15108695088")


@pytest.mark.parametrize(
    "digits",
    [
        "",
        "1388854995",
        "138885499520",
        "00018012345",  # no day 0
        "32018012345",  # no day 32
        "72018012345",  # nor with 40 more
        "01138012345",  # no month 13
        "01538012345",  # nor with 40 more
        "01938012345",  # nor with 80 more
        "30028012345",  # no 30th of February
        "29020012345",  # no 29th of February in 1900
        "abcdefghijk",
    ],
)
def test_digits_that_form_no_number(digits: str) -> None:
    assert classify(digits) is None


def test_a_century_that_no_series_has_is_left_open() -> None:
    found = classify("01014560000")
    assert found is not None
    assert (found.kind, found.birth_date) == (FNR, None)


@pytest.mark.parametrize(
    "raw", ["13888549952", "138885 49952", " 13.88.85 49952 ", "138885-49952", "138885\u00a049952"]
)
def test_what_people_put_between_the_digits(raw: str) -> None:
    assert normalise(raw) == "13888549952"


def test_every_note_of_the_fixtures() -> None:
    seen = set()
    for path in sorted(NOTES.glob("*/*.expected.json")):
        expected = json.loads(path.read_bytes())
        patient = (expected["summary"] or {}).get("patient", {})
        if not patient.get("id"):
            continue
        found = classify(normalise(patient["id"]))
        assert found is not None, path.name
        assert found.kind.value == patient["id_type"], path.name
        assert check_digits_ok(patient["id"]) is ("PH070" not in expected["findings"]), path.name
        if found.birth_date:
            assert found.birth_date.isoformat() == patient["birth_date"], path.name
            assert found.sex.value == patient["sex"], path.name
        assert found.synthetic or found.kind is FHN, path.name
        seen.add(patient["id"])
    assert len(seen) > 30
