r"""The small language that the vocabularies are written in, compiled to one regular expression.

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
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_BETWEEN = r"[^\w:;!?]{1,4}"
_GAPS = {"..": rf"(?:{_BETWEEN}\w+){{0,3}}?{_BETWEEN}", "...": rf"(?:{_BETWEEN}\w+){{0,7}}?{_BETWEEN}"}

NEVER = re.compile(r"(?!)")
"""What an empty vocabulary matches."""


def compile_phrases(phrases: Iterable[str]) -> re.Pattern[str]:
    """One pattern for all phrases, with what they begin with in common."""
    trie: _Trie = {}
    for phrase in (one for written in phrases for one in _by_beginning(written)):
        node = trie
        for atom in _atoms(phrase):
            node = node.setdefault(atom, {})
        node.setdefault("", {})
    return re.compile(_pattern(trie)) if trie else NEVER


@dataclass(frozen=True, slots=True)
class Beginnings:
    """What a text must hold for any of some phrases to be in it: quick to ask before the pattern is."""

    words: frozenset[str]
    """First letters of words, as `first_letters` gives them"""
    inside: tuple[str, ...]
    """Letters that may stand inside of a word"""
    open: bool
    """A phrase may begin with any word: only the pattern tells"""


def first_letters(text: str) -> frozenset[str]:
    """The first letters of every word of a lower-case text: three, or the whole of a shorter word."""
    return frozenset(word[:_LETTERS] for word in _WORD.findall(text))


def beginnings(phrases: Iterable[str]) -> Beginnings:
    """What texts that hold one of the phrases have in common."""
    words: set[str] = set()
    inside: list[str] = []
    for phrase in phrases:
        parts = [part for part in phrase.split() if part != "^"]
        optional = [part[:-1] for part in parts if part.endswith("?")]
        first = next(part for part in parts if not part.endswith("?"))
        for word in "|".join([*optional, first]).split("|"):
            stem = word.lstrip("*")
            letters = _WORD.match(stem.split("*")[0])
            if letters is None or (
                len(letters[0]) < _LETTERS and len(letters[0]) < len(stem) and "*" in stem
            ):
                return Beginnings(frozenset(), (), open=True)
            if word.startswith("*"):
                inside.append(letters[0])
            else:
                words.add(letters[0][:_LETTERS])
    return Beginnings(frozenset(words), tuple(inside), open=False)


_LETTERS = 3
_WORD = re.compile(r"\w+")

_Trie = dict[str, "_Trie"]


def _by_beginning(phrase: str) -> Iterator[str]:
    """Tell apart the first words that may begin inside of a word: only they have to be tried everywhere."""
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


def _atoms(phrase: str) -> list[str]:
    atoms: list[str] = []
    words = phrase.split()
    between = ""
    last = len(words) - 1
    for index, word in enumerate(words):
        if word == "^":
            atoms.append(r"^\W*")
        elif word == "$":
            atoms.append(r"\W*$")
        elif word in _GAPS:
            between = _GAPS[word]
        elif word.endswith("?"):
            atoms.append(between or (r"(?<!\w)" if not atoms else ""))
            atoms.append(f"(?:{_word(word[:-1])}{_BETWEEN})?")
            between = ""
            continue
        else:
            if between:
                atoms.append(between)
            elif not atoms and not word.startswith("*"):
                atoms.append(r"(?<!\w)")
            atoms.extend(_word_atoms(word, first=not atoms, last=index == last))
            between = _BETWEEN
    return [atom for atom in atoms if atom]


def _word_atoms(word: str, *, first: bool, last: bool) -> list[str]:
    if "|" in word:
        choice = _choice(word.split("|"))
        return [choice, r"(?!\w)"] if last else [choice]
    if word == "#":
        return [r"\d+"]
    atoms = _letters(word)
    if first and word.startswith("*"):
        del atoms[0]
    if last and word.endswith("*"):
        del atoms[-1]
        return atoms
    return [*atoms, r"(?!\w)"] if last else atoms


def _word(word: str) -> str:
    return "".join(_letters(word))


def _letters(word: str) -> list[str]:
    if word == "#":
        return [r"\d+"]
    return [r"\w*" if letter == "*" else _BETWEEN if letter == "_" else re.escape(letter) for letter in word]


def _choice(words: list[str]) -> str:
    """Words to choose from, with what they begin with in common: a wrong first letter ends the search."""
    trie: _Trie = {}
    for word in words:
        node = trie
        for atom in _letters(word):
            node = node.setdefault(atom, {})
        node.setdefault("", {})
    return f"(?:{_any_of(trie)})"


def _any_of(trie: _Trie) -> str:
    branches = [atom + _any_of(below) for atom, below in trie.items() if atom]
    if not branches:
        return ""
    pattern = branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"
    return f"(?:{pattern})?" if "" in trie else pattern


def _pattern(trie: _Trie) -> str:
    if "" in trie:
        # A shorter phrase is enough: what comes after it adds nothing.
        return ""
    branches = [atom + _pattern(below) for atom, below in trie.items()]
    return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"
