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

from gateway.contracts.last import of_last
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
    text: str
    """Both as lines"""
    section: Section | None = None
    """None: the note as it was written"""


def render_text(summary: Summary, *, action: Action = Action.NEW, gp: bool = False) -> str:
    """The summary as a text of lines, for a case worker (or, with `gp`, for the patient's GP).

    `read_text` reads it again.
    """
    parts = ["\n".join(title(action, gp=gp))]
    parts += [block.text for block in blocks(summary)]
    return "\n\n".join(parts) + "\n"


def title(action: Action, *, gp: bool) -> list[str]:
    """The title, and the sentences below it."""
    return [form().titles[action], *form().introduce(action, gp=gp)]


@of_last
def blocks(summary: Summary) -> tuple[Block, ...]:
    """The sections of a summary in the order in which they are read, the note last."""
    words = form()
    tree: Tree = orjson.loads(summary.to_json())
    written = _written(tree)
    lines = [[str(row) for row in rows] for rows in written]
    found: list[Block] = []
    for section, rows, said in zip(words.sections, written, lines, strict=True):
        if section.key == SOURCE:
            mark = words.mark + _control_code(lines, tree)
            rows.append(Row(mark))
            said.append(mark)
        text = "\n".join([section.heading, *said])
        found.append(Block(heading=section.heading, rows=tuple(rows), text=text, section=section))
    if summary.note is not None:
        text = f"{words.note}\n{summary.note}"
        found.append(Block(heading=words.note, rows=(Row(summary.note),), text=text))
    return tuple(found)


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
    written = [[str(row) for row in rows] for rows in _written(tree)]
    for section, said in zip(words.sections, written, strict=True):
        found = lines.get(section.heading, [])
        if section.key == SOURCE:
            marks = [line for line in found if line.startswith(words.mark)]
            if marks != [words.mark + _control_code(written, tree)]:
                return False
        elif found != said:
            return False
    return True


def _written(tree: Tree) -> list[list[Row]]:
    """The rows of each section of the form."""
    words = form()
    return [section.rows(tree) or [Row(words.nothing)] for section in words.sections]


def _control_code(written: Iterable[list[str]], tree: Tree) -> str:
    """Eight hexadecimal digits over all lines but those on the source, and the words of the note."""
    said: list[str] = []
    for section, lines in zip(form().sections, written, strict=True):
        if section.key != SOURCE:
            said += [section.key, *lines]
    said.append(str(as_line(tree["note"] or "")))
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:8]
