"""Messages that are no Pakkeforløp hjem notes, in a deployment that takes them (`PH001` below reject).

They are kept as they came and answered as by any receiver (HITS 1168:2016, chapter 5), and go nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.contracts.findings import Disposition, Finding, disposition, finding
from gateway.contracts.journal import JournalTransaction
from gateway.contracts.messages import Head, Message
from gateway.contracts.receipts import Fault, ReceiptStatus
from gateway.contracts.records import Event, InboundMessage, Sending
from gateway.contracts.states import InboundState
from gateway.contracts.summary import Action
from gateway.contracts.values import replace
from gateway.formats.person_identifier import check_digits_ok, classify, normalise
from gateway.intake.patient import identification_faults
from gateway.intake.records import add_all
from gateway.pipeline.conversation import chain, superseded
from gateway.receipts.answers import UNKNOWN_RECEIVER, Answers
from gateway.routing.addressees import Standing


class OtherMessages:
    """Takes them in."""

    def __init__(self, answers: Answers, *, refuse_unknown_service: bool) -> None:
        """Answers tell who is ours."""
        self._answers = answers
        self._refuse_unknown_service = refuse_unknown_service

    def set_aside(self, transaction: JournalTransaction, row: InboundMessage, reason: str) -> None:
        """Keep a message for a person, unanswered."""
        row = replace(row, state=InboundState.FAILED, reason=reason)
        add_all(transaction, row, [], [("failed", {"reason": reason})], row.received_at)

    def handle(
        self,
        transaction: JournalTransaction,
        row: InboundMessage,
        message: Message,
        findings: Sequence[Finding],
    ) -> None:
        """Answer for each receiver that is ours; tie a change, a cancellation or an answer to its message."""
        if row.hospital is None:
            self.set_aside(transaction, row, "sender-not-in-register")
            return
        row = replace(row, findings=(*findings, *_check_digits(message.head)))
        ours, unknown = self._receivers(message.head)
        if not ours and not unknown:
            self.set_aside(transaction, row, "no-receiver-of-ours")
            return
        faults = identification_faults(message.head)
        if faults or not ours:
            self._reject(transaction, row, message, ours, unknown, faults)
            return
        versions = [] if row.action is Action.NEW else chain(transaction, message.head, row.hospital)
        state, reason = self._state(transaction, row, message, versions)
        row = replace(row, state=state, reason=reason, replaces=versions[-1].id if versions else None)
        receipts = [
            *self._answer(row, message, ReceiptStatus.OK, (), ours),
            *self._answer(row, message, ReceiptStatus.REJECTED, (UNKNOWN_RECEIVER,), unknown),
        ]
        name = "held" if state is InboundState.HELD else "accepted"
        add_all(transaction, row, receipts, [(name, {"reason": reason})], row.received_at)
        for version in versions:
            _note(transaction, row, version.id, "replaced", {"by": row.id, "action": row.action.value})
        if row.action is Action.NEW:
            self._tie_answer(transaction, row, message.head)

    def _receivers(self, head: Head) -> tuple[set[int], set[int]]:
        """The positions of the receivers that are ours, and of those that are refused as unknown."""
        standings = [self._answers.addressees.standing(r.party) for r in head.receivers]
        unknown = {i for i, standing in enumerate(standings) if standing is Standing.UNKNOWN_SERVICE}
        ours = {i for i, standing in enumerate(standings) if standing is Standing.OURS}
        return (ours, unknown) if self._refuse_unknown_service else (ours | unknown, set())

    def _answer(
        self,
        row: InboundMessage,
        message: Message,
        status: ReceiptStatus,
        faults: tuple[Fault, ...],
        only: set[int],
    ) -> list[Sending]:
        made = self._answers.to_each(
            row, message.head, message.format, status=status, faults=faults, at=row.received_at, only=only
        )
        return made or []

    def _reject(
        self,
        transaction: JournalTransaction,
        row: InboundMessage,
        message: Message,
        ours: set[int],
        unknown: set[int],
        faults: tuple[Fault, ...],
    ) -> None:
        """Each receiver has its own errors: what is wrong with the message, and E21 where it is unknown."""
        reason = "patient-not-identified" if faults else "receiver-unknown"
        row = replace(row, state=InboundState.REJECTED, reason=reason)
        receipts = [
            *self._answer(row, message, ReceiptStatus.REJECTED, faults, ours),
            *self._answer(row, message, ReceiptStatus.REJECTED, (*faults, UNKNOWN_RECEIVER), unknown),
        ]
        add_all(transaction, row, receipts, [("rejected", {"reason": reason})], row.received_at)

    def _state(
        self,
        transaction: JournalTransaction,
        row: InboundMessage,
        message: Message,
        versions: Sequence[InboundMessage],
    ) -> tuple[InboundState, str]:
        if row.action is Action.CANCEL and not versions:
            return InboundState.HELD, "cancels-nothing-known"
        later = superseded(transaction, message.head, row.hospital, row.action)
        if later is not None:
            return InboundState.ACCEPTED, f"superseded-by-{later.action.value}"
        if disposition(row.findings) is Disposition.HOLD:
            return InboundState.HELD, "no-note"
        return InboundState.ACCEPTED, "no-note"

    def _tie_answer(self, transaction: JournalTransaction, row: InboundMessage, head: Head) -> None:
        """Say in both histories that a message belongs to the dialogue of another."""
        if head.conversation is None:
            return
        for reference in dict.fromkeys((head.conversation.parent, head.conversation.root)):
            earlier = transaction.find_inbound_by_msg_id(reference)
            if earlier is not None and earlier.id != row.id:
                _note(transaction, row, row.id, "answers", {"message": earlier.id})
                _note(transaction, row, earlier.id, "answered", {"by": row.id})
                return


def _note(
    transaction: JournalTransaction,
    row: InboundMessage,
    inbound_id: str,
    name: str,
    detail: dict[str, str | int | None],
) -> None:
    transaction.add_event(Event(inbound_id=inbound_id, at=row.received_at, name=name, detail=detail))


def _check_digits(head: Head) -> Iterable[Finding]:
    """PH070 where an identifier of the patient fails its check digits."""
    numbers = (normalise(i.id) for i in head.patient.identifiers) if head.patient is not None else ()
    if any(classify(number) is not None and not check_digits_ok(number) for number in numbers):
        yield finding("PH070")
