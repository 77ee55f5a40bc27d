"""What becomes of a hospital's note: sent on, held, withheld, refused; new, changed or cancelled."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace

from gateway.contracts.findings import Disposition, Finding
from gateway.contracts.journal import (
    Event,
    InboundKind,
    InboundMessage,
    InboundState,
    JournalTransaction,
    Sending,
)
from gateway.contracts.messages import Format, Head, Message
from gateway.contracts.ports import Vault
from gateway.contracts.reading import Reading
from gateway.contracts.receipts import ErrorCode, Fault, ReceiptStatus, fault
from gateway.contracts.registry import Endpoint, PartyKind, Registry
from gateway.contracts.summary import Action, Summary
from gateway.intake.arrival import Arrival
from gateway.intake.records import add_all, add_sending, inbound_row
from gateway.pipeline.assessment import Assessment, judge
from gateway.pipeline.conversation import chain, latest_sendings, superseded
from gateway.pipeline.dispatch import Dispatcher
from gateway.pipeline.rules import RuleSettings
from gateway.receipts.answers import Answers, faults_of
from gateway.receipts.originals import original_head
from gateway.routing.route import Route

Events = list[tuple[str, dict[str, str | int | None]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outgoing:
    """One sending that is to be made."""

    endpoint: Endpoint
    summary: Summary
    action: Action
    previous: Sending | None = None


class NoteHandler:
    """Decides, and writes the decision with everything that follows from it."""

    def __init__(
        self,
        *,
        registry: Registry,
        dispatcher: Dispatcher,
        answers: Answers,
        vault: Vault,
        rules: RuleSettings,
        own_her_id: str,
    ) -> None:
        """All that a decision needs, by port."""
        self._registry = registry
        self._dispatcher = dispatcher
        self._answers = answers
        self._vault = vault
        self._rules = rules
        self._own_her_id = own_her_id

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
        sendings, events = self._negative(row, head, arrival.format, faults, arrival.received_at)
        events.insert(0, ("rejected", {"reason": reason}))
        add_all(transaction, row, sendings, events, arrival.received_at)

    def _negative(
        self,
        row: InboundMessage,
        head: Head | None,
        message_format: Format | None,
        faults: tuple[Fault, ...],
        at: datetime.datetime,
    ) -> tuple[list[Sending], Events]:
        if head is None or message_format is None:
            return [], [("not-answered", {"reason": "sender-not-readable"})]
        if not self._answers.serves(head):
            return [], [("not-answered", {"reason": "no-receiver-of-ours"})]
        return self._answer(row, head, message_format, ReceiptStatus.REJECTED, faults, at)

    def _answer(
        self,
        row: InboundMessage,
        head: Head,
        message_format: Format,
        status: ReceiptStatus,
        faults: tuple[Fault, ...],
        at: datetime.datetime,
        *,
        only: set[int] | None = None,
    ) -> tuple[list[Sending], Events]:
        """One receipt for each named receiver (of `only`, where given)."""
        sendings = []
        for named in row.named_receivers:
            if only is not None and named.index not in only:
                continue
            sending = self._answers.to_sender(
                row.id, head, message_format, receiver_index=named.index, status=status, faults=faults, at=at
            )
            if sending is None:
                return [], [("not-answered", {"reason": "sender-not-in-register"})]
            sendings.append(sending)
        return sendings, []

    # --- read --------------------------------------------------------------------------------------

    def handle(
        self, transaction: JournalTransaction, arrival: Arrival, message: Message, reading: Reading
    ) -> None:
        """Act on a note that could be read."""
        row = inbound_row(arrival, self._registry, kind=InboundKind.NOTE, state=InboundState.RECEIVED)
        if row.hospital is None:
            row = replace(row, state=InboundState.FAILED, reason="sender-not-in-register")
            add_all(transaction, row, [], [("failed", {"reason": row.reason})], arrival.received_at)
            return
        summary = reading.summary
        later = None
        if summary.source.action is Action.NEW:
            later = superseded(transaction, message.head, row.hospital)
        earlier = self._earlier(transaction, message, summary) if later is None else []
        assessment = judge(reading, self._registry, self._rules, earlier)
        row = self._described(row, assessment)
        if later is not None and assessment.disposition in (Disposition.SEND, Disposition.HOLD):
            self._nothing_goes_out(transaction, row, message, f"superseded-by-{later.action.value}")
        elif assessment.disposition is Disposition.SEND:
            self._send(transaction, row, message, assessment)
        else:
            self._stop(transaction, row, message, assessment)

    def _earlier(self, transaction: JournalTransaction, message: Message, summary: Summary) -> list[Summary]:
        sent_at = message.head.sent_at
        if summary.patient.id is None or sent_at is None or summary.source.action is not Action.NEW:
            return []
        notes = transaction.recent_notes(
            patient_reference=self._vault.reference(summary.patient.id),
            interaction_point=summary.pathway.interaction_point,
            since=sent_at - datetime.timedelta(days=self._rules.repeat_days),
        )
        return [Summary.from_json(n.summary) for n in notes if n.summary is not None]

    def _described(self, row: InboundMessage, assessment: Assessment) -> InboundMessage:
        """The row with what was read: the summary, its findings, its place in the pathway."""
        summary = assessment.summary
        findings: tuple[Finding, ...] = assessment.findings
        if summary is None:
            return replace(row, findings=findings)
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
            findings=findings,
        )

    def _stop(
        self, transaction: JournalTransaction, row: InboundMessage, message: Message, assessment: Assessment
    ) -> None:
        """Hold, withhold or reject."""
        codes = ",".join(f.code for f in assessment.findings)
        head, at = message.head, row.received_at
        if assessment.disposition is Disposition.HOLD:
            own = {n.index for n in row.named_receivers if n.her_id == self._own_her_id}
            sendings, events = self._answer(row, head, message.format, ReceiptStatus.OK, (), at, only=own)
            row = replace(row, state=InboundState.HELD, reason=codes)
            add_all(transaction, row, sendings, [("held", {"findings": codes}), *events], at)
            return
        faults = faults_of(assessment.findings)
        sendings, events = self._negative(row, head, message.format, faults, at)
        withheld = assessment.disposition is Disposition.WITHHOLD
        state = InboundState.WITHHELD if withheld else InboundState.REJECTED
        row = replace(row, state=state, reason=codes)
        add_all(transaction, row, sendings, [(state.value, {"findings": codes}), *events], at)

    # --- sent on -------------------------------------------------------------------------------------

    def _send(
        self, transaction: JournalTransaction, row: InboundMessage, message: Message, assessment: Assessment
    ) -> None:
        summary = assessment.reading.summary
        if summary.source.action is Action.NEW:
            outgoing = [
                _Outgoing(endpoint=e, summary=summary, action=Action.NEW) for e in assessment.route.receivers
            ]
        else:
            earlier = chain(transaction, message.head, row.hospital)
            if earlier:
                row = replace(row, replaces=earlier[-1].id)
            self._end_what_waits(transaction, row, earlier)
            outgoing = self._revisions(transaction, summary, assessment.route, earlier)
        if not outgoing:
            reason = "cancels-nothing-sent" if summary.source.action is Action.CANCEL else "no-receiver"
            self._nothing_goes_out(transaction, row, message, reason)
            return
        self._write(transaction, row, message, outgoing)

    def _revisions(
        self,
        transaction: JournalTransaction,
        summary: Summary,
        route: Route,
        earlier: list[InboundMessage],
    ) -> list[_Outgoing]:
        """Changes for those who had the note, new for those who had it not, cancellations for the rest."""
        sent = latest_sendings(transaction, earlier)
        cancelled = summary.source.action is Action.CANCEL
        outgoing = []
        for endpoint in () if cancelled else route.receivers:
            previous = sent.pop(endpoint.her_id, (None, None))[0]
            action = Action.NEW if previous is None else Action.CHANGE
            outgoing.append(_Outgoing(endpoint=endpoint, summary=summary, action=action, previous=previous))
        for her_id, (last, note) in sent.items():
            former = self._registry.endpoint(her_id)
            if former is None or note.summary is None or note.action is Action.CANCEL:
                continue
            before = Summary.from_json(note.summary)
            forgotten = before.model_copy(update={"source": summary.source, "note": summary.note})
            outgoing.append(
                _Outgoing(endpoint=former, summary=forgotten, action=Action.CANCEL, previous=last)
            )
        return outgoing

    def _end_what_waits(
        self, transaction: JournalTransaction, row: InboundMessage, earlier: list[InboundMessage]
    ) -> None:
        """A version that is still held is replaced: it never goes out, and is answered as taken over."""
        for note in earlier:
            if note.state is not InboundState.HELD:
                continue
            transaction.update_inbound(
                note.id, state=InboundState.DISCARDED, reason=f"replaced-by-{row.action.value}"
            )
            transaction.add_event(
                Event(
                    inbound_id=note.id,
                    at=row.received_at,
                    name="discarded",
                    detail={"reason": f"replaced-by-{row.action.value}", "by": row.id},
                )
            )
            self._answer_held(transaction, note, row.received_at)

    def _answer_held(
        self, transaction: JournalTransaction, note: InboundMessage, at: datetime.datetime
    ) -> None:
        stored = original_head(note)
        if stored is None:
            return
        head, message_format = stored
        waiting = {n.index for n in note.named_receivers if n.her_id != self._own_her_id}
        sendings, _ = self._answer(note, head, message_format, ReceiptStatus.OK, (), at, only=waiting)
        for sending in sendings:
            add_sending(transaction, sending, at)

    def _nothing_goes_out(
        self, transaction: JournalTransaction, row: InboundMessage, message: Message, reason: str
    ) -> None:
        """Taken over and answered; there is nothing to send."""
        sendings, events = self._answer(
            row, message.head, message.format, ReceiptStatus.OK, (), row.received_at
        )
        row = replace(row, state=InboundState.ACCEPTED, reason=reason)
        add_all(transaction, row, sendings, [("accepted", {"reason": reason}), *events], row.received_at)

    def _write(
        self,
        transaction: JournalTransaction,
        row: InboundMessage,
        message: Message,
        outgoing: list[_Outgoing],
    ) -> None:
        hospital = self._registry.hospital(row.hospital)
        if hospital is None:  # pragma: no cover - handle() has looked it up
            return
        unit = self._registry.unit(row.unit)
        told = self._assign(row, [o.endpoint for o in outgoing])
        sendings = [
            self._dispatcher.sending(
                row,
                o.summary,
                o.endpoint,
                sender=(hospital, unit),
                action=o.action,
                previous=o.previous,
                answers=told.get(o.endpoint.her_id),
            )
            for o in outgoing
        ]
        unserved = {
            n.index
            for n in row.named_receivers
            if n.index not in told.values() and n.her_id != self._own_her_id
        }
        own = {n.index for n in row.named_receivers if n.her_id == self._own_her_id}
        refused, events = self._answer(
            row,
            message.head,
            message.format,
            ReceiptStatus.REJECTED,
            (fault(ErrorCode.RECEIVER_UNKNOWN, "Mottakeren finnes ikke i adresseregisteret."),),
            row.received_at,
            only=unserved,
        )
        taken, _ = self._answer(
            row, message.head, message.format, ReceiptStatus.OK, (), row.received_at, only=own
        )
        row = replace(row, state=InboundState.SENDING)
        codes = ",".join(f.code for f in row.findings)
        add_all(
            transaction,
            row,
            [*sendings, *refused, *taken],
            [("accepted", {"findings": codes or None}), *events],
            row.received_at,
        )

    def _assign(self, row: InboundMessage, endpoints: list[Endpoint]) -> dict[str, int]:
        """Which named receiver hears of which sending: HER-id of the endpoint to index.

        A municipality that the note was not addressed to answers for the one that it was (the route
        follows the patient's home); a GP answers for itself only.
        """
        told: dict[str, int] = {}
        free = [n for n in row.named_receivers if n.her_id != self._own_her_id]
        for endpoint in endpoints:
            same = {endpoint.her_id, endpoint.organisation_her_id}
            for named in free:
                if named.her_id in same:
                    told[endpoint.her_id] = named.index
                    free.remove(named)
                    break
        for endpoint in endpoints:
            if endpoint.kind is not PartyKind.MUNICIPALITY or endpoint.her_id in told:
                continue
            for named in free:
                other = self._registry.endpoint(named.her_id)
                if other.kind is PartyKind.MUNICIPALITY if other is not None else not named.copy:
                    told[endpoint.her_id] = named.index
                    free.remove(named)
                    break
        return told
