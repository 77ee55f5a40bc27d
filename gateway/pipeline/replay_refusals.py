"""Who asks for something to be sent, or worked on, again; and why it is not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from gateway.contracts.errors import EXIT_NO, GatewayError
from gateway.contracts.replays import Replay


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who asked for a replay."""

    by: str
    """Login name of the person; `schedule` where nobody asked for it"""
    at: datetime
    generation: int | None = None
    """Which replay of the sending it is meant to be (1: the first); None: the next one"""
    run: str | None = None
    """The run that it is part of"""


class ResendingError(GatewayError):
    """A sending can not go out again."""

    code: ClassVar[str] = "not-resendable"
    exit_code: ClassVar[int] = EXIT_NO


class ContentPurgedError(ResendingError):
    """The content was purged: there is nothing left to send."""

    code = "content-purged"


class AlreadyResentError(ResendingError):
    """Somebody has sent it again already."""

    code = "already-resent"

    def __init__(self, done: Replay | None) -> None:
        """Say who, and when."""
        who = f" by {done.by} at {done.at.astimezone():%H:%M:%S}" if done is not None else ""
        super().__init__(f"it was sent again already{who}")
        self.done = done


class ReceiverUnknownError(ResendingError):
    """The register has no such receiver."""

    code = "receiver-unknown"
