"""How long content is kept, by class of data.

What is taken away is content only: messages, summaries, the words of operators. Rows, hashes, history and the
audit log stay, and say that it was. What waits for somebody is never taken: what is held, has failed, is not
delivered, was refused, or is not answered.
"""

from __future__ import annotations

from enum import StrEnum

from gateway.contracts.states import InboundKind


class DataClass(StrEnum):
    """What is kept for the same time."""

    NOTES = "notes"
    """Notes of hospitals that have ended, and all that was sent for them"""
    REPLIES = "replies"
    """Replies of municipalities and GPs that have ended, and what was sent for them"""
    RECEIPTS = "receipts"
    """AppRecs"""
    UNREADABLE = "unreadable"
    """What could not be read, and whatever is none of the others"""
    AUDIT = "audit"
    """The words of operators in the audit log; its rows stay"""


_CLASSES = {
    InboundKind.NOTE: DataClass.NOTES,
    InboundKind.REPLY: DataClass.REPLIES,
    InboundKind.RECEIPT: DataClass.RECEIPTS,
}


def kinds_of(data: DataClass) -> tuple[InboundKind, ...]:
    """The kinds of messages of a class."""
    return tuple(kind for kind in InboundKind if _CLASSES.get(kind, DataClass.UNREADABLE) is data)
