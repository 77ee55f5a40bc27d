"""The names of elements."""

from __future__ import annotations

from lxml import etree

Element = etree._Element  # noqa: SLF001 - lxml's only name for the class of an element


def local_name(element: Element) -> str:
    """The name of an element without its namespace; empty for a comment or an instruction."""
    tag: object = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def namespace_of(element: Element) -> str | None:
    """The namespace of an element."""
    tag: object = element.tag
    return tag[1:].partition("}")[0] if isinstance(tag, str) and tag.startswith("{") else None
