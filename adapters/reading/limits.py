"""How much of a note is read: no more than anyone writes, so that no text takes long."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from gateway.contracts.messages import TextBlock

MOST_CHARACTERS = 60_000
"""Some twenty pages: a long note has three"""
MOST_LINES = 2_000
LONGEST_LINE = 2_000
"""A longer line is read as several, parted between words"""

_PIECE = re.compile(rf"(?s)(?=\S).{{1,{LONGEST_LINE - 1}}}(?:\s|\Z)|\S.{{0,{LONGEST_LINE - 1}}}")


@dataclass(frozen=True, slots=True)
class Readable:
    """The pieces of a note that are read."""

    blocks: tuple[TextBlock, ...]
    beyond: str | None
    """The first words of what is not read; None where all is"""


def readable(blocks: Iterable[TextBlock]) -> Readable:
    """Take the beginning of a note, as far as it is read."""
    kept: list[TextBlock] = []
    characters, lines = MOST_CHARACTERS, MOST_LINES
    for block in blocks:
        text = block.text
        if len(text) > characters or text.count("\n") >= lines or _has_long_line(text):
            rows = text[:characters].split("\n", lines)[:lines]
            read = "\n".join(rows)
            kept.append(replace(block, text="\n".join(map(_parted, rows))))
            if len(read) < len(text):
                return Readable(tuple(kept), text[len(read) :].strip()[:LONGEST_LINE] or None)
        else:
            kept.append(block)
        characters -= len(text)
        lines -= text.count("\n") + 1
    return Readable(tuple(kept), None)


def _has_long_line(text: str) -> bool:
    return len(text) > LONGEST_LINE and any(len(line) > LONGEST_LINE for line in text.split("\n"))


def _parted(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else "\n".join(p.strip() for p in _PIECE.findall(line))
