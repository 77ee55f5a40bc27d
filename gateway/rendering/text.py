"""A summary as a text for a person, and the summary that such a text says.

The text names its form, and a control code over all that it says, apart from where the note comes from (white
space does not count: every transport has its own). A text that was changed on the way has another code: it is
then read as any note is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import orjson
import pydantic

from gateway.contracts.summary import Action, Summary
from gateway.contracts.text import as_line, as_text
from gateway.contracts.values import value
from gateway.rendering.form import SOURCE, Section, form
from gateway.rendering.rows import DamagedError, Row, Tree


@value
class Block:
    """A part of a rendering: a heading and its rows."""

    heading: str
    rows: tuple[Row, ...]
    section: Section | None = None
    """None: the note as it was written"""


def render_text(summary: Summary, *, action: Action = Action.NEW, gp: bool = False) -> str:
    """The summary as a text of lines, for a case worker (or, with `gp`, for the patient's GP).

    `read_text` reads it again.
    """
    parts = ["\n".join(title(action, gp=gp))]
    parts += [block_text(block) for block in blocks(summary)]
    return "\n\n".join(parts) + "\n"


def title(action: Action, *, gp: bool) -> list[str]:
    """The title, and the sentences below it."""
    return [form().titles[action], *form().introduce(action, gp=gp)]


_last: tuple[Summary, list[Block]] | None = None
"""The receivers of a note get the same text, one after the other"""


def blocks(summary: Summary) -> list[Block]:
    """The sections of a summary in the order in which they are read, the note last."""
    global _last  # noqa: PLW0603 - of one entry, replaced as a whole
    last = _last
    if last is None or last[0] is not summary:
        last = _last = (summary, _blocks(summary))
    return last[1]


def _blocks(summary: Summary) -> list[Block]:
    words = form()
    tree: Tree = orjson.loads(summary.to_json())
    written = _written(tree)
    found: list[Block] = []
    for section, rows in zip(words.sections, written, strict=True):
        mark = [Row(words.mark + _control_code(written, tree))] if section.key == SOURCE else []
        found.append(Block(heading=section.heading, rows=(*rows, *mark), section=section))
    if summary.note is not None:
        lines = tuple(Row(line) for line in summary.note.split("\n"))
        found.append(Block(heading=words.note, rows=lines))
    return found


def block_text(block: Block) -> str:
    """A block as lines."""
    return "\n".join([block.heading, *map(str, block.rows)])


def is_rendering(texts: Iterable[str]) -> bool:
    """Whether texts hold the mark of the form: cheap, and enough to leave all others alone."""
    return any(form().mark in text for text in texts)


def read_text(texts: Sequence[str]) -> tuple[Summary, Action] | None:
    """The summary that the texts of a rendering say, and the action of the title.

    Texts that begin with no heading of the form are no part of it. None where it is no rendering, or one that
    does not say any more what it was written with.
    """
    parts = _sections(texts)
    if parts is None:
        return None
    action, lines, note = parts
    words = form()
    tree: Tree = {"note": as_text(note) or None}
    try:
        for section in words.sections:
            section.read(lines.get(section.heading, []), tree)
        summary = Summary.from_json(orjson.dumps(tree))
    except (DamagedError, pydantic.ValidationError):
        return None
    return (summary, action) if _says(lines, orjson.loads(summary.to_json())) else None


def _sections(texts: Sequence[str]) -> tuple[Action, dict[str, list[str]], str] | None:
    """The action of the title, the lines below each heading, and the note."""
    words = form()
    headings = {section.heading for section in words.sections}
    titles = {text: action for action, text in words.titles.items()}
    action: Action | None = None
    lines: dict[str, list[str]] = {}
    note: list[str] = []
    for text in texts:
        here: list[str] | None = None
        for raw in text.split("\n"):
            if here is note:
                note.append(raw)
                continue
            line = str(as_line(raw))
            if line in headings:
                here = lines.setdefault(line, [])
            elif line == words.note:
                here = note
            elif line in titles and here is None:
                action, here = titles[line], []
            elif line and here is None:
                break
            elif line and here is not None:
                here.append(line)
    return None if action is None else (action, lines, "\n".join(note))


def _says(lines: Mapping[str, list[str]], tree: Tree) -> bool:
    """Whether the lines are those that are written for a summary, and have its control code."""
    words = form()
    written = _written(tree)
    for section, rows in zip(words.sections, written, strict=True):
        found = lines.get(section.heading, [])
        if section.key == SOURCE:
            marks = [line for line in found if line.startswith(words.mark)]
            if marks != [words.mark + _control_code(written, tree)]:
                return False
        elif found != [str(row) for row in rows]:
            return False
    return True


def _written(tree: Tree) -> list[list[Row]]:
    """The rows of each section of the form."""
    words = form()
    return [section.rows(tree) or [Row(words.nothing)] for section in words.sections]


def _control_code(written: Iterable[list[Row]], tree: Tree) -> str:
    """Eight hexadecimal digits over all rows but those on the source, and the words of the note."""
    said: list[str] = []
    for section, rows in zip(form().sections, written, strict=True):
        if section.key != SOURCE:
            said += [section.key, *map(str, rows)]
    said.append(str(as_line(tree["note"] or "")))
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:8]
