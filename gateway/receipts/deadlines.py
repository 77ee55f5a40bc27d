"""Deadlines: a sending that nobody has answered in time counts as refused, and is told once.

Source: HIS 80415:2012, chapter 3.3.4 (no AppRec within 96 hours of GenDate counts as negative and must be
alerted; a late positive one may still come).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from gateway.contracts.fail_points import FailPoint, reached
from gateway.contracts.journal import Journal, JournalTransaction
from gateway.contracts.records import Event, Sending
from gateway.receipts.addresses import AddressFaults
from gateway.receipts.deviations import Deviations
from gateway.receipts.held_deadlines import HeldDeadlines
from gateway.receipts.remedies import Trouble
from gateway.receipts.states import STEPS, SendingEvent, settle

log = structlog.get_logger()

_GROUP = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineSettings:
    """What a deployment sets."""

    receipt: timedelta = timedelta(hours=96)
    """From the GenDate of what was sent to a municipality or a GP to its AppRec"""
    reply: timedelta = timedelta(hours=24)
    """From when a reply was passed on to the AppRec of the hospital"""
    held_alert: timedelta = timedelta(hours=24)
    """How long before the deadline of a note that is held its operator is told"""
    every: timedelta = timedelta(minutes=1)
    """How often is looked"""


class Deadlines:
    """Looks for what is overdue."""

    def __init__(
        self,
        journal: Journal,
        deviations: Deviations,
        addresses: AddressFaults,
        settings: DeadlineSettings,
        clock: Callable[[], datetime],
    ) -> None:
        """The clock tells what is overdue."""
        self._journal = journal
        self._deviations = deviations
        self._addresses = addresses
        self._settings = settings
        self._clock = clock
        self._next: datetime | None = None
        self._held = HeldDeadlines(journal, limit=settings.receipt, before=settings.held_alert)

    def check(self) -> int:
        """Mark and tell what is overdue, where it is time to look again; how many sendings that were.

        What is held and near its deadline is told, too, and flagged addresses are looked up again.

        Raises:
            TransientError: the journal can not be reached.
        """
        now = self._clock()
        # A clock that was set back is not waited for.
        if self._next is not None and self._next - self._settings.every <= now < self._next:
            return 0
        found = 0
        with self._journal.transaction() as transaction:
            for inside, limit in ((False, self._settings.receipt), (True, self._settings.reply)):
                overdue = transaction.unanswered(inside=inside, before=now - limit, limit=_GROUP)
                for sending in overdue:
                    self._overdue(transaction, sending, now, inside=inside)
                    reached(FailPoint.OVERDUE_MARKED)
                found += len(overdue)
            self._addresses.look_again(transaction, now)
        self._held.check(now)
        # More may wait than one group holds.
        self._next = now if found >= _GROUP else now + self._settings.every
        return found

    def given_up(self, transaction: JournalTransaction, sending: Sending, at: datetime) -> None:
        """A sending could not be transported: the operator and the department are told."""
        log.error(
            "sending-given-up",
            correlation_id=sending.inbound_id,
            receiver=sending.receiver,
            kind=sending.kind.value,
        )
        settle(transaction, sending.inbound_id, at)
        self._deviations.trouble(transaction, sending, Trouble.GIVEN_UP, at)

    def _overdue(
        self, transaction: JournalTransaction, sending: Sending, now: datetime, *, inside: bool
    ) -> None:
        step = STEPS[sending.state, SendingEvent.DEADLINE]
        if step.told is None:
            return
        transaction.update_sending(sending.id, state=step.state, settled_at=now)
        transaction.add_event(
            Event(
                inbound_id=sending.inbound_id,
                sending_id=sending.id,
                at=now,
                name=step.told,
                detail={"receiver": sending.receiver, "kind": sending.kind.value},
            )
        )
        log.warning(
            f"{sending.kind.value}-not-taken" if inside else "receipt-overdue",
            correlation_id=sending.inbound_id,
            receiver=sending.receiver,
            kind=sending.kind.value,
        )
        settle(transaction, sending.inbound_id, now)
        self._deviations.trouble(transaction, sending, Trouble.OVERDUE, now)
