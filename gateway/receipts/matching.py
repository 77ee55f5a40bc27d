"""AppRecs that come in: which sending they answer, what that makes of it, and who is told."""

from __future__ import annotations

import structlog

from gateway.contracts.fail_points import FailPoint, reached
from gateway.contracts.journal import JournalTransaction
from gateway.contracts.receipts import AppRec, ReceiptStatus
from gateway.contracts.records import Event, InboundMessage, Receipt, Sending
from gateway.contracts.registry import Registry
from gateway.contracts.states import InboundKind, InboundState, SendingKind, SendingState
from gateway.intake.arrival import Arrival
from gateway.intake.records import add_receipt, inbound_row
from gateway.receipts.addresses import AddressFaults
from gateway.receipts.answers import Answers
from gateway.receipts.deviations import Deviations
from gateway.receipts.originals import recent_heads
from gateway.receipts.remedies import Remedy, Trouble, remedy
from gateway.receipts.states import STEPS, SendingEvent, Step, settle
from gateway.routing.parties import parties_of

_ANSWERED = (SendingKind.NOTE, SendingKind.REPLY, SendingKind.DEVIATION)

log = structlog.get_logger()


class ReceiptHandler:
    """Matches, settles and passes on."""

    def __init__(
        self, registry: Registry, answers: Answers, deviations: Deviations, addresses: AddressFaults
    ) -> None:
        """The register tells who a receipt may come from."""
        self._addresses = addresses
        self._registry = registry
        self._answers = answers
        self._deviations = deviations

    def handle(self, transaction: JournalTransaction, arrival: Arrival, apprec: AppRec) -> None:
        """Act on a receipt. What can not be matched is kept, and shown."""
        sending, oddity = self._match(transaction, apprec)
        state = InboundState.ACCEPTED if oddity is None else InboundState.FAILED
        row = inbound_row(arrival, self._registry, kind=InboundKind.RECEIPT, state=state, reason=oddity)
        transaction.add_inbound(row)
        transaction.add_event(
            Event(
                inbound_id=row.id,
                at=row.received_at,
                name="received" if oddity is None else "receipt-unmatched",
                detail={"queue": row.queue, "original": apprec.original.id, "status": apprec.status},
            )
        )
        if oddity is not None:
            log.warning("receipt-odd", correlation_id=row.id, reason=oddity, queue=row.queue)
        if sending is None:
            return
        if oddity is None:
            self._settle(transaction, row, apprec, sending)
        else:
            self._tell(transaction, row, sending, "receipt-odd", apprec.status)

    def _match(self, transaction: JournalTransaction, apprec: AppRec) -> tuple[Sending | None, str | None]:
        """The sending that is answered, by our MsgId or ServProvId (epikrise 1.1); from its receiver only.

        And what is odd about the receipt: then nothing follows from it.
        """
        found = transaction.find_sendings(apprec.original.id.strip(), content=False)
        candidates = [s for s in found if s.kind in _ANSWERED]
        if not candidates:
            return None, "receipt-for-receipt" if found else "receipt-for-unknown-message"
        senders = set(apprec.sender.party.her_ids)
        for sending in candidates:
            if senders & parties_of(self._registry, sending.receiver):
                known = apprec.status in set(ReceiptStatus)
                return sending, None if known else "receipt-status-unknown"
        return None, "receipt-from-another-party"

    def _settle(
        self, transaction: JournalTransaction, row: InboundMessage, apprec: AppRec, sending: Sending
    ) -> None:
        codes = tuple(f.code for f in apprec.faults)
        transaction.add_receipt(
            Receipt(
                sending_id=sending.id,
                inbound_id=row.id,
                apprec_id=apprec.id,
                status=apprec.status,
                codes=codes,
                received_at=row.received_at,
            )
        )
        step = STEPS[sending.state, SendingEvent.POSITIVE if apprec.positive else SendingEvent.NEGATIVE]
        summary = " ".join([apprec.status, *codes])
        self._tell(transaction, row, sending, step.told or "receipt", summary)
        if step.state is not sending.state:
            transaction.update_sending(
                sending.id, state=step.state, apprec=summary, settled_at=row.received_at, error=None
            )
            settle(transaction, sending.inbound_id, row.received_at)
        reached(FailPoint.RECEIPT_MATCHED)
        self._follow_up(transaction, row, apprec, sending, step)

    def _follow_up(
        self,
        transaction: JournalTransaction,
        row: InboundMessage,
        apprec: AppRec,
        sending: Sending,
        step: Step,
    ) -> None:
        """Who is told: the hospital's record system once, the department and the operator where they must."""
        moved = step.state is not sending.state
        if (
            moved
            and step.state is SendingState.REFUSED
            and self._is_sent_elsewhere(transaction, row, apprec, sending)
        ):
            return  # the answer of who gets it now is the one that is passed on
        told = moved and sending.answers is not None and self._pass_on(transaction, apprec, sending, row)
        if step.told == "receipt-late":
            log.warning("receipt-recovered", correlation_id=sending.inbound_id, receiver=sending.receiver)
        if step.told == "receipt-contradicts":
            log.warning("receipt-contradicts", correlation_id=sending.inbound_id, receiver=sending.receiver)
            if not apprec.positive:
                self._deviations.trouble(
                    transaction, sending, Trouble.CONTRADICTED, row.received_at, apprec.faults
                )
        if moved and step.state is SendingState.REFUSED:
            self._deviations.refused(transaction, sending, apprec.faults, row.received_at)
        if moved and step.state is SendingState.ACKNOWLEDGED:
            self._addresses.acknowledged(transaction, sending, row.received_at)
            if not told:
                self._deviations.recovered(transaction, sending, row.received_at)

    def _is_sent_elsewhere(
        self, transaction: JournalTransaction, row: InboundMessage, apprec: AppRec, sending: Sending
    ) -> bool:
        """Say who must act on a refusal; whether a new message to another address takes its place."""
        codes = [f.code for f in apprec.faults]
        asked = remedy(codes)
        self._tell(transaction, row, sending, f"remedy-{asked.value}", None)
        log.warning(
            "sending-refused",
            correlation_id=sending.inbound_id,
            receiver=sending.receiver,
            reason=asked.value,
            codes=codes,
        )
        if asked is not Remedy.ADDRESS or sending.kind is not SendingKind.NOTE:
            return False
        return self._addresses.refused(transaction, sending, codes, row.received_at)

    @staticmethod
    def _tell(
        transaction: JournalTransaction,
        row: InboundMessage,
        sending: Sending,
        name: str,
        summary: str | None,
    ) -> None:
        transaction.add_event(
            Event(
                inbound_id=sending.inbound_id,
                sending_id=sending.id,
                at=row.received_at,
                name=name,
                detail={"receiver": sending.receiver, "apprec": summary},
                seconds=(row.received_at - sending.created_at).total_seconds()
                if sending.created_at is not None
                else None,
            )
        )

    def _pass_on(
        self,
        transaction: JournalTransaction,
        apprec: AppRec,
        sending: Sending,
        row: InboundMessage,
    ) -> bool:
        """Translate the receipt: about the hospital's message, its addresses, its version.

        False where the hospital hears nothing: it was answered for this receiver before, or can not be.
        """
        original = recent_heads.head(transaction, sending.inbound_id)
        if original is None or sending.answers is None:
            return False
        head, message_format = original
        passed_on = self._answers.to_sender(
            sending.inbound_id,
            head,
            message_format,
            receiver_index=sending.answers,
            status=apprec.status,
            faults=apprec.faults,
            at=row.received_at,
        )
        if passed_on is None or not add_receipt(transaction, passed_on, row.received_at):
            return False
        reached(FailPoint.RECEIPT_PASSED_ON)
        return True
