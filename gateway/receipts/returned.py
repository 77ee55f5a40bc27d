"""What comes to our own error and dead-letter queues: transport faults, and what a broker has given up.

Each is kept in the journal, and tied to the sending that it is about, where there is one: that one has
failed, and the department is told as of a note that could not be delivered. Nothing here is ever answered.
"""

from __future__ import annotations

import structlog

from gateway.contracts.identifiers import derived_id
from gateway.contracts.journal import JournalTransaction
from gateway.contracts.records import Event, InboundMessage, Sending
from gateway.contracts.registry import Registry
from gateway.contracts.states import InboundKind, InboundState, SendingState
from gateway.intake.arrival import Arrival, Returned
from gateway.receipts.deviations import Deviations
from gateway.receipts.remedies import Trouble
from gateway.receipts.states import STEPS, SendingEvent, settle
from gateway.routing.parties import parties_of

log = structlog.get_logger()


class ReturnedHandler:
    """Acts on what comes to these queues."""

    def __init__(self, registry: Registry, deviations: Deviations) -> None:
        """The register tells who a fault may come from."""
        self._registry = registry
        self._deviations = deviations

    def handle(self, transaction: JournalTransaction, arrival: Arrival, returned: Returned) -> None:
        """Keep it, and act on it."""
        sending, oddity = self._match(transaction, arrival, returned)
        row = self._row(arrival, returned, oddity)
        transaction.add_inbound(row)
        transaction.add_event(
            Event(
                inbound_id=row.id,
                at=arrival.received_at,
                name="received",
                detail={
                    "queue": row.queue,
                    "condition": returned.condition,
                    "sending": sending.id if sending is not None else None,
                },
            )
        )
        if sending is not None:
            self._fail(transaction, row, sending, returned, arrival)
        log.error(
            "transport-fault" if returned.kind is InboundKind.FAULT else "dead-letter",
            correlation_id=sending.inbound_id if sending is not None else row.id,
            condition=returned.condition,
            queue=row.queue,
            reason=oddity,
        )

    def _match(
        self, transaction: JournalTransaction, arrival: Arrival, returned: Returned
    ) -> tuple[Sending | None, str | None]:
        """The sending that it is about; and why a person must look, where there is none."""
        if returned.original_id is None:
            return None, f"{returned.kind.value}-without-reference"
        found = transaction.find_sendings(returned.original_id)
        if not found:
            return None, f"{returned.kind.value}-for-unknown-message"
        for sending in found:
            # A fault comes from the receiver; a dead letter is the sending itself, as we addressed it.
            other = arrival.from_her_id if returned.kind is InboundKind.FAULT else arrival.to_her_id
            if other in parties_of(self._registry, sending.receiver):
                return sending, None
        return None, f"{returned.kind.value}-from-another-party"

    def _row(self, arrival: Arrival, returned: Returned, oddity: str | None) -> InboundMessage:
        hospital = next(
            (h for h in self._registry.hospitals if arrival.queue in (h.error_queue, h.dead_letter_queue)),
            None,
        )
        return InboundMessage(
            id=derived_id("inbound", arrival.sender, arrival.msg_id),
            kind=returned.kind,
            state=InboundState.ACCEPTED if oddity is None else InboundState.FAILED,
            queue=arrival.queue,
            received_at=arrival.received_at,
            sender=arrival.sender,
            msg_id=arrival.msg_id,
            content_hash=arrival.content_hash,
            body=arrival.body,
            hospital=hospital.her_id if hospital is not None else None,
            reason=oddity or returned.condition,
        )

    def _fail(
        self,
        transaction: JournalTransaction,
        row: InboundMessage,
        sending: Sending,
        returned: Returned,
        arrival: Arrival,
    ) -> None:
        at = arrival.received_at
        step = STEPS[sending.state, SendingEvent.FAULT]
        transaction.add_event(
            Event(
                inbound_id=sending.inbound_id,
                sending_id=sending.id,
                at=at,
                name=step.told or "transport-fault",
                detail={"receiver": sending.receiver, "condition": returned.condition, "by": row.id},
            )
        )
        if step.state is sending.state:
            return
        transaction.update_sending(sending.id, state=step.state, error=returned.condition, settled_at=at)
        settle(transaction, sending.inbound_id, at)
        if step.state is SendingState.FAILED:
            self._deviations.trouble(transaction, sending, Trouble.GIVEN_UP, at)
