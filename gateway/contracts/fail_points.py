"""Fail-points: named places between any two steps, where a test lets the process die as by kill -9.

They are armed by `PAKKEHJEM_FAIL_POINT=NAME` or `NAME:COUNT` (the first or the COUNTth passing) in the
environment of `pakkehjem run`, and by nothing else. Passing one that is not armed costs a call that returns
at once.
"""

from __future__ import annotations

import itertools
import os
import re
import signal
from collections.abc import Callable
from enum import StrEnum

from gateway.contracts.errors import ConfigurationError

VARIABLE = "PAKKEHJEM_FAIL_POINT"
"""What arms one"""


class FailPoint(StrEnum):
    """Every place. What is said of it has just happened; what follows has not."""

    STARTED = "started"
    """Connected to journal and broker, nothing taken yet"""
    DEADLINES_CHECKED = "deadlines-checked"
    """The periodic work is durable"""
    OVERDUE_MARKED = "overdue-marked"
    """A deadline that passed is marked, in a transaction that is not committed"""

    ARRIVED = "arrived"
    """The broker has sent a message ahead; nobody has taken it"""
    TAKEN = "taken"
    """A group is taken from the queue"""
    OPENED = "opened"
    """One message of it is read and checked"""
    TRANSACTION_BEGUN = "transaction-begun"
    """The journal is ready to be written"""
    INBOX_WRITTEN = "inbox-written"
    """The row of the inbox"""
    OUTBOX_WRITTEN = "outbox-written"
    """Rows of the outbox"""
    HISTORY_WRITTEN = "history-written"
    """Rows of the history, and payloads"""
    RECEIPT_MATCHED = "receipt-matched"
    """The AppRec of a receiver is tied to its sending, which is moved"""
    RECEIPT_PASSED_ON = "receipt-passed-on"
    """The AppRec for the hospital is made of it"""
    REPLY_PASSED_ON = "reply-passed-on"
    """A reply is on its way to the mailbox"""
    WORKED_ON = "worked-on"
    """One message of a group is done; the next one is not begun"""
    BEFORE_COMMIT = "before-commit"
    """All of a transaction is written"""
    COMMITTED = "committed"
    """It is durable; the broker does not know"""
    ACKNOWLEDGEMENT_SENT = "acknowledgement-sent"
    """The broker is told; its answer has not come"""
    ACKNOWLEDGED = "acknowledged"
    """The broker has read it"""

    LEASED = "leased"
    """Rows of the outbox are leased, in a transaction that is not committed"""
    CLAIMED = "claimed"
    """They are ours to publish"""
    PACKED = "packed"
    """Protected for the way"""
    HANDED_OVER = "handed-over"
    """One message of a group is written to the broker"""
    CONFIRMED = "confirmed"
    """The broker has confirmed some of a group"""
    PUBLISHED = "published"
    """The broker has answered for the group; the journal does not know"""
    MARKED = "marked"
    """What the broker said is written, and not committed"""
    MARK_COMMITTED = "mark-committed"
    """It is durable"""
    DRAINING = "draining"
    """Told to stop; what is due is not out yet"""


class _Armed:
    """Dies at the passing that it was told."""

    def __init__(self, point: FailPoint, count: int) -> None:
        self._point = point
        self._last = count
        self._passings = itertools.count(1)

    def __call__(self, point: FailPoint) -> None:
        if point is self._point and next(self._passings) == self._last:
            os.kill(os.getpid(), signal.SIGKILL)


_watch: Callable[[FailPoint], None] | None = None


def reached(point: FailPoint) -> None:
    """Say that the work is at a point."""
    if _watch is not None:
        _watch(point)


def watch(watcher: Callable[[FailPoint], None] | None) -> None:
    """Have a function called at every point, on the thread that passes it; None: nothing more."""
    global _watch  # noqa: PLW0603 - one for the process, as its death is
    _watch = watcher


def arm(order: str | None) -> FailPoint | None:
    """Arm what an environment variable says: `NAME` or `NAME:COUNT`; nothing where it is empty.

    Raises:
        ConfigurationError: there is no such point, or the count is no number from 1 on.
    """
    if not order:
        return None
    name, _, count = order.partition(":")
    if name not in set(FailPoint) or not re.fullmatch("|[1-9][0-9]{0,8}", count):
        raise ConfigurationError(
            f"{VARIABLE} can not be used: NAME or NAME:COUNT.",
            hint=f"names are {', '.join(FailPoint)}; outside of tests it is not set at all",
        )
    point = FailPoint(name)
    watch(_Armed(point, int(count or 1)))
    return point
