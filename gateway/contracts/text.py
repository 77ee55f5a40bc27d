"""Text as the summary keeps it: what XML can carry, and nothing that only looks like content."""

from __future__ import annotations

import re

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML 1.0 document can hold (XML 1.0, section 2.2)."""

_WHITE_SPACE = re.compile(r"\s+")


def as_line(value: object) -> object:
    """Fold a string to one line: runs of white space become one blank. Other types pass untouched."""
    if not isinstance(value, str):
        return value
    if "  " not in value and value.isprintable():
        # Nothing but blanks between characters that can be seen: the quick way for nearly every value.
        return value.strip()
    return _WHITE_SPACE.sub(" ", _NOT_XML.sub("", value)).strip()


def as_text(value: object) -> object:
    """Keep the lines of a string, with line feeds only. Other types pass untouched."""
    if not isinstance(value, str):
        return value
    text = value
    if not all(map(str.isprintable, value.split("\n"))):
        text = _NOT_XML.sub("", value).replace("\r\n", "\n").replace("\r", "\n")
    return "\n".join(line.rstrip() for line in text.split("\n")).strip("\n").strip()


def line_or_none(value: str | None) -> str | None:
    """The string folded to one line, `None` where nothing is left."""
    folded = as_line(value or "")
    return folded if isinstance(folded, str) and folded else None
