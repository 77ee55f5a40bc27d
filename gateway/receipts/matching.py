"""AppRecs that come in: which sending they answer, what that makes of it, and who is told."""

from __future__ import annotations

from gateway.contracts.journal import (
    Event,
    InboundKind,
    InboundMessage,
    InboundState,
    JournalTransaction,
    Receipt,
    Sending,
    SendingKind,
    SendingState,
)
from gateway.contracts.receipts import AppRec
from gateway.contracts.registry import Registry
from gateway.intake.arrival import Arrival
from gateway.intake.records import add_sending, inbound_row
from gateway.receipts.answers import Answers
from gateway.receipts.originals import original_head
from gateway.receipts.states import settle

_ANSWERED = (SendingKind.NOTE, SendingKind.REPLY)


class ReceiptHandler:
    """Matches, settles and passes on."""

    def __init__(self, registry: Registry, answers: Answers) -> None:
        """The register tells who a receipt may come from."""
        self._registry = registry
        self._answers = answers

    def handle(self, transaction: JournalTransaction, arrival: Arrival, apprec: AppRec) -> None:
        """Act on a receipt. What can not be matched is kept, and shown."""
        sending, oddity = self._match(transaction, apprec)
        state = InboundState.ACCEPTED if sending is not None else InboundState.FAILED
        row = inbound_row(arrival, self._registry, kind=InboundKind.RECEIPT, state=state, reason=oddity)
        transaction.add_inbound(row)
        transaction.add_event(
            Event(
                inbound_id=row.id,
                at=row.received_at,
                name="received" if sending is not None else "receipt-unmatched",
                detail={"queue": row.queue, "original": apprec.original.id, "status": apprec.status},
            )
        )
        if sending is not None:
            self._settle(transaction, row, apprec, sending)

    def _match(self, transaction: JournalTransaction, apprec: AppRec) -> tuple[Sending | None, str | None]:
        """The sending that is answered, by our MsgId or ServProvId (epikrise 1.1); from its receiver only."""
        candidates = [s for s in transaction.find_sendings(apprec.original.id.strip()) if s.kind in _ANSWERED]
        if not candidates:
            return None, "receipt-for-unknown-message"
        senders = set(apprec.sender.party.her_ids)
        for sending in candidates:
            if senders & self._parties(sending):
                return sending, None
        return None, "receipt-from-another-party"

    def _parties(self, sending: Sending) -> set[str]:
        """Every HER-id that a receipt for a sending may come from."""
        parties = {sending.receiver}
        if (endpoint := self._registry.endpoint(sending.receiver)) is not None:
            parties.add(endpoint.organisation_her_id)
        if (hospital := self._registry.hospital(sending.receiver)) is not None:
            parties.add(hospital.her_id)
            if (unit := self._registry.unit(sending.receiver)) is not None:
                parties.update({unit.her_id, unit.mailbox})
        return parties

    def _settle(
        self, transaction: JournalTransaction, row: InboundMessage, apprec: AppRec, sending: Sending
    ) -> None:
        codes = tuple(f.code for f in apprec.faults)
        first = transaction.add_receipt(
            Receipt(
                sending_id=sending.id,
                inbound_id=row.id,
                apprec_id=apprec.id,
                status=apprec.status,
                codes=codes,
                received_at=row.received_at,
            )
        )
        summary = " ".join([apprec.status, *codes])
        transaction.add_event(
            Event(
                inbound_id=sending.inbound_id,
                sending_id=sending.id,
                at=row.received_at,
                name="receipt" if first else "receipt-repeated",
                detail={"receiver": sending.receiver, "apprec": summary},
            )
        )
        if not first:
            return
        state = SendingState.ACKNOWLEDGED if apprec.positive else SendingState.REFUSED
        transaction.update_sending(
            sending.id, state=state, apprec=summary, settled_at=row.received_at, error=None
        )
        settle(transaction, sending.inbound_id, row.received_at)
        if sending.kind is SendingKind.NOTE and sending.answers is not None:
            self._pass_on(transaction, apprec, sending, sending.answers, row)

    def _pass_on(
        self,
        transaction: JournalTransaction,
        apprec: AppRec,
        sending: Sending,
        receiver_index: int,
        row: InboundMessage,
    ) -> None:
        """Translate the receipt: about the hospital's message, its addresses, its version."""
        note = transaction.inbound(sending.inbound_id)
        original = original_head(note) if note is not None else None
        if note is None or original is None:
            return
        head, message_format = original
        passed_on = self._answers.to_sender(
            note.id,
            head,
            message_format,
            receiver_index=receiver_index,
            status=apprec.status,
            faults=apprec.faults,
            at=row.received_at,
        )
        if passed_on is None:
            return
        add_sending(transaction, passed_on, row.received_at)
