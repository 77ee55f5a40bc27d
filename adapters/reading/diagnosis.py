"""The cancer that the note is about: code, words, day, whether it is certain, aim of the treatment."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence

from adapters.reading.contradictions import (
    EARLIER,
    METASTASIS,
    against_certainty,
    denies_diagnosis,
    says_none_yet,
    sites,
)
from adapters.reading.dates import FoundDate
from adapters.reading.model import Statement, Topic, Trace
from adapters.reading.roles import RELATIVES_ILLNESS, TREATMENT, speaks_of_cancer
from adapters.reading.splitting import Separator, split_at
from adapters.reading.vocabulary import Sieve, Words, lower
from gateway.contracts.messages import DiagnosisEntry
from gateway.contracts.summary import Diagnosis, Intent, PathwayReason
from gateway.contracts.text import line_or_none
from gateway.formats.diagnosis_code import CodeSystem, find_codes, is_cancer, normalise, system_of

_UNCERTAIN = Words("diagnosis", "uncertain")
_FOUND = Words("diagnosis", "found")
_SEEN = Words("diagnosis", "seen")
_OTHER_EVENT = Words("diagnosis", "other_event")
_CURATIVE = Words("diagnosis", "curative")
_PALLIATIVE = Words("diagnosis", "palliative")
_PALLIATIVE_SERVICE = Words("diagnosis", "palliative_service")
_RELAPSE = Words("diagnosis", "relapse")
_NO_RELAPSE = Words("diagnosis", "no_relapse")
_NEW = Words("diagnosis", "new")
_AIM = Sieve(_CURATIVE, _PALLIATIVE)
_NEGATED_AIM = re.compile(r"\b(?:ikke|ikkje|inte|ikkje-|uten|utan|ingen|inga)\W+(?:\w+\W+){0,3}$")

_CLOSED = frozenset(
    {
        Topic.STRAIN,
        Topic.NEED,
        Topic.REFERRAL,
        Topic.MATTERS,
        Topic.CONTACT,
        Topic.FOLLOW_UP,
        Topic.PHONE,
        Topic.KIN,
        Topic.GP,
        Topic.LANGUAGE,
        Topic.CONSENT,
        Topic.AUTHOR,
        Topic.RECIPIENT,
        Topic.DENIED,
        Topic.SCALE,
        Topic.SCORE,
    }
)
"""Headings under which the illness is not told"""
_KIN, _DIAGNOSIS = Topic.KIN, Topic.DIAGNOSIS
_THE_MAN = re.compile(r"\W*mannen (?:har|fikk|fekk|hadde|er|ble|blei|vart)\b")
_FIRST_DIGIT_OF_METASTASES = re.compile(r"C7[789]")
_FOUND_DURING = re.compile(
    r"^\w+\W+(?:\w+\W+)?(?:ved|v|under|på|i forbindelse med|i samband med)\W+(?:\w+\W+)?$"
)
_CLAUSE_END = Separator(
    r",\s+(?=(?:påvist|diagnos|biopsi|svar|dx|funnet|funnen|oppdag|stadfest|bekreft|operert|opereres|op\b|skal|"
    r"starter|har|får|fikk|og|som|vevsprøv|histologi|behandl|innlagt|nå |no |der |verifi|stilt|"
    r"kurativ|palliativ|lindr|jeg|vi|\d{1,2}[./ ]))|\s+(?:påvist|stadfesta|bekreftet|diagnostisert)\s+\d",
    *(",", "påvist", "stadfesta", "bekreftet", "diagnostisert"),
)
_LEAD = re.compile(
    r"^(?:.*?\b(?:fått diagnosen|fikk diagnosen|fekk diagnosen|har fått|diagnosen|diagnose er|kjent|"
    r"med nyoppdaget|med nyoppdaga|nyoppdaget|nyoppdaga|residiv av|har)\s+)(?=\S)",
    re.IGNORECASE,
)
_MONTHS_A_NEW_DIAGNOSIS_IS_NEW = datetime.timedelta(days=400)


def illness(statements: Sequence[Statement], *, male: bool = False) -> list[Statement]:
    """The statements that may tell of the patient's illness.

    Args:
        statements: the note.
        male: the patient is a man: `Mannen fikk påvist prostatakreft` tells of him.
    """
    return [
        s
        for s in statements
        if _may_tell_of_illness(s)
        and (s.low not in RELATIVES_ILLNESS or (male and _THE_MAN.match(s.low) is not None))
    ]


def _may_tell_of_illness(statement: Statement) -> bool:
    if statement.topic is _KIN:
        # `Mor: Lys Måne. Jenta har leukemi.`: the label was the first sentence's.
        return not statement.label and not statement.question and speaks_of_cancer(statement.low)
    return statement.topic not in _CLOSED


def read_diagnosis(
    entries: Sequence[DiagnosisEntry], about: Sequence[Statement], sent_on: datetime.date, trace: Trace
) -> Diagnosis | None:
    """Read the diagnosis: the coded main one that is a cancer, else the words of the note.

    Args:
        entries: the coded diagnoses.
        about: the statements that may tell of the illness.
        sent_on: the message's date.
        trace: what gave which field.
    """
    coded = _coded(entries)
    named = [s for s in about if speaks_of_cancer(s.whole)]
    headed = [s for s in about if s.topic is _DIAGNOSIS]
    said = _said(named, headed)
    code, system, name = _code(coded, [*headed, *named])
    text = line_or_none(_text(said, name))
    if coded is not None and _is_cancer(coded):
        confirmed = not denies_diagnosis(about)
    else:
        confirmed = _confirmed(about, code, system)
    if code is None and text is None:
        return None
    if coded is not None:
        trace.structured("diagnosis.code", name or code, coded.place)
        if said is None:
            trace.structured("diagnosis", name or code, coded.place)
    for statement in {id(s): s for s in (*headed, *named)}.values():
        by_heading = statement.topic is _DIAGNOSIS
        trace.add("diagnosis", statement, "headings.diagnosis" if by_heading else "diagnosis.cancer")
    return Diagnosis(
        code=code,
        code_system=system,
        text=text,
        date=_date(about, said, sent_on, trace) if confirmed else None,
        confirmed=confirmed,
        intent=read_intent(about, trace),
    )


def _coded(entries: Sequence[DiagnosisEntry]) -> DiagnosisEntry | None:
    """The main diagnosis; where that is no cancer, the first other that is one and no metastasis."""
    ordered = sorted(entries, key=lambda entry: not entry.main)
    cancers = [entry for entry in ordered if _is_cancer(entry)]
    primary = [e for e in cancers if not _FIRST_DIGIT_OF_METASTASES.match(_normal(e)[0] or "")]
    return next(iter([*primary, *cancers, *ordered]), None)


def _normal(entry: DiagnosisEntry) -> tuple[str | None, CodeSystem | None]:
    code = entry.code
    if code is None or not code.value:
        return None, None
    system = system_of(code.code_list, code.value)
    return normalise(code.value, system), system


def _is_cancer(entry: DiagnosisEntry) -> bool:
    code, system = _normal(entry)
    return code is not None and system is not None and is_cancer(code, system)


def _code(
    coded: DiagnosisEntry | None, statements: Sequence[Statement]
) -> tuple[str | None, CodeSystem | None, str | None]:
    """Code, code list and name: the coded entry's, else a code in the words."""
    if coded is not None:
        code, system = _normal(coded)
        name = (coded.code.name or coded.code.original_text if coded.code else None) or coded.description
        if code is not None:
            return code, system, name
        if name:
            return None, None, name
    for statement in statements:
        for found in find_codes(statement.text):
            if is_cancer(found.code, found.system):
                return found.code, found.system, None
    return None, None, None


def _said(named: Sequence[Statement], headed: Sequence[Statement]) -> Statement | None:
    """The statement that names the illness: of several, no earlier one."""
    if len(named) > 1 and any(map(_names_new_cancer, named)):
        named = [s for s in named if s.low not in EARLIER]
    under_heading = [s for s in named if s.topic is _DIAGNOSIS]
    if under_heading:
        return under_heading[0]
    if headed and not named:
        return headed[0]
    sure = [s for s in named if s.low not in _RELAPSE or s.low not in _NO_RELAPSE]
    return next(iter([*sure, *headed]), None)


def _names_new_cancer(statement: Statement) -> bool:
    low = statement.low
    return (
        sites().first(low) is not None
        and low not in EARLIER
        and low not in METASTASIS
        and low not in _RELAPSE
    )


def _text(said: Statement | None, name: str | None) -> str | None:
    """The name of the code, and the words of the note where they say it otherwise."""
    if said is None:
        return name
    words = _words(said)
    if name is None or lower(name) in lower(words):
        return words
    return name if lower(words) in lower(name) else f"{name}: {words}"


def _words(said: Statement) -> str:
    """The clause that names the illness."""
    clauses = split_at(said.text, _CLAUSE_END)
    for clause in clauses:
        if speaks_of_cancer(lower(clause)):
            lead = _LEAD.match(clause)
            shorter = clause[lead.end() :] if lead and not speaks_of_cancer(lower(lead[0])) else clause
            return (shorter if speaks_of_cancer(lower(shorter)) else clause).strip(" .,;")
    return said.text.strip(" .,;")


def _date(
    about: Sequence[Statement], said: Statement | None, sent_on: datetime.date, trace: Trace
) -> datetime.date | None:
    """The day on which the illness was found, by the words nearest before the day."""
    best: tuple[int, datetime.date, Statement] | None = None
    for order, statement in enumerate(about):
        weight = _weight(statement, said)
        if weight is None:
            continue
        dates = [d for d in statement.dates(sent_on) if d.precision == "day" and d.value]
        for date in dates:
            kind = _event_of(statement, date)
            if kind is None or date.value is None or date.value > sent_on:
                continue
            rank = kind * 100 + weight * 10 + min(order, 9)
            if best is None or rank < best[0]:
                best = rank, date.value, statement
    if best is None:
        return None
    trace.add("diagnosis.date", best[2], "diagnosis.found")
    return best[1]


def _weight(statement: Statement, said: Statement | None) -> int | None:
    """How close a statement is to the illness; None where it speaks of something else."""
    if statement is said:
        return 0
    if statement.topic is _DIAGNOSIS:
        return 1
    if (statement.whole in _FOUND or statement.whole in _SEEN) and (
        statement.topic is None or statement.topic in _OPEN
    ):
        return 2
    return None


_OPEN = frozenset({Topic.BACKGROUND, Topic.PLAN, Topic.STATUS, Topic.PATIENT})


def _event_of(statement: Statement, date: FoundDate) -> int | None:
    """How surely a day is that of the finding, 0 the surest; None: another day."""
    offset = len(statement.whole) - len(statement.low)
    whole, start = statement.whole, date.span[0] + offset
    begin = max(whole.rfind(mark, 0, start) for mark in (";", "–"))
    before, after = whole[max(begin, 0) : start], whole[date.span[1] + offset : date.span[1] + offset + 30]
    found, other = _last(_FOUND, before), _last(_OTHER_EVENT, before)
    seen = _last(_SEEN, before)
    if seen >= max(found, other, 0):
        return 1
    found = max(found, seen)
    if found < 0 and other < 0:
        follows = _FOUND.find(after) or _SEEN.find(after)
        if follows and follows.start() < 12 and "," not in after[: follows.start()]:
            return 2
        return 3 if statement.topic is _DIAGNOSIS else None
    return None if other > found and not _FOUND_DURING.search(before[max(found, 0) : other]) else 0


def _last(words: Words, text: str) -> int:
    return max((match.start() for match in words.all(text)), default=-1)


def doubts(entries: Sequence[DiagnosisEntry], about: Sequence[Statement]) -> Statement | None:
    """The first statement that says of a coded cancer that there is none yet."""
    if not any(map(_is_cancer, entries)):
        return None
    return against_certainty(about, *_uncertain_and_sure(about))


def _confirmed(about: Sequence[Statement], code: str | None, system: CodeSystem | None) -> bool:
    """Whether the words, with the code that they may hold, leave no doubt."""
    if any(map(says_none_yet, about)):
        return False
    if code is not None and system is not None and is_cancer(code, system):
        return True
    uncertain, sure = _uncertain_and_sure(about)
    return not uncertain or bool(sure)


def _uncertain_and_sure(about: Sequence[Statement]) -> tuple[list[Statement], list[Statement]]:
    """What calls the illness uncertain, and what names it and does not."""
    uncertain = [s for s in about if s.low in _UNCERTAIN and (s.topic is _DIAGNOSIS or _is_of_illness(s))]
    sure = [s for s in about if s not in uncertain and speaks_of_cancer(s.low) and s.topic is not Topic.TITLE]
    return uncertain, sure


def _is_of_illness(statement: Statement) -> bool:
    return bool(speaks_of_cancer(statement.low) or statement.low in TREATMENT) or "utred" in statement.low


def read_intent(about: Sequence[Statement], trace: Trace) -> Intent | None:
    """The aim of the treatment; lindring and the like outweigh, services for it do not count."""
    curative: Statement | None = None
    for statement in about:
        if not _AIM.passes(statement.whole):
            continue
        low = _PALLIATIVE_SERVICE.blotted(statement.whole)
        if low in _PALLIATIVE:
            trace.add("diagnosis.intent", statement, "diagnosis.palliative")
            return Intent.PALLIATIVE
        aim = _CURATIVE.find(low) or _CURATIVE.find(statement.low)
        if aim is not None:
            if _NEGATED_AIM.search(aim.string[: aim.start()]):
                trace.add("diagnosis.intent", statement, "diagnosis.palliative")
                return Intent.PALLIATIVE
            curative = curative or statement
    if curative is None:
        return None
    trace.add("diagnosis.intent", curative, "diagnosis.curative")
    return Intent.CURATIVE


def read_reason(
    about: Sequence[Statement], diagnosis: Diagnosis | None, sent_on: datetime.date, trace: Trace
) -> PathwayReason | None:
    """Why the pathway is offered: a relapse or a new cancer, where the note says so or gives a recent day.

    Args:
        about: the statements that may tell of the illness.
        diagnosis: what was read of it.
        sent_on: the message's date.
        trace: what gave which field.
    """
    for statement in about:
        if statement.low in _NEW:
            trace.add("pathway.reason", statement, "diagnosis.new")
            return PathwayReason.NEW_DIAGNOSIS
    for statement in about:
        if statement.low in _RELAPSE and statement.low not in _NO_RELAPSE:
            trace.add("pathway.reason", statement, "diagnosis.relapse")
            return PathwayReason.RELAPSE
    if diagnosis is None or not diagnosis.confirmed or diagnosis.date is None:
        return None
    if sent_on - diagnosis.date > _MONTHS_A_NEW_DIAGNOSIS_IS_NEW:
        return None
    trace.as_of("pathway.reason", "diagnosis.date", "a recent day")
    return PathwayReason.NEW_DIAGNOSIS
