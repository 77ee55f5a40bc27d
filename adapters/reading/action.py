"""What a dialogue message does to an earlier one, by its words: the format has no field for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.reading.vocabulary import Words, lower
from gateway.contracts.messages import TextBlock
from gateway.contracts.summary import Action

_CANCEL = Words("action", "cancel")
_DISREGARD = Words("action", "disregard")
_CHANGE = Words("action", "change")
_FIRST_WORDS = 240
"""How far into the text the words may stand, in characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundAction:
    """What the words of a message do to an earlier one."""

    action: Action
    words: str
    place: str


def action_by_words(
    subject: str | None, blocks: Sequence[TextBlock], *, refers: bool, full: bool
) -> FoundAction | None:
    """Read the action; None for a new message.

    Args:
        subject: the subject of the message.
        blocks: its text.
        refers: whether the message refers to an earlier one; without that, its subject alone may say so.
        full: whether the message has the content of a whole note: then «se bort fra» is said of the earlier
            one, which this one replaces.
    """
    low = lower(subject or "")
    text = lower(" ".join(block.text for block in blocks)[:_FIRST_WORDS]) if refers else ""
    kinds = (
        (_CANCEL, Action.CANCEL),
        (_CHANGE, Action.CHANGE),
        (_DISREGARD, Action.CHANGE if full else Action.CANCEL),
    )
    for words, place in ((low, "subject"), (text, blocks[0].place if blocks else "")):
        for vocabulary, action in kinds:
            if (found := vocabulary.find(words)) is not None:
                return FoundAction(action=action, words=found[0], place=place)
    return None
