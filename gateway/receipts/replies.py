"""Replies from municipalities and GPs: acknowledged, and passed on to the department's mailbox."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gateway.contracts.identifiers import derived_id
from gateway.contracts.journal import (
    InboundKind,
    InboundMessage,
    InboundState,
    JournalTransaction,
    Sending,
    SendingKind,
    SendingState,
)
from gateway.contracts.messages import Conversation, Message
from gateway.contracts.ports import MessageSigner
from gateway.contracts.receipts import ReceiptStatus
from gateway.contracts.registry import Hospital, HospitalUnit, Registry
from gateway.contracts.transport_headers import transport_headers
from gateway.formats.readdress import readdress
from gateway.intake.arrival import Arrival
from gateway.intake.records import add_all, inbound_row
from gateway.receipts.answers import Answers
from gateway.security.gate import parse


@dataclass(frozen=True, slots=True, kw_only=True)
class _Origin:
    """The note that a reply is about."""

    note: InboundMessage
    hospital: Hospital
    unit: HospitalUnit | None


class ReplyHandler:
    """Ties a reply to its note, and sends it on."""

    def __init__(self, registry: Registry, answers: Answers, signer: MessageSigner, *, sign: bool) -> None:
        """What is passed on is signed with the gateway's own key."""
        self._registry = registry
        self._answers = answers
        self._signer = signer
        self._sign = sign

    def handle(self, transaction: JournalTransaction, arrival: Arrival, message: Message) -> None:
        """Act on a message from the health network. One that fits nothing is kept for a person."""
        origin = self._origin(transaction, message)
        state = InboundState.SENDING if origin is not None else InboundState.HELD
        row = inbound_row(arrival, self._registry, kind=InboundKind.REPLY, state=state)
        sendings = self._receipts(row, message)
        if origin is None:
            row = replace(row, reason="reply-fits-nothing")
            add_all(transaction, row, sendings, [("held", {"reason": row.reason})], row.received_at)
            return
        row = replace(
            row,
            hospital=origin.hospital.her_id,
            unit=origin.unit.her_id if origin.unit is not None else None,
            unit_name=origin.unit.name if origin.unit is not None else None,
            replaces=origin.note.id,
        )
        sendings.append(self._passed_on(row, message, origin))
        add_all(transaction, row, sendings, [("reply-matched", {"note": origin.note.id})], row.received_at)

    def _receipts(self, row: InboundMessage, message: Message) -> list[Sending]:
        """One positive AppRec for the receiver that the reply names: it is durable, and will be passed on."""
        receipts = []
        for named in row.named_receivers:
            if self._registry.hospital(named.her_id) is None:
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
        conversation = message.head.conversation
        if conversation is None:
            return None
        for reference in (conversation.parent, conversation.root):
            for sending in transaction.find_sendings(reference.strip()):
                if sending.kind is not SendingKind.NOTE or not self._came_from(message, sending):
                    continue
                note = transaction.inbound(sending.inbound_id)
                hospital = self._registry.hospital(note.hospital) if note is not None else None
                if note is not None and hospital is not None:
                    return _Origin(note=note, hospital=hospital, unit=self._registry.unit(note.unit))
        return None

    def _came_from(self, message: Message, sending: Sending) -> bool:
        """A reply is taken only from the party that the sending went to."""
        if message.head.sender is None:
            return False
        endpoint = self._registry.endpoint(sending.receiver)
        parties = {
            sending.receiver,
            endpoint.organisation_her_id if endpoint is not None else sending.receiver,
        }
        return bool(parties.intersection(message.head.sender.her_ids))

    def _passed_on(self, row: InboundMessage, message: Message, origin: _Origin) -> Sending:
        hospital, unit, note = origin.hospital, origin.unit, origin.note
        mailbox = unit.mailbox if unit is not None else hospital.her_id
        msg_id = derived_id("reply", row.sender, row.msg_id)
        conversation = Conversation(parent=note.msg_id, root=note.conversation_root or note.msg_id)
        body = readdress(
            parse(row.body),
            msg_id=msg_id,
            conversation=conversation,
            unit_her_id=mailbox,
            unit_name=unit.name if unit is not None else hospital.name,
        )
        if self._sign:
            body = self._signer.sign(body, org_no=None)
        head = message.head
        sender = head.sender
        return Sending(
            id=derived_id("sending", msg_id),
            inbound_id=row.id,
            kind=SendingKind.REPLY,
            state=SendingState.PENDING,
            receiver=mailbox,
            receiver_role="hospital",
            queue=hospital.record_system_queue,
            format=message.format.value,
            msg_id=msg_id,
            conversation_root=conversation.root,
            body=body,
            headers=transport_headers(
                from_her_id=(sender.her_id if sender is not None else None) or row.sender,
                to_her_id=mailbox,
                msg_type=head.msg_type.value or "",
                msg_id=msg_id,
                at=row.received_at,
                namespace="http://www.kith.no/xmlstds/msghead/2006-05-24",
                sender_levels=(
                    sender.organisation.her_id if sender is not None else None,
                    sender.her_id if sender is not None else None,
                ),
                receiver_levels=(hospital.her_id, mailbox),
                parent=conversation.parent,
                conversation=conversation.root,
            ),
            next_attempt_at=row.received_at,
            created_at=row.received_at,
        )
