"""Whether a message is a Pakkeforløp hjem note: its title is what it is about, not something it mentions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from adapters.reading.model import LISTS, Statement, Topic
from adapters.reading.roles import JOINS
from adapters.reading.splitting import sentences
from adapters.reading.vocabulary import Words, lower
from gateway.contracts.messages import TextBlock

_TITLE = Words("title", "title")
_MENTION = Words("title", "mention")
_CONVERSATION = Words("title", "conversation")
_STARTED = Words("status", "started")
_REFUSED = Words("status", "refused")
_WORD = re.compile(r"[^\W\d_]+")
_SECTIONS = LISTS | {Topic.SURVEY, Topic.STATUS, Topic.CONTACT, Topic.SCORE}
_FIRST_LINES = 4
_TITLE_WORDS = 16
_WORDS_BEFORE = 7


def is_note(
    subject: str | None,
    blocks: Sequence[TextBlock],
    statements: Sequence[Statement],
    codes: Mapping[str, str] = MappingProxyType({}),
) -> bool:
    """Tell by the subject, the headings, the first lines, or by what is said of the pathway.

    Args:
        subject: the subject, where it is a part of the note.
        blocks: the pieces of the note.
        statements: the same taken apart.
        codes: what a record system's own codes of headings are about, by code.
    """
    if any(b.heading is not None and codes.get(b.heading.value or "") == Topic.TITLE for b in blocks):
        return True
    low = lower(subject or "")
    if low in _TITLE and not (low in _MENTION and len(_WORD.findall(low)) > 8):
        return _CONVERSATION.at_start(low) is None or has_sections(statements)
    for index, block in enumerate(blocks):
        heading = lower(block.heading.name or "") if block.heading else ""
        if heading in _TITLE:
            return True
        if any(_is_title(line) for line in _lines(block)[: _FIRST_LINES if index < 2 else 1]):
            return True
    return any(_is_title_alone(line) for block in blocks for line in _lines(block)) or (
        any(_speaks_of_it_now(s) for s in statements) and has_sections(statements)
    )


def _lines(block: TextBlock) -> list[str]:
    return [lower(line.strip()) for line in block.text.splitlines() if _WORD.search(line)]


def _is_title(line: str) -> bool:
    """Whether a line is the title, with words before and after it that a title may have."""
    line = next(iter(sentences(line)), line)
    found = _TITLE.find(line)
    if found is None or line in _MENTION:
        return False
    before = len(_WORD.findall(line[: found.start()]))
    if before == 0:
        return True
    return before <= _WORDS_BEFORE and len(_WORD.findall(line)) <= _TITLE_WORDS


def _is_title_alone(line: str) -> bool:
    found = _TITLE.find(line)
    return (
        found is not None and len(_WORD.findall(line)) <= 6 and line not in _MENTION and "." not in line[:-1]
    )


def _speaks_of_it_now(statement: Statement) -> bool:
    low = statement.whole
    if low not in _TITLE or low in _MENTION:
        return False
    return bool(low in _STARTED or low in _REFUSED or low in JOINS)


def has_sections(statements: Sequence[Statement]) -> bool:
    """Whether there is what such a note is made of."""
    topics = {s.topic for s in statements}
    return len(topics & _SECTIONS) >= 2
