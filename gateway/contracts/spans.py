"""Port for who follows messages in time: told of the steps of each, and of what is sent because of it.

Nothing is told by default, and being told must never cost the flow more than a call.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Protocol

from gateway.contracts.queues import PublishOutcome
from gateway.contracts.records import Event, Sending
from gateway.contracts.values import value


class Step(StrEnum):
    """What is done with a message, in this order. Two are done for a group at once."""

    OPEN = "open"
    """Protection and signature checked, the message parsed and validated"""
    READ = "read"
    """A note read by its system's adapter"""
    MAKE_READY = "make-ready"
    """What most likely follows is written ahead (for the group)"""
    DECIDE = "decide"
    """What becomes of it"""
    COMMIT = "commit"
    """The group is made durable (for the group)"""


@value
class Followed:
    """A message that was decided on. Holds ids and codes only."""

    inbound_id: str
    trace: str
    """Id of its trace, 32 hexadecimal digits"""
    parent: str | None
    """Id of the sender's span, 16 hexadecimal digits, where the message came with one"""
    format: str | None
    system: str | None
    """The record system that wrote a note"""
    queue: str
    hospital: str | None
    """HER-id in the register"""
    sendings: Sequence[str]
    """Ids of what is sent because of it"""


class Spans(Protocol):
    """Follows messages. No call raises, and none waits for anybody."""

    def begin(self) -> None:
        """A delivery is looked at; one that was begun and not read is forgotten."""

    def opened(self) -> None:
        """It is opened; never told of what could not be."""

    def read(self) -> None:
        """It is read, and belongs to the group at hand."""

    def made_ready(self) -> None:
        """The group is."""

    def deciding(self) -> None:
        """A transaction for the group begins; one that was begun before it was rolled back."""

    def decided(self, message: Followed) -> None:
        """The next message of the group, in the order in which they were read."""

    def committed(self) -> None:
        """The group is durable, and done with."""

    def observe(self, events: Sequence[Event]) -> None:
        """The events of a transaction that was committed, before `committed` where it is the group's."""

    def publishing(self) -> None:
        """A group of what is due is put on queues."""

    def published(self, outcomes: Iterable[tuple[Sending, PublishOutcome]]) -> None:
        """The broker has answered for it."""

    def close(self) -> None:
        """Nothing more is told; what is left is sent on where that is soon done."""


class _NoSpans:
    def begin(self) -> None: ...

    opened = read = made_ready = deciding = committed = publishing = close = begin

    def decided(self, message: Followed) -> None: ...

    def observe(self, events: Sequence[Event]) -> None: ...

    def published(self, outcomes: Iterable[tuple[Sending, PublishOutcome]]) -> None: ...


NO_SPANS: Spans = _NoSpans()
"""Nobody follows"""
