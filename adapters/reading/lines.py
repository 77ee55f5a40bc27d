"""The lines of a note, with bullets taken off and lines that only the page's width broke joined."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from adapters.reading.headings import is_heading_line
from gateway.contracts.messages import TextBlock

_MONTHS = "jan|feb|mars|apr|mai|maj|juni|juli|aug|sep|okt|nov|des|dec"
BULLET = re.compile(rf"(?:[-–—•*·▪■●◦○‣>+]|\(?[0-9]{{1,2}}[.)](?!\s*(?:{_MONTHS}))|\(?[a-h]\))\s+(?=\S)")
_STAR = re.compile(r"[*•▪■●](?=[^\W\d_][^*]*$)")
"""A mark with no blank after it (and none that emphasises: `*viktig*`)"""
_LETTER = re.compile(r"\(?a[.)]\s+(?=\S)")
_BOX = re.compile(r"\[\s*(?P<on>[xX✓✔])?\s*\]|(?P<tick>[☒☑✓✔])|[☐□▢]")
_BOX_BEGINS = re.compile(r"[\[☒☑✓✔☐□▢]")
_QUESTION_END = re.compile(r"[^:?\[☐☒☑]{2,80}[:?]\s*")
_RULE = re.compile(r"[\W_]{3,}")
_SPACES = re.compile("[\u00a0\u2007\u2009\u202f]")
_MONTH = re.compile(rf"(?:{_MONTHS})")
_OPEN_END = re.compile(r"(?:,|\b(?:og|med|for|til|på|i|av|som|at|å|eller|men|om|hos|fra|frå|ved|er|har))$")
_LAST_WORD = 16
"""How much of a line may hold its open end, in characters"""
_LABELLED = re.compile(r"\S[^.!?]{0,30}?(?:\t|:|\s=\s)")
_NEVER = 10_000
_WIDE = 60
"""A line of this length that ends in the middle of a sentence was broken by the page."""


@dataclass(slots=True)
class Line:
    """A line of the note."""

    text: str
    bullet: bool
    numbered: bool
    """The bullet is a number or a letter: it may stand before a heading too"""
    lead: int
    """Column in which the line begins, with its bullet"""
    indent: int
    """Column in which the text begins"""
    gap: bool
    """A blank line, or the beginning of a piece, stands before it"""
    block: int
    place: str


def read_lines(blocks: Iterable[TextBlock]) -> Iterator[Line]:
    """The lines of the pieces of a note, in their order; blank ones and rules (`-----`) are left out."""
    for number, block in enumerate(blocks):
        lines = list(_lines(block, number))
        # Who begins lines with small letters breaks them on purpose.
        small = sum(line.text[0].islower() and not line.bullet for line in lines)
        yield from _joined(lines, wide=_WIDE if small * 2 < len(lines) else _NEVER)


def _lines(block: TextBlock, number: int) -> Iterator[Line]:
    gap = True
    for position, raw in enumerate(_SPACES.sub(" ", block.text).split("\n"), start=1):
        text = raw.strip()
        if not text or (not text[0].isalnum() and _RULE.fullmatch(text)):
            gap = True
            continue
        indent = lead = len(raw) - len(raw.lstrip())
        if (ticked := _ticked(text)) is None:
            continue
        text = ticked
        bullet = BULLET.match(text) or _STAR.match(text)
        if bullet:
            # `5) a) Praktisk`: the first of the letters stands on the line of its number.
            end = inner.end() if (inner := _LETTER.match(text, bullet.end())) else bullet.end()
            text = text[end:]
            indent += end
        yield Line(
            text=text,
            bullet=bullet is not None,
            numbered=bullet is not None and bullet[0].strip("( .)\t").isalnum() and "[" not in bullet[0],
            lead=lead,
            indent=indent,
            gap=gap,
            block=number,
            place=f"{block.place}, line {position}",
        )
        gap = False


def _ticked(text: str) -> str | None:
    """What is ticked on a line of a form; None where nothing is.

    The boxes stand before the options or after them: a line that begins with one has them before.
    """
    boxes = list(_BOX.finditer(text)) if _BOX_BEGINS.search(text) is not None else []
    if not boxes:
        return text
    begin = _QUESTION_END.match(text)
    start = begin.end() if begin and begin.end() <= boxes[0].start() else 0
    before = bool(text[boxes[-1].end() :].strip()) or not text[start : boxes[0].start()].strip()
    options = []
    for index, box in enumerate(boxes):
        if box["on"] is None and box["tick"] is None:
            continue
        if before:
            end = boxes[index + 1].start() if index + 1 < len(boxes) else len(text)
            options.append(text[box.end() : end])
        else:
            options.append(text[boxes[index - 1].end() if index else start : box.start()])
    if not options:
        return None
    words = ", ".join(option.strip(" ,;") for option in options)
    lead = text[: boxes[0].start()] if before else text[:start]
    return f"- {words}" if not lead and before and len(boxes) == 1 else f"{lead}{words}"


def _joined(lines: list[Line], wide: int) -> Iterator[Line]:
    held: Line | None = None
    length = 0
    for line in lines:
        if held is not None and _continues(held, length >= wide, line):
            held.text = f"{held.text} {line.text}"
        else:
            if held is not None:
                yield held
            held = line
        length = line.indent + len(line.text)
    if held is not None:
        yield held


def _continues(held: Line, wide: bool, line: Line) -> bool:  # noqa: FBT001 - private
    """Whether a line goes on with the sentence of the one before."""
    if line.gap or line.bullet or not line.text[0].islower() or _LABELLED.match(line.text):
        return False
    if is_heading_line(held.text) is not None:
        return False
    if _OPEN_END.search(held.text[-_LAST_WORD:]) or (held.text[-1] == "." and _MONTH.match(line.text)):
        return True
    if held.text[-1] in ".:;!?":
        return False
    return wide or (held.bullet and line.indent >= held.indent > 0)
