"""Notes that wait for a person, and must be answered in time all the same.

Source: HIS 80415:2012, chapter 3.3.4 (a message may wait for a person within 96 hours of GenDate; no AppRec
by then counts as negative at its sender).
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from gateway.contracts.journal import Journal
from gateway.contracts.records import Event, InboundFilter, InboundMessage
from gateway.contracts.states import InboundKind, InboundState

log = structlog.get_logger()

_MOST = 100_000
NEAR = "held-deadline-near"
PASSED = "held-deadline-passed"


def note_deadline(note: InboundMessage, limit: timedelta) -> datetime:
    """When a note that was not answered counts as refused at its sender: so long after its GenDate."""
    return (note.sent_at or note.received_at) + limit


class HeldDeadlines:
    """Alerts once when the deadline of a held note comes near, and once when it has passed."""

    def __init__(self, journal: Journal, *, limit: timedelta, before: timedelta) -> None:
        """`limit`: from GenDate to the deadline; `before`: how long before it is told."""
        self._journal = journal
        self._limit = limit
        self._before = before
        self._told: set[tuple[str, str]] = set()
        """What is known to be told: the journal is not asked for it again"""

    def check(self, now: datetime) -> None:
        """Look at every held note.

        Raises:
            TransientError: the journal can not be reached.
        """
        held = InboundFilter(kinds=(InboundKind.NOTE,), states=(InboundState.HELD,), limit=_MOST)
        for note in self._journal.list_inbound(held):
            left = note_deadline(note, self._limit) - now
            if left >= self._before:
                continue
            name = NEAR if left > timedelta(0) else PASSED
            if (note.id, name) not in self._told:
                self._tell(note, name, left, now)
                self._told.add((note.id, name))

    def _tell(self, note: InboundMessage, name: str, left: timedelta, now: datetime) -> None:
        with self._journal.transaction() as transaction:
            # Once it has begun no other worker writes: two of them may look at the same moment.
            if any(event.name == name for event in self._journal.events(note.id)):
                return
            transaction.add_event(Event(inbound_id=note.id, at=now, name=name))
        log.warning(
            name,
            correlation_id=note.id,
            reason=note.reason,
            sender=note.hospital,
            unit=note.unit,
            seconds=int(left / timedelta(seconds=1)),
        )
