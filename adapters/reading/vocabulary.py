"""Vocabularies as questions to ask of a text.

The readers of a note ask some eight hundred questions of its some fifty texts, and mostly the answer is no.
So all vocabularies share one index, from words to the phrases that can not be without them: a text is looked
up once, word by word, and only phrases whose rarest words it has are tried, when they are asked for. A phrase
is compiled when it is first tried; what a text holds is remembered while a note is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
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
    return low if low.isascii() or ("ä" not in low and "ö" not in low) else low.translate(_SWEDISH)


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

    __slots__ = ("_at_start", "_keys", "_name", "bit")

    def __init__(self, name: str, *keys: str) -> None:
        """Name the vocabulary and the entries (none: all); nothing is read before the first question."""
        self._name = name
        self._keys = keys
        self._at_start: re.Pattern[str] | None = None
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
            seen = _TEXTS[text] = _Text(text)
        bit = self.bit
        if not seen.may_hold & bit:
            return False
        held = seen.held
        if bit not in held:
            held[bit] = seen.holds(bit)
        return held[bit]


class Sieve:
    """Several `Words` of which a text mostly holds none."""

    __slots__ = ("_any",)

    def __init__(self, *words: Words) -> None:
        """Take them."""
        self._any = reduce(or_, (each.bit for each in words), 0)

    def passes(self, text: str) -> bool:
        """False where neither a lower-case text nor any part of it, cut between words, holds one."""
        return bool(_looked_up(text).may_hold & self._any)


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

    __slots__ = ("_text", "_tokens", "first", "held", "may_hold", "words")

    def __init__(self, text: str) -> None:
        self._text = text
        self.words = set(text.split())
        """Its words, and what stands between its blanks"""
        self.may_hold, self._tokens = _INDEX.tokens_of(self.words)
        self.first: dict[int, re.Match[str] | None] = {}
        self.held: dict[int, bool] = {}

    def holds(self, bit: int) -> bool:
        """Whether it holds any phrase of a vocabulary."""
        for token in self._tokens:
            if token.holds & bit:
                return True
        text, words = self._text, self.words
        for token in self._tokens:
            if not token.may_hold & bit:
                continue
            for phrase in token.phrases[bit]:
                also = phrase.also
                if (also is None or not also.isdisjoint(words)) and phrase.pattern.search(text) is not None:
                    return True
        return False

    def search(self, bit: int) -> re.Match[str] | None:
        """The first place of a vocabulary; of those that begin there, the longest."""
        text, words = self._text, self.words
        best: re.Match[str] | None = None
        start = end = 0
        for token in self._tokens:
            if not token.may_hold & bit:
                continue
            for phrase in token.phrases[bit]:
                also = phrase.also
                if also is not None and also.isdisjoint(words):
                    continue
                found = phrase.pattern.search(text)
                if found is not None:
                    at, until = found.span()
                    if best is None or at < start or (at == start and until > end):
                        best, start, end = found, at, until
        return best

    def every(self, bit: int) -> list[re.Match[str]]:
        """Every place of a vocabulary; none overlaps another."""
        words = self.words
        places = [
            found
            for token in self._tokens
            if token.may_hold & bit
            for phrase in token.phrases[bit]
            if (also := phrase.also) is None or not also.isdisjoint(words)
            for found in phrase.pattern.finditer(self._text)
        ]
        if len(places) < 2:
            return places
        kept: list[re.Match[str]] = []
        for found in sorted(places, key=_rank):
            if not kept or found.start() >= kept[-1].end():
                kept.append(found)
        return kept


def _rank(found: re.Match[str]) -> tuple[int, int]:
    start, end = found.span()
    return start, -end


class _Token:
    """What stands between two blanks: the words in it, and the phrases that they are needed for.

    Phrases are kept by the bits of the vocabularies that have them.
    """

    __slots__ = ("holds", "may_hold", "phrases", "words")

    def __init__(self, words: Sequence[str], rows: _Rows, *, plain: bool) -> None:
        """Take its words, with the phrases that they are needed for.

        Args:
            words: the words, if it is more than one word.
            rows: each phrase with the bit of a vocabulary that has it.
            plain: whether words end where they end for a regular expression.
        """
        self.words = words
        self.may_hold = self.holds = 0
        phrases: dict[int, list[Phrase]] = {}
        for bit, phrase in rows:
            self.may_hold |= bit
            if plain and phrase.is_word:
                self.holds |= bit
            phrases.setdefault(bit, []).append(phrase)
        self.phrases = phrases


_Rows = list[tuple[int, Phrase]]

_SHORTEST_INSIDE = 3
_MOST_TOKENS_KEPT = 20_000
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
        self._lengths: dict[str, list[int]] = {}
        """How long beginnings are, by their first letter"""
        self._inside: dict[str, list[tuple[str, int, Phrase]]] = {}
        self._always: _Rows = []
        self._any = _Token((), [], plain=False)
        self._tokens: dict[str, _Token] = {}
        self._of_one_note: list[str] = []

    def expect(self, words: Words, *entries: str) -> int:
        """Take the phrases in before the next text is looked up; the same entries have the same bit."""
        if entries not in self._bits:
            self._bits[entries] = 1 << len(self._bits)
            self._expected.append((self._bits[entries], words))
            _TEXTS.clear()  # what was looked up before does not know of these
        return self._bits[entries]

    def tokens_of(self, words: set[str]) -> tuple[int, list[_Token]]:
        """Which vocabularies a lower-case text may hold, and those of its tokens that phrases need.

        Args:
            words: what stands between its blanks; the words of these are added.
        """
        if self._expected:
            self._take_in()
        known = self._tokens
        may_hold = self._any.may_hold
        needed = [self._any]
        inside: list[str] = []
        for written in words:
            token = known[written] if written in known else self._look_up(written)
            if token.words:
                inside += token.words
            if token.may_hold:
                may_hold |= token.may_hold
                needed.append(token)
        words.update(inside)
        return may_hold, needed

    def forget(self) -> None:
        """Forget tokens with words that no phrase needs: names and numbers."""
        for written in self._of_one_note:
            del self._tokens[written]
        self._of_one_note.clear()

    def _take_in(self) -> None:
        for bit, words in self._expected:
            for written in words.phrases:
                self._add(bit, Phrase.of(written))
        self._expected.clear()
        self._any = _Token((), self._always, plain=False)
        lengths: dict[str, set[int]] = {}
        for letters in self._beginning:
            lengths.setdefault(letters[0], set()).add(len(letters))
        self._lengths = {letter: sorted(sizes) for letter, sizes in lengths.items()}
        self._forget_all()

    def _forget_all(self) -> None:
        self._tokens.clear()
        self._of_one_note.clear()

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

    def _look_up(self, written: str) -> _Token:
        """What the words of a token are needed for; kept beyond the note where that is each of them."""
        if written.isalnum():
            words: Sequence[str] = ()
            rows = self._rows(written)
            known = bool(rows)
        else:
            word = written.strip(_MARKS)
            words = [word] if word.isalnum() else _WORD.findall(written)
            rows, known = [], True
            for word in words:
                some = self._rows(word)
                rows += some
                known = known and bool(some)
        if not known:
            self._of_one_note.append(written)
        elif len(self._tokens) >= _MOST_TOKENS_KEPT:
            self._forget_all()
        found = self._tokens[written] = _Token(words, rows, plain="_" not in written)
        return found

    def _rows(self, word: str) -> _Rows:
        rows = [*self._whole[word]] if word in self._whole else []
        word = word[:_LONGEST_WORD]
        beginnings, inside = self._beginning, self._inside
        for length in self._lengths.get(word[0], ()):
            if (beginning := word[:length]) in beginnings and len(beginning) == length:
                rows += beginnings[beginning]
        for start in range(len(word) - _SHORTEST_INSIDE + 1):
            if (letters := word[start : start + _SHORTEST_INSIDE]) in inside:
                rows += [
                    (bit, phrase) for whole, bit, phrase in inside[letters] if word.startswith(whole, start)
                ]
        return rows


_INDEX = _Index()
