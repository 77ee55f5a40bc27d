"""Replies: acknowledged, and passed on with references that their receiver knows, turn after turn.

A hospital knows its own MsgIds, a municipality or GP knows ours; a message of either side that refers to one
that we passed on belongs to the thread of that one, and goes back to where that one came from.

Source: HITS 1218:2019, chapter 3.3 (RefToParent, RefToConversation); HIS 1077 (helsefaglig dialog).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import get_args

from gateway.contracts.fail_points import FailPoint, reached
from gateway.contracts.journal import JournalTransaction
from gateway.contracts.messages import Message
from gateway.contracts.ports import Vault
from gateway.contracts.receipts import ErrorCode, ReceiptStatus, fault
from gateway.contracts.records import InboundMessage, Sending
from gateway.contracts.registry import Registry
from gateway.contracts.states import InboundKind, InboundState, SendingKind
from gateway.contracts.summary import Pathway
from gateway.contracts.values import replace
from gateway.intake.arrival import Arrival
from gateway.intake.records import add_all, inbound_row
from gateway.receipts.answers import Answers
from gateway.receipts.passing import PassingOn

_GUESSED = "reply-guessed"
_POINTS = get_args(Pathway.model_fields["interaction_point"].annotation)
_THREAD = (SendingKind.NOTE, SendingKind.REPLY)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Origin:
    """What a reply is about: the message that we passed on, and the one that it was made of."""

    sending: Sending
    source: InboundMessage
    guessed: bool = False


class ReplyHandler:
    """Ties a message to the thread that it belongs to, and sends it on."""

    def __init__(
        self,
        registry: Registry,
        answers: Answers,
        passing_on: PassingOn,
        vault: Vault,
        *,
        own_her_id: str,
        guess_days: int = 90,
    ) -> None:
        """`guess_days`: how old a note may be that a reply without references is about."""
        self._registry = registry
        self._answers = answers
        self._passing_on = passing_on
        self._vault = vault
        self._own_her_id = own_her_id
        self._guess_within = timedelta(days=guess_days)

    def handle(self, transaction: JournalTransaction, arrival: Arrival, message: Message) -> None:
        """Act on a message from the health network. One that fits nothing is kept for a person."""
        origin = self._origin(transaction, message) or self._guess(transaction, arrival, message)
        state = InboundState.SENDING if origin is not None else InboundState.HELD
        row = inbound_row(arrival, self._registry, kind=InboundKind.REPLY, state=state)
        sendings = self._receipts(row, message)
        hospital = self._registry.hospital(origin.source.hospital) if origin is not None else None
        if origin is None or hospital is None:
            row = replace(row, state=InboundState.HELD, reason="reply-fits-nothing")
            add_all(transaction, row, sendings, [("held", {"reason": row.reason})], row.received_at)
            return
        unit = self._registry.unit(origin.source.unit)
        row = replace(
            row,
            hospital=hospital.her_id,
            unit=unit.her_id if unit is not None else None,
            unit_name=unit.name if unit is not None else None,
            replaces=origin.source.id,
            reason=_GUESSED if origin.guessed else None,
        )
        mailbox = unit.mailbox if unit is not None else hospital.her_id
        passed_on = self._passing_on.to_hospital(row, message.head, mailbox, source=origin.source)
        sendings.append(passed_on)
        how = "receiver, patient and time" if origin.guessed else "reference"
        name = _GUESSED if origin.guessed else "reply-matched"
        events: list[tuple[str, dict[str, str | int | None]]] = [
            (name, {"note": origin.source.id, "by": how})
        ]
        if (told := self._passing_on.written_as(row, passed_on)) is not None:
            events.append(told)
        add_all(transaction, row, sendings, events, row.received_at)
        reached(FailPoint.REPLY_PASSED_ON)

    def answer(self, transaction: JournalTransaction, arrival: Arrival, message: Message) -> bool:
        """Act on what a hospital answers to a reply; False where a message is no such answer."""
        origin = self._origin(transaction, message)
        if origin is None or origin.sending.kind is not SendingKind.REPLY:
            return False
        replied = self._passing_on.replier(origin.source)
        if replied is None:
            return False
        row = inbound_row(arrival, self._registry, kind=InboundKind.REPLY, state=InboundState.SENDING)
        index = self._index(row, {replied.her_id, replied.organisation_her_id})
        row = replace(row, replaces=origin.source.id)
        sending = self._passing_on.to_endpoint(
            row, message.head, replied, source=origin.source, answers=index
        )
        add_all(
            transaction,
            row,
            [sending, *self._others(row, message, index)],
            [("answer-matched", {"reply": origin.source.id})],
            row.received_at,
        )
        return True

    def _index(self, row: InboundMessage, replier: set[str]) -> int | None:
        """The named receiver that stands for the party that gets an answer."""
        named = row.named_receivers
        exact = next((n.index for n in named if n.her_id in replier), None)
        if exact is not None:
            return exact
        return next((n.index for n in named if n.her_id != self._own_her_id and not n.copy), None)

    def _others(self, row: InboundMessage, message: Message, index: int | None) -> list[Sending]:
        """The gateway answers for itself, and for receivers that the answer does not go to."""
        receipts = []
        for named in row.named_receivers:
            if named.index == index:
                continue
            ours = named.her_id == self._own_her_id
            made = self._answers.to_sender(
                row.id,
                message.head,
                message.format,
                receiver_index=named.index,
                status=ReceiptStatus.OK if ours else ReceiptStatus.REJECTED,
                faults=()
                if ours
                else (fault(ErrorCode.RECEIVER_UNKNOWN, "Svaret går bare til den som skrev meldingen."),),
                at=row.received_at,
            )
            if made is not None:
                receipts.append(made)
        return receipts

    def _receipts(self, row: InboundMessage, message: Message) -> list[Sending]:
        """One positive AppRec for the receiver that the reply names: it is durable, and will be passed on."""
        receipts = []
        for named in row.named_receivers:
            if self._registry.hospital(named.her_id) is None and named.her_id != self._own_her_id:
                continue
            receipt = self._answers.to_sender(
                row.id,
                message.head,
                message.format,
                receiver_index=named.index,
                status=ReceiptStatus.OK,
                at=row.received_at,
            )
            if receipt is not None:
                receipts.append(receipt)
        return receipts

    def _origin(self, transaction: JournalTransaction, message: Message) -> _Origin | None:
        """By ConversationRef: what the sender answers first, then the thread."""
        conversation = message.head.conversation
        if conversation is None:
            return None
        for reference in (conversation.parent, conversation.root):
            for sending in transaction.find_sendings(reference.strip()):
                if sending.kind in _THREAD and self._came_from(message, sending):
                    source = transaction.inbound(sending.inbound_id)
                    if source is not None:
                        return _Origin(sending=sending, source=source)
        return None

    def _guess(self, transaction: JournalTransaction, arrival: Arrival, message: Message) -> _Origin | None:
        """Where a message has no reference at all: the newest note for its patient that its sender got."""
        head, patient = message.head, message.head.patient
        dialogue = (head.msg_type.value or "").startswith("DIALOG")
        if not dialogue or head.conversation is not None or patient is None:
            return None
        since = arrival.received_at - self._guess_within
        notes = [
            note
            for identifier in patient.identifiers
            if identifier.id.strip()
            for point in _POINTS
            for note in transaction.recent_notes(
                patient_reference=self._vault.reference("".join(identifier.id.split())),
                interaction_point=point,
                since=since,
            )
        ]
        for note in sorted(notes, key=lambda n: n.received_at, reverse=True):
            for sending in transaction.sendings(note.id, kinds=(SendingKind.NOTE,)):
                if self._came_from(message, sending):
                    return _Origin(sending=sending, source=note, guessed=True)
        return None

    def _came_from(self, message: Message, sending: Sending) -> bool:
        """A reply is taken only from the party that the sending went to."""
        if message.head.sender is None:
            return False
        senders = set(message.head.sender.her_ids)
        if (hospital := self._registry.hospital(sending.receiver)) is not None:
            return any(self._registry.hospital(s) == hospital for s in senders)
        endpoint = self._registry.endpoint(sending.receiver)
        upper = endpoint.organisation_her_id if endpoint is not None else sending.receiver
        return bool(senders & {sending.receiver, upper})
