from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway.contracts.summary import Need, Patient, Summary
from gateway.contracts.text import as_line, as_text, line_or_none
from tests.strategies import lines, summaries, texts

CANARY = "Kanarifugl"

SMALLEST: dict[str, Any] = {"pathway": {}, "patient": {}, "source": {"system": "dips", "format": "plo-1.6"}}

MEMBERS = {
    "pathway": ["status", "reason", "interaction_point", "started_on", "objects_to_sharing", "next_points"],
    "patient": [
        "id",
        "id_type",
        "given_name",
        "middle_name",
        "family_name",
        "birth_date",
        "sex",
        "phones",
        "address",
        "municipality_code",
        "language",
    ],
    "next_of_kin": None,
    "gp": ["name", "her_id", "hpr"],
    "diagnosis": ["code", "code_system", "text", "date", "confirmed", "intent"],
    "survey": ["held_on", "form", "distress_score", "relatives_present", "procedure_code"],
    "strains": None,
    "what_matters": None,
    "needs": None,
    "referrals": None,
    "contact": ["initiated_by", "when"],
    "existing_follow_up": ["kreftkoordinator", "text"],
    "author": ["name", "role", "unit", "phone", "hpr"],
    "source": [
        "system",
        "format",
        "action",
        "msg_type",
        "msg_id",
        "conversation_id",
        "replaces",
        "sent_at",
        "organisation",
        "unit",
    ],
    "note": None,
}
"""The JSON of the contract: its members, in order; `None` where a value or a list stands."""


def _with(path: str, value: object) -> str:
    document = json.loads(json.dumps(SMALLEST))
    holder: Any = document
    *steps, last = path.split(".")
    for step in steps:
        holder = holder.setdefault(step, {})
    holder[last] = value
    return json.dumps(document)


@settings(max_examples=60, deadline=None)
@given(summaries())
def test_the_json_has_the_members_of_the_contract_in_its_order(summary: Summary) -> None:
    document = json.loads(summary.to_json())
    assert list(document) == list(MEMBERS)
    for name, members in MEMBERS.items():
        if members is not None and document[name] is not None:
            assert list(document[name]) == members
    for point in document["pathway"]["next_points"]:
        assert list(point) == ["point", "from", "to", "basis"]
    assert "" not in list(_values(document))


def _values(of: Any) -> Iterator[Any]:
    """Everything in a JSON document that holds nothing further."""
    if isinstance(of, dict | list):
        for each in of.values() if isinstance(of, dict) else of:
            yield from _values(each)
    else:
        yield of


@settings(max_examples=60, deadline=None)
@given(summaries())
def test_json_loses_nothing(summary: Summary) -> None:
    again = Summary.from_json(summary.to_json())
    assert again == summary
    assert again.to_json() == summary.to_json()
    assert hash(again) == hash(summary)


def test_what_is_not_said_is_unknown_and_never_empty() -> None:
    document = json.loads(Summary.from_json(json.dumps(SMALLEST)).to_json())
    assert document["pathway"]["status"] == "unknown"
    assert document["pathway"]["interaction_point"] == 1
    assert document["pathway"]["objects_to_sharing"] is False
    assert document["patient"]["sex"] == "unknown"
    assert document["patient"]["phones"] == []
    assert document["contact"] == {"initiated_by": "unknown", "when": None}
    assert document["existing_follow_up"] == {"kreftkoordinator": None, "text": None}
    assert document["gp"] is document["diagnosis"] is document["survey"] is document["note"] is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("pathway.status", "begun"),
        ("pathway.started_on", "02.03.2026"),
        ("pathway.interaction_point", 4),
        ("pathway.interaction_point", "1"),
        ("pathway.objects_to_sharing", "false"),
        ("pathway.objects_to_sharing", 0),
        ("patient.id", ""),
        ("patient.id", " \n"),
        ("patient.id", 13888549952),
        ("patient.phones", ["90000001"]),
        ("patient.phones", ["+0190000001"]),
        ("patient.address", {"postal_code": "703"}),
        ("patient.municipality_code", "30106"),
        ("patient.language", "nor-NO"),
        ("survey", {"distress_score": 11}),
        ("survey", {"distress_score": "6"}),
        ("survey", {"distress_score": 6.0}),
        ("diagnosis", {"code_system": "SNOMED"}),
        ("strains", [{"area": "physical"}]),
        ("needs", [{"text": "\u00a0"}]),
        ("gp", {"hpr": "0123"}),
        ("gp", {"her_id": "12a"}),
        ("source.system", "Dips"),
        ("source.format", "plo-2.0"),
        ("source.sent_at", "2026-03-02T13:45:00"),
        ("note", ""),
        ("surprise", CANARY),
        ("patient.surprise", CANARY),
    ],
)
def test_what_the_contract_does_not_allow_is_refused(path: str, value: object) -> None:
    with pytest.raises(ValidationError):
        Summary.from_json(_with(path, value))


def test_an_error_shows_no_value() -> None:
    for path in ("pathway.status", "patient.phones", "source.sent_at", "survey", "surprise"):
        with pytest.raises(ValidationError) as caught:
            Summary.from_json(_with(path, [CANARY] if path == "patient.phones" else CANARY))
        assert CANARY not in str(caught.value)
        assert CANARY not in repr(caught.value)


def test_nothing_in_a_summary_can_be_changed() -> None:
    summary = Summary.from_json(json.dumps(SMALLEST))
    with pytest.raises(ValidationError):
        summary.note = "x"  # type: ignore[misc]  # what is tested
    with pytest.raises(ValidationError):
        summary.patient.phones = ()  # type: ignore[misc]  # what is tested
    assert isinstance(Patient().phones, tuple)


@settings(max_examples=100, deadline=None)
@given(st.text())
def test_folding_a_line_twice_is_folding_it_once(text: str) -> None:
    line = as_line(text)
    assert isinstance(line, str)
    assert as_line(line) == line
    assert "\n" not in line
    assert "  " not in line
    assert line_or_none(text) == (line or None)


@settings(max_examples=100, deadline=None)
@given(st.text())
def test_cleaning_a_text_twice_is_cleaning_it_once(text: str) -> None:
    kept = as_text(text)
    assert isinstance(kept, str)
    assert as_text(kept) == kept
    assert "\r" not in kept
    assert "\x00" not in kept


def test_a_text_keeps_its_lines_and_loses_what_xml_can_not_hold() -> None:
    assert as_text("\n a\x0b b \r\n\r\n  c\t\r") == "a b\n\n  c"
    assert as_line(" a\x00b\n\tc\u00a0d ") == "ab c d"
    assert as_line(7) == 7
    assert line_or_none(None) is None


@settings(max_examples=60, deadline=None)
@given(lines(), texts(), lines(max_length=10))
def test_generated_texts_are_what_the_model_keeps(line: str, text: str, short: str) -> None:
    assert Need(text=line).text == line
    assert as_text(text) == text
    assert 0 < len(short) <= 10
