"""What a dialogue message does to an earlier one, by its words: the format has no field for it."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.reading.vocabulary import Words, lower
from gateway.contracts.messages import TextBlock
from gateway.contracts.summary import Action

_CANCEL = Words("action", "cancel")
_DISREGARD = Words("action", "disregard")
_CHANGE = Words("action", "change")
_FIRST_WORDS = 240
"""How far into the text the words may stand, in characters."""


def action_by_words(subject: str | None, blocks: Sequence[TextBlock], *, refers: bool, full: bool) -> Action:
    """Read the action.

    Args:
        subject: the subject of the message.
        blocks: its text.
        refers: whether the message refers to an earlier one; without that, its subject alone may say so.
        full: whether the message has the content of a whole note: then «se bort fra» is said of the earlier
            one, which this one replaces.
    """
    low = lower(subject or "")
    text = lower(" ".join(block.text for block in blocks)[:_FIRST_WORDS]) if refers else ""
    for words in (low, text):
        if words in _CANCEL:
            return Action.CANCEL
        if words in _CHANGE:
            return Action.CHANGE
        if words in _DISREGARD:
            return Action.CHANGE if full else Action.CANCEL
    return Action.NEW
