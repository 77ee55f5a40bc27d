"""The hospitals' record systems: they sign and send notes, and read what comes back."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.contracts.messages import Head, Message
from gateway.contracts.ports import MessageSigner
from gateway.contracts.queues import Delivery, Envelope
from gateway.contracts.receipts import AppRec
from gateway.contracts.registry import Hospital, Registry
from gateway.contracts.transport_headers import transport_headers
from gateway.ops.simulation.behaviour import Behaviour
from gateway.ops.simulation.dialogue import Turn, mark_of
from gateway.ops.simulation.ledger import Ledger, Reply, Wrong
from gateway.ops.simulation.notes import Note
from gateway.ops.simulation.traffic import Opener, Outgoing, Wronged, invented_id, now, patient_of, receipt

_DEVIATION = "DIALOG_AVVIK"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A note that is ready to be sent."""

    note: Note
    hospital: str | None
    """HER-id of its sender"""
    outgoing: Outgoing


class Hospitals:
    """All of them."""

    def __init__(
        self,
        registry: Registry,
        signer: MessageSigner,
        opener: Opener,
        ledger: Ledger,
        inbound: str,
        behaviour: Behaviour,
    ) -> None:
        """`inbound` is the queue that the gateway reads; the behaviour tells which replies are answered."""
        self._behaviour = behaviour
        self._registry = registry
        self._signer = signer
        self._opener = opener
        self._ledger = ledger
        self._inbound = inbound
        self._by_queue = {h.record_system_queue: h for h in registry.hospitals}
        self._answered: set[tuple[str, str]] = set()

    @property
    def queues(self) -> list[str]:
        """What their record systems read."""
        return list(self._by_queue)

    @property
    def answered_at(self) -> list[str]:
        """Queues that others write to for them: the gateway reads those."""
        return [self._inbound, *(h.queue for h in self._by_queue.values())]

    def send(self, note: Note) -> Outgoing:
        """A note on its way."""
        return self.sent(self.written(note))

    def sent(self, written: Written) -> Outgoing:
        """A note that was written is on its way from now on."""
        self._ledger.sent(written.note, written.outgoing.envelope.body, written.hospital)
        return written.outgoing

    def written(self, note: Note) -> Written:
        """A note as it will be sent: signed where the format has a place for that and the file is whole."""
        hospital = self._sender(note)
        facts, body = note.facts, note.body
        stated = note.sample.expected
        broken = not facts.well_formed or (stated is not None and stated.broken)
        if facts.envelope == "msghead" and not broken and hospital is not None and hospital.org_no:
            body = self._signer.sign(body, org_no=hospital.org_no)
        message_id = facts.msg_id or invented_id("note", note.name)
        first = facts.receivers[0] if facts.receivers else ()
        levels = facts.sender or ((hospital.her_id,) if hospital is not None else ())
        envelope = Envelope(
            body=body,
            message_id=message_id,
            headers=transport_headers(
                from_her_id=levels[-1] if levels else "",
                to_her_id=first[-1] if first else "",
                msg_type=facts.msg_type,
                msg_id=message_id,
                at=now(),
                namespace=facts.namespace,
                sender_levels=_levels(levels),
                receiver_levels=_levels(first),
                parent=facts.parent,
                conversation=facts.root,
            ),
        )
        her_id = hospital.her_id if hospital is not None else None
        return Written(note=note, hospital=her_id, outgoing=Outgoing(queue=self._inbound, envelope=envelope))

    def take(self, delivery: Delivery) -> list[Outgoing]:
        """Read what came for a record system; what it answers."""
        hospital = self._by_queue[delivery.queue]
        opened = self._opener.open(delivery.envelope, lambda _: hospital.org_no)
        if isinstance(opened, Wronged):
            self._ledger.wrong(opened.what, hospital.her_id, opened.msg_id)
            return []
        if opened.apprec is not None:
            self._receipt(opened.apprec)
        elif opened.message is not None:
            return self._message(hospital, opened.message, delivery)
        return []

    def _sender(self, note: Note) -> Hospital | None:
        for her_id in note.facts.sender:
            if (hospital := self._registry.hospital(her_id)) is not None:
                return hospital
        return None

    def _receipt(self, apprec: AppRec) -> None:
        self._ledger.receipt(
            apprec_id=apprec.id,
            status=apprec.status,
            original_id=apprec.original.id.strip(),
            issued_at=apprec.original.issued_at,
            sender=apprec.sender.party.her_ids,
        )

    def _message(self, hospital: Hospital, message: Message, delivery: Delivery) -> list[Outgoing]:
        """A reply or a deviation: each MsgId is answered once, positively."""
        head = message.head
        if (hospital.her_id, head.msg_id) in self._answered:
            return []
        self._answered.add((hospital.her_id, head.msg_id))
        mark = mark_of(message)
        answers: list[Outgoing] = []
        if head.conversation is not None:
            references = (head.conversation.parent, head.conversation.root)
            self._ledger.referred(hospital.her_id, head.msg_id, patient_of(head), references, dialogue=True)
        self._ledger.learned(hospital.her_id, head.msg_id, patient_of(head))
        if head.msg_type.value == _DEVIATION and mark is None:
            self._ledger.deviations += 1
        elif self._reply(hospital, head, delivery.envelope, mark or "") and self._behaviour.answers():
            answers = self._answer(hospital, head)
        sender = head.sender.her_id if head.sender is not None else None
        return [
            receipt(
                head,
                message.format,
                queue=self._inbound,
                to_her_id=sender or "",
                apprec_id=invented_id("hospital", hospital.her_id, head.msg_id),
            ),
            *answers,
        ]

    def _answer(self, hospital: Hospital, head: Head) -> list[Outgoing]:
        """The department writes back to who has written; where that is not told, to nobody."""
        endpoint = self._registry.endpoint(head.sender.her_id if head.sender is not None else None)
        if endpoint is None or head.sender is None or not head.receivers:
            return []
        turn = Turn(
            answered=head,
            sender=head.receivers[0].party,
            receiver=head.sender,
            kind="DIALOG_NOTAT",
            msg_id=invented_id("answer", hospital.her_id, head.msg_id),
            text="Takk for svaret.",
        )
        patient = patient_of(head)
        self._ledger.learned(hospital.her_id, turn.msg_id, patient)
        record = Reply(writer=hospital.her_id, patient=patient, msg_id=turn.msg_id, to=endpoint.her_id)
        return [
            Outgoing(
                queue=self._inbound,
                envelope=turn.envelope(self._signer, hospital.org_no),
                published=lambda: self._ledger.reply_sent(turn.mark, record),
            )
        ]

    def _reply(self, hospital: Hospital, head: Head, envelope: Envelope, mark: str) -> bool:
        """Note a reply; False where it is none of this run."""
        reply = self._ledger.reply_arrived(mark, head.msg_id)
        if reply is None:
            return False
        parent = head.conversation.parent if head.conversation is not None else ""
        if (
            not self._ledger.knows(hospital.her_id, parent, reply.patient)
            or patient_of(head) != reply.patient
        ):
            self._ledger.wrong(Wrong.REFERENCE, hospital.her_id, head.msg_id)
        unit = self._registry.unit(envelope.headers.get("toHerId"))
        if unit is None or unit.mailbox != envelope.headers.get("toHerId") or unit.hospital != hospital:
            self._ledger.wrong(Wrong.MAILBOX, hospital.her_id, head.msg_id)
        return True


def _levels(her_ids: tuple[str, ...]) -> tuple[str | None, str | None]:
    return (her_ids[0] if her_ids else None, her_ids[1] if len(her_ids) > 1 else None)
