"""What may be sent and worked on just now: circuits of receivers, pauses, attempts that end a process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

EVERY_RECEIVER = "*"
"""Scope of a pause: nothing is sent to anybody"""

INTAKE = "intake"
"""Scope of a pause: nothing is taken from the queues"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """What is known of a receiver that sendings did not reach. One that is reached has none."""

    receiver: str
    """HER-id"""
    faults: int
    """In a row, until it was opened"""
    error: str
    """Stable code of the last fault"""
    opened_at: datetime | None = None
    """Since when its sendings wait; None: they do not yet"""
    probes: int = 0
    """How many were sent one at a time since then, and failed"""
    next_probe_at: datetime | None = None
    """When the next one is sent"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """An operator has stopped something."""

    scope: str
    """HER-id of a receiver, `EVERY_RECEIVER` or `INTAKE`"""
    at: datetime
    by: str
    """Login name of the operator"""
    reason: str
    """The operator's words (encrypted at rest)"""


class TrafficTransaction(Protocol):
    """The part of a journal's transaction that keeps this."""

    def circuits(self) -> list[Circuit]:
        """Those of all receivers that have one, by receiver."""

    def put_circuit(self, circuit: Circuit) -> None:
        """Keep what is known of a receiver."""

    def close_circuit(self, receiver: str, now: datetime) -> None:
        """Forget it: the receiver was reached, and what waits for it is due now."""

    def set_clock_back(self, now: datetime, *, longest: timedelta) -> None:
        """What waits for a time further away than any pause was put off by a clock that ran ahead: due."""

    def pauses(self) -> list[Pause]:
        """What is stopped, by scope."""

    def pause(self, pause: Pause) -> bool:
        """Stop something, for all processes, until it is resumed; False where it was stopped already."""

    def resume(self, scope: str) -> bool:
        """Let it go on; False where it was not stopped."""

    def begin_attempt(self, key: str, *, owner: str, at: datetime) -> int:
        """A process sets about something that may end it; how many did so before and never ended the attempt.

        Args:
            key: what it is.
            owner: the process; its own earlier attempts do not count, as it has outlived them.
            at: when.
        """

    def end_attempt(self, key: str) -> None:
        """It did not end the process: forget all attempts."""


class Traffic(Protocol):
    """The part of a journal that tells of this."""

    def circuits(self) -> Sequence[Circuit]:
        """Those of all receivers that have one, by receiver; where `opened_at` is set, sendings wait."""

    def pauses(self) -> Sequence[Pause]:
        """What is stopped, by scope."""
