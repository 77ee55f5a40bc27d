"""Replays: something that was sent, or could not be worked on, tried again by a person or a schedule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ReplayMode(StrEnum):
    """How something was tried again."""

    SAME = "same"
    """The same message, under its MsgId"""
    NEW = "new"
    """A new message, written anew from the summary, under a MsgId of its own"""
    EDITED = "edited"
    """A new message with a content that a person has corrected"""
    REWORKED = "reworked"
    """A message that came in, worked on again from its kept bytes"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """One replay. (subject, generation) is unique: whoever comes second finds it done."""

    subject: str
    """Id (ours) of the sending, or of the inbound message, that was tried again"""
    generation: int
    """1 for the first replay of the subject"""
    inbound_id: str
    """The inbound message that it belongs to"""
    mode: ReplayMode
    made: str
    """Id of the sending or inbound message that came of it; of the same message, the subject itself"""
    first: str
    """Id of the first attempt, which `subject` may be a replay of"""
    error: str | None
    """What the subject had failed with: a stable code, or the status and codes of the receiver's AppRec"""
    by: str
    """Login name of the person; `schedule` where nobody asked for it"""
    at: datetime
    run: str | None = None
    """The run that it was part of"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One replay that is to be done."""

    subject: str
    """Id (ours) of the sending, or of the inbound message"""
    inbound_id: str
    mode: ReplayMode
    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRun:
    """Replays that a person asked for at once; kept, so that what was interrupted goes on where it was."""

    id: str
    at: datetime
    by: str
    planned: tuple[Planned, ...]
    finished_at: datetime | None = None
