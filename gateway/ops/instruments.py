"""What watches a worker from outside: its turns, its events, its queue, its messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.contracts.queues import Queue
from gateway.contracts.records import Event
from gateway.contracts.spans import NO_SPANS, Spans


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruments:
    """What watches a worker at its work."""

    beat: Callable[[], None] = lambda: None
    """Called each turn"""
    observe: Callable[[Sequence[Event]], None] | None = None
    """Told the events of each transaction that was committed"""
    measured: Callable[[Queue], Queue] = lambda queue: queue
    """The queue, with what it does measured"""
    spans: Spans = NO_SPANS
    """Follows each message"""

    def told(self, events: Sequence[Event]) -> None:
        """The events of a transaction that was committed."""
        if self.observe is not None:
            self.observe(events)
        self.spans.observe(events)


UNWATCHED = Instruments()
"""Nobody watches"""
