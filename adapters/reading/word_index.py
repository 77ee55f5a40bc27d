"""From the words of texts to the phrases that can not be without them.

All vocabularies share one index. A text is looked up once, token by token, and of the phrases of a
vocabulary only those are tried whose rarest words it has, when they are asked for. Vocabularies are told
apart by bits: a number says which of them a text may hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from adapters.reading.phrases import Part, Phrase, Trigger


class Text:
    """A text looked up: which vocabularies it may hold, and what was found of them."""

    __slots__ = ("_text", "_tokens", "first", "held", "may_hold", "words")

    def __init__(self, text: str, words: set[str], may_hold: int, tokens: list[Token]) -> None:
        """Take the text with what the index knows of it."""
        self._text = text
        self.words = words
        """Its words, and what stands between its blanks"""
        self.may_hold = may_hold
        self._tokens = tokens
        self.first: dict[int, re.Match[str] | None] = {}
        self.held: dict[int, bool] = {}

    def holds(self, bit: int) -> bool:
        """Whether it holds any phrase of a vocabulary."""
        tokens = [token for token in self._tokens if token.may_hold & bit]
        for token in tokens:
            if token.holds & bit:
                return True
        text, words = self._text, self.words
        for token in tokens:
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


class Token:
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
        self.phrases: dict[int, list[Phrase]] = {}
        for bit, phrase in rows:
            self.may_hold |= bit
            if plain and phrase.is_word:
                self.holds |= bit
            self.phrases.setdefault(bit, []).append(phrase)


_Rows = list[tuple[int, Phrase]]

_NO_TOKEN = Token((), [], plain=True)
"""A word that no phrase needs"""

_SHORTEST_INSIDE = 3
_FIRST_LETTERS = 3
_MOST_TOKENS_KEPT = 20_000
_LONGEST_WORD = 60
"""No word of a vocabulary is longer: what a longer word of a text goes on with is not looked at"""
_WORD = re.compile(r"[^\W_]+")
_MARKS = '.,:;()-/!?«»"'
"""What mostly stands around a word"""


def _is_too_little(needed: Trigger) -> bool:
    """Whether so many words of texts have the letters that they are not looked for."""
    if needed.part is Part.WHOLE:
        return False
    return needed.letters.isdecimal() or (
        needed.part is Part.INSIDE and len(needed.letters) < _SHORTEST_INSIDE
    )


class Index:
    """From the words of texts to the phrases that can not be without them."""

    def __init__(self) -> None:
        """Begin without phrases."""
        self.texts: dict[str, Text] = {}
        """Texts of the note that is read"""
        self._bits: dict[tuple[str, ...], int] = {}
        self._expected: list[tuple[int, Callable[[], Iterable[str]]]] = []
        self._whole: dict[str, _Rows] = {}
        self._beginning: dict[str, _Rows] = {}
        self._lengths: dict[str, list[int]] = {}
        """How long beginnings are, by their first letters"""
        self._inside: dict[str, list[tuple[str, int, Phrase]]] = {}
        self._words: set[str] = set()
        """Words that phrases are written with, needed or not: no names"""
        self._always: _Rows = []
        self._any = Token((), [], plain=False)
        self._tokens: dict[str, Token] = {}
        self._of_one_note: set[str] = set()

    def expect(self, phrases: Callable[[], Iterable[str]], *entries: str) -> int:
        """Take phrases in before the next text is looked up; the same entries have the same bit.

        Args:
            phrases: gives them when they are needed.
            entries: where they stand in the vocabularies.
        """
        if entries not in self._bits:
            self._bits[entries] = 1 << len(self._bits)
            self._expected.append((self._bits[entries], phrases))
            self.texts.clear()  # what was looked up before does not know of these
        return self._bits[entries]

    def look_up(self, text: str) -> Text:
        """A lower-case text looked up, once while a note is read."""
        texts = self.texts
        if text in texts:
            return texts[text]
        words = set(text.split())
        may_hold, tokens = self._tokens_of(words)
        seen = texts[text] = Text(text, words, may_hold, tokens)
        return seen

    def _tokens_of(self, words: set[str]) -> tuple[int, list[Token]]:
        """Which vocabularies a lower-case text may hold, and its tokens.

        Args:
            words: what stands between its blanks; the words of these are added.
        """
        if self._expected:
            self._take_in()
        known = self._tokens
        may_hold = self._any.may_hold
        tokens = [self._any]
        inside: list[str] = []
        for written in words:
            token = known[written] if written in known else self._look_up(written)
            may_hold |= token.may_hold
            tokens.append(token)
            if token.words:
                inside += token.words
        words.update(inside)
        return may_hold, tokens

    def knows(self, text: str) -> bool:
        """Whether phrases need every word of a lower-case text: it has no name and no number."""
        tokens = set(text.split())
        self._tokens_of(tokens)
        return self._of_one_note.isdisjoint(tokens)

    def forget(self) -> None:
        """Forget the texts of a note, and its tokens with words that no phrase needs: names and numbers."""
        self.texts.clear()
        for written in self._of_one_note:
            del self._tokens[written]
        self._of_one_note.clear()

    def _take_in(self) -> None:
        for bit, phrases in self._expected:
            for written in phrases():
                self._add(bit, Phrase.of(written))
        self._expected.clear()
        self._any = Token((), self._always, plain=False)
        lengths: dict[str, set[int]] = {}
        for letters in self._beginning:
            lengths.setdefault(letters[:_FIRST_LETTERS], set()).add(len(letters))
        self._lengths = {letter: sorted(sizes) for letter, sizes in lengths.items()}
        self._forget_all()

    def _forget_all(self) -> None:
        self._tokens.clear()
        self._of_one_note.clear()

    def _add(self, bit: int, phrase: Phrase) -> None:
        self._words.update(_WORD.findall(phrase.written))
        needed = phrase.needs
        if not needed or any(map(_is_too_little, needed)):
            self._always.append((bit, phrase))
            return
        for part, letters in ((one.part, one.letters) for one in needed):
            if part is Part.INSIDE:
                self._inside.setdefault(letters[:_SHORTEST_INSIDE], []).append((letters, bit, phrase))
            else:
                rows = self._whole if part is Part.WHOLE else self._beginning
                rows.setdefault(letters, []).append((bit, phrase))

    def _look_up(self, written: str) -> Token:
        """What the words of a token are needed for; kept beyond the note where phrases have each of them."""
        if written.isalnum():
            words: Sequence[str] = ()
            rows = self._rows(written)
            known = bool(rows) or written in self._words
        else:
            word = written.strip(_MARKS)
            words = [word] if word.isalnum() else _WORD.findall(written)
            rows, known = [], True
            for word in words:
                some = self._rows(word)
                rows += some
                known = known and (bool(some) or word in self._words)
        if not known:
            self._of_one_note.add(written)
        elif len(self._tokens) >= _MOST_TOKENS_KEPT:
            self._forget_all()
        found = Token(words, rows, plain="_" not in written) if words or rows else _NO_TOKEN
        self._tokens[written] = found
        return found

    def _rows(self, word: str) -> _Rows:
        rows = [*self._whole[word]] if word in self._whole else []
        if word.isdecimal():
            return rows
        word = word[:_LONGEST_WORD]
        lengths, beginnings, inside = self._lengths, self._beginning, self._inside
        size = len(word)
        for letters in {word[:1], word[:2], word[:_FIRST_LETTERS]}:
            if letters in lengths:
                for length in lengths[letters]:
                    if length <= size and (beginning := word[:length]) in beginnings:
                        rows += beginnings[beginning]
        for start in range(size - _SHORTEST_INSIDE + 1):
            if (letters := word[start : start + _SHORTEST_INSIDE]) in inside:
                rows += [
                    (bit, phrase) for whole, bit, phrase in inside[letters] if word.startswith(whole, start)
                ]
        return rows


INDEX = Index()
