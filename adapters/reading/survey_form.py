"""How the conversation was held: by the contact that is coded, or by the words."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence

from adapters.reading.model import Statement, Trace
from adapters.reading.parties import read_day
from adapters.reading.vocabulary import Words, remembered
from gateway.contracts.messages import EventEntry
from gateway.contracts.summary import SurveyForm

_INTERPRETER = Words("survey", "interpreter")
_FORMS = (
    (SurveyForm.VIDEO, Words("survey", "video")),
    (SurveyForm.PHONE, Words("survey", "phone")),
    (SurveyForm.IN_PERSON, Words("survey", "in_person")),
)
_FORM_WORDS = dict(_FORMS)
_ADMISSION_FORMS = {"6": SurveyForm.PHONE, "4": SurveyForm.VIDEO, "3": SurveyForm.IN_PERSON}
"""Code list 8240 (AdmCat): telefonkontakt, telemedisinsk kontakt, poliklinisk omsorg"""
_EVENT_FORMS = (
    (re.compile(r"telefon", re.IGNORECASE), SurveyForm.PHONE),
    (re.compile(r"video", re.IGNORECASE), SurveyForm.VIDEO),
    (re.compile(r"poliklinisk|konsultasjon", re.IGNORECASE), SurveyForm.IN_PERSON),
)
_NUMBER = re.compile(r"\b(?:tlf|telefon|mob\w*|nummer)\b\.?\s*:?\s*(?=[+\d][\d ]{6})")


def read_form(
    ranked: Sequence[Statement],
    near: Sequence[Statement],
    events: Sequence[EventEntry],
    held_on: datetime.date | None,
    trace: Trace,
) -> tuple[SurveyForm | None, str | None]:
    """Read the form: that of a coded contact on the day of the talk, else of the words, else of any contact.

    Args:
        ranked: what is said of the conversation, the surest first.
        near: the same, with what stands beside it.
        events: the contacts of the message.
        held_on: the day of the conversation.
        trace: what gave which field.

    Returns:
        The form, and the words that give another than the code.
    """
    said = _form_in(ranked[:1]) or _form_in(ranked)
    coded = [(event, form) for event in events if (form := _coded_form(event)) is not None]
    of_the_day = next(((e, f) for e, f in coded if held_on is not None and _only_day(e) == held_on), None)
    if of_the_day is not None:
        event, form = of_the_day
        trace.structured("survey.form", _name_of(event), event.place)
        differs = said is not None and said[0] is not form and not any(_tells(form, s) for s in ranked)
        return form, said[1].text if said is not None and differs else None
    said = said or _form_in(near)
    if said is not None:
        trace.add("survey.form", said[1], f"survey.{said[0]}")
        return said[0], None
    if coded:
        event, form = coded[0]
        trace.structured("survey.form", _name_of(event), event.place)
        return form, None
    return None, None


def _form_in(statements: Sequence[Statement]) -> tuple[SurveyForm, Statement] | None:
    for form, _ in _FORMS:
        for statement in statements:
            if _tells(form, statement):
                return form, statement
    return None


def _tells(form: SurveyForm, statement: Statement) -> bool:
    return _without_interpreter(statement.whole) in _FORM_WORDS[form]


def _coded_form(event: EventEntry) -> SurveyForm | None:
    """The form of a contact, by its code or the words of its field."""
    if event.code is not None and event.code.value in _ADMISSION_FORMS:
        return _ADMISSION_FORMS[event.code.value]
    described = event.description or ""
    return next((form for pattern, form in _EVENT_FORMS if pattern.search(described)), None)


def _name_of(event: EventEntry) -> str | None:
    return (event.code.name or event.code.value) if event.code is not None else event.description


def _only_day(event: EventEntry) -> datetime.date | None:
    """The day of a contact of one day."""
    start, end = read_day(event.start), read_day(event.end)
    return start if end is None or end == start else None


@remembered
def _without_interpreter(low: str) -> str:
    return _NUMBER.sub(" ", _INTERPRETER.blotted(low))
