"""AppRecs that the gateway sends: its own, and those that it passes on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gateway.contracts.findings import FINDINGS, Finding, Severity
from gateway.contracts.identifiers import derived_id
from gateway.contracts.journal import Sending, SendingKind, SendingState
from gateway.contracts.messages import Format, Head
from gateway.contracts.receipts import ErrorCode, Fault, ReceiptStatus, fault
from gateway.contracts.registry import Registry
from gateway.contracts.transport_headers import OSLO, transport_headers
from gateway.formats import answer, write_apprec

_NAMESPACES = {
    "1.0": "http://www.kith.no/xmlstds/apprec/2004-11-21",
    "1.1": "http://www.kith.no/xmlstds/apprec/2012-02-15",
}


def faults_of(findings: Sequence[Finding]) -> tuple[Fault, ...]:
    """The errors of a receipt for findings that reject or withhold: one for each."""
    grave = [f for f in findings if f.severity in (Severity.REJECT, Severity.WITHHOLD)]
    return tuple(fault(FINDINGS[f.code].error or ErrorCode.OTHER, FINDINGS[f.code].for_sender) for f in grave)


class Answers:
    """Writes AppRecs as rows of the outbox."""

    def __init__(self, registry: Registry, own_her_id: str) -> None:
        """The register tells which queue a sender reads."""
        self._registry = registry
        self._own_her_id = own_her_id

    def serves(self, head: Head) -> bool:
        """Whether any receiver of the message is ours to answer for (HITS 1168:2016, chapter 5.3)."""
        return any(self._is_ours(her_id) for r in head.receivers for her_id in r.party.her_ids)

    def _is_ours(self, her_id: str) -> bool:
        return her_id == self._own_her_id or self._registry.endpoint(her_id) is not None

    def to_sender(
        self,
        inbound_id: str,
        head: Head,
        message_format: Format,
        *,
        receiver_index: int,
        status: ReceiptStatus | str,
        faults: tuple[Fault, ...] = (),
        at: datetime,
    ) -> Sending | None:
        """The AppRec of one named receiver to the sender of a message; None where nobody can be told."""
        target = self._queue_of_sender(head)
        if target is None:
            return None
        queue, to_her_id, levels, role = target
        apprec_id = derived_id("apprec", inbound_id, receiver_index)
        apprec = answer(
            head,
            message_format,
            receiver_index=receiver_index,
            status=str(status),
            faults=faults,
            id=apprec_id,
            at=at.astimezone(OSLO).replace(microsecond=0),
        )
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
            body=write_apprec(apprec),
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
            next_attempt_at=at,
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
        return None


def _levels(upper: str | None, lower: str | None) -> tuple[str | None, str | None]:
    return upper, lower if lower != upper else None
