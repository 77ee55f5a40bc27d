"""Single sentences, as each reader reads them (`sentences.toml`)."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from adapters.reading.areas import area_of
from adapters.reading.contact import read_contact
from adapters.reading.follow_up import read_follow_up
from adapters.reading.items import Item, read_items
from adapters.reading.model import Statement, Trace
from adapters.reading.pathway import read_objection, read_status
from adapters.reading.responsible import responsible_for
from adapters.reading.roles import Role
from adapters.reading.segments import segment
from adapters.reading.survey import read_survey
from gateway.contracts.messages import TextBlock
from tests.adapters.comparison import load

SENT_ON = datetime.date(2026, 5, 20)
_SENTENCES = load(Path(__file__).parent / "sentences.toml")
_SAID = {"yes": True, "no": False, "unsaid": None}


def _rows(group: str) -> list[tuple[str, str]]:
    return [(sentence, answer) for answer, sentences in _SENTENCES[group].items() for sentence in sentences]


def _statements(text: str) -> list[Statement]:
    return segment([TextBlock(text=text)])


def _items(text: str, role: Role) -> list[Item]:
    return [item for item in read_items(_statements(text)) if item.role is role]


@pytest.mark.parametrize(("sentence", "answer"), _rows("contact"))
def test_who_calls_first(sentence: str, answer: str) -> None:
    assert read_contact(_statements(sentence), Trace(), SENT_ON).initiated_by == answer


@pytest.mark.parametrize(("sentence", "answer"), _rows("status"))
def test_where_the_patient_stands(sentence: str, answer: str) -> None:
    statements = _statements(f"Pakkeforløp hjem\n{sentence}")
    held = read_survey(statements, (), (), SENT_ON, Trace()).survey is not None
    assert read_status(statements, Trace(), held=held) == answer


@pytest.mark.parametrize(("sentence", "answer"), _rows("coordinator"))
def test_whether_the_coordinator_is_there(sentence: str, answer: str) -> None:
    assert read_follow_up(_statements(sentence), Trace()).kreftkoordinator is _SAID[answer]


@pytest.mark.parametrize(("sentence", "answer"), _rows("relatives_present"))
def test_whether_relatives_were_there(sentence: str, answer: str) -> None:
    survey = read_survey(_statements(f"Samtale: {sentence}"), (), (), SENT_ON, Trace()).survey
    assert survey is not None
    assert survey.relatives_present is _SAID[answer]


@pytest.mark.parametrize(("sentence", "answer"), _rows("form"))
def test_how_the_conversation_was_held(sentence: str, answer: str) -> None:
    survey = read_survey(_statements(f"Samtale: {sentence}"), (), (), SENT_ON, Trace()).survey
    assert survey is not None
    assert survey.form == answer


@pytest.mark.parametrize(("sentence", "answer"), _rows("responsible"))
def test_who_is_to_meet_a_need(sentence: str, answer: str) -> None:
    (item,) = _items(f"Behov:\n- {sentence}", Role.NEED)
    assert responsible_for(item, None) == answer


@pytest.mark.parametrize(("sentence", "answer"), _rows("objects"))
def test_whether_the_patient_objects_to_sharing(sentence: str, answer: str) -> None:
    assert read_objection(_statements(sentence), Trace()) is _SAID[answer]


@pytest.mark.parametrize(("sentence", "answer"), _rows("area"))
def test_the_area_of_a_strain(sentence: str, answer: str) -> None:
    (item,) = _items(f"Påkjenninger:\n- {sentence}", Role.STRAIN)
    assert area_of(item.low) == answer


@pytest.mark.parametrize(("sentence", "answer"), _rows("denied"))
def test_what_is_denied_is_no_strain(sentence: str, answer: str) -> None:
    assert _items(f"Påkjenninger:\n- {sentence}", Role.STRAIN) == []
    assert answer == "denied"
