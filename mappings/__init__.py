"""Tables, no code: headings, phrases, code lists.

Each vocabulary is a TOML file of entries: `phrases` in the small language of `adapters.reading.phrases`, and
`examples`, sentences that the entry must recognise (a test reads every one). `@name` in a phrase is a list of
`names.toml`.

`codes/` holds the code lists of the standards, one file a list by its number: OID, source, date and the
codes that the gateway reads or writes. `codes/cancer.toml` says which diagnoses are cancer.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import cast


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry of a vocabulary."""

    key: str
    """`contact.when`: the file and the table; the rule that evidence names"""
    phrases: tuple[str, ...]
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeTable:
    """What the gateway uses of a code list."""

    oid: str
    name: str
    source: str
    date: str
    """State of the list, ISO 8601"""
    codes: Mapping[str, str]
    """The text (DN) of each code"""


@cache
def table(name: str) -> Mapping[str, object]:
    """A TOML file of this folder as it stands.

    Raises:
        FileNotFoundError: there is none of that name.
    """
    document = tomllib.loads(files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8"))
    return MappingProxyType(document)


@cache
def vocabulary(name: str) -> Mapping[str, Entry]:
    """The entries of a vocabulary, in the order of the file.

    Raises:
        FileNotFoundError: there is none of that name.
        ValueError: a table of it is no entry.
    """
    entries: dict[str, Entry] = {}
    for key, value in table(name).items():
        if not isinstance(value, dict) or set(value) != {"phrases", "examples"}:
            raise ValueError(f"mappings/{name}.toml: {key} has not phrases and examples")
        phrases = tuple(_with_names(phrase) for phrase in value["phrases"])
        entries[key] = Entry(key=f"{name}.{key}", phrases=phrases, examples=tuple(value["examples"]))
    return MappingProxyType(entries)


def _with_names(phrase: str) -> str:
    """A phrase with the lists of `names.toml` put in: `@not` becomes `ikke|ikkje|…`."""
    if "@" not in phrase:
        return phrase
    return " ".join("|".join(_names(part)) for part in phrase.split())


def _names(word: str) -> list[str]:
    names = cast("Mapping[str, list[str]]", table("names"))
    parts = word.split("|")
    return [one for part in parts for one in (names[part[1:]] if part.startswith("@") else [part])]


@cache
def code_list(number: str) -> CodeTable:
    """A code list by its number, the last part of its OID: `8221`.

    Raises:
        FileNotFoundError: the gateway uses no such list.
    """
    document = table(f"codes/{number}")
    words = {key: str(document[key]) for key in ("oid", "name", "source", "date")}
    codes = cast("Mapping[str, str]", document["codes"])
    return CodeTable(**words, codes=MappingProxyType(dict(codes)))
