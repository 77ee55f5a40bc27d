"""Entries of the address register that a receiver has disowned: no such receiver (E20, E21)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class FaultOutcome(StrEnum):
    """How a fault of an entry ended."""

    RESENT = "resent"
    """The register has another address: a new message went there"""
    ANSWERED = "answered"
    """The receiver has acknowledged something that was sent to the same entry later"""
    ENDED = "ended"
    """The note needs no sending any more: it was replaced, or sent again by a person, or can not be sent"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressFault:
    """One sending that came to the wrong address; its register entry is flagged until the fault has ended."""

    sending_id: str
    inbound_id: str
    """The note"""
    receiver: str
    """HER-id of the entry"""
    address: str
    """What the entry said: `<organisation>/<HER-id> <queue>`"""
    codes: str
    """Codes of list 8221 of the receiver's AppRec: `E21`"""
    at: datetime
    ended_at: datetime | None = None
    outcome: FaultOutcome | None = None
