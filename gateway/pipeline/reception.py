"""Takes deliveries apart: everything that needs no journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from gateway.contracts.errors import AdapterError, PermanentError, TransientError
from gateway.contracts.messages import Format, Head, Party
from gateway.contracts.ports import AdapterSet, MessageOpener, Signer
from gateway.contracts.queues import Delivery
from gateway.contracts.receipts import ErrorCode, fault
from gateway.contracts.registry import Registry
from gateway.contracts.spans import NO_SPANS, Spans
from gateway.contracts.states import InboundKind
from gateway.contracts.tracing import TRACEPARENT
from gateway.contracts.values import replace
from gateway.intake.arrival import Arrival
from gateway.intake.intake import Intake, Opened, RefusedError, content_hash
from gateway.intake.returned import returned_arrival
from gateway.intake.senders import SenderCheck
from gateway.pipeline.assessment import read_note
from gateway.security.cms import CONTENT_TYPE
from gateway.security.errors import INVALID_HEADER

_DER_SEQUENCE = b"\x30"
"""How CMS begins; no XML does"""

SPOOFING = "spoofing"
"""Ground of a refusal that is told to our own people, and on the transport only"""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRoles:
    """Which of the queues that are read is what."""

    inbound: str
    """What the hospitals' record systems write to"""
    own_her_id: str
    """The gateway's own address"""
    returned: Mapping[str, InboundKind]
    """Our own error and dead-letter queues, and what comes there"""


class Reception:
    """Takes deliveries apart: everything that needs no journal."""

    def __init__(
        self,
        intake: Intake,
        adapters: AdapterSet,
        registry: Registry,
        queues: QueueRoles,
        opener: MessageOpener | None = None,
    ) -> None:
        """`queues` tells what comes from where; `opener` opens CMS."""
        self._senders = SenderCheck(registry)
        self._opener = opener
        self._intake = intake
        self._adapters = adapters
        self._registry = registry
        self._queues = queues
        self.spans: Spans = NO_SPANS
        """Follows what is received"""

    def receive(self, delivery: Delivery, received_at: datetime) -> Arrival:
        """Open and read one delivery. Whatever is wrong with it is in the result.

        Raises:
            TransientError: it could not be tried now: it comes again.
        """
        kind = self._queues.returned.get(delivery.queue)
        if kind is not None:
            return returned_arrival(delivery, kind, received_at)
        arrival = Arrival(
            body=delivery.envelope.body,
            queue=delivery.queue,
            from_her_id=delivery.envelope.headers.get("fromHerId"),
            to_her_id=delivery.envelope.headers.get("toHerId"),
            message_id=delivery.envelope.message_id,
            content_type=delivery.envelope.content_type,
            inside=delivery.queue == self._queues.inbound,
            content_hash=content_hash(delivery.envelope.body),
            received_at=received_at,
            traceparent=delivery.envelope.headers.get(TRACEPARENT),
        )
        if not self._is_ours(arrival):
            refused = RefusedError(
                "the transport header toHerId names nobody of ours", reason=INVALID_HEADER, faults=()
            )
            return replace(arrival, refused=refused)
        try:
            return self._opened(self._unprotected(arrival, delivery.envelope.content_type))
        except TransientError:
            raise
        except Exception as error:  # noqa: BLE001 - one message must never stop the others
            return replace(arrival, broken=type(error).__name__)

    def again(
        self,
        body: bytes,
        *,
        queue: str,
        at: datetime,
        from_her_id: str | None = None,
        protected_by: Signer | None = None,
    ) -> Arrival:
        """Open and read the kept bytes of a message once more.

        Args:
            body: as they are kept: without the protection of the way, where that could be taken off.
            queue: where they came from.
            at: when.
            from_her_id: header of the transport.
            protected_by: who had signed it for the way.

        Raises:
            TransientError: it could not be tried now.
        """
        arrival = Arrival(
            body=body,
            queue=queue,
            from_her_id=from_her_id,
            inside=queue == self._queues.inbound,
            content_hash=content_hash(body),
            received_at=at,
            protected_by=protected_by,
        )
        still_protected = protected_by is None and body[:1] == _DER_SEQUENCE
        try:
            return self._opened(self._unprotected(arrival, CONTENT_TYPE) if still_protected else arrival)
        except TransientError:
            raise
        except Exception as error:  # noqa: BLE001 - what it says may hold values of the message
            return replace(arrival, broken=type(error).__name__)

    def _is_ours(self, arrival: Arrival) -> bool:
        """Whether the transport header, where there is one, names somebody whom the network reaches here."""
        to = arrival.to_her_id
        if arrival.inside or not to:
            return True
        return to == self._queues.own_her_id or self._registry.hospital(to) is not None

    def _unprotected(self, arrival: Arrival, content_type: str) -> Arrival:
        """Without the protection that it had on the way; from here on the message is what was inside."""
        if self._opener is None or not self._opener.opens(content_type):
            return arrival
        try:
            verified = self._opener.open(arrival.body)
        except PermanentError as error:
            refused = RefusedError(
                error.message, reason=getattr(error, "reason", error.code), faults=error.faults
            )
            return replace(arrival, refused=refused)
        return replace(
            arrival,
            body=verified.signed,
            content_hash=content_hash(verified.signed),
            protected_by=verified.signer,
        )

    def _opened(self, arrival: Arrival) -> Arrival:
        if arrival.refused is not None:
            return arrival
        try:
            opened = self._intake.open(
                arrival.body, passes_through=not arrival.inside, protected_by=arrival.protected_by
            )
        except RefusedError as refused:
            # Nobody is answered in the name of whom the transport does not know as the sender.
            sender = refused.head.sender if refused.head is not None else None
            refused = refused if self._agrees(arrival, sender) else _spoofing(refused.head, refused.format)
            return replace(arrival, refused=refused)
        self.spans.opened()
        if (spoofing := self._spoofing(arrival, opened)) is not None:
            return replace(arrival, opened=opened, refused=spoofing)
        if opened.message is None or not arrival.inside:
            return replace(arrival, opened=opened)
        try:
            reading = read_note(opened.message, self._adapters, self._registry)
        except AdapterError as error:
            return replace(arrival, opened=opened, reading_error=error)
        return replace(arrival, opened=opened, reading=reading)

    def _spoofing(self, arrival: Arrival, opened: Opened) -> RefusedError | None:
        """Header, message, certificates and register must agree on who sent it."""
        head = opened.message.head if opened.message is not None else None
        sender = head.sender if head is not None else None
        if opened.apprec is not None:
            sender = opened.apprec.sender.party
        if self._agrees(arrival, sender, opened.signer):
            return None
        return _spoofing(head, opened.identified.format)

    def _agrees(self, arrival: Arrival, sender: Party | None, *signers: Signer | None) -> bool:
        known = [signer for signer in (*signers, arrival.protected_by) if signer is not None]
        return sender is None or self._senders.agrees(sender, header=arrival.from_her_id, signers=known)


def _spoofing(head: Head | None, message_format: Format | None) -> RefusedError:
    return RefusedError(
        "the sender, the transport header and the certificate do not agree",
        reason=SPOOFING,
        faults=(fault(ErrorCode.CERTIFICATE_INVALID, "Sertifikatet tilhører ikke avsenderen."),),
        head=head,
        format=message_format,
    )
