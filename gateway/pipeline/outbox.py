"""The outbox: what is due is published, and marked with what the broker said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.contracts.journal import (
    Event,
    Journal,
    JournalTransaction,
    Sending,
    SendingKind,
    SendingState,
)
from gateway.contracts.queues import Envelope, PublishOutcome, Queue
from gateway.receipts.states import settle

_STATES_OF_NOTES = (SendingKind.NOTE, SendingKind.REPLY)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrySettings:
    """How a failed attempt is repeated."""

    first: timedelta = timedelta(seconds=2)
    longest: timedelta = timedelta(minutes=10)
    give_up_after: timedelta = timedelta(hours=72)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryDecision:
    """What follows a failed attempt."""

    at: datetime | None
    """When to try again; None: never"""


def decide_retry(sending: Sending, now: datetime, settings: RetrySettings) -> RetryDecision:
    """Doubling pauses up to the longest; an end when the sending is too old."""
    begun = sending.created_at or now
    if now - begun >= settings.give_up_after:
        return RetryDecision(at=None)
    pause = min(settings.first * (2 ** min(sending.attempts, 30)), settings.longest)
    return RetryDecision(at=now + pause)


def envelope(sending: Sending) -> Envelope:
    """A sending as it travels."""
    headers = dict(sending.headers or {})
    return Envelope(
        body=sending.body,
        message_id=sending.msg_id,
        headers=headers,
        correlation_id=headers.get("X-MessageInfo-RefToConversation") or sending.msg_id,
    )


class Outbox:
    """Publishes pending sendings."""

    def __init__(
        self,
        journal: Journal,
        queue: Queue,
        settings: RetrySettings,
        clock: Callable[[], datetime],
        *,
        group_size: int,
    ) -> None:
        """The clock tells what is due."""
        self._journal = journal
        self._queue = queue
        self._settings = settings
        self._clock = clock
        self._group_size = group_size

    def publish_due(self) -> int:
        """Publish one group of what is due; how many were tried.

        A crash between the publishing and the mark repeats the same bytes under the same MsgId.

        Raises:
            TransientError: queue or journal can not be reached.
        """
        with self._journal.reader() as view:
            due = view.due(self._clock(), limit=self._group_size)
        if not due:
            return 0
        outcomes = self._queue.publish([(s.queue, envelope(s)) for s in due])
        with self._journal.transaction() as transaction:
            self._mark(transaction, due, outcomes)
        return len(due)

    def _mark(
        self, transaction: JournalTransaction, due: Sequence[Sending], outcomes: Sequence[PublishOutcome]
    ) -> None:
        now = self._clock()
        touched: dict[str, None] = {}
        for sending, outcome in zip(due, outcomes, strict=True):
            if outcome is PublishOutcome.CONFIRMED:
                transaction.update_sending(
                    sending.id,
                    state=SendingState.DELIVERED,
                    attempts=sending.attempts + 1,
                    delivered_at=now,
                    error=None,
                )
                self._tell(transaction, sending, now, "delivered", None)
            else:
                self._again(transaction, sending, outcome, now)
            if sending.kind in _STATES_OF_NOTES:
                touched[sending.inbound_id] = None
        for inbound_id in touched:
            settle(transaction, inbound_id, now)

    def _again(
        self, transaction: JournalTransaction, sending: Sending, outcome: PublishOutcome, now: datetime
    ) -> None:
        decision = decide_retry(sending, now, self._settings)
        state = SendingState.PENDING if decision.at is not None else SendingState.FAILED
        transaction.update_sending(
            sending.id,
            state=state,
            attempts=sending.attempts + 1,
            next_attempt_at=decision.at,
            error=outcome.value,
        )
        name = "attempt-failed" if decision.at is not None else "given-up"
        self._tell(transaction, sending, now, name, outcome.value)

    @staticmethod
    def _tell(
        transaction: JournalTransaction, sending: Sending, at: datetime, name: str, error: str | None
    ) -> None:
        transaction.add_event(
            Event(
                inbound_id=sending.inbound_id,
                sending_id=sending.id,
                at=at,
                name=name,
                detail={"receiver": sending.receiver, "kind": sending.kind.value, "error": error},
            )
        )
