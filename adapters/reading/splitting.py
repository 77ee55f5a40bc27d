"""Taking text apart: sentences, clauses, items of a list."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import cast

from mappings import table

_TABLE = cast("dict[str, list[str]]", table("abbreviations"))
_ABBREVIATIONS = frozenset(_TABLE["words"])
_ENDINGS = tuple(_TABLE["endings"])
_NEVER_LAST = frozenset(_TABLE["never_last"])
_MONTH = re.compile(r"(?:jan|feb|mar|apr|mai|maj|jun|jul|aug|sep|okt|nov|des|dec)")
_DAY_AND_MONTH = re.compile(r"[0-9]{1,2}\.[0-9]{1,2}")
_AN_AGE = re.compile(r"[0-9]{1,2}[ -]?år")
_NO_ORDINAL = re.compile(r"[/=]|\d{3}")
_GOES_ON = re.compile(
    r"(?:kl|med|på|i|ved|og|til|for|om|av|fra|frå|hos|sammen|saman|per|pr|etter|samt|men|som|der|da|så|er|var|har|ble|"
    r"blei|vart|hadde|eller|klokk\w*|skal|kan|vil|u|m|v)\b"
)
_STOP = re.compile(r"[.!?…][.!?…]*[\"»”')\]]*\s+(?=\S)")
_ENUMERATED = re.compile(r"(?:(?<=^)|(?<=\s))\(?([1-9]|[a-h])[.)]\s+(?=\S)")
_FIRST_MARKS = ("1", "a", "(1", "(a")
_QUOTES_AND_BRACKETS = re.compile(r"\([^()]*\)|«[^«»]*»|“[^“”]*”|\"[^\"]*\"")
_OPENS = re.compile(r"[(«“\"]")
_BRACKETS = re.compile(r"\([^()]*\)")


class Separator:
    """What parts the items of a text."""

    __slots__ = ("_marks", "pattern")

    def __init__(self, pattern: str, *marks: str) -> None:
        """Take its regular expression, and letters of which every text with a match has some."""
        self.pattern = re.compile(pattern)
        self._marks = marks

    def may_be_in(self, text: str) -> bool:
        """False where a text has none of the letters: most texts, which need no closer look."""
        for mark in self._marks:  # noqa: SIM110 - a generator takes several times as long
            if mark in text:
                return True
        return False


def sentences(text: str) -> list[str]:
    """Split a line into sentences; abbreviations, dates and initials do not end one."""
    body = text[:-1]
    if "." not in body and "!" not in body and "?" not in body and "…" not in body:
        whole = text.strip()
        return [whole] if whole else []
    parts: list[str] = []
    start = 0
    blotted = _BRACKETS.sub(lambda found: "x" * len(found[0]), text) if "(" in text else text
    for stop in _STOP.finditer(blotted):
        if _ends_sentence(text, start, stop):
            parts.append(text[start : stop.end()].strip())
            start = stop.end()
    parts.append(text[start:].strip())
    return [part for part in parts if part]


def _ends_sentence(text: str, start: int, stop: re.Match[str]) -> bool:
    if stop[0][0] != "." or (len(stop[0].strip()) > 1 and stop[0][1] not in "\"»”')]"):
        return True
    word = text[start : stop.start()].rsplit(None, 1)[-1:] or [""]
    last = word[0].lstrip('(«"“').lower()
    following = text[stop.end()]
    if following == "(" and text[stop.end() + 1 : stop.end() + 2].islower():
        return False
    if last and last[-1].isdigit():
        return _ends_with_figures(text, last, stop.end())
    if last in _ABBREVIATIONS or "." in last:
        return following.isupper() and len(last) > 1 and last not in _NEVER_LAST
    if (following.islower() and last.endswith(_ENDINGS)) or (len(last) == 1 and not following.isupper()):
        return False
    return not following.isdigit() or len(last) > 3


def _ends_with_figures(text: str, last: str, end: int) -> bool:
    """Whether a sentence ends after a date, a score or a number, and not after an ordinal (`3. mai`)."""
    if text[end].isupper():
        return _MONTH.match(text[end : end + 3].lower()) is None
    complete = _DAY_AND_MONTH.fullmatch(last) or _NO_ORDINAL.search(last)
    if complete is None:
        return False
    return (text[end].islower() and _GOES_ON.match(text, end) is None) or _AN_AGE.match(text, end) is not None


def enumerated(text: str) -> list[str] | None:
    """Split `1. one 2. two`; None where the text is no such list."""
    if not text.startswith(_FIRST_MARKS):
        return None
    marks = list(_ENUMERATED.finditer(text))
    if len(marks) < 2 or marks[0].start() != 0 or marks[0][1] not in "1a":
        return None
    expected = [str(n) for n in range(1, 10)] if marks[0][1] == "1" else list("abcdefgh")
    if [mark[1] for mark in marks] != expected[: len(marks)]:
        return None
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    return [text[mark.end() : end].strip(" ,;") for mark, end in zip(marks, ends, strict=True)]


def masked(text: str) -> str:
    """The text with what stands in brackets and quotation marks blotted out, so that it is not split."""
    if _OPENS.search(text) is None:
        return text
    return _QUOTES_AND_BRACKETS.sub(lambda found: "x" * len(found[0]), text)


def split_at(text: str, separator: Separator) -> list[str]:
    """Split at a separator, but not within brackets or quotation marks."""
    parts: list[str] = []
    start = 0
    for found in separator.pattern.finditer(masked(text)) if separator.may_be_in(text) else ():
        part = text[start : found.start()].strip()
        if part and part.strip(" .,;:-–"):
            parts.append(part)
        start = found.end()
    part = text[start:].strip()
    if part and part.strip(" .,;:-–"):
        parts.append(part)
    return parts


_STRONG = Separator(r"//+|(?<=\s)\|(?=\s)|[•▪●;]", "//", "|", "•", "▪", "●", ";")
_DASHES = Separator(r"\s[-–—]\s", "-", "–", "—")
_SLASHES = Separator(r"(?<=\s)/(?=\s)", " / ")


def strong_parts(text: str) -> list[str]:
    """Split at marks that only lists have: `//`, `;`, bullets in a line, numbers, several dashes."""
    numbered = enumerated(text)
    if numbered:
        return numbered
    parts = split_at(text, _STRONG)
    if len(parts) > 1:
        return parts
    if _DASHES.may_be_in(text) and len(_DASHES.pattern.findall(masked(text))) > 1:
        return split_at(text, _DASHES)
    return split_at(text, _SLASHES) if _SLASHES.may_be_in(text) else parts


def merge(parts: list[str], separator: str, continues: Callable[[str, str], bool]) -> list[str]:
    """Join each part that goes on with the one before it."""
    merged: list[str] = []
    for part in parts:
        if merged and continues(merged[-1], part):
            merged[-1] = f"{merged[-1]}{separator}{part}"
        else:
            merged.append(part)
    return merged
