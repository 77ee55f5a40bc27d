"""Languages: what the codes of messages mean, and which interpreter a note asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping
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


def find_interpreter(text: str) -> str | None:
    """The language that a note asks an interpreter for; None where it asks for none.

    The language may stand beside the interpreter (`tolk i arabisk`, `somalitolk`, `snakker polsk, tolk
    bestilt`) or in the sentence before or after (`Trenger tolk. Snakker tigrinja.`). A note that says that
    no interpreter is needed asks for none.
    """
    if "tolk" not in text.lower():
        return None
    sentences = [match[0] for match in _SENTENCE.finditer(text)]
    for index, sentence in enumerate(sentences):
        if not _INTERPRETER.search(sentence) or _DENIED.search(sentence):
            continue
        if language := _language().search(sentence):
            return _names()[language[0].lower()]
        around = sentences[max(0, index - 1) : index] + sentences[index + 1 : index + 2]
        for other in around:
            if _SPEAKS.search(other) and (language := _language().search(other)):
                return _names()[language[0].lower()]
    return None
