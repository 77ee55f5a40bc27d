"""The conversation that maps the patient's needs: when, how, the thermometer, who was there."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass

from adapters.reading.areas import FAMILY_WORDS
from adapters.reading.contact import initiator_in
from adapters.reading.model import Statement, Topic, Trace
from adapters.reading.roles import HELD, PATHWAY, PLANNED, Role, role_of
from adapters.reading.scores import FoundScore, find_scores, names_number
from adapters.reading.survey_form import read_form
from adapters.reading.vocabulary import Words, lower
from gateway.contracts.messages import EventEntry, ProcedureEntry
from gateway.contracts.summary import Survey

_TITLE = Words("title", "title")
_A_WORD = re.compile(r"[^\W\d_]+")
_WORDS_OF_A_TITLE = 9
_DIGIT = re.compile(r"\d")
_POINT = re.compile(r"\b(?:sp|samhandlingspunkt)\s?1\b")
_DONE = re.compile(r"\b(?:gjort|utført|gjennomført|gjennomførd|tatt|teke|holdt|halden|avholdt)\b|\d[./]")
_MAIN = Words("survey", "main")
_NOT_HELD = Words("survey", "not_held")
_BROKEN_OFF = Words("survey", "broken_off")
_PRESENT = Words("survey", "present")
_ALONE = Words("survey", "alone")
_SURVEY, _KIN = Topic.SURVEY, Topic.KIN
_CODE = re.compile(r"\bWMFG\s?11\b", re.IGNORECASE)
PROCEDURE_CODE = "WMFG11"
_CLOSED = frozenset(
    {
        Topic.STRAIN,
        Topic.NEED,
        Topic.REFERRAL,
        Topic.MATTERS,
        Topic.DENIED,
        Topic.SCALE,
        Topic.AUTHOR,
        Topic.RECIPIENT,
        Topic.TITLE,
        Topic.FOLLOW_UP,
        Topic.PHONE,
        Topic.KIN,
        Topic.GP,
    }
)
_ASKED = re.compile(
    r"(?:pårørende|pårørande|ektefelle|ledsag|følge)\w*\W[^:]{0,30}:|^(?:til stede|tilstede|deltok)[^:]*:"
)
_YES_OR_NO = re.compile(r"\W*(ja|nei)\b")
_NO_SCORE = frozenset({Topic.SCALE, Topic.DENIED})
_NOT_OF_THE_TALK = frozenset({Role.STRAIN, Role.NEED, Role.REFERRAL})
_CAME = re.compile(r"\b(?:til ?stede|deltok|deltar|var med|satt med|deltatt)\b")
_CLAUSE = re.compile(r", (?:og |men )?|; | og (?=(?:han|hun|ho|innkall|skal|vi|jeg|de)\b)")
_MOST_WORDS_OF_A_LIST = 3
_WHICH_OF_THEM = re.compile(r"\b(?P<last>siste|andre)\b|\b(?:første|fyrste)\b")
_AT_HOME = re.compile(r"\b(?:bor|bur|hjemme sammen|heime saman)\b")
_FRIEND = re.compile(r"\b(?:venn|venninne|veninde|vennen|venninna|venninnen|nabo|naboen)\b")
_A_MAN = re.compile(
    r"\b(?:en|ein|gammel|gamal|ung|eldre|årig)\s+mann\b|\bmann(?=\s+(?:på|med|i|født|f\.|\d))"
)
"""The patient himself"""
_NOT_WITH = re.compile(
    r"\b(?:ikke|ikkje|ingen|inga|uten|utan|u)\b.{0,24}(?:\b(?:med|til stede|der)\b|pårørende|pårørande)"
)
_OF_AN_EARLIER_NOTE = ("notat", "rettelse", "erstat")
_EARLIER_NOTE = re.compile(r"\bnotat(?:et)?\b[^.]{0,40}\bsendt|\brettelse\b|\berstatte?r\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyReading:
    """The conversation, and whether its score could not be taken."""

    survey: Survey | None
    score_out_of_range: bool
    against: tuple[str, ...] = ()
    """Words that say of a coded conversation that it was not held, or that it was held in another form"""


def read_survey(
    statements: Sequence[Statement],
    procedures: Sequence[ProcedureEntry],
    events: Sequence[EventEntry],
    sent_on: datetime.date,
    trace: Trace,
) -> SurveyReading:
    """Read the conversation; none where the note says that it was not held, or nothing of it.

    One that is coded was held, whatever the words say.
    """
    open_ones = [s for s in statements if s.topic not in _CLOSED]
    about = [s for s in open_ones if _is_about(s)]
    coded = any((p.code.value or "").upper() == PROCEDURE_CODE for p in procedures)
    written = not coded and any("wmfg" in s.low and _CODE.search(s.text) for s in statements)
    refused = {id(s.heading) for s in about if s.topic is _SURVEY and _not_held(s)}
    held = [s for s in about if not _not_held(s) and id(s.heading) not in refused]
    if any(s.topic is _SURVEY and s.label and _not_held(s) for s in about):
        # The form says that there was none: where the pathway was spoken of, it was offered.
        held = [s for s in held if s.low not in PATHWAY or _has_main(s) or s.topic is _SURVEY]
    denied = len(held) < len(about) and not any(_has_day(s, sent_on) for s in held)
    if denied and not coded:
        return SurveyReading(survey=None, score_out_of_range=False)
    score, out = _score(statements, {s.place for s in held}, trace)
    if not held and score is None and not coded and not written:
        return SurveyReading(survey=None, score_out_of_range=out)
    for statement in held:
        trace.add("survey", statement, "survey.held")
    for procedure in procedures:
        if (procedure.code.value or "").upper() == PROCEDURE_CODE:
            trace.structured(
                "survey.procedure_code", procedure.code.value, procedure.place or "a coded field"
            )
    near = _with_neighbours([s for s in statements if _may_tell_who_came(s)], held)
    held_on = _held_on(statements, held, sent_on)
    form, against_form = read_form(sorted(held, key=_rank), near, events, held_on, trace)
    if held_on is not None and (day := _names_day(statements, held_on, sent_on)) is not None:
        day.placed = True
        trace.add("survey.held_on", _names_day(held, held_on, sent_on) or day, "survey.held")
    survey = Survey(
        held_on=held_on,
        form=form,
        distress_score=score,
        relatives_present=_relatives(near, trace),
        procedure_code=PROCEDURE_CODE if coded or written else None,
    )
    against = next((s.text for s in about if _not_held(s)), None) if denied else None
    return SurveyReading(
        survey=survey,
        score_out_of_range=out,
        against=tuple(words for words in (against, against_form) if words is not None),
    )


def _names_day(
    statements: Sequence[Statement], day: datetime.date, sent_on: datetime.date
) -> Statement | None:
    return next((s for s in statements if any(d.value == day for d in s.dates(sent_on))), None)


def _is_about(statement: Statement) -> bool:
    if statement.topic is _SURVEY and not statement.weak:
        return True
    low = statement.low
    if not HELD.may_be_within(low) or _is_title(low) or _of_earlier_note(low):
        return False
    return any(
        clause in HELD and clause not in PLANNED and initiator_in(clause) is None
        for clause in _CLAUSE.split(low)
    )


def _of_earlier_note(low: str) -> bool:
    return any(letters in low for letters in _OF_AN_EARLIER_NOTE) and _EARLIER_NOTE.search(low) is not None


def _is_title(low: str) -> bool:
    """Whether words are no more than the note's title: «Pakkeforløp hjem, SP1» tells of no talk."""
    if low not in _TITLE or len(_A_WORD.findall(low)) > _WORDS_OF_A_TITLE:
        return False
    return _DIGIT.search(low) is not None and _POINT.sub("·", low) not in HELD and not _DONE.search(low)


def _not_held(statement: Statement) -> bool:
    return bool(statement.low in _NOT_HELD or statement.whole in _NOT_HELD)


def _may_tell_who_came(statement: Statement) -> bool:
    if statement.topic is _KIN:
        return _CAME.search(statement.low) is not None
    return statement.topic not in _CLOSED


def _has_main(statement: Statement) -> bool:
    return statement.low in _MAIN


def _has_day(statement: Statement, sent_on: datetime.date) -> bool:
    return any(d.precision == "day" for d in statement.dates(sent_on))


def _with_neighbours(statements: Sequence[Statement], held: Sequence[Statement]) -> list[Statement]:
    """What was said of the conversation, and the two sentences after each such statement."""
    chosen: list[Statement] = []
    left = 0
    paragraph = -1
    of_it = {id(one) for one in held}
    for statement in statements:
        if id(statement) in of_it:
            left, paragraph = 2, statement.paragraph
            chosen.append(statement)
        elif left and statement.paragraph == paragraph:
            left -= 1
            chosen.append(statement)
    return chosen


def _held_on(
    statements: Sequence[Statement], held: Sequence[Statement], sent_on: datetime.date
) -> datetime.date | None:
    """The day of the conversation: of several, the one of the survey itself."""
    candidates: list[tuple[int, int, datetime.date]] = []
    last: datetime.date | None = None
    days: list[datetime.date] = []
    of_it = {id(one) for one in held}
    for order, statement in enumerate(statements):
        if not of_it:
            break  # days that are named after all of them are not theirs
        dates = statement.dates(sent_on)
        if id(statement) in of_it:
            of_it.remove(id(statement))
            day = _day_of_talk(statement, sent_on, last) or _one_of(days, statement)
            if day is not None:
                candidates.append((_rank(statement), order, day))
        named = [
            d.value for d in dates if d.precision == "day" and d.value is not None and d.value <= sent_on
        ]
        days = named or days
        last = days[-1] if days else last
    return min(candidates)[2] if candidates else None


def _one_of(days: Sequence[datetime.date], statement: Statement) -> datetime.date | None:
    """Which of the days named before was the survey's: `den siste var selve kartleggingen`."""
    which = _WHICH_OF_THEM.search(statement.low) if _has_main(statement) else None
    if which is None or not days:
        return None
    return days[-1] if which["last"] else days[0]


def _rank(statement: Statement) -> int:
    """Which of several talks was the survey: lower is surer."""
    if statement.low in _BROKEN_OFF and not _has_main(statement):
        return 2
    return 0 if _has_main(statement) or statement.topic is _SURVEY else 1


def _day_of_talk(
    statement: Statement, sent_on: datetime.date, last: datetime.date | None
) -> datetime.date | None:
    words = HELD.find(statement.low)
    start = words.start() if words else 0
    best: tuple[int, datetime.date] | None = None
    for date in statement.dates(sent_on):
        value = date.value or (last if date.precision == "same_day" else None)
        if value is None or date.precision not in {"day", "same_day"} or value > sent_on:
            continue
        distance = date.span[0] - start if date.span[0] >= start else (start - date.span[1]) * 2
        distance += 40 if lower(date.words).startswith("i ") else 0
        if best is None or distance < best[0]:
            best = distance, value
    return best[1] if best else None


def _relatives(near: Sequence[Statement], trace: Trace) -> bool | None:
    alone: Statement | None = None
    for statement in near:
        low = statement.low
        if (asked := _ASKED.search(statement.whole)) and (answer := _YES_OR_NO.match(low)):
            del asked
            trace.add("survey.relatives_present", statement, "headings.company")
            return answer[1] == "ja"
        if _names_family_only(statement):
            trace.add("survey.relatives_present", statement, "headings.survey")
            return True
        if statement.label in _PRESENT and low in FAMILY_WORDS and not _NOT_WITH.search(low):
            trace.add("survey.relatives_present", statement, "headings.company")
            return True
        if (
            _PRESENT.may_be_within(low)
            and any(_with_family(clause) for clause in low.split(", "))
            and role_of(low) not in _NOT_OF_THE_TALK
        ):
            trace.add("survey.relatives_present", statement, "survey.present")
            return True
        if low in _ALONE:
            alone = alone or statement
    if alone is None:
        return None
    trace.add("survey.relatives_present", alone, "survey.alone")
    return False


def _names_family_only(statement: Statement) -> bool:
    """Whether relatives are listed among day and place, without a word more: `SAMTALE: 2.3., pol, kone`."""
    if statement.topic is not _SURVEY or not statement.label:
        return False
    return any(
        part in FAMILY_WORDS and len(part.split()) <= _MOST_WORDS_OF_A_LIST and not _NOT_WITH.search(part)
        for part in statement.low.split(", ")[1:]
    )


def _with_family(clause: str) -> bool:
    """Whether a clause says that a relative took part."""
    clause = _A_MAN.sub(" ", clause)
    if _AT_HOME.search(clause):
        return False
    return bool(
        (clause in FAMILY_WORDS or _FRIEND.search(clause))
        and clause in _PRESENT
        and not _NOT_WITH.search(clause)
    )


def _score(statements: Sequence[Statement], held: set[str], trace: Trace) -> tuple[int | None, bool]:
    """The thermometer, and whether a score was given that is none."""
    found: list[tuple[bool, FoundScore, Statement]] = []
    for statement in statements:
        if statement.topic in _NO_SCORE:
            continue
        if not names_number(statement.low) and not (statement.label and names_number(statement.label)):
            continue
        headed = statement.topic is Topic.SCORE and (statement.label or statement.question)
        # Under a heading of the thermometer the number alone is the score, whatever the heading calls it.
        prefix = "termometer: " if headed else f"{statement.label}: " if statement.label else ""
        found += [
            (score.aside, score, statement)
            for score in find_scores(prefix + statement.text)
            if score.scale == "distress"
        ]
    if not found:
        # Where the talk is told of, a score of nothing in particular is the thermometer's.
        found = [
            (score.aside, score, statement)
            for statement in statements
            if statement.topic is _SURVEY or statement.place in held
            for score in find_scores(statement.text)
            if score.scale is None and not score.out_of_range
        ]
    if not found:
        return None, False
    _, score, statement = min(found, key=lambda one: one[0])
    trace.add("survey.distress_score", statement, words=score.words)
    return score.value, score.out_of_range
