"""What ends the process that works on it is set aside after some attempts, so that the next one flows.

Whoever works on something again after a process has ended does so with that alone, and says so in the journal
before: what is found there afterwards is that process's last work, and no innocent neighbour.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import uuid4

import structlog

from gateway.contracts.journal import Journal, JournalTransaction
from gateway.contracts.queues import Delivery
from gateway.contracts.records import Event
from gateway.contracts.registry import Registry
from gateway.contracts.states import InboundKind
from gateway.contracts.values import replace
from gateway.intake.arrival import Arrival
from gateway.intake.intake import content_hash
from gateway.intake.records import add_all, set_aside

log = structlog.get_logger()

T = TypeVar("T")

POISON = "poison"
"""Why something is set aside: processes have ended over it"""


class Attempts:
    """Counts, in the journal, the processes that did not survive something."""

    def __init__(self, journal: Journal, *, most: int, clock: Callable[[], datetime]) -> None:
        """`most`: how many processes may end over it, the first one (with a whole group) included."""
        self._journal = journal
        self._most = most
        self._clock = clock
        self._owner = uuid4().hex

    def alone(self, key: str, work: Callable[[], T], give_up: Callable[[JournalTransaction], T]) -> T:
        """Do some work that may end the process, or give up on it where it has ended too many.

        Args:
            key: what is worked on, the same for each attempt.
            work: one attempt.
            give_up: sets it aside, in the transaction that forgets the attempts.

        Raises:
            TransientError: the journal can not be reached; or what the work raises, which it has survived.
        """
        with self._journal.transaction() as transaction:
            ended = 1 + transaction.begin_attempt(key, owner=self._owner, at=self._clock())
            if ended >= self._most:
                transaction.end_attempt(key)
                return give_up(transaction)
        try:
            return work()
        finally:
            with self._journal.transaction() as transaction:
                transaction.end_attempt(key)


class Quarantine:
    """For deliveries."""

    def __init__(
        self, attempts: Attempts, registry: Registry, inbound: str, clock: Callable[[], datetime]
    ) -> None:
        """`inbound` is the queue that the hospitals' record systems write to."""
        self._attempts = attempts
        self._registry = registry
        self._inbound = inbound
        self._clock = clock

    def alone(
        self, delivery: Delivery, process: Callable[[Sequence[Delivery]], list[Delivery]]
    ) -> list[Delivery]:
        """Work on one delivery that a taker was gone with; what is to come again.

        Raises:
            TransientError: it comes again.
        """
        key = f"delivery:{delivery.queue}:{content_hash(delivery.envelope.body)}"
        return self._attempts.alone(
            key, lambda: process([delivery]), lambda transaction: self._set_aside(transaction, delivery)
        )

    def _set_aside(self, transaction: JournalTransaction, delivery: Delivery) -> list[Delivery]:
        """Keep it, unread: nothing looks into it but a person. A note until somebody knows better."""
        now = self._clock()
        from_her_id = delivery.envelope.headers.get("fromHerId")
        arrival = Arrival(
            body=delivery.envelope.body,
            queue=delivery.queue,
            from_her_id=from_her_id,
            inside=delivery.queue == self._inbound,
            content_hash=content_hash(delivery.envelope.body),
            received_at=now,
        )
        row = set_aside(arrival, self._registry, kind=InboundKind.NOTE, reason=POISON, keep_id=True)
        hospital = self._registry.hospital(from_her_id)
        row = replace(row, hospital=hospital.her_id if hospital is not None else None)
        log.error("message-quarantined", reason=POISON, correlation_id=row.id, queue=row.queue)
        known = transaction.find_inbound(sender=row.sender, msg_id=row.msg_id)
        if known is None:
            add_all(transaction, row, [], [("failed", {"reason": POISON})], now)
        else:
            transaction.add_event(
                Event(inbound_id=known.id, at=now, name="duplicate", detail={"queue": row.queue})
            )
        return []
