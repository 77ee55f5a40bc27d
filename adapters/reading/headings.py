"""Telling headings and labels from other words, and what they are about."""

from __future__ import annotations

import re
from functools import cache

from adapters.reading.contact import initiator_in
from adapters.reading.model import Heading, Topic
from adapters.reading.named import PARTIES, party_in
from adapters.reading.roles import Role, need_or_strain, role_of
from adapters.reading.vocabulary import Choice, Words, kept, lower
from gateway.contracts.summary import StrainArea
from mappings import vocabulary

_AREAS = {
    "physical": StrainArea.PHYSICAL,
    "emotional": StrainArea.EMOTIONAL,
    "spiritual": StrainArea.SPIRITUAL,
    "practical": StrainArea.PRACTICAL,
    "kin_problem": StrainArea.FAMILY,
}
"""Headings of the problem lists of the thermometer"""

_INTRODUCED = {Role.STRAIN: Topic.STRAIN, Role.NEED: Topic.NEED, Role.REFERRAL: Topic.REFERRAL}
_OTHERWISE = {"company": Topic.SURVEY, "offer": Topic.STATUS, "found_needs": Topic.NEED}
"""Headings that would be taken for another kind by one of their words"""

_FAMILY_AREA = re.compile(r"^\W*(?:familie|sosialt|sosiale?|relasjon)\w*")
"""Names of an area in a list of strains, which elsewhere tell of the family itself"""
_ON_THE_SCALE = re.compile(r"\b0\s?(?:-|–|til)\s?10\b")
_UNFINISHED = re.compile(
    r"(?::|\b(?:med|for|av|til|om|på|at|å|er|følgende|fylgjande|slik|slikt|disse|desse|inkl|bl\.a\.?|som))\W*$"
)
_MOST_WORDS_BEFORE_A_LIST = 16

_FILLER = Words("headings", "filler")
_TITLE = Words("title", "title")
_SAYS_IT = (Words("status", "started"), Words("status", "joins"), Words("status", "refused"))
_AIMS = tuple(Words("diagnosis", key) for key in ("curative", "palliative", "treatment"))
_WORD = re.compile(r"[^\W\d_]+")
_BRACKETS = re.compile(r"\s*\([^()]*\)")
_TELLS_OF_IT = re.compile(
    r"(?:har|følges|følgjast|kjenner|hun|han|ho|pas\w*|oppfølging av)\b.*(?:\bkk\b|kreftkoord)"
    r"|(?:kk|kreftkoord\w*)\b.*\b(?:koble?[ta]|kopla|involvert|inne|etablert|tilknytt\w*)\b"
)
_DIGIT = re.compile(r"\d")
_POINT = re.compile(r"(?i)\b(?:sp|samhandlingspunkt)\s?[1-3]\b")
_TRIM = " \t-–—*•:=.?!>»«\"'_#~"
MAX_WORDS = 9
MAX_LENGTH = 75


@cache
def _topics() -> dict[str, Words]:
    return {key: Words("headings", key) for key in vocabulary("headings") if key != "filler"}


@cache
def _topic_of() -> Choice[str]:
    return Choice(_topics().items())


@cache
def _in_heading_lines() -> Choice[Words]:
    return Choice((words, words) for key, words in _topics().items() if key not in {"patient", "kin", "gp"})


@kept
def classify(words: str) -> Heading | None:
    """What a label is about, by any word of its own in it; None for a label of another kind.

    A label that only names a party (`Kommunen`, `Frå fastlegen`) is about what that party is to do.
    """
    label = _clean(words)
    if not label or len(label) > MAX_LENGTH or len(_WORD.findall(label)) > MAX_WORDS:
        return None
    shorter = _BRACKETS.sub("", label).strip() if "(" in label else label
    on_the_scale = "10" in label and _ON_THE_SCALE.search(label) is not None
    if on_the_scale and (found := _topic_of().first(shorter)) and found[0] != "scale":
        return Heading(topic=Topic.SCORE, words=words)
    return _known(shorter or label, words) or (_known(label, words) if shorter != label else None)


def _known(label: str, words: str) -> Heading | None:
    party = party_in(label)
    found = _topic_of().first(label)
    if found is not None:
        key = found[0]
        if key in _OTHERWISE:
            return Heading(topic=_OTHERWISE[key], words=words, party=party)
        if key in _AREAS:
            return Heading(topic=Topic.STRAIN, words=words, area=_AREAS[key])
        return Heading(topic=Topic(key), words=words, party=party)
    if party is not None and not label[:1].isdigit() and _covered(label, PARTIES[party]):
        return Heading(topic=Topic.NEED, words=words, party=party)
    return None


def says_aim(words: str) -> bool:
    """Whether words tell of the aim of the treatment: under «Mål» stands that, or what the patient wants."""
    low = lower(words)
    return any(low in aim for aim in _AIMS)


def area_named(label: str) -> StrainArea | None:
    """The area of a problem list whose name is that of the family, or of company."""
    found = _FAMILY_AREA.match(lower(label))
    return None if found is None else StrainArea.FAMILY if "fam" in found[0] else StrainArea.PRACTICAL


def introduction(words: str) -> Heading | None:
    """What an unfinished sentence is about that a list goes on with: «Hun ønsker at kommunen bistår med»."""
    low = lower(words.strip())
    if not _UNFINISHED.search(low) or len(_WORD.findall(low)) > _MOST_WORDS_BEFORE_A_LIST:
        return None
    role = role_of(low.rstrip(" :")) or need_or_strain(low)
    topic = _INTRODUCED.get(role) if role is not None else None
    return Heading(topic=topic, words=words, party=party_in(low)) if topic is not None else None


@kept
def is_heading_line(words: str) -> Heading | None:
    """What a line is about that holds nothing but the words of a heading."""
    stripped = words.rstrip()
    if len(stripped) > MAX_LENGTH or stripped.endswith((".", ",", ";", "!")):
        return None
    if _DIGIT.search(stripped) is not None and _DIGIT.search(_POINT.sub("", stripped)) is not None:
        return None
    heading = classify(stripped)
    if heading is None or heading.topic is Topic.PATIENT:
        return None
    if heading.topic is Topic.STATUS and _clean(stripped) in _TITLE:
        heading = Heading(topic=Topic.TITLE, words=heading.words)
    if stripped.endswith(("?", ":")):
        return heading
    label = _clean(stripped)
    if _says_something(heading.topic, label):
        return None
    patterns = [words for words, _ in _in_heading_lines().all(label)]
    if heading.topic is Topic.NEED and heading.party is not None:
        patterns.append(PARTIES[heading.party])
    return heading if _covered(label, *patterns) else None


def _says_something(topic: Topic, label: str) -> bool:
    """Whether a line of a heading's words tells what it is about: «Startet pakkeforløp hjem i dag»."""
    if topic in {Topic.STATUS, Topic.TITLE}:
        return any(label in words for words in _SAYS_IT)
    if topic is Topic.FOLLOW_UP:
        return _TELLS_OF_IT.match(label) is not None
    return topic is Topic.CONTACT and initiator_in(label) is not None


def _covered(label: str, *patterns: Words) -> bool:
    """Whether every word belongs to a heading's vocabulary or is one that headings are filled with."""
    spans = [match.span() for pattern in patterns for match in pattern.all(label)]
    if not spans:
        return False
    spans += [match.span() for match in _FILLER.all(label)]
    for word in _WORD.finditer(label):
        start, end = word.span()
        for first, last in spans:
            if first < end and start < last:
                break
        else:
            return False
    return True


def _clean(words: str) -> str:
    return lower(words.strip(_TRIM))
