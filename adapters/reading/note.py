"""A note read: everything that its words and the structured places beside them say."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass

from adapters.reading.areas import area_of
from adapters.reading.contact import read_contact
from adapters.reading.contradictions import against_action, against_diagnosis
from adapters.reading.diagnosis import doubts, illness, read_diagnosis, read_reason
from adapters.reading.follow_up import read_follow_up
from adapters.reading.identity import against_patient
from adapters.reading.items import Item, read_items
from adapters.reading.model import Statement, Topic, Trace
from adapters.reading.pathway import read_objection, read_started_on, read_status
from adapters.reading.people import Signature, is_signature
from adapters.reading.phones import find_phones
from adapters.reading.responsible import responsible_for
from adapters.reading.roles import Role, role_of
from adapters.reading.survey import read_survey
from adapters.reading.vocabulary import Words
from gateway.contracts.messages import Message
from gateway.contracts.summary import (
    Contact,
    Diagnosis,
    ExistingFollowUp,
    Need,
    Pathway,
    PathwayStatus,
    Referral,
    Responsible,
    Strain,
    Survey,
)
from gateway.contracts.text import line_or_none

_SALUTATION = Words("people", "salutation")
_RECIPIENT = Words("people", "recipient")
_TITLE = Words("title", "title")
_NOT_HELD = Words("survey", "not_held")
_MATTERS = Topic.MATTERS
_MALE = "1"
"""Code list 3101: mann"""
_LETTERS = re.compile(r"[^\W\d_]{2}")
_SAYS_NOTHING_MORE = frozenset(
    {
        Topic.TITLE,
        Topic.DENIED,
        Topic.SCALE,
        Topic.AUTHOR,
        Topic.RECIPIENT,
        Topic.PATIENT,
        Topic.PHONE,
        Topic.GP,
        Topic.KIN,
        Topic.LANGUAGE,
        Topic.CONSENT,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteReading:
    """What the words of a note say."""

    pathway: Pathway
    diagnosis: Diagnosis | None
    survey: Survey | None
    strains: tuple[Strain, ...]
    what_matters: str | None
    needs: tuple[Need, ...]
    referrals: tuple[Referral, ...]
    contact: Contact
    existing_follow_up: ExistingFollowUp
    score_out_of_range: bool
    contradicts: tuple[str, ...]
    """Words that say the opposite of a coded field"""


def read_note(
    message: Message,
    statements: Sequence[Statement],
    sent_on: datetime.date,
    trace: Trace,
    *,
    action_is_coded: bool = True,
) -> NoteReading:
    """Read the statements of a note, with the coded patient, diagnoses, procedures and events beside them.

    Args:
        message: the message.
        statements: its words.
        sent_on: its date.
        trace: what gave which field.
        action_is_coded: whether a field tells a change or a cancellation.
    """
    heard = read_survey(statements, message.procedures, message.events, sent_on, trace)
    survey = heard.survey
    status = read_status(statements, trace, held=survey is not None)
    if status is PathwayStatus.DECLINED:
        survey = None
    patient = message.head.patient
    sex = patient.sex.value if patient is not None and patient.sex is not None else None
    about = illness(statements, male=sex == _MALE)
    diagnosis = read_diagnosis(message.diagnoses, about, sent_on, trace)
    started_on = None
    if status is PathwayStatus.STARTED:
        held_on = survey.held_on if survey else None
        started_on = read_started_on(statements, trace, held_on=held_on, sent_on=sent_on)
        if survey is not None and survey.held_on is None:
            survey = survey.model_copy(update={"held_on": started_on})
    items = read_items(statements)
    against = (
        against_diagnosis(about, diagnosis) if message.diagnoses else None,
        doubts(message.diagnoses, about),
        against_action(message.action, statements) if action_is_coded else None,
    )
    return NoteReading(
        pathway=Pathway(
            status=status,
            reason=read_reason(about, diagnosis, sent_on, trace),
            started_on=started_on,
            objects_to_sharing=read_objection(statements, trace),
        ),
        diagnosis=diagnosis,
        survey=survey,
        strains=_strains(items, trace, child=any(map(_speaks_of_a_child, statements))),
        what_matters=_what_matters(statements, trace),
        needs=_needs(items, trace),
        referrals=_referrals(items, trace),
        contact=read_contact(statements, trace, sent_on),
        existing_follow_up=read_follow_up(statements, trace),
        score_out_of_range=heard.score_out_of_range,
        contradicts=(
            *heard.against,
            *(statement.text for statement in against if statement is not None),
            *against_patient(patient, statements, sent_on),
        ),
    )


def _of(items: Sequence[Item], role: Role) -> list[Item]:
    """The items of a role, each text once."""
    found: dict[str, Item] = {}
    for item in items:
        if item.role is role and _LETTERS.search(item.text) and line_or_none(item.text):
            found.setdefault(item.low, item)
    return list(found.values())


_CHILD = ("jente", "gut", "barn", "baby", "ungdom", "tenåring")
"""Of which every text has one that gives a child's age"""
_A_CHILD = re.compile(
    r"\b(?:jente|gutt|gut|barn|baby|spedbarn|ungdom|tenåring)\b\D{0,12}"
    r"(?:[0-9]|1[0-7])\s*(?:år|mnd|måneder|månader|uker|veker)\b"
    r"|\b(?:[0-9]|1[0-7])\s*(?:år\w*|mnd|måneder|månader)\s+(?:gammel|gamal|gammal)?\s*(?:jente|gutt|gut|barn)\b"
)


def _speaks_of_a_child(statement: Statement) -> bool:
    low = statement.low
    for letters in _CHILD:
        if letters in low:
            return _A_CHILD.search(low) is not None
    return False


def _strains(items: Sequence[Item], trace: Trace, *, child: bool) -> tuple[Strain, ...]:
    strains = []
    for index, item in enumerate(_of(items, Role.STRAIN)):
        trace.add(
            f"strains[{index}]",
            item.statement,
            "headings.strain" if item.headed else "strains",
            words=item.text,
        )
        heading = item.statement.heading
        area = heading.area if heading and heading.area else area_of(item.low, child=child)
        strains.append(Strain(area=area, text=item.text))
    return tuple(strains)


def _needs(items: Sequence[Item], trace: Trace) -> tuple[Need, ...]:
    needs: list[Need] = []
    before: tuple[Statement, Responsible] | None = None
    for index, item in enumerate(_of(items, Role.NEED)):
        trace.add(
            f"needs[{index}]", item.statement, "headings.need" if item.headed else "needs", words=item.text
        )
        named = before[1] if before and before[0] is item.statement and not item.headed else None
        responsible = responsible_for(item, named)
        before = (item.statement, responsible)
        needs.append(Need(text=item.text, responsible=responsible))
    return tuple(needs)


def _referrals(items: Sequence[Item], trace: Trace) -> tuple[Referral, ...]:
    referrals = []
    for index, item in enumerate(_of(items, Role.REFERRAL)):
        rule = "headings.referral" if item.headed else "referrals"
        trace.add(f"referrals[{index}]", item.statement, rule, words=item.text)
        referrals.append(Referral(text=item.text))
    return tuple(referrals)


def _what_matters(statements: Sequence[Statement], trace: Trace) -> str | None:
    headed = [s for s in statements if s.topic is _MATTERS and not s.weak]
    if headed:
        first = headed[0]
        same = [s for s in headed if s.heading is first.heading and (s is first or role_of(s.low) in _SAME)]
        for statement in same:
            trace.add("what_matters", statement, "headings.matters")
        return line_or_none(" ".join(s.text for s in same))
    for statement in statements:
        spoken = statement.weak or statement.topic in _MAY_SAY_WHAT_MATTERS
        if spoken and role_of(statement.low) is Role.MATTERS:
            trace.add("what_matters", statement, "matters.cue")
            return line_or_none(statement.text)
    return None


_MAY_SAY_WHAT_MATTERS = frozenset({None, Topic.BACKGROUND, Topic.STRAIN, Topic.SURVEY})
_SAME = frozenset({None, Role.MATTERS, Role.STRAIN, Role.NEED})


_IN_OTHER_FIELDS = frozenset({Role.DENIED, Role.REFERRAL, Role.SURVEY, Role.STATUS})


def unplaced(statements: Sequence[Statement], signature: Signature | None) -> tuple[str, ...]:
    """Pieces of the note that no field holds, and that are no title, greeting, name or denial."""
    signed = signature.lines if signature else ()
    return tuple(
        s.text
        for s in statements
        if not s.placed and _says_something(s) and not any(s.text in line for line in signed)
    )


def _says_something(statement: Statement) -> bool:
    low = statement.low
    if statement.topic in _SAYS_NOTHING_MORE or not _LETTERS.search(low) or find_phones(statement.text):
        return False
    if is_signature(statement.text) or _SALUTATION.at_start(low) or _RECIPIENT.at_start(low) or low in _TITLE:
        return False
    if statement.topic is Topic.SURVEY and (low in _NOT_HELD or statement.whole in _NOT_HELD):
        return False
    return role_of(low) not in _IN_OTHER_FIELDS
