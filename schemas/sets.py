"""Compiled schemas: which messages they cover, whether a message is valid, and why it is not."""

from __future__ import annotations

import functools
from pathlib import Path

from lxml import etree

from schemas import documents
from schemas.faults import SchemaFault, fault

OWN = Path(__file__).parent / "own" / "all.xsd"
"""The driver of the project's own schemas."""

DRIVER = "all.xsd"
"""The file that brings a set together, by importing all of it."""


class _Compiled:
    """One set of schemas, compiled when it is first used."""

    def __init__(self, driver: Path) -> None:
        self._driver = driver

    @functools.cached_property
    def schema(self) -> etree.XMLSchema:
        return documents.compile_schema(self._driver)

    @functools.cached_property
    def declared(self) -> frozenset[str]:
        """Every element that may be a root, or stand as the content of an envelope, in Clark notation."""
        return documents.declared(self._driver)

    def unknown(self, root: etree._Element) -> etree._Element | None:
        """The first of the root and the contents that it carries which no schema here declares."""
        if root.tag not in self.declared:
            return root
        namespace = root.tag.rpartition("}")[0]
        for content in root.iter(f"{namespace}}}Content"):
            holder = content.getparent()
            if holder is None or holder.tag != f"{namespace}}}RefDoc":
                continue
            for each in content.iterchildren(tag=etree.Element):
                if each.tag not in self.declared:
                    return each
        return None

    def is_valid(self, root: etree._Element) -> bool:
        return self.schema(root)

    def faults(self, root: etree._Element) -> tuple[SchemaFault, ...]:
        """Why this set refuses a message; empty if it does not. libxml2 decides, xmlschema explains."""
        if self.is_valid(root):
            return ()
        # Not on top: to load xmlschema takes longer than all else that a command does before it works.
        from schemas import explanation  # noqa: PLC0415

        return explanation.explain(root, self._driver) or (explanation.plain(root, self.schema),)


@functools.cache
def _own() -> _Compiled:
    return _Compiled(OWN)


class SchemaSet:
    """The schemas in use: the project's own, and the official ones where they have been added.

    Every set that covers a message must accept it. Compiled on first use; one instance serves a process.
    """

    def __init__(self, official: Path | None = None) -> None:
        """Use the own schemas, and those of the directory `official` if it holds an `all.xsd`."""
        self._sets = [_own()]
        if official is not None and (official / DRIVER).is_file():
            self._sets.append(_Compiled(official / DRIVER))

    def covers(self, root: etree._Element) -> bool:
        """Whether a set declares this root and everything that it carries as content.

        Raises:
            schemas.SchemaError: the official schemas can not be used.
        """
        return any(each.unknown(root) is None for each in self._sets)

    def is_valid(self, root: etree._Element) -> bool:
        """Whether the message is covered, and every set that covers it accepts it.

        Raises:
            schemas.SchemaError: the official schemas can not be used.
        """
        covering = [each for each in self._sets if each.unknown(root) is None]
        return bool(covering) and all(each.is_valid(root) for each in covering)

    def faults(self, root: etree._Element) -> tuple[SchemaFault, ...]:
        """Why the message is not valid, in the words of the first set that refuses it; empty if it is.

        Raises:
            schemas.SchemaError: the official schemas can not be used.
        """
        covering = [each for each in self._sets if each.unknown(root) is None]
        if not covering:
            stranger = self._sets[-1].unknown(root)
            where = root if stranger is None else stranger
            return (fault(where, "no-declaration", "the schemas have no declaration of this element"),)
        for each in covering:
            if found := each.faults(root):
                return found
        return ()
