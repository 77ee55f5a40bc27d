"""The flow: a group of deliveries in, one transaction, everything that follows from them in the outbox."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import structlog

from gateway.contracts.errors import TransientError
from gateway.contracts.journal import Event, InboundKind, Journal, JournalTransaction
from gateway.contracts.queues import Delivery
from gateway.contracts.registry import Registry
from gateway.intake.arrival import Arrival
from gateway.intake.records import add_all, set_aside
from gateway.pipeline.notes import NoteHandler
from gateway.pipeline.reception import Reception
from gateway.receipts.matching import ReceiptHandler
from gateway.receipts.replies import ReplyHandler

log = structlog.get_logger()


def now() -> datetime:
    """The clock, in UTC."""
    return datetime.now(UTC)


class Flow:
    """Works on groups of deliveries."""

    def __init__(
        self,
        *,
        journal: Journal,
        reception: Reception,
        registry: Registry,
        notes: NoteHandler,
        receipts: ReceiptHandler,
        replies: ReplyHandler,
        clock: Callable[[], datetime] = now,
    ) -> None:
        """Everything by port."""
        self._journal = journal
        self._reception = reception
        self._registry = registry
        self._notes = notes
        self._receipts = receipts
        self._replies = replies
        self._clock = clock

    def process(self, deliveries: Sequence[Delivery]) -> None:
        """Take a group in. When this returns, all of it is durable and the group may be acknowledged.

        Raises:
            TransientError: nothing of the group was kept; it comes again.
        """
        received_at = self._clock()
        arrivals = [self._reception.receive(d, received_at) for d in deliveries]
        with self._journal.transaction() as transaction:
            for arrival in arrivals:
                self._one(transaction, arrival)

    def _one(self, transaction: JournalTransaction, arrival: Arrival) -> None:
        known = transaction.find_inbound(sender=arrival.sender, msg_id=arrival.msg_id)
        if known is not None:
            self._again(transaction, arrival, known.id, known.content_hash)
            return
        try:
            with transaction.savepoint():
                self._act(transaction, arrival)
        except TransientError:
            raise
        except Exception as error:  # noqa: BLE001 - one message must never stop the others
            code = getattr(error, "code", type(error).__name__)
            log.warning("message-set-aside", error=str(code), queue=arrival.queue)
            self._aside(transaction, arrival, f"error:{code}", keep_id=True)

    def _again(
        self, transaction: JournalTransaction, arrival: Arrival, inbound_id: str, known_hash: str
    ) -> None:
        """The MsgId was seen before: the same bytes are a repeat; others are a matter for security."""
        if known_hash == arrival.content_hash:
            transaction.add_event(
                Event(
                    inbound_id=inbound_id,
                    at=arrival.received_at,
                    name="duplicate",
                    detail={"queue": arrival.queue},
                )
            )
            return
        log.warning("same-id-other-content", correlation_id=inbound_id, queue=arrival.queue)
        apart = set_aside(arrival, self._registry, kind=_kind(arrival), reason="same-id-other-content")
        if transaction.find_inbound(sender=apart.sender, msg_id=apart.msg_id) is None:
            add_all(
                transaction,
                apart,
                [],
                [("same-id-other-content", {"first": inbound_id})],
                arrival.received_at,
            )

    def _aside(
        self, transaction: JournalTransaction, arrival: Arrival, reason: str, *, keep_id: bool
    ) -> None:
        row = set_aside(arrival, self._registry, kind=_kind(arrival), reason=reason, keep_id=keep_id)
        add_all(transaction, row, [], [("failed", {"reason": reason})], arrival.received_at)

    def _act(self, transaction: JournalTransaction, arrival: Arrival) -> None:
        if arrival.broken is not None:
            self._aside(transaction, arrival, f"error:{arrival.broken}", keep_id=True)
        elif arrival.refused is not None:
            self._notes.refuse(transaction, arrival, arrival.refused.faults, arrival.refused.reason)
        elif arrival.apprec is not None:
            self._receipts.handle(transaction, arrival, arrival.apprec)
        elif arrival.message is not None and not arrival.inside:
            self._replies.handle(transaction, arrival, arrival.message)
        elif arrival.reading_error is not None:
            error = arrival.reading_error
            self._notes.refuse(transaction, arrival, error.faults, error.code)
        elif arrival.message is not None and arrival.reading is not None:
            self._notes.handle(transaction, arrival, arrival.message, arrival.reading)


def _kind(arrival: Arrival) -> InboundKind:
    if arrival.apprec is not None:
        return InboundKind.RECEIPT
    if arrival.head is None:
        return InboundKind.UNREADABLE
    return InboundKind.NOTE if arrival.inside else InboundKind.REPLY
