"""When somebody is to call: the words of a time to come, as authors write them (`contact.when`).

The words are in `mappings/when.toml`; here is how they go together: `innen` and a number and a unit, `før`
and an event, a week, a day, a month, or a condition (`ved behov`, `når de er hjemme igjen`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import cast

from adapters.reading.vocabulary import lower
from mappings import table


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundWhen:
    """Words that say when."""

    span: tuple[int, int]
    words: str
    condition: bool = False
    """The words make a condition (`ved behov`), not a time"""


_GAP = r"[ \t\u00a0]+"
_FIGURES = r"[0-9]{1,3}(?:\s?(?:[-–]|til|eller)\s?[0-9]{1,3})?"


def find_when(text: str) -> list[FoundWhen]:
    """Find the words of times to come and of conditions, in order of place.

    Times that are over look the same (`i juni`, `uke 12`): it is for the reader to ask only where somebody
    is to call. Found words do not overlap; no line break lies within.
    """
    low = lower(text)
    taken = bytearray(len(text))
    found: list[FoundWhen] = []
    for pattern, condition in ((_conditions(), True), (_times(), False)):
        for match in pattern.finditer(low):
            start, end = match.span()
            if not any(taken[start:end]):
                taken[start:end] = b"\x01" * (end - start)
                found.append(FoundWhen(span=match.span(), words=text[start:end], condition=condition))
    return sorted(found, key=lambda when: when.span)


@cache
def _words(name: str) -> str:
    """A list of the table as one group."""
    words = cast("dict[str, list[str]]", table("when"))[name]
    patterns = []
    for word in sorted(words, key=len, reverse=True):
        pattern = r"[ \t\u00a0]+".join(map(re.escape, word.strip("*").split()))
        patterns.append((r"\w*" if word[0] == "*" else "") + pattern + (r"\w*" if word[-1] == "*" else ""))
    return f"(?:{'|'.join(patterns)})"


@cache
def _times() -> re.Pattern[str]:
    about = rf"(?:{_words('about')}{_GAP})*"
    span = rf"{about}(?:{_FIGURES}\s?|{_words('numbers')}{_GAP}){_words('units')}(?!\w)"
    week = (
        r"(?:uke|veke|uge|vecka)\s?[0-9]{1,2}"
        r"(?:\s?(?:[-–/]|til|eller|og)\s?(?:uke\s?|veke\s?)?[0-9]{1,2})?(?![0-9])"
    )
    date = rf"(?:[0-9]{{1,2}}\.?\s?{_words('months')}|[0-9]{{1,2}}[./][0-9]{{1,2}}\b\.?(?:[0-9]{{2,4}})?)"
    hour = rf"(?:kl\.?|klokk[ae]n?){_GAP}?[0-9]{{1,2}}(?:[.:][0-9]{{2}})?"
    course = r"(?:kur|time)\s?(?:nr\.?\s?)?[0-9]{1,2}"
    event = (
        rf"(?:(?:neste|siste|første|fyrste|avsluttet|avslutta|endt|ferdig){_GAP})?"
        rf"(?:{date}|{week}|{course}|{_words('events')}|{_words('months')}|{_words('seasons')}|{_words('days')})(?!\w)"
    )
    alternatives = (
        rf"(?:{_words('relations')}{_GAP})?{_words('within')}{_GAP}{span}(?:{_GAP}(?:etter|efter|før){_GAP}{event})?",
        rf"{span}{_GAP}(?:etter|efter|før|fra|frå){_GAP}{event}",
        rf"{_words('relations')}{_GAP}(?:ca\.?{_GAP})?{event}",
        rf"i{_GAP}(?:{_words('months')}|{_words('seasons')})(?:{_GAP}20[0-9]{{2}})?",
        rf"(?:i{_GAP})?(?:ca\.?{_GAP})?{week}",
        _words("soon"),
        rf"(?:etter|(?<!ikke )(?<!ikkje )føre?){_GAP}{hour}",
        rf"{_words('next')}{_GAP}{_words('days')}",
        _words("months"),
    )
    return re.compile(rf"\b(?<!-)(?:{'|'.join(alternatives)})(?!\w)")


@cache
def _conditions() -> re.Pattern[str]:
    clause = rf"(?:{_GAP}(?!{_words('clause_ends')}(?!\w))[^\s.,;:()/]+){{1,9}}"
    alternatives = (
        _words("on_need"),
        rf"{_words('if')}{_GAP}{_words('if_who')}{clause}",
        rf"{_words('if')}{_GAP}(?:noe|noko)",
        rf"{_words('when')}{_GAP}{_words('when_who')}{clause}",
    )
    return re.compile(rf"(?<![\w\-])(?:{'|'.join(alternatives)})(?!\w)")
