"""Whether the patient has started the pathway, since when, and whether they object to sharing."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass

from adapters.reading.contact import initiator_in
from adapters.reading.model import LISTS, Statement, Topic, Trace
from adapters.reading.roles import JOINS, PATHWAY
from adapters.reading.vocabulary import Sieve, Words
from gateway.contracts.summary import ContactInitiator, PathwayStatus

_STARTED = Words("status", "started")
_REFUSED = Words("status", "refused")
_REFUSED_MUNICIPALITY = Words("status", "refused_municipality")
_NOT_NOW = Words("status", "not_now")
_LATER = Words("status", "later")
_UNDECIDED = Words("status", "undecided")
_OBJECTS = Words("status", "objects")
_OBJECTS_SURELY = Words("status", "objects_surely")
_OBJECTION_RECEIVERS = Words("status", "objection_receivers")
_OBJECTION_OTHERS = Words("status", "objection_others")
_MAY_START = Sieve(_STARTED, JOINS)
_HEARD = Sieve(_STARTED, JOINS, _REFUSED, _REFUSED_MUNICIPALITY, _NOT_NOW, _LATER, _UNDECIDED)
_TALK = re.compile(
    r"samtal|kartlegg|pakkefor|tilbud|tilbod|behovskart|oppfølging i kommunen|delta|være med|vere med"
)
_DAY_OF_THE_TALK = re.compile(
    r"\b(?:samtaledag\w*|samtaledato\w*|samme dag som samtal\w*|same dag som samtal\w*|denne samtalen|"
    r"denne samtala|samtalen som start|dagen for samtal\w*|dato for samtal\w*|kartleggingsdato\w*)"
)
_TREATMENT_STARTS = re.compile(
    r"(?:cellegift|kur|behandling|stråling|strålebehandling|immunterapi|hormon\w*|antibiotika|kjemo\w*)\w*\W+"
    r"(?:\w+\W+){0,2}(?:start|opstart)|(?:start\w*|opstart\w*)\W+(?:\w+\W+){0,2}(?:cellegift|kur\b|behandling|stråling|"
    r"strålebehandling|immunterapi|hormon|antibiotika|kjemo|opp med|med ny)|start uke"
)
_AT_THE_TALK = re.compile(
    r"[\W\w]{0,30}?\b(?:ved|v|i forbindelse med|ifm\.?|i samband med)\W+\w*(?:kartlegging|samtale?)\w*\W+"
    r"(?:den\W+)?"
)
"""`startet PFH ved kartlegging 8/7`: the day of the talk is that of the start"""
_FROM_AND_WITH = re.compile(r"\bf\.?\s?o\.?\s?m\b\.?")
_YES = re.compile(r"\W*ja\b[\s,.;:]*")
_THAT_DAY = re.compile(r"\b(?:denne|den) dagen\b|\bfra den dato\w*|\bfra da av\b")
_NO = re.compile(r"^\W*(?:nei|nej|ikke|ikkje)\b")
_ASKED = re.compile(r"\b(?:informert|orientert|brosjyre|tilbudt|tilbydd|fått tilbud|fått tilbod|spurt)\b")

_STATUS = Topic.STATUS
_OF_THE_PATHWAY = frozenset({Topic.STATUS, Topic.SURVEY})
_ABOUT_IT = frozenset({Topic.STATUS, Topic.SURVEY, Topic.CONSENT, Topic.CONTACT, Topic.BACKGROUND, None})


@dataclass(slots=True, kw_only=True)
class _Said:
    """What the statements say, taken together."""

    started: bool = False
    refused: bool = False
    refused_municipality: bool = False
    not_now: bool = False
    later: bool = False
    undecided: bool = False


def read_status(statements: Sequence[Statement], trace: Trace, *, held: bool) -> PathwayStatus:
    """Read where the patient stands.

    Args:
        statements: the note.
        trace: what gave which field.
        held: whether the conversation was held.
    """
    said = _Said()
    place = ""
    for statement in statements:
        if statement.topic in _ABOUT_IT:
            _hear(statement, said, trace, goes_on=statement.place == place)
            place = statement.place if statement.low in PATHWAY else place
    if said.refused and said.refused_municipality:
        return PathwayStatus.DECLINED
    if (said.not_now or said.refused) and said.later and not held:
        return PathwayStatus.OFFER_LATER
    if said.undecided and not said.started:
        return PathwayStatus.UNKNOWN
    if said.refused and not said.started and not held:
        return PathwayStatus.DECLINED
    if said.started or held:
        if not said.started:
            for name in ("survey", "survey.procedure_code", "survey.distress_score"):
                trace.as_of("pathway.status", name, "a talk was held")
        return PathwayStatus.STARTED
    return PathwayStatus.OFFER_LATER if said.later else PathwayStatus.UNKNOWN


def _hear(statement: Statement, said: _Said, trace: Trace, *, goes_on: bool) -> None:
    """Take in what a statement says; `goes_on`: one before it, on its line, is about the pathway."""
    low = statement.low
    if (
        statement.topic is not _STATUS
        and not _HEARD.passes(statement.whole)
        and not said.refused
        and not said.not_now
    ):
        return
    about = statement.topic in _OF_THE_PATHWAY or bool(low in PATHWAY or _TALK.search(low))
    before = (said.started, said.refused, said.not_now, said.later, said.undecided)
    if low in _UNDECIDED:
        said.undecided = True
    if _refuses(statement, about=about):
        said.refused = True
    if low in _REFUSED_MUNICIPALITY and (about or said.refused):
        said.refused_municipality = said.refused = True
    if (about or (goes_on and low in _LATER)) and low in _NOT_NOW:
        said.not_now = True
    called = initiator_in(low) is ContactInitiator.MUNICIPALITY and (said.refused or said.not_now)
    if called or (low in _LATER and (about or said.not_now or said.refused)):
        said.later = True
    if _starts(statement):
        said.started = True
    if before != (said.started, said.refused, said.not_now, said.later, said.undecided):
        trace.add("pathway.status", statement, "status")


def _refuses(statement: Statement, *, about: bool) -> bool:
    if statement.topic is _STATUS and _NO.match(statement.low):
        return True
    return about and statement.low in _REFUSED


def _starts(statement: Statement) -> bool:
    """Whether a statement says that the pathway is under way, or that the patient wants it."""
    low = statement.low
    if not _MAY_START.passes(statement.whole) or low in _REFUSED or low in _UNDECIDED:
        return False
    if low in JOINS and low not in _NOT_NOW:
        return not (low in _LATER and ("kommune" in low or "bydel" in low))
    found = _STARTED.find(low) or _STARTED.find(statement.whole)
    if found is None or _TREATMENT_STARTS.search(low) or low in _NOT_NOW:
        return False
    if statement.topic is _STATUS or statement.whole in PATHWAY:
        return not _NO.match(low)
    return found.start() <= 1 and low[:1] == "s"


def read_started_on(
    statements: Sequence[Statement], trace: Trace, *, held_on: datetime.date | None, sent_on: datetime.date
) -> datetime.date | None:
    """Read the day of the start, where the note ties the start to a day."""
    last: datetime.date | None = None
    for statement in statements:
        dates = statement.dates(sent_on)
        if statement.topic not in LISTS and _starts(statement):
            if _DAY_OF_THE_TALK.search(statement.low) and held_on is not None:
                trace.add("pathway.started_on", statement, "status.started")
                return held_on
            day = _that_day(statement, last, sent_on) or _tied(statement, last, sent_on)
            if day is not None:
                trace.add("pathway.started_on", statement, "status.started")
                return day
        days = [d.value for d in dates if d.precision == "day" and d.value is not None and d.value <= sent_on]
        last = days[-1] if days else last
    return None


def _that_day(
    statement: Statement, last: datetime.date | None, sent_on: datetime.date
) -> datetime.date | None:
    """The day that `fra den dagen` means: the last one named before."""
    words = _THAT_DAY.search(statement.low)
    if words is None:
        return None
    before = [
        d.value for d in statement.dates(sent_on) if d.span[1] <= words.start() and d.precision == "day"
    ]
    return before[-1] if before else last


def _tied(statement: Statement, last: datetime.date | None, sent_on: datetime.date) -> datetime.date | None:
    """The day that stands by the words of the start, in the same clause or right after."""
    low = statement.low
    places = [match.span() for match in (*_STARTED.all(low), *JOINS.all(low))]
    yes = _YES.match(low)
    if yes is not None or (not places and statement.topic is Topic.STATUS):
        places.append((0, yes.end() if yes else 0))
    best: tuple[int, datetime.date] | None = None
    for date in statement.dates(sent_on):
        value = date.value
        if date.precision == "same_day":
            value = value or last
        if (
            value is None
            or date.precision not in {"day", "same_day"}
            or value > sent_on + datetime.timedelta(days=31)
        ):
            continue
        for start, end in places:
            after = date.span[0] >= end
            between = low[end : date.span[0]] if after else low[date.span[1] : start]
            if _belongs(between, after=after) and (best is None or len(between) < best[0]):
                best = len(between), value
    return best[1] if best else None


def _belongs(between: str, *, after: bool) -> bool:
    """Whether a day still belongs to the words of the start."""
    if after and _AT_THE_TALK.fullmatch(between):
        return True
    between = _FROM_AND_WITH.sub(" ", between)
    if re.search(r"samtal|kartlegg|snakk|notat|termometer|operert|innlagt|behandling", between):
        return False
    if after:
        return len(between) <= 60 and not re.search(r"(?<!\bd)[.;]\s|,\s(?!den|d\.)[^\W\d]", between)
    return len(between) <= 30


def read_objection(statements: Sequence[Statement], trace: Trace) -> bool:
    """Whether the patient objects to information being passed on to the municipality or the GP."""
    for statement in statements:
        found = _OBJECTS.find(statement.low)
        if found is None:
            continue
        low = statement.low[found.start() :]
        others = _OBJECTION_OTHERS.find(low)
        receivers = [m[0] for m in _OBJECTION_RECEIVERS.all(low)]
        named = any(re.match(r"kommune|bydel|heimk|hjemk|fastl|kreftk|kk", one) for one in receivers)
        sure = statement.low in _OBJECTS_SURELY
        if (receivers or sure) and (others is None or named):
            trace.add("pathway.objects_to_sharing", statement, "status.objects")
            return True
    return False
