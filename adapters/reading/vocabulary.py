"""Vocabularies as compiled patterns, made when they are first asked for.

The readers of a note ask the same of the same words many times, and mostly the answer is no. So answers are
remembered while a note is read, and a pattern is only tried on a text that has a word its phrases begin with.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, wraps
from typing import TypeVar, cast

from adapters.reading.phrases import Beginnings, beginnings, compile_phrases, first_letters
from mappings import vocabulary

_T = TypeVar("_T")

_SWEDISH = str.maketrans("äö", "æø")

_MEMORIES: list[dict[str, object]] = []
_FIRST_LETTERS: dict[str, frozenset[str]] = {}


def lower(text: str) -> str:
    """The text in lower case, of the same length, with Swedish letters as Norwegian ones."""
    low = text.lower()
    return low.translate(_SWEDISH) if "ä" in low or "ö" in low else low


def remembered(function: Callable[[str], _T]) -> Callable[[str], _T]:
    """Let a function of a text remember its answers while a note is read."""
    memory: dict[str, _T] = {}
    _MEMORIES.append(cast("dict[str, object]", memory))

    @wraps(function)
    def ask(text: str) -> _T:
        if text in memory:
            return memory[text]
        answer = memory[text] = function(text)
        return answer

    return ask


def forget() -> None:
    """Forget the texts of a note that has been read."""
    _FIRST_LETTERS.clear()
    for memory in _MEMORIES:
        if memory:
            memory.clear()


class Words:
    """Some entries of a vocabulary as one pattern over lower-case text."""

    __slots__ = ("_begin", "_inside", "_keys", "_memory", "_name", "_open", "_pattern")

    def __init__(self, name: str, *keys: str) -> None:
        """Name the vocabulary and the entries; nothing is read before the first use."""
        self._name = name
        self._keys = keys
        self._pattern: re.Pattern[str] | None = None
        self._begin: frozenset[str] = frozenset()
        self._inside: re.Pattern[str] | None = None
        self._open = True
        self._memory: dict[str, re.Match[str] | None] = {}
        _MEMORIES.append(cast("dict[str, object]", self._memory))

    @property
    def pattern(self) -> re.Pattern[str]:
        """The compiled pattern."""
        if self._pattern is None:
            self._pattern, known, self._inside = _compiled(self._name, self._keys)
            self._begin, self._open = known.words, known.open
        return self._pattern

    def find(self, text: str) -> re.Match[str] | None:
        """The first place in a lower-case text."""
        memory = self._memory
        if text in memory:
            return memory[text]
        pattern = self._pattern or self.pattern
        first = _FIRST_LETTERS.get(text)
        if first is None:
            first = _FIRST_LETTERS[text] = first_letters(text)
        found = None
        if (
            self._open
            or not self._begin.isdisjoint(first)
            or (self._inside is not None and self._inside.search(text))
        ):
            found = pattern.search(text)
        memory[text] = found
        return found

    def at_start(self, text: str) -> re.Match[str] | None:
        """A place at the very beginning of a lower-case text."""
        return self.pattern.match(text)

    def all(self, text: str) -> list[re.Match[str]]:
        """Every place in a lower-case text."""
        return list(self.pattern.finditer(text)) if self.find(text) else []

    def __contains__(self, text: str) -> bool:
        """Whether a lower-case text holds any."""
        return self.find(text) is not None


@cache
def _compiled(name: str, keys: tuple[str, ...]) -> tuple[re.Pattern[str], Beginnings, re.Pattern[str] | None]:
    """The pattern, what to ask before it, and that of words which may begin with anything."""
    entries = vocabulary(name)
    phrases = [lower(phrase) for key in keys or entries for phrase in entries[key].phrases]
    known = beginnings(phrases)
    inside = re.compile("|".join(map(re.escape, known.inside))) if known.inside else None
    return compile_phrases(phrases), known, inside
