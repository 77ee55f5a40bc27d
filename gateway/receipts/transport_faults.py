"""Transport faults: what is told, on the error queue of a sender, of a message that no AppRec can answer.

A new, empty message whose headers say what was wrong (the convention of the Norwegian health network, as in
docs/architecture.md). It goes to who the transport says sent the message, where the register knows that
party; it holds nothing of the message but the transport's own id of it. There is never one about an error.
"""

from __future__ import annotations

from datetime import datetime

from gateway.contracts.identifiers import derived_id
from gateway.contracts.records import Sending
from gateway.contracts.registry import PartyKind, Registry
from gateway.contracts.states import SendingKind, SendingState
from gateway.contracts.transport_headers import FaultHeader, fault_headers
from gateway.intake.arrival import Arrival
from gateway.security.errors import transport_fault


class TransportFaults:
    """Writes transport faults as rows of the outbox."""

    def __init__(self, registry: Registry, own_her_id: str) -> None:
        """The register tells who is known, and which error queue is whose."""
        self._registry = registry
        self._own_her_id = own_her_id

    def about(self, inbound_id: str, arrival: Arrival, at: datetime) -> Sending | None:
        """The fault about a message that was refused; None where nobody can be told.

        Args:
            inbound_id: its row in the inbox.
            arrival: what was refused.
            at: when.
        """
        receiver = self._sender(arrival)
        if arrival.refused is None or receiver is None:
            return None
        her_id, role, queue = receiver
        condition, sentence = transport_fault(arrival.refused.reason, arrival.content_type)
        msg_id = derived_id("fault", inbound_id)
        return Sending(
            id=derived_id("sending", msg_id),
            inbound_id=inbound_id,
            kind=SendingKind.FAULT,
            state=SendingState.PENDING,
            receiver=her_id,
            receiver_role=role,
            queue=queue,
            msg_id=msg_id,
            body=b"",
            headers=fault_headers(
                from_her_id=self._addressed(arrival),
                to_her_id=her_id,
                at=at,
                received_at=arrival.received_at,
                fault={
                    FaultHeader.ORIGINAL: arrival.message_id,
                    FaultHeader.CONDITION: condition,
                    FaultHeader.DESCRIPTION: sentence,
                    FaultHeader.DATA: arrival.refused.reason,
                },
            ),
            next_attempt_at=at,
            created_at=at,
        )

    def _sender(self, arrival: Arrival) -> tuple[str, str, str] | None:
        """Who the transport says sent it: HER-id as in its header, role, error queue."""
        her_id = arrival.from_her_id
        if her_id is None:
            return None
        if (hospital := self._registry.hospital(her_id)) is not None:
            return her_id, PartyKind.HOSPITAL.value, hospital.record_system_error_queue
        if (endpoint := self._registry.endpoint(her_id)) is not None:
            return her_id, endpoint.kind.value, endpoint.error_queue
        return None

    def _addressed(self, arrival: Arrival) -> str:
        """Whom the message was for, where that is one of ours."""
        to = arrival.to_her_id
        if to is not None and (self._registry.hospital(to) or self._registry.endpoint(to)):
            return to
        return self._own_her_id
