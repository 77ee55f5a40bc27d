"""What was expected of a note, held against what was read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from adapters.reading.kinship import relation_of

_INDEX = re.compile(r"\[\d+\]")
_SHORTEST = 4
"""Letters that an excerpt has at least"""


class Comparison:
    """Compares a reading with what is expected of it. What is not mentioned is not compared.

    Texts may be excerpts: the words expected stand in what was read. In a list of items, each expected one
    must be found, in any order; where none is expected, none may be there.
    """

    def __init__(self, lenient: Sequence[str] = (), optional: Sequence[str] = ()) -> None:
        """`lenient`: fields with more than one fair reading; `optional`: lists that may hold more."""
        self._lenient = frozenset(_INDEX.sub("[*]", field) for field in lenient)
        self._optional = frozenset(optional)

    def differences(self, expected: object, actual: object, path: str = "") -> Iterator[str]:
        """The paths where they differ."""
        if _INDEX.sub("[*]", path) in self._lenient:
            return
        if isinstance(expected, Mapping):
            if not isinstance(actual, Mapping):
                yield path
                return
            for key, value in expected.items():
                yield from self.differences(value, actual.get(key), f"{path}.{key}" if path else str(key))
        elif isinstance(expected, Sequence) and not isinstance(expected, str):
            yield from self._items(expected, actual, path)
        elif isinstance(expected, str) and isinstance(actual, str):
            if not _same_words(expected, actual):
                yield path
        elif expected != actual:
            yield path

    def _items(self, expected: Sequence[object], actual: object, path: str) -> Iterator[str]:
        items = actual if isinstance(actual, Sequence) and not isinstance(actual, str) else ()
        if not expected and items and path not in self._optional:
            yield path
        for index, item in enumerate(expected):
            place = f"{path}[{index}]"
            if not any(not list(self.differences(item, candidate, place)) for candidate in items):
                yield place


def _same_words(expected: str, actual: str) -> bool:
    """Whether one holds the other, or both name the same relation (ektemann, husbond)."""
    wanted, found = _folded(expected), _folded(actual)
    if wanted in found or (len(found) >= _SHORTEST and found in wanted):
        return True
    relation = relation_of(None, expected)
    return relation is not None and relation == relation_of(None, actual)


def _folded(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .,;:-")
