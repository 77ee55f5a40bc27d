"""The table that the form is built from, and single values in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given

from gateway.contracts.summary import Summary
from gateway.rendering import form as form_module
from gateway.rendering.form import form
from gateway.rendering.rows import Coded, Field, People, Told
from gateway.rendering.words import WRITINGS, phone_in_words, time_in_words
from mappings import code_list, table
from tests.strategies import dates, phones


@pytest.fixture
def fresh() -> Iterator[None]:
    """The form is built anew in the test, and after it."""
    form.cache_clear()
    yield
    form.cache_clear()


def _with_row(row: Mapping[str, Any]) -> dict[str, Any]:
    words: dict[str, Any] = dict(table("rendering"))
    first, *others = words["section"]
    words["section"] = [{**first, "rows": [*first["rows"], row]}, *others]
    return words


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize(
    "row",
    [
        {"kind": "field", "path": "what_matters", "label": "Diagnose"},
        {"kind": "field", "path": "what_matters", "label": "Viktig: for pasienten"},
        {"kind": "field", "path": "what_matters"},
        {"kind": "felt", "path": "what_matters", "label": "Viktig"},
    ],
)
def test_a_row_that_could_not_be_read_back_is_refused(
    row: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(form_module, "table", lambda _: _with_row(row))
    with pytest.raises(ValueError, match="section diagnosis"):
        form()


@pytest.mark.usefixtures("fresh")
def test_a_heading_stands_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(form_module, "table", lambda _: {**table("rendering"), "note": "Diagnose"})
    with pytest.raises(ValueError, match="twice"):
        form()


def test_every_heading_code_is_in_its_list() -> None:
    lists = {"discharge": "9141", "application": "9145", "epikrise": "8311"}
    for section in form().sections:
        for column, code in section.codes.items():
            assert code in code_list(lists[column]).codes, section.key
    for column, code in form().note_codes.items():
        assert code in code_list(lists[column]).codes


def test_every_path_of_the_form_is_in_the_model_and_every_sentence_can_be_told_apart() -> None:
    properties = Summary.model_json_schema()
    for section in form().sections:
        labels: list[str] = []
        sentences: list[str] = []
        for kind in section.kinds:
            path = getattr(kind, "path")  # noqa: B009 - every kind has one, the protocol does not say so
            assert _is_in(properties, path), path
            labels += kind.labels.values() if isinstance(kind, Coded) else [getattr(kind, "label", "")]
            sentences += [getattr(kind, "absent", None) or ""]
            if isinstance(kind, Field | Told):
                assert kind.writing in WRITINGS
            if isinstance(kind, People):
                assert all(field.writing in WRITINGS for field in kind.fields)
        told = [sentence for sentence in sentences if sentence]
        assert len(set(told)) == len(told)
        for sentence in told:
            assert not sentence.startswith("- ")
            assert not any(label and sentence.startswith(f"{label}: ") for label in labels)


def _is_in(schema: Mapping[str, Any], path: str) -> bool:
    here: Mapping[str, Any] = schema
    for key in path.split("."):
        if "anyOf" in here:
            here = next(option for option in here["anyOf"] if option.get("type") != "null")
        if "$ref" in here:
            here = schema["$defs"][here["$ref"].rpartition("/")[2]]
        if key not in here.get("properties", {}):
            return False
        here = here["properties"][key]
    return True


@given(dates())
def test_a_date_is_written_as_people_write_it(date: Any) -> None:
    words = WRITINGS["date"].write(date.isoformat())
    assert re.fullmatch(r"\d\d\.\d\d\.\d{4}", words)
    assert WRITINGS["date"].read(words) == date.isoformat()


@given(phones())
def test_a_telephone_number_is_read_back(number: str) -> None:
    assert WRITINGS["phone"].read(WRITINGS["phone"].write(number)) == number


def test_telephone_numbers_stand_in_groups() -> None:
    assert phone_in_words("+4790000001") == "+47 900 00 001"
    assert phone_in_words("+4773000011") == "+47 73 00 00 11"
    assert phone_in_words("+46701234567") == "+46701234567"


def test_a_language_without_a_name_is_its_code() -> None:
    writing = WRITINGS["language"]
    assert [writing.write(code) for code in ("pl", "xx")] == ["polsk (pl)", "xx"]
    assert [writing.read(words) for words in ("polsk (pl)", "xx")] == ["pl", "xx"]


@pytest.mark.parametrize(
    ("iso", "words"),
    [
        ("2026-03-02T12:45:00Z", "02.03.2026 kl. 13.45"),
        ("2026-07-02T23:30:00+02:00", "02.07.2026 kl. 23.30"),
        ("0001-01-01T00:00:00+14:00", "01.01.0001 kl. 00.00"),
        ("9999-12-31T23:59:59-12:00", "31.12.9999 kl. 23.59"),
    ],
)
def test_a_time_is_that_of_the_clocks_in_norway(iso: str, words: str) -> None:
    assert time_in_words(iso) == words
