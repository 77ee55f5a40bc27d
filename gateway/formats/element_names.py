"""The names of elements."""

from __future__ import annotations

from functools import lru_cache

from lxml import etree

Element = etree._Element  # noqa: SLF001 - lxml's only name for the class of an element


def local_name(element: Element) -> str:
    """The name of an element without its namespace; empty for a comment or an instruction."""
    return split_tag(element.tag)[1]


def namespace_of(element: Element) -> str | None:
    """The namespace of an element."""
    return split_tag(element.tag)[0]


@lru_cache(maxsize=4096)
def split_tag(tag: object) -> tuple[str | None, str]:
    """The namespace and the local name of a tag: None and empty for that of a comment or an instruction."""
    if not isinstance(tag, str):
        return None, ""
    namespace, brace, name = tag.rpartition("}")
    return (namespace[1:], name) if brace else (None, tag)
