"""The area of a strain: which problem list of the thermometer it belongs to."""

from __future__ import annotations

import re

from adapters.reading.vocabulary import Choice, Words
from gateway.contracts.summary import StrainArea

_WORDS = {
    StrainArea.SPIRITUAL: Words("strains", "spiritual"),
    StrainArea.FAMILY: Words("strains", "family"),
    StrainArea.PRACTICAL: Words("strains", "practical"),
    StrainArea.PHYSICAL: Words("strains", "physical"),
    StrainArea.EMOTIONAL: Words("strains", "emotional"),
}
FAMILY_WORDS = Words("strains", "family_theme")
"""Relatives"""
_PRACTICAL = Words("strains", "practical_theme")
_THEMES = {
    StrainArea.FAMILY: FAMILY_WORDS,
    StrainArea.PRACTICAL: _PRACTICAL,
    StrainArea.PHYSICAL: Words("strains", "physical_theme"),
    StrainArea.EMOTIONAL: Words("strains", "emotional_theme"),
}
"""What something is about, where no word says how it is"""
_SAID, _THEME = Choice(_WORDS.items()), Choice(_THEMES.items())
_FEAR = re.compile(
    r"\b(?:redd|engst\w+|urolig|uroleg|frykt\w*) (?:for|på vegne av) (?:(?:de|dei|sine|sin|egne|to|tre)\s)*"
)
_WORRY = Words("strains", "worry")
_TOLD = Words("strains", "told_to_family")
_THE_CHILD = re.compile(r"\b(?:jenta|jenten|gutten|guten|barnet|babyen|ungdommen|tenåringen)\b[\s:]*")
_SUBJECT = re.compile(
    r"^(?:\W|(?:at|og|men|i tillegg|dessuten|hans|hennes|hennar|den|det|de|dei|to|begge|ei|en|ein)\b)*"
)


def area_of(low: str, *, child: bool = False) -> StrainArea | None:
    """The area of a strain in lower-case words; None where no word tells.

    Args:
        low: the words.
        child: the patient is a child: `jenta` and `gutten` are the patient.
    """
    if child:
        low = _THE_CHILD.sub("", low)
    family = FAMILY_WORDS.find(low)
    if family and (start := _SUBJECT.match(low)) and family.start() <= start.end():
        # Whoever is named first is who is strained.
        return StrainArea.FAMILY
    if low in _WORDS[StrainArea.SPIRITUAL]:
        return StrainArea.SPIRITUAL
    if low in _WORDS[StrainArea.FAMILY] or (family and low in _TOLD):
        return StrainArea.FAMILY
    direct = _FEAR.search(low)
    if direct and FAMILY_WORDS.at_start(low[direct.end() :]):
        return StrainArea.FAMILY
    worry = _WORRY.find(low)
    if worry:
        about = _about(low[worry.end() :])
        if about is not None:
            return about
    return _earliest(low)


def _about(rest: str) -> StrainArea | None:
    """What a worry is about: the first of relatives and of matters of daily life."""
    family, practical = FAMILY_WORDS.find(rest), _PRACTICAL.find(rest)
    if family and (practical is None or family.start() < practical.start()):
        return StrainArea.FAMILY
    return StrainArea.PRACTICAL if practical else None


def _earliest(low: str) -> StrainArea | None:
    said = [(found.start(), -found.end(), area) for area, found in _SAID.all(low)]
    if said:
        # Of those that begin at one place, the longest: `infeksjonsredsel` is no infection.
        return min(said, key=lambda one: one[:2])[2]
    theme = _THEME.earliest(low)
    return theme[0] if theme is not None else None
