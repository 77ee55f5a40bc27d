"""DIALOG_AVVIK: what went wrong with a note after its department was told that it went well.

Source: HIS 1151 («Tilbakemelding om feil i mottatt melding»): Dialogmelding 1.0 with Patient and
ConversationRef; for errors that are found after a positive AppRec, and never instead of a negative one.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.contracts.identifiers import derived_id
from gateway.contracts.journal import JournalTransaction
from gateway.contracts.messages import (
    CodedValue,
    Conversation,
    Format,
    Head,
    Message,
    Party,
    PatientRecord,
    Receiver,
    TextBlock,
    Unit,
)
from gateway.contracts.ports import MessageSigner
from gateway.contracts.receipts import Fault, ReceiptStatus
from gateway.contracts.records import InboundMessage, Sending
from gateway.contracts.registry import PartyKind, Registry
from gateway.contracts.states import SendingKind, SendingState
from gateway.contracts.transport_headers import OSLO, transport_headers
from gateway.formats import write_message
from gateway.formats.codes import simple_code
from gateway.intake.records import add_sending
from gateway.receipts.originals import original_head
from gateway.receipts.remedies import ADVICE, INCOMPLETE, OTHER, Advice, Trouble, described, remedy
from gateway.routing.parties import her_id_identifier, mailbox_party

_TYPE = simple_code("8279", "DIALOG_AVVIK")
_NAMESPACE = "http://www.kith.no/xmlstds/dialog/2006-10-11"
_NATIONAL = frozenset(("FNR", "DNR", "FHN"))
_POSITIVE = ([ReceiptStatus.OK.value], [ReceiptStatus.PARTLY.value])
_SENT_ON_BUT = "Notatet om pakkeforløp hjem er sendt videre, men opplysninger mangler eller er uklare:"
_CORRECT_IT = (
    "Rett notatet i journalsystemet og send det på nytt som en endring. Rettelsen sendes da videre til dem "
    "som har fått notatet."
)
_HAS_IT_NOW = "Notatet om pakkeforløp hjem er nå tatt imot av"
_DO_NOTHING = "Det trenger ikke sendes på nytt."
_NOBODY_HAS_IT = "Verken kommunen eller fastlegen har fått notatet fra meldingstjenesten."
_MUCH = 400
"""Characters of what a receiver wrote itself that are passed on"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who we are in what we write ourselves."""

    name: str
    her_id: str
    processing_status: str | None = None
    """8113"""

    def party(self) -> Party:
        """The same on both levels (HIS 1153-2): the gateway is a service of its own."""
        unit = Unit(name=self.name, identifiers=(her_id_identifier(self.her_id),))
        return Party(organisation=unit, unit=unit)


class Deviations:
    """Tells a department, in its record system, what it must do about a sending: once for each, ever."""

    def __init__(self, registry: Registry, signer: MessageSigner, sender: Sender, *, sign: bool) -> None:
        """The messages are signed with the gateway's own key."""
        self._registry = registry
        self._signer = signer
        self._sender = sender
        self._sign = sign

    def refused(
        self,
        transaction: JournalTransaction,
        sending: Sending,
        faults: tuple[Fault, ...],
        at: datetime.datetime,
    ) -> bool:
        """Tell of a negative AppRec, where its own way does not tell the department all of it."""
        advice = ADVICE[remedy([f.code for f in faults])]
        return self._about(transaction, sending, advice, faults, at)

    def trouble(
        self,
        transaction: JournalTransaction,
        sending: Sending,
        trouble: Trouble,
        at: datetime.datetime,
        faults: tuple[Fault, ...] = (),
    ) -> bool:
        """Tell of what no AppRec tells."""
        return self._about(transaction, sending, ADVICE[trouble], faults, at)

    def recovered(self, transaction: JournalTransaction, sending: Sending, at: datetime.datetime) -> bool:
        """Tell that a receiver has the note after all, where the department was told that it has not.

        That is by a late AppRec, or by a new message in the place of one that was refused or not delivered.
        """
        note = transaction.inbound(sending.inbound_id) if sending.kind is SendingKind.NOTE else None
        if note is None:
            return False
        before = {sending.id, *_replaced_by(transaction, sending.id)}
        told = {s.id for s in transaction.sendings(note.id, kinds=(SendingKind.DEVIATION,))}
        refused = any(
            s.answers is not None and s.answers == sending.answers and _is_negative(s)
            for s in transaction.sendings(note.id, kinds=(SendingKind.RECEIPT,))
        )
        if not refused and not told & {_id_of(_msg_id(each)) for each in before}:
            return False
        text = f"{_HAS_IT_NOW} {self._name(sending.receiver)} (HER-id {sending.receiver}).\n{_DO_NOTHING}"
        return self._add(transaction, note, (sending.id, "recovered"), OTHER, text, at)

    def findings(
        self,
        transaction: JournalTransaction,
        note: InboundMessage,
        sentences: Sequence[str],
        at: datetime.datetime,
    ) -> bool:
        """Tell of what a note lacks that was sent on all the same: once for a note."""
        listed = "\n".join(f"- {sentence}" for sentence in sentences)
        text = f"{_SENT_ON_BUT}\n{listed}\n{_CORRECT_IT}"
        return self._add(transaction, note, (note.id, "findings"), INCOMPLETE, text, at)

    def discarded(
        self, transaction: JournalTransaction, note: InboundMessage, sentence: str, at: datetime.datetime
    ) -> bool:
        """Tell that a note that was answered positively is not sent on after all."""
        text = f"{sentence}\n{_NOBODY_HAS_IT}"
        return self._add(transaction, note, (note.id, "discarded"), OTHER, text, at)

    def _about(
        self,
        transaction: JournalTransaction,
        sending: Sending,
        advice: Advice,
        faults: tuple[Fault, ...],
        at: datetime.datetime,
    ) -> bool:
        if sending.kind is not SendingKind.NOTE:
            return False
        note = transaction.inbound(sending.inbound_id)
        if note is None or not self._is_told(transaction, note, sending):
            return False
        text = self._text(sending, advice, faults)
        return self._add(transaction, note, (sending.id,), advice.topic, text, at)

    def _add(
        self,
        transaction: JournalTransaction,
        note: InboundMessage,
        cause: tuple[str, ...],
        topic: CodedValue,
        text: str,
        at: datetime.datetime,
    ) -> bool:
        """Put it in the outbox, unless the department was told of the same before."""
        made = self._sending(note, cause, topic, text, at)
        if made is None:
            return False
        if any(s.id == made.id for s in transaction.sendings(note.id, kinds=(SendingKind.DEVIATION,))):
            return False
        add_sending(transaction, made, at)
        return True

    def _is_told(self, transaction: JournalTransaction, note: InboundMessage, sending: Sending) -> bool:
        """Whether the department hears of a sending that failed.

        Of the municipality's one way in always; of another receiver where the hospital has had a positive
        AppRec that stands for it: its own, or the gateway's for the whole note. A receiver that the note does
        not name is otherwise nobody's to answer for.
        """
        if sending.receiver_role == PartyKind.MUNICIPALITY:
            return True
        stands_for = {sending.answers}
        if sending.answers is None:
            stands_for = {n.index for n in note.named_receivers if n.her_id == self._sender.her_id}
        receipts = transaction.sendings(note.id, kinds=(SendingKind.RECEIPT,))
        return any(r.answers in stands_for and (r.apprec or "").split()[:1] in _POSITIVE for r in receipts)

    def _sending(
        self,
        note: InboundMessage,
        cause: tuple[str, ...],
        topic: CodedValue,
        text: str,
        at: datetime.datetime,
    ) -> Sending | None:
        """The message; None where nobody can be told, or the note's payload was purged.

        `cause` tells it from others: the id of a sending; or that of the note, and a word.
        """
        hospital = self._registry.hospital(note.hospital)
        original = original_head(note)
        if hospital is None or original is None:
            return None
        unit = self._registry.unit(note.unit)
        mailbox = unit.mailbox if unit is not None else hospital.her_id
        msg_id = _msg_id(*cause)
        made_at = at.astimezone(OSLO).replace(microsecond=0)
        conversation = Conversation(parent=note.msg_id, root=note.conversation_root or note.msg_id)
        status = self._sender.processing_status
        head = Head(
            msg_type=_TYPE,
            msg_id=msg_id,
            generated_at=made_at.isoformat(),
            sent_at=made_at,
            processing_status=CodedValue(value=status) if status is not None else None,
            conversation=conversation,
            sender=self._sender.party(),
            receivers=(Receiver(party=mailbox_party(self._registry, mailbox)),),
            patient=identified_only(original[0].patient),
        )
        body = write_message(
            Message(
                format=Format.DIALOGMELDING_1_0,
                content_root="Dialogmelding",
                topic=topic,
                head=head,
                texts=(TextBlock(text=text),),
            )
        )
        if self._sign:
            body = self._signer.sign(body, org_no=None)
        return Sending(
            id=_id_of(msg_id),
            inbound_id=note.id,
            kind=SendingKind.DEVIATION,
            state=SendingState.PENDING,
            receiver=mailbox,
            receiver_role="hospital",
            queue=hospital.record_system_queue,
            format=Format.DIALOGMELDING_1_0.value,
            msg_id=msg_id,
            conversation_root=conversation.root,
            body=body,
            headers=transport_headers(
                from_her_id=self._sender.her_id,
                to_her_id=mailbox,
                msg_type=_TYPE.value or "",
                msg_id=msg_id,
                at=at,
                namespace=_NAMESPACE,
                sender_levels=(self._sender.her_id, self._sender.her_id),
                receiver_levels=(hospital.her_id, mailbox),
                parent=conversation.parent,
                conversation=conversation.root,
            ),
            created_at=at,
        )

    def _name(self, her_id: str) -> str:
        endpoint = self._registry.endpoint(her_id)
        return f"{endpoint.organisation_name}, {endpoint.name}" if endpoint is not None else her_id

    def _text(self, about: Sending, advice: Advice, faults: tuple[Fault, ...]) -> str:
        """Who did not take the note, what to do, and what the receiver wrote."""
        name = self._name(about.receiver)
        lines = [
            f"Notatet om pakkeforløp hjem er ikke tatt imot av {name} (HER-id {about.receiver}).",
            advice.sentence,
        ]
        if faults:
            lines.append(f"Feilkode: {described([f.code for f in faults])}.")
        written = "; ".join(f.detail.strip() for f in faults if f.detail and f.detail.strip())
        if written:
            lines.append(f"Mottakeren skriver: {written[:_MUCH]}")
        return "\n".join(lines)


def _msg_id(*cause: str) -> str:
    return derived_id("deviation", *cause)


def _id_of(msg_id: str) -> str:
    return derived_id("sending", msg_id)


def _is_negative(receipt: Sending) -> bool:
    return (receipt.apprec or "").split()[:1] == [ReceiptStatus.REJECTED.value]


def _replaced_by(transaction: JournalTransaction, sending_id: str) -> Iterator[str]:
    """The sendings that one has taken the place of, the last one first."""
    while True:
        before = [r for r in transaction.replays_that_made(sending_id) if r.subject != sending_id]
        if not before:
            return
        sending_id = before[0].subject
        yield sending_id


def identified_only(patient: PatientRecord | None) -> PatientRecord | None:
    """The patient with what tells who it is, and nothing more.

    That is the name with a national identifier, else with the birth date and the sex (HIS 80415:2012, chapter
    3.3.4).
    """
    if patient is None:
        return None
    known = tuple(i for i in patient.identifiers if i.type in _NATIONAL and i.id.strip())[:1]
    return PatientRecord(
        family_name=patient.family_name,
        middle_name=patient.middle_name,
        given_name=patient.given_name,
        name=patient.name,
        birth_date=None if known else patient.birth_date,
        sex=None if known else patient.sex,
        identifiers=known or patient.identifiers,
    )
