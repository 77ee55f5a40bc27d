"""The small language that the vocabularies are written in, compiled to one regular expression.

| written | matches |
|---|---|
| `vondt` | the word |
| `smerte*` | a word that begins so |
| `*kreft` | a word that ends so |
| `ikke\\|ikkje behov` | either word, then the next |
| `ikke .. behov` | up to three words between; `...` up to seven |
| `hun? selv` | the first word may be missing |
| `tar\\|tar_seg av` | `_` joins words within an alternative |
| `om # uker` | a number |
| `^ startet` | only at the beginning; `ja $` only at the end |

Between words stand blanks, and commas, hyphens, full stops (of abbreviations) and the like. Texts are matched in
lower case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_BETWEEN = r"[^\w:;!?]{1,4}"
_GAPS = {"..": rf"(?:{_BETWEEN}\w+){{0,3}}?{_BETWEEN}", "...": rf"(?:{_BETWEEN}\w+){{0,7}}?{_BETWEEN}"}

NEVER = re.compile(r"(?!)")
"""What an empty vocabulary matches."""


def compile_phrases(phrases: Iterable[str]) -> re.Pattern[str]:
    """One pattern for all phrases, with what they begin with in common."""
    trie: _Trie = {}
    for phrase in phrases:
        node = trie
        for atom in _atoms(phrase):
            node = node.setdefault(atom, {})
        node.setdefault("", {})
    return re.compile(_pattern(trie)) if trie else NEVER


_Trie = dict[str, "_Trie"]


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
        choice = f"(?:{'|'.join(_word(part) for part in word.split('|'))})"
        return [choice, r"(?!\w)"] if last else [choice]
    if word == "#":
        return [r"\d+"]
    atoms = [r"\w*" if letter == "*" else _BETWEEN if letter == "_" else re.escape(letter) for letter in word]
    if first and word.startswith("*"):
        del atoms[0]
    if last and word.endswith("*"):
        del atoms[-1]
        return atoms
    return [*atoms, r"(?!\w)"] if last else atoms


def _word(word: str) -> str:
    if word == "#":
        return r"\d+"
    return re.escape(word).replace(r"\*", r"\w*").replace("_", _BETWEEN)


def _pattern(trie: _Trie) -> str:
    if "" in trie:
        # A shorter phrase is enough: what comes after it adds nothing.
        return ""
    branches = [atom + _pattern(below) for atom, below in trie.items()]
    return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"
