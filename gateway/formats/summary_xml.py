"""The canonical summary as XML, and back: `schemas/own/summary-1.xsd` in code.

The elements are named after the fields of the model, so that what the model gains is written and read
without a word here. What is `None` has no element; a list is its elements; an object with nothing in it is
an empty element. Everything is element content, never an attribute, because XML folds white space there.
"""

from __future__ import annotations

import datetime
import functools
import json
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from xml.sax.saxutils import escape

import pydantic
from lxml import etree

from gateway.contracts.errors import FormatError
from gateway.contracts.summary import Strict, Summary

NAMESPACE = "urn:pakkehjem:summary:1"
"""The namespace of version 1. A change that old readers can not take gets a namespace of its own."""

ROOT = "Summary"

VERSION = "1"

_Json = dict[str, "str | int | bool | _Json | list[str | int | bool | _Json]"]
"""One object of the summary's JSON, before the model has looked at it."""


@dataclass(frozen=True)
class _Part:
    """How one field of the model stands in the XML."""

    field: str
    """The attribute of the model."""

    key: str
    """The name in JSON."""

    tag: str
    """The local name of the element: `next_points` gives `NextPoint`, once for each."""

    many: bool
    model: type[Strict] | None
    """What the element holds, if not a value."""

    value: Literal["text", "integer", "boolean"]


def _value_type(annotation: object) -> tuple[object, bool]:
    """Take apart what a field may hold: the type of one value, and whether there may be several."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _value_type(arguments[0])
    if origin in (typing.Union, types.UnionType):
        return _value_type(next(each for each in arguments if each is not types.NoneType))
    if origin is tuple:
        return _value_type(arguments[0])[0], True
    if origin is Literal:
        return type(arguments[0]), False
    return annotation, False


@functools.cache
def _parts(model: type[Strict]) -> tuple[_Part, ...]:
    parts = []
    for name, field in model.model_fields.items():
        kind, many = _value_type(field.annotation)
        key = field.alias or name
        words = key.removesuffix("s") if many else key
        parts.append(
            _Part(
                field=name,
                key=key,
                tag="".join(word.capitalize() for word in words.split("_")),
                many=many,
                model=kind if isinstance(kind, type) and issubclass(kind, Strict) else None,
                value="boolean" if kind is bool else "integer" if kind is int else "text",
            )
        )
    return tuple(parts)


def write_summary(summary: Summary) -> bytes:
    """The summary as an XML document in UTF-8: the same summary always gives the same bytes."""
    body = "".join(_written(summary))
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<{ROOT} xmlns="{NAMESPACE}" version="{VERSION}">'
    return f"{head}{body}</{ROOT}>\n".encode()


def _written(item: Strict) -> Iterator[str]:
    for part in _parts(type(item)):
        content = getattr(item, part.field)
        if content is None:
            continue
        for each in content if part.many else (content,):
            inside = "".join(_written(each)) if part.model else escape(_as_text(each))
            yield f"<{part.tag}>{inside}</{part.tag}>"


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.date):
        return value.isoformat()
    return str(value)


def read_summary(root: etree._Element) -> Summary:
    """Read `write_summary` back.

    The order of the elements is left to the schema; a name that the model does not know, a value that it
    does not allow and a value given twice are refused here.

    Args:
        root: the root element of a parsed document.

    Raises:
        FormatError: this is no summary of version 1. The text names the place, never a value.
    """
    if root.tag != f"{{{NAMESPACE}}}{ROOT}" or root.get("version") != VERSION:
        raise FormatError(f"not a summary: the root is no {ROOT} of version {VERSION} in {NAMESPACE}")
    document = json.dumps(_read(root, Summary))
    try:
        return Summary.model_validate_json(document)
    except pydantic.ValidationError as error:
        # The exception itself is not chained: it keeps the document it was given.
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(step) for step in first["loc"]) or ROOT
        message = f"not a summary: {place}: {first['type']}"
    raise FormatError(message)


def _read(element: etree._Element, model: type[Strict]) -> _Json:
    known = {f"{{{NAMESPACE}}}{part.tag}": part for part in _parts(model)}
    found: _Json = {part.key: [] for part in known.values() if part.many}
    for child in element.iterchildren(tag=etree.Element):
        part = known.get(child.tag)
        if part is None or child.attrib:
            raise FormatError(
                f"not a summary: line {child.sourceline}: an element that {model.__name__} has not"
            )
        value = _read(child, part.model) if part.model else _read_value(child, part)
        items = found.get(part.key)
        if isinstance(items, list):
            items.append(value)
        elif items is None:
            found[part.key] = value
        else:
            raise FormatError(f"not a summary: line {child.sourceline}: {part.tag} stands twice")
    return found


def _read_value(element: etree._Element, part: _Part) -> str | int | bool:
    if next(element.iterchildren(tag=etree.Element), None) is not None:
        raise FormatError(f"not a summary: line {element.sourceline}: {part.tag} holds elements")
    # Comments divide a text without being part of it.
    text = "".join([element.text or "", *(child.tail or "" for child in element)])
    if part.value == "integer" and text.isascii() and text.isdigit():
        return int(text)
    if part.value == "boolean" and text in ("true", "false"):
        return text == "true"
    return text
