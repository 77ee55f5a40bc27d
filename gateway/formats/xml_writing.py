"""Elements as text: fast, and never an empty one (a part without information is left out).

Source: the acceptance tests for sending (no empty elements; CS with V and DN; CV with S, V and DN, or OT).
"""

from __future__ import annotations

import re
from functools import lru_cache

from gateway.contracts.messages import CodedValue

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'

# What XML 1.0 can not hold, not even as a character reference.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LINE_ENDS = re.compile("\r\n?")


def escaped(text: str) -> str:
    """Text as element content: line feeds only, and no character that XML can not hold."""
    if "&" in text or "<" in text or ">" in text:
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # What can be printed is allowed, and no carriage return: the quick way for nearly every text.
    if text.isprintable() or text.replace("\n", " ").isprintable():
        return text
    if "\r" in text:
        text = _LINE_ENDS.sub("\n", text)
    return _ILLEGAL.sub("", text)


def quoted(text: str) -> str:
    """Text as the value of an attribute, line breaks and tabs kept."""
    text = escaped(text.strip())
    if '"' not in text and "\n" not in text and "\t" not in text:
        return text
    return text.replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")


def text(tag: str, value: str | None) -> str:
    """An element with text."""
    content = escaped(value).strip() if value else ""
    return f"<{tag}>{content}</{tag}>" if content else ""


def wrap(tag: str, *parts: str, attributes: str = "") -> str:
    """An element with elements."""
    content = "".join(parts)
    return f"<{tag}{attributes}>{content}</{tag}>" if content else ""


def value(tag: str, written: str | None) -> str:
    """An element with the attribute V (TS, URL)."""
    return _attributes(tag, V=written)


@lru_cache(maxsize=4096)
def simple(tag: str, coded: CodedValue | None) -> str:
    """A CS: V and DN."""
    return "" if coded is None else _attributes(tag, V=coded.value, DN=coded.name)


@lru_cache(maxsize=4096)
def code(tag: str, coded: CodedValue | None) -> str:
    """A CV: V, S, DN and OT."""
    if coded is None:
        return ""
    return _attributes(tag, V=coded.value, S=coded.code_list, DN=coded.name, OT=coded.original_text)


def _attributes(tag: str, **values: str | None) -> str:
    written = "".join(
        f' {name}="{content}"' for name, raw in values.items() if raw and (content := quoted(raw))
    )
    return f"<{tag}{written}/>" if written else ""
