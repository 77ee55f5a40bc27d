"""Vocabularies as questions to ask of a text.

The readers of a note ask some eight hundred questions of its some fifty texts, and mostly the answer is no.
So all vocabularies share one index, from words to the phrases that can not be without them: a text is looked
up once, word by word, and only phrases whose rarest words it has are tried, when they are asked for. A phrase
is compiled when it is first tried; what a text holds is remembered while a note is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from functools import reduce, wraps
from operator import or_
from typing import Generic, TypeVar, cast

from adapters.reading.phrases import Part, Phrase, one_beginning
from mappings import vocabulary

_T = TypeVar("_T")

_SWEDISH = str.maketrans("äö", "æø")

_MEMORIES: list[dict[str, object]] = []
_TEXTS: dict[str, _Text] = {}


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
    _TEXTS.clear()
    _INDEX.forget()
    for memory in _MEMORIES:
        if memory:
            memory.clear()


def words_in(text: str) -> AbstractSet[str]:
    """The words of a lower-case text."""
    return _looked_up(text).words


def _looked_up(text: str) -> _Text:
    try:
        return _TEXTS[text]
    except KeyError:
        seen = _TEXTS[text] = _Text(text)
        return seen


class Words:
    """Some entries of a vocabulary: phrases to be found in lower-case texts."""

    __slots__ = ("_keys", "_name", "bit")

    def __init__(self, name: str, *keys: str) -> None:
        """Name the vocabulary and the entries (none: all); nothing is read before the first question."""
        self._name = name
        self._keys = keys
        self.bit = _INDEX.expect(self, name, *keys)

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
            seen = _TEXTS[text] = _Text(text)
        bit = self.bit
        if not seen.may_hold & bit:
            return None
        first = seen.first
        if bit not in first:
            first[bit] = seen.search(bit)
        return first[bit]

    def may_be_within(self, text: str) -> bool:
        """False where no part of a lower-case text, cut between words, holds any."""
        return bool(_looked_up(text).may_hold & self.bit)

    def at_start(self, text: str) -> re.Match[str] | None:
        """A place at the very beginning of a lower-case text."""
        found = self.find(text)
        return found if found is not None and found.start() == 0 else None

    def all(self, text: str) -> list[re.Match[str]]:
        """Every place in a lower-case text; none overlaps another."""
        return _TEXTS[text].every(self.bit) if self.find(text) is not None else []

    def blotted(self, text: str) -> str:
        """A lower-case text of the same length without the places."""
        for found in self.all(text):
            text = f"{text[: found.start()]}{'·' * (found.end() - found.start())}{text[found.end() :]}"
        return text

    def __contains__(self, text: str) -> bool:
        """Whether a lower-case text holds any."""
        return self.find(text) is not None


class Choice(Generic[_T]):
    """Several `Words` of which a text mostly holds none: they are asked in turn, those that it may hold."""

    __slots__ = ("_any", "_options")

    def __init__(self, options: Iterable[tuple[_T, Words]]) -> None:
        """Take what stands for each, in the order in which they are to be asked."""
        self._options = [(words.bit, kind, words) for kind, words in options]
        self._any = reduce(or_, (bit for bit, _, _ in self._options), 0)

    def all(self, text: str) -> Iterator[tuple[_T, re.Match[str]]]:
        """Those that a lower-case text holds, each with its first place."""
        may_hold = _looked_up(text).may_hold & self._any
        if may_hold:
            for bit, kind, words in self._options:
                if may_hold & bit and (found := words.find(text)) is not None:
                    yield kind, found

    def first(self, text: str) -> tuple[_T, re.Match[str]] | None:
        """The first of them, in their order, that a lower-case text holds."""
        return next(self.all(text), None)

    def earliest(self, text: str) -> tuple[_T, re.Match[str]] | None:
        """The one that stands first in a lower-case text; of several, the first in their order."""
        return min(self.all(text), key=lambda one: one[1].start(), default=None)


class _Text:
    """A text looked up: which vocabularies it may hold, and what was found of them."""

    __slots__ = ("_of_words", "_text", "first", "may_hold", "words")

    def __init__(self, text: str) -> None:
        self._text = text
        self.words, self._of_words = _INDEX.words_of(text)
        may_hold = 0
        for of_word in self._of_words:
            may_hold |= of_word.may_hold
        self.may_hold = may_hold
        self.first: dict[int, re.Match[str] | None] = {}

    def search(self, bit: int) -> re.Match[str] | None:
        best: re.Match[str] | None = None
        start = end = 0
        for pattern in self._possible(bit):
            found = pattern.search(self._text)
            if found is not None:
                at, until = found.span()
                if best is None or at < start or (at == start and until > end):
                    best, start, end = found, at, until
        return best

    def every(self, bit: int) -> list[re.Match[str]]:
        places = [found for pattern in self._possible(bit) for found in pattern.finditer(self._text)]
        if len(places) < 2:
            return places
        kept: list[re.Match[str]] = []
        for found in sorted(places, key=_rank):
            if not kept or found.start() >= kept[-1].end():
                kept.append(found)
        return kept

    def _possible(self, bit: int) -> list[re.Pattern[str]]:
        words = self.words
        return [
            phrase.pattern
            for of_word in self._of_words
            if of_word.may_hold & bit
            for phrase in of_word.phrases[bit]
            if (also := phrase.also) is None or not also.isdisjoint(words)
        ]


def _rank(found: re.Match[str]) -> tuple[int, int]:
    start, end = found.span()
    return start, -end


class _OfWord:
    """The phrases that a word of a text is needed for, by the bits of the vocabularies that have them."""

    __slots__ = ("may_hold", "phrases")

    def __init__(self, rows: Iterator[tuple[int, Phrase]]) -> None:
        self.phrases: dict[int, list[Phrase]] = {}
        self.may_hold = 0
        for bit, phrase in rows:
            self.may_hold |= bit
            self.phrases.setdefault(bit, []).append(phrase)


_Rows = list[tuple[int, Phrase]]

_SHORTEST_INSIDE = 3
_MOST_WORDS_KEPT = 10_000
_LONGEST_WORD = 60
"""No word of a vocabulary is longer: what a longer word of a text goes on with is not looked at"""
_WORD = re.compile(r"[^\W_]+")
_MARKS = '.,:;()-/!?«»"'
"""What mostly stands around a word"""


class _Index:
    """From the words of texts to the phrases that can not be without them."""

    def __init__(self) -> None:
        self._bits: dict[tuple[str, ...], int] = {}
        self._expected: list[tuple[int, Words]] = []
        self._whole: dict[str, _Rows] = {}
        self._beginning: dict[str, _Rows] = {}
        self._inside: dict[str, list[tuple[str, int, Phrase]]] = {}
        self._always: _Rows = []
        self._of_word: dict[str, _OfWord] = {}
        self._of_no_use: list[str] = []

    def expect(self, words: Words, *entries: str) -> int:
        """Take the phrases in before the next text is looked up; the same entries have the same bit."""
        if entries not in self._bits:
            self._bits[entries] = 1 << len(self._bits)
            self._expected.append((self._bits[entries], words))
            _TEXTS.clear()  # what was looked up before does not know of these
        return self._bits[entries]

    def words_of(self, text: str) -> tuple[set[str], list[_OfWord]]:
        """The words of a lower-case text, and of each that any phrase needs, the phrases that do."""
        if self._expected:
            self._take_in()
        known = self._of_word
        words = {""}
        for token in text.split():
            word = token
            if word not in known:
                word = token.strip(_MARKS)
                if word not in known and not word.isalnum():
                    words.update(_WORD.findall(token))
                    continue
            words.add(word)
        needed = []
        for word in words:
            of_word = known[word] if word in known else self._look_up(word)
            if of_word.may_hold:
                needed.append(of_word)
        return words, needed

    def forget(self) -> None:
        """Forget words that no phrase needs: names and numbers."""
        for word in self._of_no_use:
            del self._of_word[word]
        self._of_no_use.clear()

    def _take_in(self) -> None:
        for bit, words in self._expected:
            for written in words.phrases:
                self._add(bit, Phrase.of(written))
        self._expected.clear()
        self._forget_all()

    def _forget_all(self) -> None:
        self._of_word = {"": _OfWord(iter(self._always))}
        self._of_no_use.clear()

    def _add(self, bit: int, phrase: Phrase) -> None:
        needed = phrase.needs
        if not needed or any(
            one.part is Part.INSIDE and len(one.letters) < _SHORTEST_INSIDE for one in needed
        ):
            self._always.append((bit, phrase))
            return
        for part, letters in ((one.part, one.letters) for one in needed):
            if part is Part.INSIDE:
                self._inside.setdefault(letters[:_SHORTEST_INSIDE], []).append((letters, bit, phrase))
            else:
                rows = self._whole if part is Part.WHOLE else self._beginning
                rows.setdefault(letters, []).append((bit, phrase))

    def _look_up(self, word: str) -> _OfWord:
        """What a word is needed for; kept beyond the note where that is anything."""
        found = _OfWord(self._rows(word))
        if not found.may_hold:
            self._of_no_use.append(word)
        elif len(self._of_word) >= _MOST_WORDS_KEPT:
            self._forget_all()
        self._of_word[word] = found
        return found

    def _rows(self, word: str) -> Iterator[tuple[int, Phrase]]:
        yield from self._whole.get(word, ())
        word = word[:_LONGEST_WORD]
        beginnings, inside = self._beginning, self._inside
        for end in range(1, len(word) + 1):
            if (beginning := word[:end]) in beginnings:
                yield from beginnings[beginning]
        for start in range(len(word) - _SHORTEST_INSIDE + 1):
            if (letters := word[start : start + _SHORTEST_INSIDE]) in inside:
                for whole, bit, phrase in inside[letters]:
                    if word.startswith(whole, start):
                        yield bit, phrase


_INDEX = _Index()
