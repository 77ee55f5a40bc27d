"""The flow: a group of deliveries in, one transaction, everything that follows from them in the outbox."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from structlog.contextvars import bound_contextvars

from gateway.contracts.errors import GatewayError, TransientError
from gateway.contracts.fail_points import FailPoint, reached
from gateway.contracts.identifiers import derived_id
from gateway.contracts.journal import Ahead, Journal, JournalTransaction
from gateway.contracts.queues import Delivery
from gateway.contracts.records import Event
from gateway.contracts.registry import Registry
from gateway.contracts.spans import NO_SPANS, Followed, Spans
from gateway.contracts.states import InboundKind, InboundState
from gateway.contracts.tracing import span_context, trace_id, traced
from gateway.contracts.values import replace
from gateway.intake.arrival import Arrival
from gateway.intake.records import add_all, add_sending, set_aside
from gateway.pipeline.notes import NoteHandler
from gateway.pipeline.reception import SPOOFING, Reception
from gateway.pipeline.reworking import transported_by
from gateway.receipts.matching import ReceiptHandler
from gateway.receipts.originals import recent_heads
from gateway.receipts.replies import ReplyHandler
from gateway.receipts.returned import ReturnedHandler
from gateway.receipts.transport_faults import TransportFaults
from gateway.routing.addressees import sending_hospital
from gateway.security.errors import transport_condition

log = structlog.get_logger()


def now() -> datetime:
    """The clock, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportHandlers:
    """What acts on the transport alone: the faults that we tell, and what is returned to us."""

    faults: TransportFaults
    returned: ReturnedHandler


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
        transport: TransportHandlers,
        clock: Callable[[], datetime] = now,
    ) -> None:
        """Everything by port."""
        self._journal = journal
        self._reception = reception
        self._registry = registry
        self._notes = notes
        self._receipts = receipts
        self._replies = replies
        self._transport = transport
        self._clock = clock
        self.spans: Spans = NO_SPANS
        """Follows what is done"""

    def process(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Take a group in.

        Returns:
            What could not be tried now and is to come again. All else is durable and may be acknowledged.

        Raises:
            TransientError: nothing of the group was kept; it comes again.
        """
        received_at = self._clock()
        arrivals, later = [], []
        for delivery in deliveries:
            self.spans.begin()
            try:
                arrivals.append(self._reception.receive(delivery, received_at))
                self.spans.read()
                reached(FailPoint.OPENED)
            except TransientError as error:
                log.warning("not-tried-now", error=error.code, queue=delivery.queue)
                later.append(delivery)
        self._notes.make_ready(arrivals)
        recent_heads.read_ahead(self._journal, _answered(arrivals))
        self.spans.made_ready()
        try:
            self._together(arrivals, gather=True)
        except TransientError:
            raise
        except GatewayError:
            # The journal refuses a row of one of them: each written by itself shows whose it is.
            self._together(arrivals, gather=False)
        return later

    def _together(self, arrivals: Sequence[Arrival], *, gather: bool) -> None:
        self.spans.deciding()
        with self._journal.transaction() as transaction:
            if gather:
                transaction.foresee(self._ahead(arrivals))
            for arrival in arrivals:
                inbound_id = derived_id("inbound", arrival.sender, arrival.msg_id)
                trace = trace_id(arrival.traceparent, inbound_id)
                # Every line of the log and everything that is sent tell which message they are about.
                with bound_contextvars(correlation_id=inbound_id), traced(trace) as sendings:
                    self._one(transaction, arrival, gather=gather)
                if self.spans is not NO_SPANS:
                    self.spans.decided(self._followed(arrival, inbound_id, trace, sendings))
                reached(FailPoint.WORKED_ON)
        self.spans.committed()

    def _ahead(self, arrivals: Sequence[Arrival]) -> Ahead:
        notes = [
            arrival for arrival in arrivals if arrival.reading is not None and arrival.message is not None
        ]
        return Ahead(
            keys=[(arrival.sender, arrival.msg_id) for arrival in arrivals],
            answered=_answered(arrivals),
            notes=[arrival.msg_id for arrival in notes],
            patients=self._notes.patients(notes),
        )

    def _followed(self, arrival: Arrival, inbound_id: str, trace: str, sendings: Sequence[str]) -> Followed:
        context = span_context(arrival.traceparent)
        head, reading = arrival.head, arrival.reading
        hospital = sending_hospital(self._registry, head.sender if head is not None else None)
        return Followed(
            inbound_id=inbound_id,
            trace=trace,
            parent=context[1] if context is not None else None,
            format=arrival.format.value if arrival.format is not None else None,
            system=reading.summary.source.system if reading is not None else None,
            queue=arrival.queue,
            hospital=hospital.her_id if hospital is not None else None,
            sendings=sendings,
        )

    def _one(self, transaction: JournalTransaction, arrival: Arrival, *, gather: bool) -> None:
        if arrival.refused is not None and arrival.refused.reason == SPOOFING:
            self._alarm(transaction, arrival)
            return
        known = transaction.find_inbound(sender=arrival.sender, msg_id=arrival.msg_id, content=False)
        if known is not None:
            self._again(transaction, arrival, known.id, known.content_hash)
            return
        try:
            with transaction.savepoint(gather=gather):
                self.act(transaction, arrival)
        except TransientError:
            raise
        except Exception as error:  # noqa: BLE001 - one message must never stop the others
            # Others' errors may carry what they stumbled on in any of their attributes.
            code = error.code if isinstance(error, GatewayError) else type(error).__name__
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

    def _alarm(self, transaction: JournalTransaction, arrival: Arrival) -> None:
        """Keep it as evidence, and tell our own people: it takes no MsgId, moves nothing, gets no AppRec.

        Who the transport says sent it, and perhaps did not, is told there.
        """
        row = set_aside(arrival, self._registry, kind=_kind(arrival), reason=transport_condition(SPOOFING))
        row = replace(row, state=InboundState.REJECTED)
        log.error(
            "alert",
            reason=row.reason,
            correlation_id=row.id,
            queue=row.queue,
            from_her_id=arrival.from_her_id,
            sender=arrival.sender,
        )
        if transaction.find_inbound(sender=row.sender, msg_id=row.msg_id) is None:
            add_all(transaction, row, [], [("alert", {"reason": row.reason})], arrival.received_at)
            self._tell_on_transport(transaction, row.id, arrival)

    def _aside(
        self, transaction: JournalTransaction, arrival: Arrival, reason: str, *, keep_id: bool
    ) -> None:
        row = set_aside(arrival, self._registry, kind=_kind(arrival), reason=reason, keep_id=keep_id)
        failed = ("failed", {"reason": reason, **transported_by(arrival)})
        add_all(transaction, row, [], [failed], arrival.received_at)

    def act(self, transaction: JournalTransaction, arrival: Arrival) -> None:
        """Decide what becomes of an arrival, and write that with all that follows from it."""
        if arrival.returned is not None:
            self._transport.returned.handle(transaction, arrival, arrival.returned)
        elif arrival.broken is not None:
            self._aside(transaction, arrival, f"error:{arrival.broken}", keep_id=True)
        elif arrival.refused is not None:
            self._notes.refuse(transaction, arrival, arrival.refused.faults, arrival.refused.reason)
            if arrival.head is None:
                inbound_id = derived_id("inbound", arrival.sender, arrival.msg_id)
                self._tell_on_transport(transaction, inbound_id, arrival)
        elif arrival.apprec is not None:
            self._receipts.handle(transaction, arrival, arrival.apprec)
        elif arrival.message is not None and not arrival.inside:
            self._replies.handle(transaction, arrival, arrival.message)
        elif self._is_answer(transaction, arrival):
            return
        elif arrival.message is not None and arrival.reading_error is not None:
            self._notes.unread(transaction, arrival, arrival.message, arrival.reading_error)
        elif arrival.message is not None and arrival.reading is not None:
            self._notes.handle(transaction, arrival, arrival.message, arrival.reading)

    def _tell_on_transport(self, transaction: JournalTransaction, inbound_id: str, arrival: Arrival) -> None:
        fault = self._transport.faults.about(inbound_id, arrival, arrival.received_at)
        if fault is not None:
            add_sending(transaction, fault, arrival.received_at)

    def _is_answer(self, transaction: JournalTransaction, arrival: Arrival) -> bool:
        """What a hospital answers to a reply goes on to who wrote the reply, unless it is a note."""
        reading = arrival.reading
        if arrival.message is None or (reading is not None and "PH001" not in reading.noticed):
            return False
        return self._replies.answer(transaction, arrival, arrival.message)


def _answered(arrivals: Iterable[Arrival]) -> list[str]:
    """What AppRecs name as the message that they answer."""
    return [arrival.apprec.original.id.strip() for arrival in arrivals if arrival.apprec is not None]


def _kind(arrival: Arrival) -> InboundKind:
    if arrival.returned is not None:
        return arrival.returned.kind
    if arrival.apprec is not None:
        return InboundKind.RECEIPT
    if arrival.head is None:
        return InboundKind.UNREADABLE
    return InboundKind.NOTE if arrival.inside else InboundKind.REPLY
