"""Takes deliveries apart: everything that needs no journal."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from gateway.contracts.errors import AdapterError, TransientError
from gateway.contracts.ports import AdapterSet
from gateway.contracts.queues import Delivery
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
            opened = self._intake.open(arrival.body)
        except RefusedError as refused:
            return replace(arrival, refused=refused)
        if opened.message is None or not arrival.inside:
            return replace(arrival, opened=opened)
        try:
            reading = read_note(opened.message, self._adapters, self._registry)
        except AdapterError as error:
            return replace(arrival, opened=opened, reading_error=error)
        return replace(arrival, opened=opened, reading=reading)
