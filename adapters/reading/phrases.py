r"""The small language that the vocabularies are written in: one regular expression for each phrase.

| written | matches |
|---|---|
| `vondt` | the word |
| `smerte*` | a word that begins so |
| `*kreft` | a word that ends so |
| `ikke\|ikkje behov` | either word, then the next |
| `ikke .. behov` | up to three words between; `...` up to seven |
| `hun? selv` | the first word may be missing |
| `tar\|tar_seg av` | `_` joins words within an alternative |
| `om # uker` | a number |
| `^ startet` | only at the beginning; `ja $` only at the end |

Between words stand blanks, and commas, hyphens, full stops (of abbreviations) and the like. Texts are
matched in lower case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from functools import cache, cached_property
from typing import NamedTuple

_BETWEEN = r"[^\w:;!?]{1,4}"
_GAPS = {"..": rf"(?:{_BETWEEN}\w+){{0,3}}?{_BETWEEN}", "...": rf"(?:{_BETWEEN}\w+){{0,7}}?{_BETWEEN}"}
_NOT_WORDS = frozenset({"^", "$", *_GAPS})
_PART = re.compile(r"[^\W_]+")
_PLAIN = re.compile(r"[^#*_]+")
_A_WORD = re.compile(r"[^\W_]+\*?(?:\|[^\W_]+\*?)*")


class Part(StrEnum):
    """How a piece of a phrase lies in a word of a text."""

    WHOLE = "whole"
    BEGINNING = "beginning"
    INSIDE = "inside"


class Trigger(NamedTuple):
    """Letters that a text must have in one of its words for a phrase to be in it."""

    part: Part
    letters: str


class Phrase:
    """A phrase, with what to ask of a text before it is searched for."""

    def __init__(self, written: str) -> None:
        """Take a phrase as written."""
        self.written = written
        words = sorted(_needed(written), key=_rarity, reverse=True)
        self.needs: tuple[Trigger, ...] = words[0] if words else ()
        """Of which a text must have one: the alternatives of the rarest word. Empty: any text may do"""
        others = (each for each in words[1:] if all(one.part is Part.WHOLE for one in each))
        second = next(others, None)
        self.also = frozenset(one.letters for one in second) if second else None
        """Words of which a text must have one besides; None: not known"""
        self.is_word = _A_WORD.fullmatch(written) is not None
        """Whether it is no more than a word, or its beginning: a text with what it needs has it"""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The regular expression, for texts in lower case."""
        return re.compile("".join(_atoms(self.written)))

    @staticmethod
    @cache
    def of(written: str) -> Phrase:
        """The phrase of these words."""
        return Phrase(written)


def one_beginning(phrase: str) -> Iterator[str]:
    """The phrase as those that begin at the beginning of a word and those that begin inside of one."""
    first, _, rest = phrase.partition(" ")
    words = first.split("|")
    inside = [word for word in words if word.startswith("*")]
    if len(words) == 1 or not inside:
        yield phrase
        return
    whole = [word for word in words if not word.startswith("*")]
    yield from (f"{word} {rest}".strip() for word in inside)
    if whole:
        yield f"{'|'.join(whole)} {rest}".strip()


def _needed(phrase: str) -> Iterator[tuple[Trigger, ...]]:
    """The words that no text with the phrase is without, each with its alternatives."""
    for word in phrase.split():
        if word in _NOT_WORDS or word.endswith("?"):
            continue
        alternatives = {_rarest(alternative) for alternative in word.split("|")}
        known = tuple(one for one in alternatives if one is not None)
        if len(known) == len(alternatives):
            yield known


def _rarity(alternatives: tuple[Trigger, ...]) -> tuple[int, int]:
    """The shortest alternative is the likeliest to be met; of two words, the one with fewer is better."""
    return min(len(one.letters) for one in alternatives), -len(alternatives)


def _rarest(alternative: str) -> Trigger | None:
    """The longest piece of an alternative of a word; None for a number."""
    if alternative.isalnum():
        return Trigger(Part.WHOLE, alternative)
    if alternative[:-1].isalnum() and alternative[-1] == "*":
        return Trigger(Part.BEGINNING, alternative[:-1])
    if alternative == "#":
        return None
    found: list[Trigger] = []
    for piece in _PART.finditer(alternative.replace("*", "\0")):
        before, after = alternative[: piece.start()][-1:], alternative[piece.end() :][:1]
        part = Part.INSIDE if before == "*" else Part.BEGINNING if after == "*" else Part.WHOLE
        found.append(Trigger(part, piece[0]))
    return max(found, key=lambda one: len(one.letters), default=None)


def _atoms(phrase: str) -> Iterator[str]:
    words = phrase.split()
    between = ""
    begun = False
    last = len(words) - 1
    for index, word in enumerate(words):
        if word == "^":
            yield r"^\W*"
        elif word == "$":
            yield r"\W*$"
        elif word in _GAPS:
            between = _GAPS[word]
            continue
        elif word.endswith("?"):
            yield between or ("" if begun else r"(?<!\w)")
            yield f"(?:{_letters(word[:-1])}{_BETWEEN})?"
            between = ""
        else:
            yield between
            yield _word(word, first=not begun, last=index == last)
            between = _BETWEEN
        begun = True


def _word(word: str, *, first: bool, last: bool) -> str:
    begins = first and not word.startswith("*")
    if "|" in word:
        choice = "|".join(map(_beginning if begins else _letters, word.split("|")))
        return f"(?:{choice})(?!\\w)" if last else f"(?:{choice})"
    # What a word goes on with at either end of the phrase need not be looked at.
    if first and word.startswith("*"):
        word = word[1:]
    written = _beginning if begins else _letters
    if last and word.endswith("*"):
        return written(word[:-1])
    return written(word) + (r"(?!\w)" if last and word != "#" else "")


def _beginning(word: str) -> str:
    """A word at whose beginning a word of the text begins.

    What stands before is looked at after the first letters: an expression that begins with letters is
    searched for by them, many times faster than one that begins with a look behind.
    """
    plain = _PLAIN.match(word)
    if plain is None:
        return rf"(?<!\w){_letters(word)}"
    letters = re.escape(plain[0])
    return rf"{letters}(?<!\w{letters}){_letters(word[plain.end() :])}"


def _letters(word: str) -> str:
    if word == "#":
        return r"\d+"
    return "".join(
        r"\w*" if letter == "*" else _BETWEEN if letter == "_" else re.escape(letter) for letter in word
    )
