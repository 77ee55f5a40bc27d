"""The form: the sections of a rendering, as `mappings/rendering.toml` gives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from gateway.contracts.messages import CodedValue
from gateway.contracts.summary import Action
from gateway.formats.codes import simple_code
from gateway.rendering.rows import (
    Choice,
    Coded,
    Field,
    Items,
    Kind,
    OptionalPart,
    People,
    Points,
    Row,
    Told,
    Tree,
)
from mappings import table

SOURCE = "source"
"""Key of the section on where the note comes from."""

_KINDS: Mapping[str, type[Any]] = {
    "object": OptionalPart,
    "field": Field,
    "choice": Choice,
    "coded": Coded,
    "items": Items,
    "people": People,
    "points": Points,
    "told": Told,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading with the kinds of rows that stand below it."""

    key: str
    heading: str
    kinds: tuple[Kind, ...]
    codes: Mapping[str, str]
    """By kind of message (`discharge`, `application`, `epikrise`): the heading code"""

    def rows(self, tree: Tree) -> list[Row]:
        """The rows for a summary."""
        return [row for kind in self.kinds for row in kind.rows(tree)]

    def read(self, lines: list[str], tree: Tree) -> None:
        """Put what the lines say into the tree.

        Raises:
            DamagedError: a line can not be read.
        """
        for kind in self.kinds:
            kind.read(lines, tree)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The whole form, with its fixed sentences."""

    sections: tuple[Section, ...]
    mark: str
    """Begins the line that tells form, version and control code"""
    nothing: str
    """Stands where a section has no rows"""
    note: str
    """Heading of the note as it was written"""
    note_codes: Mapping[str, str]
    titles: Mapping[Action, str]
    introduction: Mapping[str, str]
    """`municipality`, `gp`, `change`, `cancel`: a sentence below the title"""

    def introduce(self, action: Action, *, gp: bool) -> list[str]:
        """The sentences below the title."""
        wanted = [action.value, "gp" if gp else "municipality"]
        return [self.introduction[key] for key in wanted if key in self.introduction]


@cache
def form() -> Form:
    """The form of the gateway.

    Raises:
        ValueError: the table does not say how to build it; the message names the section.
    """
    words: Mapping[str, Any] = table("rendering")
    built = Form(
        sections=tuple(_section(entry) for entry in words["section"]),
        mark=words["form"],
        nothing=words["nothing"],
        note=words["note"],
        note_codes=words["note_codes"],
        titles={action: words["title"][action.value] for action in Action},
        introduction=words["introduction"],
    )
    headings = [*built.titles.values(), built.note, *(section.heading for section in built.sections)]
    if len(set(headings)) < len(headings):
        raise ValueError("mappings/rendering.toml: a heading stands there twice")
    return built


@cache
def codes(name: str) -> Mapping[str, CodedValue]:
    """The codes of a structured place, by the word that the summary holds."""
    of = cast("Mapping[str, Any]", table("rendering")["codes"])[name]
    return {word: simple_code(of["list"], code) for word, code in of["words"].items()}


def _section(entry: Mapping[str, Any]) -> Section:
    key = entry["key"]
    try:
        kinds = tuple(_kind(row) for row in entry["rows"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"mappings/rendering.toml: section {key} has a row that can not be used") from error
    _refuse_twice(key, kinds)
    return Section(
        key=key,
        heading=entry["heading"],
        kinds=kinds,
        codes={name: entry[name] for name in ("discharge", "application", "epikrise") if name in entry},
    )


def _kind(row: Mapping[str, Any]) -> Kind:
    given = {"writing" if key == "as" else key: value for key, value in row.items() if key != "kind"}
    if "fields" in given:
        given["fields"] = tuple(
            Field(path=f["path"], label=f["label"], writing=f.get("as", "text")) for f in given["fields"]
        )
    kind: Kind = _KINDS[row["kind"]](**given)
    return kind


def _refuse_twice(key: str, kinds: tuple[Kind, ...]) -> None:
    """A label that stands twice in a section, or holds a colon, could not be read back."""
    labels: list[str] = []
    for kind in kinds:
        if isinstance(kind, Field | Choice | Told):
            labels.append(kind.label)
        elif isinstance(kind, Coded):
            labels += kind.labels.values()
        elif isinstance(kind, People):
            labels += [field.label for field in kind.fields]
    if len(set(labels)) < len(labels) or any(":" in label for label in labels):
        raise ValueError(f"mappings/rendering.toml: section {key} has a label that can not be told apart")
