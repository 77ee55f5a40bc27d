"""Messages made from a schema: every element and attribute that it allows turns up sooner or later."""

from __future__ import annotations

import random
from typing import Any

import xmlschema
from lxml import etree

_VALUES = {
    "string": "tekst",
    "token": "kode",
    "boolean": "true",
    "date": "2026-03-02",
    "dateTime": "2026-03-02T13:45:00+01:00",
    "gYear": "2026",
    "integer": "7",
    "decimal": "1.5",
    "double": "1.5e1",
    "anyURI": "tel:90000001",
    "base64Binary": "U0dWcA==",
    "anyType": "fri tekst",
}

_DEEPEST = 14


class Generator:
    """Makes messages that a schema accepts, with a random choice of what is optional."""

    def __init__(self, schema: xmlschema.XMLSchema, dice: random.Random) -> None:
        self._schema = schema
        self._dice = dice
        self._ids = 0

    def message(self, tag: str, content: str | None = None) -> etree._Element:
        """A message with this root; an envelope carries content with the root `content`."""
        self._content = content
        return self._element(self._schema.maps.elements[tag], 0)

    def _element(self, declaration: Any, depth: int) -> etree._Element:
        made = etree.Element(declaration.name)
        kind = declaration.type
        for name, attribute in getattr(kind, "attributes", {}).items():
            if name is not None and (attribute.use == "required" or self._dice.random() < 0.6):
                made.set(name, attribute.fixed or self._value(attribute.type))
        if kind.local_name == "anyType":
            made.text = _VALUES["anyType"]
        elif kind.is_simple() or kind.has_simple_content():
            made.text = declaration.fixed or self._value(kind if kind.is_simple() else kind.content)
        else:
            made.extend(self._group(kind.content, depth + 1))
        return made

    def _group(self, group: Any, depth: int) -> list[etree._Element]:
        made = []
        for _ in range(self._times(group, depth)):
            particles = list(group)
            if group.model == "choice" and particles:
                named = [
                    each for each in particles if not isinstance(each, xmlschema.validators.XsdAnyElement)
                ]
                particles = [self._dice.choice(named or particles)]
            for each in particles:
                made += self._particle(each, depth)
        return made

    def _particle(self, particle: Any, depth: int) -> list[etree._Element]:
        if isinstance(particle, xmlschema.validators.XsdGroup):
            return self._group(particle, depth)
        if isinstance(particle, xmlschema.validators.XsdAnyElement):
            if self._content is None or getattr(particle.parent.parent, "local_name", None) != "Content":
                return []
            return [self._element(self._schema.maps.elements[self._content], 4)]
        return [self._element(particle.ref or particle, depth) for _ in range(self._times(particle, depth))]

    def _times(self, particle: Any, depth: int) -> int:
        least = particle.min_occurs
        if depth > _DEEPEST:
            return int(least)
        most = least + 2 if particle.max_occurs is None else particle.max_occurs
        likely = 0.7 if depth < 6 else 0.45
        return int(least) + sum(self._dice.random() < likely for _ in range(int(most - least)))

    def _value(self, kind: Any) -> str:
        if getattr(kind, "enumeration", None):
            return str(self._dice.choice(kind.enumeration))
        if kind.local_name == "oid":
            return "2.16.578.1.12.4.1.1.8116"
        if kind.local_name == "ID":
            self._ids += 1
            return f"id{self._ids}"
        if isinstance(kind, xmlschema.validators.XsdUnion):
            return self._dice.choice(["2026-03-02", "2026-03-02T13:45:00", "2026", "2026-03", "13:45:00"])
        while kind.local_name not in _VALUES:
            kind = kind.base_type
        return _VALUES[kind.local_name]
