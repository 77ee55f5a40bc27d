"""Who is to call first, and when."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence

from adapters.reading.model import Statement, Topic, Trace
from adapters.reading.named import party_in
from adapters.reading.vocabulary import Words, remembered
from adapters.reading.when import find_when
from gateway.contracts.summary import Contact, ContactInitiator, Responsible
from gateway.contracts.text import line_or_none

_CONTACT = Topic.CONTACT
_MUNICIPALITY = Words("contact", "municipality")
_PATIENT = Words("contact", "patient")
_OTHER = Words("contact", "other")
NOT_AGREED = Words("contact", "not_agreed")
_REFUSED = Words("status", "refused_municipality")
_NEGATED = re.compile(r"\b(?:ikke|ikkje|inte|aldri)\b(?!\s+(?:før|pasienten|pas|ham|henne|han|ho)\b)")
_DOUBT = re.compile(
    r"\b(?:usikker\w*|uklart|uavklart\w*|(?:vet|veit) (?:ikke|ikkje)|må avklares|må avklarast)\b"
)
_OR_RATHER = re.compile(r"\bved behov\b.*\bmen\b")
"""`Pasienten tar kontakt ved behov, men …`: what comes after it is what is agreed"""
_ASKS_WHEN = re.compile(r"(?:når|tidsfrist|frist|tidspunkt|innen)\b")
_YOU = re.compile(r"\b(?:dere|dykk)\b")
_MOST_WORDS_OF_A_NAME = 6
_PATIENT_ALONE = re.compile(r"^\W*(?:pas\w*\.?|pasienten|han|hun|ho|selv|sjølv)(?:\s+(?:selv|sjølv))?\W*$")


@remembered
def initiator_in(low: str) -> ContactInitiator | None:
    """Who calls first by lower-case words; None where they speak of no first call."""
    municipality, patient = _MUNICIPALITY.find(low), _PATIENT.find(low)
    if municipality is None and patient is None:
        return None
    if low in _REFUSED or _DOUBT.search(low):
        return None
    if municipality is not None and _NEGATED.search(municipality[0]):
        municipality = None
    if municipality is not None and _OR_RATHER.search(low[: municipality.start()]) and not _to_us(low):
        return ContactInitiator.MUNICIPALITY
    if patient is not None and (municipality is None or patient.start() <= municipality.start()):
        return ContactInitiator.PATIENT if not _to_us(low) else None
    if municipality is None or _to_us(low):
        return None
    return ContactInitiator.MUNICIPALITY


def _to_us(low: str) -> bool:
    return low in _OTHER


def read_contact(statements: Sequence[Statement], trace: Trace, sent_on: datetime.date) -> Contact:
    """Read who calls first and when; what stands under a heading of contact comes first."""
    headed = [s for s in statements if s.topic is _CONTACT]
    for candidates in (headed, [s for s in statements if s.topic not in _ELSEWHERE]):
        for index, statement in enumerate(candidates):
            initiator = _initiator(statement)
            if initiator is None:
                continue
            following = candidates[index + 1 :]
            trace.add("contact.initiated_by", statement, f"contact.{initiator}")
            when = _when([statement, *_following(following, statement)], trace, sent_on)
            if when is None:
                # Who calls may be said twice, the second time with the day.
                again = [s for s in following if _initiator(s) is initiator]
                when = _when(again[:1], trace, sent_on)
            return Contact(initiated_by=initiator, when=when)
    return Contact()


_ELSEWHERE = frozenset(
    {Topic.CONTACT, Topic.DENIED, Topic.SCALE, Topic.AUTHOR, Topic.RECIPIENT, Topic.TITLE, Topic.MATTERS}
)


def _initiator(statement: Statement) -> ContactInitiator | None:
    words = statement.low
    if statement.topic is _CONTACT and statement.label:
        words = statement.whole if "?" in statement.label else words
    found = initiator_in(words)
    if found is not None or statement.topic is not _CONTACT or statement.weak:
        return found
    if words in NOT_AGREED:
        return None
    if _PATIENT_ALONE.search(words):
        return ContactInitiator.PATIENT
    short = len(words.split(",", 1)[0].split()) <= _MOST_WORDS_OF_A_NAME and (
        statement.label or statement.question
    )
    if short and (party_in(words) is Responsible.MUNICIPALITY or _YOU.search(words)):
        return ContactInitiator.MUNICIPALITY
    return None


def _following(statements: Sequence[Statement], first: Statement) -> list[Statement]:
    """What goes on about the same call: the rest of its section, or of its paragraph if it says when."""
    return [
        s
        for s in statements[:3]
        if (s.topic is _CONTACT and (s.heading is first.heading or _ASKS_WHEN.match(s.label)) and not s.weak)
        or (
            s.paragraph == first.paragraph
            and re.match(r"(?:det|dette) (?:haster|hastar|passer|passar)", s.low)
        )
    ]


def _when(statements: Sequence[Statement], trace: Trace, sent_on: datetime.date) -> str | None:
    """The words of time, from the first to the last of each statement."""
    parts = []
    for statement in statements:
        spans = [found.span for found in find_when(statement.text)] or [
            date.span for date in statement.dates(sent_on) if date.value is not None and date.value >= sent_on
        ]
        if spans:
            parts.append(statement.text[spans[0][0] : spans[-1][1]])
            trace.add("contact.when", statement, words=parts[-1])
    return line_or_none("; ".join(parts))
