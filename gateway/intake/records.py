"""Rows of the journal, made from what arrived."""

from __future__ import annotations

from datetime import datetime

from gateway.contracts.identifiers import derived_id
from gateway.contracts.journal import JournalTransaction
from gateway.contracts.messages import Head
from gateway.contracts.records import Event, InboundMessage, NamedReceiver, Sending
from gateway.contracts.registry import Registry
from gateway.contracts.states import InboundKind, InboundState, SendingKind
from gateway.contracts.summary import Action
from gateway.contracts.tracing import child
from gateway.contracts.values import replace
from gateway.intake.arrival import Arrival
from gateway.routing.addressees import sending_hospital


def named_receivers(head: Head) -> tuple[NamedReceiver, ...]:
    """The receivers that a message names, each of which its sender hears of once."""
    return tuple(
        NamedReceiver(her_id=receiver.party.her_id, copy=receiver.copy, index=index)
        for index, receiver in enumerate(head.receivers)
    )


def inbound_row(
    arrival: Arrival, registry: Registry, *, kind: InboundKind, state: InboundState, reason: str | None = None
) -> InboundMessage:
    """The inbox row of an arrival, with what its head tells."""
    head, message, msg_id = arrival.head, arrival.message, arrival.msg_id
    sender, enterprise = head.sender if head is not None else None, arrival.sender
    hospital, unit = sending_hospital(registry, sender), None
    for her_id in sender.her_ids if sender is not None else ():
        unit = unit or registry.unit(her_id)
    conversation = head.conversation if head is not None else None
    return InboundMessage(
        id=derived_id("inbound", enterprise, msg_id),
        kind=kind,
        state=state,
        queue=arrival.queue,
        received_at=arrival.received_at,
        sender=enterprise,
        msg_id=msg_id,
        content_hash=arrival.content_hash,
        body=arrival.body,
        format=arrival.format.value if arrival.format is not None else None,
        action=message.action if message is not None else Action.NEW,
        sent_at=head.sent_at if head is not None else None,
        hospital=hospital.her_id if hospital is not None else None,
        unit=unit.her_id if unit is not None else None,
        unit_name=unit.name if unit is not None else None,
        document_id=head.document_id if head is not None else None,
        conversation_parent=conversation.parent if conversation is not None else None,
        conversation_root=conversation.root if conversation is not None else None,
        named_receivers=named_receivers(head) if head is not None else (),
        reason=reason,
    )


def set_aside(
    arrival: Arrival, registry: Registry, *, kind: InboundKind, reason: str, keep_id: bool = False
) -> InboundMessage:
    """The row of an arrival that is not worked on: nothing of it is lost, nothing is done with it.

    With `keep_id` it takes the place of its MsgId; otherwise it stands beside the message that has it.
    """
    row = inbound_row(arrival, registry, kind=kind, state=InboundState.FAILED, reason=reason)
    if keep_id:
        return row
    apart = f"{row.msg_id}#{arrival.content_hash[:16]}"
    return replace(row, id=derived_id("inbound", row.sender, apart), msg_id=apart)


def add_all(
    transaction: JournalTransaction,
    row: InboundMessage,
    sendings: list[Sending],
    events: list[tuple[str, dict[str, str | int | None]]],
    at: datetime,
) -> None:
    """Write a row with what was made of it and what is to be told."""
    transaction.add_inbound(row)
    transaction.add_event(
        Event(inbound_id=row.id, at=at, name="received", detail={"queue": row.queue, "format": row.format})
    )
    for name, detail in events:
        transaction.add_event(Event(inbound_id=row.id, at=at, name=name, detail=detail))
    for sending in sendings:
        add_sending(transaction, sending, at)


def add_sending(transaction: JournalTransaction, sending: Sending, at: datetime) -> None:
    """Put a sending in the outbox, as part of the trace at hand, and say so."""
    if header := child(sending.id):
        sending = replace(sending, headers={**(sending.headers or {}), **header})
    transaction.add_sending(sending)
    transaction.add_event(
        Event(
            inbound_id=sending.inbound_id,
            sending_id=sending.id,
            at=at,
            name=f"{sending.kind.value}-created",
            detail={
                "receiver": sending.receiver,
                "format": sending.format,
                "msg_id": sending.msg_id,
                "apprec": sending.apprec,
            },
        )
    )


def add_receipt(transaction: JournalTransaction, receipt: Sending, at: datetime) -> bool:
    """Put an AppRec in the outbox, unless its receiver has answered already: one for each, ever.

    Source: HITS 1168:2016, chapters 5.1 and 5.5.
    """
    answered = {
        s.answers
        for s in transaction.sendings(receipt.inbound_id, kinds=(SendingKind.RECEIPT,), content=False)
    }
    if receipt.answers in answered:
        return False
    add_sending(transaction, receipt, at)
    return True
