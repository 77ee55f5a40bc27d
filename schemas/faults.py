"""What is wrong with a message: where, of what kind, and a sentence for a person.

No text here holds a value of the message: only names of elements and attributes, and what the schema says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from lxml import etree

FaultCode = Literal[
    "element-not-expected",
    "missing-element",
    "value-not-allowed",
    "attribute-not-allowed",
    "missing-attribute",
    "text-not-allowed",
    "no-declaration",
    "other",
]

_LONGEST_NAME = 80
"""Names come from the message, and XML sets them no limit."""


@dataclass(frozen=True)
class SchemaFault:
    """One reason why a message is not valid."""

    line: int | None
    path: str
    """`/MsgHead/Document[2]/RefDoc/MsgType/@V`: local names, with positions where there are several."""

    code: FaultCode
    message: str
    """A sentence with line and path; it never holds a value of the message."""


def fault(
    element: etree._Element, code: FaultCode, sentence: str, attribute: str | None = None
) -> SchemaFault:
    """A fault of an element, or of an attribute of it."""
    line: Any = element.sourceline
    path = path_of(element) + (f"/@{attribute}" if attribute else "")
    where = path if line is None else f"line {line}, {path}"
    return SchemaFault(line, path, code, f"{where}: {sentence}")


def local_name(tag: str) -> str:
    """A name without its namespace."""
    return tag.rpartition("}")[2][:_LONGEST_NAME]


def path_of(element: etree._Element) -> str:
    """Where an element stands, in local names; a position where its parent holds several of the name."""
    steps = []
    here: etree._Element | None = element
    while here is not None:
        name = local_name(here.tag)
        parent = here.getparent()
        family = () if parent is None else parent.iterchildren(tag=etree.Element)
        alike = [each for each in family if local_name(each.tag) == name]
        steps.append(name if len(alike) < 2 else f"{name}[{alike.index(here) + 1}]")
        here = parent
    return "/" + "/".join(reversed(steps))
