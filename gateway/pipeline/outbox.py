"""The outbox: what is due is published, and marked with what the broker said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from gateway.contracts.errors import LocalError, TransientError
from gateway.contracts.fail_points import FailPoint, reached
from gateway.contracts.journal import Ahead, Journal, JournalTransaction
from gateway.contracts.queues import Envelope, PublishOutcome, Queue
from gateway.contracts.records import Event, Sending
from gateway.contracts.spans import NO_SPANS, Spans
from gateway.contracts.states import SendingKind, SendingState
from gateway.pipeline.circuits import Attempt, Circuits, CircuitSettings
from gateway.pipeline.quarantine import POISON, Attempts
from gateway.receipts.states import settle

log = structlog.get_logger()

_CLOCKS_APART = timedelta(minutes=5)
"""How far the clocks of machines, or of before and after a start, may differ with nothing done about it"""
_CLOCK_STEP = timedelta(seconds=1)
"""How far the clock may go back under us with nothing done about it: it is put right by less all the time"""

_STATES_OF_NOTES = (SendingKind.NOTE, SendingKind.REPLY)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrySettings:
    """How a failed attempt is repeated."""

    first: timedelta = timedelta(seconds=2)
    longest: timedelta = timedelta(minutes=10)
    give_up_after: timedelta = timedelta(hours=72)
    circuit: CircuitSettings = field(default_factory=CircuitSettings)
    """When a receiver is only probed"""


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
        envelope: Callable[[Sending], Envelope],
        given_up: Callable[[JournalTransaction, Sending, datetime], None],
        attempts: Attempts,
    ) -> None:
        """The clock tells what is due.

        `envelope` makes of a sending what travels; `given_up` hears of what never does; `attempts` keeps what
        processes end over.
        """
        self._circuits = Circuits(settings.circuit)
        self._attempts = attempts
        self._latest: datetime | None = None
        self._given_up = given_up
        self._envelope = envelope
        self._journal = journal
        self._queue = queue
        self._settings = settings
        self._clock = clock
        self._group_size = group_size
        self.spans: Spans = NO_SPANS
        """Follows what is published"""

    def publish_due(self) -> int:
        """Publish one group of what is due; how many were tried.

        A crash between the publishing and the mark repeats the same bytes under the same MsgId.

        Raises:
            TransientError: queue or journal can not be reached.
        """
        now = self._clock()
        self._mind_the_clock(now)
        due = self._journal.claim_due(now, limit=self._group_size)
        if not due:
            return 0
        reached(FailPoint.CLAIMED)
        together = [sending for sending in due if not sending.alone]
        if together:
            self._publish(together)
        for sending in due:
            if sending.alone:
                self._publish_alone(sending)
        return len(due)

    def _mind_the_clock(self, now: datetime) -> None:
        """Where the clock was set back, what was put off by it is not put off by as much again.

        What is tried too early costs an attempt. Nobody has seen by how much it was set back where no process
        ran: then only what waits longer than any pause lasts is tried at once.
        """
        if self._latest is None:
            longest = max(self._settings.longest, self._settings.circuit.longest) + _CLOCKS_APART
        elif now < self._latest - _CLOCK_STEP:
            longest = timedelta()
        else:
            self._latest = max(now, self._latest)
            return
        with self._journal.transaction() as transaction:
            transaction.set_clock_back(now, longest=longest)
        self._latest = now

    def _publish_alone(self, sending: Sending) -> None:
        """Publish what a process may have ended over, or set it aside."""
        self._attempts.alone(
            f"sending:{sending.id}",
            lambda: self._publish([sending]),
            lambda transaction: self._set_aside(transaction, sending),
        )

    def _publish(self, due: Sequence[Sending]) -> None:
        packed, not_packed = self._packed(due)
        reached(FailPoint.PACKED)
        self.spans.publishing()
        outcomes = self._queue.publish([(s.queue, e) for s, e in packed]) if packed else []
        self.spans.published((s, outcome) for (s, _), outcome in zip(packed, outcomes, strict=True))
        reached(FailPoint.PUBLISHED)
        with self._journal.transaction() as transaction:
            transaction.foresee(Ahead(messages=[sending.inbound_id for sending in due]))
            self._mark(transaction, [sending for sending, _ in packed], outcomes)
            for sending, code in not_packed:
                self._again(transaction, sending, code, self._clock())
            self._learn(transaction, zip((s for s, _ in packed), outcomes, strict=True), not_packed)
            reached(FailPoint.MARKED)
        reached(FailPoint.MARK_COMMITTED)

    def _learn(
        self,
        transaction: JournalTransaction,
        published: Iterable[tuple[Sending, PublishOutcome]],
        not_packed: Iterable[tuple[Sending, str]],
    ) -> None:
        """What all of that says of the receivers; what waits for one that stays down has its end, too."""
        now = self._clock()
        attempts = [
            Attempt(sending=s, error=None if o is PublishOutcome.CONFIRMED else o.value) for s, o in published
        ]
        attempts += [Attempt(sending=sending, error=code) for sending, code in not_packed]
        for receiver in self._circuits.learn(transaction, attempts, now):
            before = now - self._settings.give_up_after
            for sending in transaction.waiting(receiver, before=before, limit=self._group_size):
                self._again(transaction, sending, sending.error or "receiver-down", now)

    def _set_aside(self, transaction: JournalTransaction, sending: Sending) -> None:
        """Processes have ended over it: it is given up."""
        now = self._clock()
        if transaction.update_claimed(
            sending, state=SendingState.FAILED, attempts=sending.attempts + 1, error=POISON
        ):
            self._tell(transaction, sending, now, "given-up", POISON)
            self._given_up(transaction, sending, now)

    def _packed(
        self, due: Sequence[Sending]
    ) -> tuple[list[tuple[Sending, Envelope]], list[tuple[Sending, str]]]:
        """What can go out, and what can not be protected now, with the code of the reason."""
        packed, not_packed = [], []
        for sending in due:
            try:
                packed.append((sending, self._envelope(sending)))
            except (LocalError, TransientError) as error:
                log.warning("not-protected", error=error.code, receiver=sending.receiver)
                not_packed.append((sending, error.code))
            except Exception as error:
                log.exception("not-packed", receiver=sending.receiver)
                not_packed.append((sending, f"error:{type(error).__name__}"))
        return packed, not_packed

    def _mark(
        self, transaction: JournalTransaction, due: Sequence[Sending], outcomes: Sequence[PublishOutcome]
    ) -> None:
        now = self._clock()
        touched: dict[str, None] = {}
        for sending, outcome in zip(due, outcomes, strict=True):
            if outcome is PublishOutcome.CONFIRMED:
                marked = transaction.update_claimed(
                    sending,
                    state=SendingState.DELIVERED,
                    attempts=sending.attempts + 1,
                    delivered_at=now,
                    error=None,
                )
                self._tell(transaction, sending, now, "delivered" if marked else "delivered-late", None)
            else:
                self._again(transaction, sending, outcome.value, now)
            if sending.kind in _STATES_OF_NOTES:
                touched[sending.inbound_id] = None
        for inbound_id in touched:
            settle(transaction, inbound_id, now)

    def _again(self, transaction: JournalTransaction, sending: Sending, error: str, now: datetime) -> None:
        decision = decide_retry(sending, now, self._settings)
        state = SendingState.PENDING if decision.at is not None else SendingState.FAILED
        marked = transaction.update_claimed(
            sending,
            state=state,
            attempts=sending.attempts + 1,
            next_attempt_at=decision.at,
            settled_at=now if decision.at is None else None,
            error=error,
        )
        if not marked:
            return
        name = "attempt-failed" if decision.at is not None else "given-up"
        self._tell(transaction, sending, now, name, error)
        if decision.at is None:
            self._given_up(transaction, sending, now)

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
                seconds=_since(sending.created_at, at),
            )
        )


def _since(begun: datetime | None, at: datetime) -> float | None:
    return (at - begun).total_seconds() if begun is not None else None
