"""The kinds of rows that a section of a rendering is made of: each writes its rows, and reads them back.

Both work on the JSON form of the summary (`Summary.to_json`). A row is one line. What a reader must tell
apart begins differently: a list's line with `- `, a value's line with its label, anything else is a fixed
sentence; so no text of a note can pass for a heading or a label.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple, Protocol, TypeAlias

from gateway.rendering.words import WRITINGS, date_from_words, date_in_words

Tree: TypeAlias = dict[str, Any]
"""A summary as JSON; holes are `None`, or missing."""

BULLET = "- "


class DamagedError(ValueError):
    """A line is not as it is written by this form. The text holds no values."""


class Row(NamedTuple):
    """A line of a section."""

    text: str
    label: str | None = None
    item: bool = False

    def __str__(self) -> str:
        """The line as it stands in a text."""
        words = f"{self.label}: {self.text}" if self.label else self.text
        return BULLET + words if self.item else words


class Kind(Protocol):
    """A kind of row."""

    def rows(self, tree: Tree) -> Iterator[Row]:
        """The rows for a summary."""

    def read(self, lines: Sequence[str], tree: Tree) -> None:
        """Put what the lines of the section say into the tree; other lines are others' business.

        Raises:
            DamagedError: a line of this kind can not be read.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionalPart:
    """An optional part of the summary: a sentence says that there is none."""

    path: str
    absent: str

    def rows(self, tree: Tree) -> Iterator[Row]:
        """The sentence, where the part is missing."""
        if get(tree, self.path) is None:
            yield Row(self.absent)

    def read(self, lines: Sequence[str], tree: Tree) -> None:
        """An empty part to fill, unless the sentence stands there."""
        put(tree, self.path, None if self.absent in lines else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A value, or several of a kind."""

    path: str
    label: str
    writing: str = "text"
    many: bool = False
    absent: str | None = None

    def rows(self, tree: Tree) -> Iterator[Row]:
        """A row for each value."""
        value = get(tree, self.path)
        values = value if self.many else [value]
        write = WRITINGS[self.writing].write
        found = [Row(write(str(v)), self.label) for v in values or () if v is not None]
        if found:
            yield from found
        elif self.absent:
            yield Row(self.absent)

    def read(self, lines: Sequence[str], tree: Tree) -> None:
        """The values behind the label."""
        found = [self.value(words) for words in labelled(lines, self.label)]
        if self.many:
            put(tree, self.path, found)
        elif found:
            put(tree, self.path, found[0])

    def value(self, words: str) -> str | int:
        """What the words of one row stand for."""
        try:
            return WRITINGS[self.writing].read(words)
        except ValueError as error:
            raise DamagedError(f"{self.path} is not written as expected") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A fact about the message, for the reader alone."""

    path: str
    label: str
    writing: str = "text"

    def rows(self, tree: Tree) -> Iterator[Row]:
        """The fact, where it is known."""
        value = get(tree, self.path)
        if value is not None:
            yield Row(WRITINGS[self.writing].write(str(value)), self.label)

    def read(self, lines: Sequence[str], tree: Tree) -> None:
        """Nothing: the head of the message has its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A value of a few, in a word for each."""

    path: str
    label: str
    words: Mapping[str, str]
    default: object = None

    def rows(self, tree: Tree) -> Iterator[Row]:
        """The word for the value, where it has one."""
        word = self.words.get(_key(get(tree, self.path)))
        if word is not None:
            yield Row(word, self.label)

    def read(self, lines: Sequence[str], tree: Tree) -> None:
        """The value of the word, or the default where there is no row."""
        found = labelled(lines, self.label)
        put(tree, self.path, _value(self.words, found[0]) if found else self.default)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """A value whose label tells its type; a type without value is told by a sentence."""

    path: str
    type: str
    labels: Mapping[str, str]

    def rows(self, tree: Tree) -> Iterator[Row]:
        """The value under the label of its type."""
        value, kind = get(tree, self.path), get(tree, self.type)
        label = self.labels[_key(kind)]
        if value is not None:
            yield Row(str(value), label)
        elif kind is not None:
            yield Row(_missing(label))

    def read(self, lines: Sequence[str], tree: Tree) -> None:
        """The value, and the type that its label tells."""
        for key, label in self.labels.items():
            found = labelled(lines, label)
            if found or _missing(label) in lines:
                put(tree, self.path, found[0] if found else None)
                put(tree, self.type, _plain(key))
                return


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """A list of texts; each begins with the word for its kind, where the list has kinds."""

    path: str
    absent: str
    by: str | None = None
    words: Mapping[str, str] | None = None

    def rows(self, tree: Tree) -> Iterator[Row]:
        """An item for each entry."""
        entries = get(tree, self.path)
        for entry in entries:
            word = self.words[_key(entry[self.by])] if self.by and self.words else None
            yield Row(entry["text"], word, item=True)
        if not entries:
            yield Row(self.absent)

    def read(self, lines: Sequence[str], tree: Tree) -> None:
        """The entries, in their order."""
        entries: list[Tree] = []
        for line in lines:
            if not line.startswith(BULLET):
                continue
            text = line.removeprefix(BULLET)
            if self.by and self.words:
                word, colon, text = text.partition(": ")
                if not colon:
                    raise DamagedError(f"an item of {self.path} is not written as expected")
                entries.append({"text": text, self.by: _value(self.words, word)})
            else:
                entries.append({"text": text})
        put(tree, self.path, entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """A list of persons: the name as an item, then the fields of each."""

    path: str
    name: str
    fields: tuple[Field, ...]
    absent: str

    def rows(self, tree: Tree) -> Iterator[Row]:
        """The rows of each person."""
        people = get(tree, self.path)
        for person in people:
            yield Row(person[self.name], item=True)
            for field in self.fields:
                yield from field.rows(person)
        if not people:
            yield Row(self.absent)

    def read(self, lines: Sequence[str], tree: Tree) -> None:
        """The persons, in their order."""
        starts = [i for i, line in enumerate(lines) if line.startswith(BULLET)]
        people: list[Tree] = []
        for start, end in pairwise([*starts, len(lines)]):
            person: Tree = {self.name: lines[start].removeprefix(BULLET)}
            for field in self.fields:
                field.read(lines[start + 1 : end], person)
            people.append(person)
        put(tree, self.path, people)


_POINT = re.compile(
    r"Samhandlingspunkt ([23]): fra ([0-9.]{10}) til ([0-9.]{10}), regnet fra (.+)", re.DOTALL
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """The windows in which the next interaction points are due."""

    path: str
    words: Mapping[str, str]
    absent: str

    def rows(self, tree: Tree) -> Iterator[Row]:
        """An item for each window."""
        points = get(tree, self.path)
        for point in points:
            start, end = date_in_words(point["from"]), date_in_words(point["to"])
            basis = self.words[point["basis"]]
            yield Row(
                f"fra {start} til {end}, regnet fra {basis}",
                f"Samhandlingspunkt {point['point']}",
                item=True,
            )
        if not points:
            yield Row(self.absent)

    def read(self, lines: Sequence[str], tree: Tree) -> None:
        """The windows, in their order."""
        put(tree, self.path, [self._point(line) for line in lines if line.startswith(BULLET)])

    def _point(self, line: str) -> Tree:
        match = _POINT.fullmatch(line.removeprefix(BULLET))
        if match is None:
            raise DamagedError("an interaction point is not written as expected")
        point, start, end, basis = match.groups()
        try:
            dates = {"from": date_from_words(start), "to": date_from_words(end)}
        except ValueError as error:
            raise DamagedError("a date is not written as expected") from error
        return {"point": int(point), **dates, "basis": _value(self.words, basis)}


def labelled(lines: Sequence[str], label: str) -> list[str]:
    """What follows a label, for each line that begins with it."""
    start = f"{label}: "
    return [line.removeprefix(start) for line in lines if line.startswith(start)]


def get(tree: Tree, path: str) -> Any:  # noqa: ANN401 - any JSON value
    """The value at a path of keys; None where a part of the path is missing."""
    here: Any = tree
    for key in _keys(path):
        if here is None:
            return None
        here = here.get(key)
    return here


def put(tree: Tree, path: str, value: object) -> None:
    """Set the value at a path; the parts on the way that are not there yet are made.

    Raises:
        DamagedError: the part that the value belongs to was said to be missing.
    """
    *parents, last = _keys(path)
    here = tree
    for key in parents:
        here = here.setdefault(key, {})
        if here is None:
            if value is None:
                return
            raise DamagedError(f"{path} is given, though its part is said to be missing")
    here[last] = value


@cache
def _keys(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


def _key(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _plain(key: str) -> object:
    if key in ("true", "false", "null") or key.isdecimal():
        plain: object = json.loads(key)
        return plain
    return key


def _value(words: Mapping[str, str], word: str) -> object:
    for key, known in words.items():
        if known == word:
            return _plain(key)
    raise DamagedError("a word is none of those that the form uses")


def _missing(label: str) -> str:
    return f"{label} er ikke oppgitt."
