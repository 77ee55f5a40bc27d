"""Vocabularies as questions to ask of a text.

The readers of a note ask some six hundred questions of its some forty texts, and mostly the answer is no,
which the index of words (`word_index.py`) tells at once. A phrase is compiled when it is first tried; what
a text holds is remembered while a note is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from functools import cache, reduce, wraps
from operator import or_
from typing import Generic, TypeVar

from adapters.reading.phrases import Phrase, one_beginning
from adapters.reading.word_index import INDEX
from mappings import vocabulary

_T = TypeVar("_T")

_SWEDISH = str.maketrans("äö", "æø")

_MOST_KEPT = 2_000
"""How many answers a function keeps beyond a note"""

_MEMORIES: list[Callable[[], None]] = []
"""What forgets the answers of each function that remembers some"""
_TEXTS = INDEX.texts


def lower(text: str) -> str:
    """The text in lower case, of the same length, with Swedish letters as Norwegian ones."""
    low = text.lower()
    return low if low.isascii() or ("ä" not in low and "ö" not in low) else low.translate(_SWEDISH)


def remembered(function: Callable[[str], _T]) -> Callable[[str], _T]:
    """Let a function of a text remember its answers while a note is read."""
    ask = cache(function)
    _MEMORIES.append(ask.cache_clear)
    return ask


def kept(function: Callable[[str], _T | None]) -> Callable[[str], _T | None]:
    """Let a function of a text keep answers beyond the note: where it has one, and phrases need every word.

    The headings of a form come again with every note. No phrase needs a name or a number: what was answered
    of those is forgotten with the note.
    """
    beyond: dict[str, _T] = {}
    memory: dict[str, _T | None] = {}
    _MEMORIES.append(memory.clear)

    @wraps(function)
    def ask(text: str) -> _T | None:
        if text in beyond:
            return beyond[text]
        if text in memory:
            return memory[text]
        answer = memory[text] = function(text)
        if answer is not None and len(beyond) < _MOST_KEPT and INDEX.knows(lower(text)):
            beyond[text] = answer
        return answer

    return ask


def forget() -> None:
    """Forget the texts of a note that has been read."""
    INDEX.forget()
    for clear in _MEMORIES:
        clear()


def words_in(text: str) -> AbstractSet[str]:
    """The words of a lower-case text."""
    return INDEX.look_up(text).words


class Words:
    """Some entries of a vocabulary: phrases to be found in lower-case texts."""

    __slots__ = ("_at_start", "_keys", "_name", "bit")

    def __init__(self, name: str, *keys: str) -> None:
        """Name the vocabulary and the entries (none: all); nothing is read before the first question."""
        self._name = name
        self._keys = keys
        self._at_start: re.Pattern[str] | None = None
        self.bit = INDEX.expect(lambda: self.phrases, name, *keys)

    @property
    def phrases(self) -> tuple[str, ...]:
        """Its phrases, each with one kind of beginning."""
        entries = vocabulary(self._name)
        written = (lower(phrase) for key in self._keys or entries for phrase in entries[key].phrases)
        return tuple(dict.fromkeys(one for phrase in written for one in one_beginning(phrase)))

    def find(self, text: str) -> re.Match[str] | None:
        """The first place in a lower-case text; of phrases that begin there, the longest."""
        try:
            seen = _TEXTS[text]
        except KeyError:
            seen = INDEX.look_up(text)
        bit = self.bit
        if not seen.may_hold & bit:
            return None
        first = seen.first
        if bit in first:
            return first[bit]
        found = first[bit] = seen.search(bit)
        return found

    def may_be_within(self, text: str) -> bool:
        """False where no part of a lower-case text, cut between words, holds any."""
        seen = _TEXTS[text] if text in _TEXTS else INDEX.look_up(text)
        return bool(seen.may_hold & self.bit)

    def at_start(self, text: str) -> re.Match[str] | None:
        """A place at the very beginning of a lower-case text."""
        if text in _TEXTS and not _TEXTS[text].may_hold & self.bit:
            return None
        if self._at_start is None:
            self._at_start = re.compile("|".join(Phrase.of(one).pattern.pattern for one in self.phrases))
        return self.find(text) if self._at_start.match(text) is not None else None

    def all(self, text: str) -> list[re.Match[str]]:
        """Every place in a lower-case text; none overlaps another."""
        return _TEXTS[text].every(self.bit) if self.find(text) is not None else []

    def blotted(self, text: str) -> str:
        """A lower-case text of the same length without the places."""
        for found in self.all(text):
            text = f"{text[: found.start()]}{'·' * (found.end() - found.start())}{text[found.end() :]}"
        return text

    def __contains__(self, text: str) -> bool:
        """Whether a lower-case text holds any: quicker to tell than where."""
        try:
            seen = _TEXTS[text]
        except KeyError:
            seen = INDEX.look_up(text)
        bit = self.bit
        if not seen.may_hold & bit:
            return False
        held = seen.held.get(bit)
        if held is None:
            held = seen.held[bit] = seen.holds(bit)
        return held


class Sieve:
    """Several `Words` of which a text mostly holds none."""

    __slots__ = ("_any",)

    def __init__(self, *words: Words) -> None:
        """Take them."""
        self._any = reduce(or_, (each.bit for each in words), 0)

    def passes(self, text: str) -> bool:
        """False where neither a lower-case text nor any part of it, cut between words, holds one."""
        seen = _TEXTS[text] if text in _TEXTS else INDEX.look_up(text)
        return bool(seen.may_hold & self._any)


class Choice(Generic[_T]):
    """Several `Words` of which a text mostly holds none: they are asked in turn, those that it may hold."""

    __slots__ = ("_any", "_options")

    def __init__(self, options: Iterable[tuple[_T, Words]]) -> None:
        """Take what stands for each, in the order in which they are to be asked."""
        self._options = [(words.bit, kind, words) for kind, words in options]
        self._any = reduce(or_, (bit for bit, _, _ in self._options), 0)

    def all(self, text: str) -> Iterator[tuple[_T, re.Match[str]]]:
        """Those that a lower-case text holds, each with its first place."""
        may_hold = INDEX.look_up(text).may_hold & self._any
        if may_hold:
            for bit, kind, words in self._options:
                if may_hold & bit and (found := words.find(text)) is not None:
                    yield kind, found

    def first(self, text: str) -> tuple[_T, re.Match[str]] | None:
        """The first of them, in their order, that a lower-case text holds."""
        may_hold = INDEX.look_up(text).may_hold & self._any
        if may_hold:
            for bit, kind, words in self._options:
                if may_hold & bit and (found := words.find(text)) is not None:
                    return kind, found
        return None

    def earliest(self, text: str) -> tuple[_T, re.Match[str]] | None:
        """The one that stands first in a lower-case text; of several, the first in their order."""
        best: tuple[_T, re.Match[str]] | None = None
        may_hold = INDEX.look_up(text).may_hold & self._any
        if may_hold:
            for bit, kind, words in self._options:
                if may_hold & bit and (found := words.find(text)) is not None:
                    at = found.start()
                    if best is None or at < best[1].start():
                        best = kind, found
        return best
