"""What becomes of a hospital's note: sent on, held, withheld, refused; new, changed or cancelled."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from gateway.contracts.errors import AdapterError
from gateway.contracts.facts import NoteFacts
from gateway.contracts.findings import Disposition, disposition, finding
from gateway.contracts.journal import JournalTransaction
from gateway.contracts.messages import Format, Head, Message
from gateway.contracts.ports import Vault
from gateway.contracts.reading import Reading
from gateway.contracts.receipts import Fault, ReceiptStatus
from gateway.contracts.records import Event, InboundMessage, Sending
from gateway.contracts.registry import Registry
from gateway.contracts.states import InboundKind, InboundState
from gateway.contracts.summary import Action, Summary
from gateway.contracts.values import replace
from gateway.intake.arrival import Arrival
from gateway.intake.records import add_all, add_receipt, inbound_row
from gateway.pipeline.assessment import Assessment, judge
from gateway.pipeline.conversation import chain, is_tied, superseded
from gateway.pipeline.distribution import Distribution
from gateway.pipeline.other_messages import OtherMessages
from gateway.pipeline.rules import RuleSettings
from gateway.receipts.answers import UNKNOWN_RECEIVER, Answers, faults_of
from gateway.receipts.notices import Notices
from gateway.receipts.originals import original_head, recent_heads

Events = list[tuple[str, dict[str, str | int | None]]]

_NOT_TAKEN = frozenset({Disposition.REJECT, Disposition.WITHHOLD})


@dataclass(frozen=True, slots=True, kw_only=True)
class NotePolicy:
    """What a deployment sets."""

    rules: RuleSettings
    refuse_unknown_service: bool = True
    """E21 for an unknown service at an organisation of the register"""


class NoteHandler:
    """Decides, and writes the decision with everything that follows from it."""

    def __init__(
        self,
        *,
        registry: Registry,
        distribution: Distribution,
        answers: Answers,
        notices: Notices,
        vault: Vault,
        policy: NotePolicy,
    ) -> None:
        """All that a decision needs, by port."""
        self._registry = registry
        self._distribution = distribution
        self._answers = answers
        self._notices = notices
        self._vault = vault
        self._policy = policy
        self._others = OtherMessages(answers, refuse_unknown_service=policy.refuse_unknown_service)
        self._ready: dict[int, tuple[InboundMessage, Assessment]] = {}
        """By the identity of the arrival: the row of a new note, and how it is judged without earlier ones"""

    def make_ready(self, arrivals: Sequence[Arrival]) -> None:
        """Judge and write ahead what a group of arrivals most likely leads to, outside of any transaction.

        Nothing is decided here: the transaction looks at what came before, and takes what still holds.
        """
        self._ready.clear()
        self._distribution.forget_ready()
        for arrival in arrivals:
            # What is wrong shows again in the transaction, where it is acted on.
            with contextlib.suppress(Exception):
                self._make_ready(arrival)

    def _make_ready(self, arrival: Arrival) -> None:
        message, reading = arrival.message, arrival.reading
        if message is None or reading is None or reading.summary.source.action is not Action.NEW:
            return
        row = inbound_row(arrival, self._registry, kind=InboundKind.NOTE, state=InboundState.RECEIVED)
        if row.hospital is None:
            return
        assessment = judge(reading, self._registry, self._policy.rules)
        row = self._described(row, assessment)
        self._ready[id(arrival)] = row, assessment
        if assessment.is_note and assessment.disposition not in {*_NOT_TAKEN, Disposition.HOLD}:
            self._distribution.make_ready(row, message, reading.summary, assessment.route)

    def patients(self, arrivals: Sequence[Arrival]) -> list[str]:
        """Keyed hashes of the patients of those that were made ready."""
        ready = [self._ready[id(arrival)][0] for arrival in arrivals if id(arrival) in self._ready]
        return [row.patient_reference for row in ready if row.patient_reference is not None]

    # --- refused at the way in -------------------------------------------------------------------

    def refuse(
        self, transaction: JournalTransaction, arrival: Arrival, faults: tuple[Fault, ...], reason: str
    ) -> None:
        """Keep a message that can not be taken, and tell its sender where that may be done."""
        head = arrival.head
        kind = InboundKind.NOTE if arrival.inside else InboundKind.REPLY
        if head is None:
            kind = InboundKind.UNREADABLE
        row = inbound_row(arrival, self._registry, kind=kind, state=InboundState.REJECTED, reason=reason)
        sendings, events = self._negative(row, head, arrival.format, faults)
        events.insert(0, ("rejected", {"reason": reason}))
        add_all(transaction, row, sendings, events, arrival.received_at)

    def _negative(
        self, row: InboundMessage, head: Head | None, message_format: Format | None, faults: tuple[Fault, ...]
    ) -> tuple[list[Sending], Events]:
        if head is None:
            return [], [("not-answered", {"reason": "sender-not-readable"})]
        if not self._answers.addressees.serves(head):
            return [], [("not-answered", {"reason": "no-receiver-of-ours"})]
        return self._answer(row, head, message_format, ReceiptStatus.REJECTED, faults)

    def _answer(
        self,
        row: InboundMessage,
        head: Head,
        message_format: Format | None,
        status: ReceiptStatus,
        faults: tuple[Fault, ...] = (),
        *,
        only: Collection[int] | None = None,
    ) -> tuple[list[Sending], Events]:
        """One receipt for each named receiver (of `only`, where given)."""
        made = self._answers.to_each(
            row, head, message_format, status=status, faults=faults, at=row.received_at, only=only
        )
        if made is None:
            return [], [("not-answered", {"reason": "sender-not-in-register"})]
        return made, []

    # --- taken ---------------------------------------------------------------------------------------

    def unread(
        self, transaction: JournalTransaction, arrival: Arrival, message: Message, error: AdapterError
    ) -> None:
        """Act on a message that no adapter reads: as any other message where those are taken."""
        no_note = (finding("PH001", self._policy.rules.severities),)
        if disposition(no_note) in _NOT_TAKEN:
            self.refuse(transaction, arrival, error.faults, error.code)
            return
        row = inbound_row(arrival, self._registry, kind=InboundKind.NOTE, state=InboundState.RECEIVED)
        self._others.handle(transaction, row, message, no_note)

    def handle(
        self, transaction: JournalTransaction, arrival: Arrival, message: Message, reading: Reading
    ) -> None:
        """Act on a message that an adapter has read."""
        described, foreseen = self._ready.pop(id(arrival), (None, None))
        row = described or inbound_row(
            arrival, self._registry, kind=InboundKind.NOTE, state=InboundState.RECEIVED
        )
        if row.hospital is None:
            self._others.set_aside(transaction, row, "sender-not-in-register")
            return
        recent_heads.remember(row, message.head, message.format)
        action = reading.summary.source.action
        later = superseded(transaction, message.head, row.hospital, action)
        earlier = self._earlier(transaction, message, reading.summary) if later is None else []
        if foreseen is not None and not earlier:
            assessment = foreseen
        else:
            assessment = judge(reading, self._registry, self._policy.rules, earlier)
            row = self._described(row, assessment)
        if self._distribution.refuses_all_receivers(message.head):
            faults = (*faults_of(assessment.findings), UNKNOWN_RECEIVER)
            self.refuse(transaction, arrival, faults, "receiver-unknown")
        elif assessment.disposition in _NOT_TAKEN:
            self._stop(transaction, row, message, assessment)
        elif not assessment.is_note:
            self._others.handle(transaction, row, message, assessment.findings)
        elif later is not None:
            self._nothing_goes_out(transaction, row, message, f"superseded-by-{later.action.value}")
        elif action is Action.CANCEL and not is_tied(message.head):
            self._give_to_staff(transaction, row, message)
        else:
            self._go_on(transaction, row, message, assessment)

    def _go_on(
        self, transaction: JournalTransaction, row: InboundMessage, message: Message, assessment: Assessment
    ) -> None:
        versions: list[InboundMessage] = []
        if row.action is not Action.NEW:
            versions = chain(transaction, message.head, row.hospital)
            row = replace(row, replaces=versions[-1].id if versions else None)
            self._end_what_waits(transaction, row, versions)
        if assessment.disposition is Disposition.HOLD:
            self._stop(transaction, row, message, assessment)
        else:
            self._send(transaction, row, message, assessment, versions)
        for version in versions:
            detail = {"by": row.id, "action": row.action.value}
            transaction.add_event(
                Event(inbound_id=version.id, at=row.received_at, name="replaced", detail=detail)
            )

    def _earlier(self, transaction: JournalTransaction, message: Message, summary: Summary) -> list[Summary]:
        sent_at = message.head.sent_at
        if summary.patient.id is None or sent_at is None or summary.source.action is not Action.NEW:
            return []
        notes = transaction.recent_notes(
            patient_reference=self._vault.reference(summary.patient.id),
            interaction_point=summary.pathway.interaction_point,
            since=sent_at - datetime.timedelta(days=self._policy.rules.repeat_days),
        )
        return [Summary.from_json(n.summary) for n in notes if n.summary is not None]

    def _described(self, row: InboundMessage, assessment: Assessment) -> InboundMessage:
        """The row with what was read: the summary, its findings, its place in the pathway."""
        summary = assessment.summary
        if summary is None:
            return replace(row, findings=assessment.findings)
        patient_id = summary.patient.id
        return replace(
            row,
            system=summary.source.system,
            action=summary.source.action,
            municipality=summary.patient.municipality_code,
            gp=assessment.route.gp.her_id if assessment.route.gp is not None else None,
            patient_reference=self._vault.reference(patient_id) if patient_id else None,
            interaction_point=summary.pathway.interaction_point,
            summary=summary.to_json().encode(),
            facts=NoteFacts.of(summary),
            findings=assessment.findings,
        )

    # --- not sent on -----------------------------------------------------------------------------------

    def _stop(
        self, transaction: JournalTransaction, row: InboundMessage, message: Message, assessment: Assessment
    ) -> None:
        """Hold, withhold or reject."""
        codes = ",".join(f.code for f in assessment.findings)
        if assessment.disposition is Disposition.HOLD:
            sendings, events = self._answer(
                row, message.head, message.format, ReceiptStatus.OK, only=self._distribution.own(row)
            )
            row = replace(row, state=InboundState.HELD, reason=codes)
            add_all(transaction, row, sendings, [("held", {"findings": codes}), *events], row.received_at)
            return
        faults = faults_of(assessment.findings)
        sendings, events = self._negative(row, message.head, message.format, faults)
        withheld = assessment.disposition is Disposition.WITHHOLD
        if withheld:
            self._end_what_waits(transaction, row, self._versions(transaction, row, message))
        state = InboundState.WITHHELD if withheld else InboundState.REJECTED
        row = replace(row, state=state, reason=codes)
        add_all(transaction, row, sendings, [(state.value, {"findings": codes}), *events], row.received_at)

    def _versions(
        self, transaction: JournalTransaction, row: InboundMessage, message: Message
    ) -> list[InboundMessage]:
        return [] if row.action is Action.NEW else chain(transaction, message.head, row.hospital)

    def _give_to_staff(self, transaction: JournalTransaction, row: InboundMessage, message: Message) -> None:
        """A cancellation that does not say of what: taken over and answered; a person ties it."""
        sendings, events = self._answer(row, message.head, message.format, ReceiptStatus.OK)
        row = replace(row, state=InboundState.HELD, reason="cancels-nothing-named")
        add_all(transaction, row, sendings, [("held", {"reason": row.reason}), *events], row.received_at)

    def _nothing_goes_out(
        self, transaction: JournalTransaction, row: InboundMessage, message: Message, reason: str
    ) -> None:
        """Taken over and answered; there is nothing to send."""
        sendings, events = self._answer(row, message.head, message.format, ReceiptStatus.OK)
        row = replace(row, state=InboundState.ACCEPTED, reason=reason)
        add_all(transaction, row, sendings, [("accepted", {"reason": reason}), *events], row.received_at)

    def _end_what_waits(
        self, transaction: JournalTransaction, row: InboundMessage, versions: Sequence[InboundMessage]
    ) -> None:
        """A version that is still held is replaced: it never goes out, and is answered as taken over."""
        reason = f"replaced-by-{row.action.value}"
        for version in versions:
            if version.state is not InboundState.HELD:
                continue
            transaction.update_inbound(version.id, state=InboundState.DISCARDED, reason=reason)
            detail = {"reason": reason, "by": row.id}
            transaction.add_event(
                Event(inbound_id=version.id, at=row.received_at, name="discarded", detail=detail)
            )
            stored = original_head(version)
            if stored is None:
                continue
            made = self._answers.to_each(version, *stored, status=ReceiptStatus.OK, at=row.received_at)
            for receipt in made or ():
                add_receipt(transaction, receipt, row.received_at)

    # --- sent on -------------------------------------------------------------------------------------

    def _send(
        self,
        transaction: JournalTransaction,
        row: InboundMessage,
        message: Message,
        assessment: Assessment,
        versions: list[InboundMessage],
    ) -> None:
        summary = assessment.reading.summary
        planned = self._distribution.planned(transaction, message, summary, assessment.route, versions)
        if not planned:
            reason = "cancels-nothing-sent" if summary.source.action is Action.CANCEL else "no-receiver"
            self._nothing_goes_out(transaction, row, message, reason)
            return
        made = self._distribution.written(row, message, planned, at=row.received_at)
        codes = ",".join(f.code for f in row.findings)
        events: Events = [("accepted", {"findings": codes or None})]
        if not made.answered:
            events.append(("not-answered", {"reason": "sender-not-in-register"}))
        row = replace(row, state=InboundState.SENDING)
        recent_heads.sent(each.msg_id for each in made.sendings)
        add_all(transaction, row, [*made.sendings, *made.receipts], events, row.received_at)
        self._notices.tell(transaction, row, versions, row.received_at)
