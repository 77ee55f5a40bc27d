"""Takes deliveries apart: everything that needs no journal."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from gateway.contracts.errors import AdapterError, TransientError
from gateway.contracts.messages import Message
from gateway.contracts.ports import AdapterSet, Signer
from gateway.contracts.queues import Delivery
from gateway.contracts.receipts import ErrorCode, fault
from gateway.contracts.registry import Registry
from gateway.intake.arrival import Arrival
from gateway.intake.intake import Intake, RefusedError, content_hash
from gateway.pipeline.assessment import read_note


class Reception:
    """Takes deliveries apart: everything that needs no journal."""

    def __init__(self, intake: Intake, adapters: AdapterSet, registry: Registry, inbound: str) -> None:
        """`inbound` is the queue that the hospitals' record systems write to."""
        self._intake = intake
        self._adapters = adapters
        self._registry = registry
        self._inbound = inbound

    def receive(self, delivery: Delivery, received_at: datetime) -> Arrival:
        """Open and read one delivery. Whatever is wrong with it is in the result.

        Raises:
            TransientError: it could not be tried now (the whole group comes again).
        """
        arrival = Arrival(
            body=delivery.envelope.body,
            queue=delivery.queue,
            from_her_id=delivery.envelope.headers.get("fromHerId"),
            inside=delivery.queue == self._inbound,
            content_hash=content_hash(delivery.envelope.body),
            received_at=received_at,
        )
        try:
            return self._opened(arrival)
        except TransientError:
            raise
        except Exception as error:  # noqa: BLE001 - one message must never stop the others
            return replace(arrival, broken=type(error).__name__)

    def _opened(self, arrival: Arrival) -> Arrival:
        try:
            opened = self._intake.open(arrival.body, passes_through=not arrival.inside)
            if opened.message is not None and opened.signer is not None:
                self._check_signer(opened.message, opened.signer)
        except RefusedError as refused:
            return replace(arrival, refused=refused)
        if opened.message is None or not arrival.inside:
            return replace(arrival, opened=opened)
        try:
            reading = read_note(opened.message, self._adapters, self._registry)
        except AdapterError as error:
            return replace(arrival, opened=opened, reading_error=error)
        return replace(arrival, opened=opened, reading=reading)

    def _check_signer(self, message: Message, signer: Signer) -> None:
        """The certificate's organisation must be the sender's in the register."""
        sender = message.head.sender
        for her_id in sender.her_ids if sender is not None else ():
            hospital, endpoint = self._registry.hospital(her_id), self._registry.endpoint(her_id)
            registered = hospital.org_no if hospital is not None else endpoint.org_no if endpoint else None
            if registered is not None and registered != signer.org_no:
                raise RefusedError(
                    "the signature is not by the sender's organisation",
                    reason="spoofing",
                    faults=(fault(ErrorCode.CERTIFICATE_INVALID, "Sertifikatet tilhører ikke avsenderen."),),
                    head=message.head,
                    format=message.format,
                )
