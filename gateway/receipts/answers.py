"""AppRecs that the gateway sends: its own, and those that it passes on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from gateway.contracts.errors import FormatError
from gateway.contracts.findings import FINDINGS, Finding, Severity
from gateway.contracts.identifiers import derived_id
from gateway.contracts.messages import Format, Head
from gateway.contracts.receipts import ErrorCode, Fault, ReceiptStatus, fault
from gateway.contracts.records import InboundMessage, Sending
from gateway.contracts.registry import Registry
from gateway.contracts.states import SendingKind, SendingState
from gateway.contracts.transport_headers import OSLO, transport_headers
from gateway.formats import answer, write_apprec
from gateway.routing.addressees import Addressees, sending_hospital

_NAMESPACES = {
    "1.0": "http://www.kith.no/xmlstds/apprec/2004-11-21",
    "1.1": "http://www.kith.no/xmlstds/apprec/2012-02-15",
}


UNKNOWN_RECEIVER = fault(ErrorCode.RECEIVER_UNKNOWN, "Mottakeren finnes ikke i adresseregisteret.")


def faults_of(findings: Sequence[Finding]) -> tuple[Fault, ...]:
    """The errors of a receipt for findings that reject or withhold: one for each."""
    grave = [f for f in findings if f.severity in (Severity.REJECT, Severity.WITHHOLD)]
    return tuple(fault(FINDINGS[f.code].error or ErrorCode.OTHER, FINDINGS[f.code].for_sender) for f in grave)


class Answers:
    """Writes AppRecs as rows of the outbox."""

    def __init__(self, registry: Registry, own_her_id: str) -> None:
        """The register tells which queue a sender reads, and whom we answer for."""
        self._registry = registry
        self._own_her_id = own_her_id
        self.addressees = Addressees(registry, own_her_id)

    def to_each(
        self,
        row: InboundMessage,
        head: Head,
        message_format: Format | None,
        *,
        status: ReceiptStatus,
        faults: tuple[Fault, ...] = (),
        at: datetime,
        only: Collection[int] | None = None,
    ) -> list[Sending] | None:
        """One AppRec for each receiver that a message names; None where its sender can not be told.

        Args:
            row: the message in the inbox.
            head: its head, which is mirrored.
            message_format: its format, which decides the version; None: none that is known.
            status: the same for all of them.
            faults: of a negative one.
            at: when they are made.
            only: positions in `head.receivers`; None: all.
        """
        made: list[Sending] = []
        for index in range(len(head.receivers)) if only is None else sorted(only):
            sending = self.to_sender(
                row.id,
                head,
                message_format,
                receiver_index=index,
                status=status,
                faults=faults,
                at=at,
            )
            if sending is None:
                return None
            made.append(sending)
        return made

    def to_sender(
        self,
        inbound_id: str,
        head: Head,
        message_format: Format | None,
        *,
        receiver_index: int,
        status: ReceiptStatus | str,
        faults: tuple[Fault, ...] = (),
        at: datetime,
    ) -> Sending | None:
        """The AppRec of one named receiver to the sender of a message; None where nobody can be told.

        That is: the sender is not in the register, or the message does not say enough for a valid AppRec.
        """
        target = self._queue_of_sender(head)
        if target is None:
            return None
        queue, to_her_id, levels, role = target
        apprec_id = derived_id("apprec", inbound_id, receiver_index)
        try:
            apprec = answer(
                head,
                message_format,
                receiver_index=receiver_index,
                status=str(status),
                faults=faults,
                id=apprec_id,
                at=at.astimezone(OSLO).replace(microsecond=0),
            )
            body = write_apprec(apprec)
        except FormatError:
            return None
        party = head.receivers[receiver_index].party
        return Sending(
            id=derived_id("sending", apprec_id),
            inbound_id=inbound_id,
            kind=SendingKind.RECEIPT,
            state=SendingState.PENDING,
            receiver=to_her_id,
            receiver_role=role,
            queue=queue,
            format=f"apprec-{apprec.version}",
            msg_id=apprec_id,
            body=body,
            headers=transport_headers(
                from_her_id=party.her_id or self._own_her_id,
                to_her_id=to_her_id,
                msg_type="APPREC",
                msg_id=apprec_id,
                at=at,
                namespace=_NAMESPACES[apprec.version],
                sender_levels=_levels(party.organisation.her_id, party.her_id),
                receiver_levels=levels,
                original_msg_id=head.msg_id,
                original_msg_type=head.msg_type.value,
            ),
            answers=receiver_index,
            created_at=at,
            apprec=" ".join([str(status), *(f.code for f in faults)]),
        )

    def _queue_of_sender(self, head: Head) -> tuple[str, str, tuple[str | None, str | None], str] | None:
        if head.sender is None:
            return None
        for her_id in head.sender.her_ids:
            if (hospital := self._registry.hospital(her_id)) is not None:
                lower = head.sender.her_id or hospital.her_id
                return hospital.record_system_queue, lower, _levels(hospital.her_id, lower), "hospital"
            if (endpoint := self._registry.endpoint(her_id)) is not None:
                levels = (endpoint.organisation_her_id, endpoint.her_id)
                return endpoint.queue, endpoint.her_id, levels, endpoint.kind.value
        hospital = sending_hospital(self._registry, head.sender)
        if hospital is None:
            return None
        return hospital.record_system_queue, hospital.her_id, (hospital.her_id, None), "hospital"


def _levels(upper: str | None, lower: str | None) -> tuple[str | None, str | None]:
    return upper, lower if lower != upper else None
