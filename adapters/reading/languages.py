"""Languages: what the codes of messages mean, and which interpreter a note asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import cast

from mappings import table

_CODE = re.compile(r"[a-z]{2,3}")

_INTERPRETER = re.compile(
    r"(?<!\w)(?:[a-zæøå]*tolk(?:en|ar|er|a)?|tolke(?:behov|teneste|tjeneste|bruk|hjelp|telefon|samtale)\w*)(?!\w)",
    re.IGNORECASE,
)
"""`tolk`, `telefontolk`, `tolketjeneste`; not `tolket som`, `tolkes`, `tolkning`."""

_DENIED = re.compile(
    r"(?:\b(?:ikke|ikkje|ingen|inga|uten|utan|slipper|slepp)\b(?:[^\w,]+\w+){0,4}?[^\w,]+\w{0,20}tolk)"
    r"|(?:tolk\w{0,12}\W+(?:(?:er|var|trengs|trengst|trenger|vert|blir|har|be?hov)\W+){0,2}(?:ikke|ikkje)\b)"
    r"|(?:tolk\w{0,12}\s*[:=]\s*(?:nei|ikke|ikkje|ingen|n\b|-))",
    re.IGNORECASE,
)

_SPEAKS = re.compile(
    r"\b(?:snakk\w*|talar|taler|pratar|prater|språk\w*|spr\.|morsmål\w*|forstår|forstaar|skjønner|tal[ae]nde)\b",
    re.IGNORECASE,
)

_SENTENCE = re.compile(r"[^.!?\n;]+(?:[.!?](?!\s|$)[^.!?\n;]*)*[.!?;]?")


@cache
def _names() -> Mapping[str, str]:
    """From each name to its code."""
    names = cast("dict[str, list[str]]", table("languages")["names"])
    return {name: code for code, all_names in names.items() for name in all_names}


@cache
def _codes() -> Mapping[str, str]:
    """From each code that messages use to the summary's."""
    known = cast("dict[str, list[str]]", table("languages")["names"])
    others = cast("dict[str, str]", table("languages")["codes"])
    return {**{code: code for code in known}, **others}


@cache
def _own() -> frozenset[str]:
    own = cast("dict[str, list[str]]", table("languages")["own"])
    return frozenset((*own["codes"], *own["names"]))


@cache
def _language() -> re.Pattern[str]:
    names = "|".join(sorted(map(re.escape, _names()), key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{names})(?=tolk|\W|$)", re.IGNORECASE)


def language_of(code: str | None, display: str | None = None) -> str | None:
    """The language of a coded field (PLO `Sprak`, `BehovTolkSprak`; code list 3303).

    Args:
        code: `SO`, `SME`, `pl`, or a name where a system writes one: `Polsk`.
        display: the code's text (`@DN`), asked where the code is not known.

    Returns:
        An ISO 639-1 code (639-3 where there is none); None for Norwegian and for what is not known.
    """
    for value in (code, display):
        key = " ".join((value or "").lower().split())
        if key in _own():
            return None
        if found := _codes().get(key) or _names().get(key):
            return found
    # A code of the list that the table does not name is ISO 639-1 all the same.
    key = (code or "").strip().lower()
    return key if _CODE.fullmatch(key) and len(key) == 2 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedInterpreter:
    """A sentence about an interpreter."""

    languages: tuple[str, ...]
    """ISO 639-1 of the languages that it, or the sentence beside it, names; none where it denies the need"""
    denied: bool
    words: str
    start: int
    """Where it begins in the text"""


def asked_interpreters(text: str) -> list[AskedInterpreter]:
    """Find the sentences that ask for an interpreter, or say that none is needed.

    The language may stand beside the interpreter (`tolk i arabisk`, `somalitolk`, `snakker polsk, tolk
    bestilt`) or in the sentence before or after (`Trenger tolk. Snakker tigrinja.`).
    """
    if "tolk" not in text.lower():
        return []
    found: list[AskedInterpreter] = []
    sentences = list(_SENTENCE.finditer(text))
    for index, sentence in enumerate(sentences):
        if not _INTERPRETER.search(sentence[0]):
            continue
        denied = _DENIED.search(sentence[0]) is not None
        languages: tuple[str, ...] = () if denied else _named(sentence[0])
        if not languages and not denied:
            around = (*sentences[max(0, index - 1) : index], *sentences[index + 1 : index + 2])
            languages = next((named for s in around if _SPEAKS.search(s[0]) and (named := _named(s[0]))), ())
        words = sentence[0].strip()
        start = sentence.start() + sentence[0].index(words)
        found.append(AskedInterpreter(languages=languages, denied=denied, words=words, start=start))
    return found


def _named(sentence: str) -> tuple[str, ...]:
    names = _names()
    return tuple(names[found[0].lower()] for found in _language().finditer(sentence))


def find_interpreter(text: str) -> str | None:
    """Find the language that a note asks an interpreter for; None where it asks for none."""
    return next((one.languages[0] for one in asked_interpreters(text) if one.languages), None)


def is_own(code: str | None, display: str | None = None) -> bool:
    """Whether a coded field says Norwegian."""
    return any(" ".join((value or "").lower().split()) in _own() for value in (code, display))
