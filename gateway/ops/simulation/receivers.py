"""Municipalities and GPs: they check what they get, answer it well or badly, and sometimes write back."""

from __future__ import annotations

from gateway.contracts.messages import Head, Message
from gateway.contracts.ports import MessageSigner
from gateway.contracts.queues import Delivery
from gateway.contracts.receipts import ErrorCode, ReceiptStatus
from gateway.contracts.registry import Endpoint, Hospital, PartyKind, Registry
from gateway.ops.simulation.behaviour import Answer, Behaviour, Conduct
from gateway.ops.simulation.dialogue import Turn, mark_of
from gateway.ops.simulation.ledger import Ledger, Reply, Wrong
from gateway.ops.simulation.traffic import (
    Opener,
    Outgoing,
    Wronged,
    fingerprint,
    invented_id,
    patient_of,
    receipt,
)
from gateway.routing.parties import endpoint_party, hospital_party


class Receivers:
    """All of them."""

    def __init__(
        self,
        registry: Registry,
        signer: MessageSigner,
        opener: Opener,
        ledger: Ledger,
        behaviour: Behaviour,
    ) -> None:
        """Who they are is in the register, how they answer in the behaviour."""
        self._registry = registry
        self._signer = signer
        self._opener = opener
        self._ledger = ledger
        self._behaviour = behaviour
        self._answered: set[tuple[str, str]] = set()
        self.queues = list(dict.fromkeys(e.queue for e in registry.endpoints))

    def take(self, delivery: Delivery) -> list[Outgoing]:
        """Read what came for a receiver; what it answers."""
        headers = delivery.envelope.headers
        claimed = self._registry.endpoint(headers.get("toHerId"))
        her_id = claimed.her_id if claimed is not None else ""
        opened = self._opener.open(delivery.envelope, self._org_no)
        if isinstance(opened, Wronged):
            self._ledger.wrong(opened.what, her_id, opened.msg_id)
            return []
        if opened.apprec is not None:
            self._ledger.reply_receipt(opened.apprec.original.id.strip(), opened.apprec.id)
            return []
        if opened.message is None:
            return []
        endpoint = self._addressed(opened.message.head)
        if endpoint is None or endpoint.queue != delivery.queue:
            self._ledger.wrong(Wrong.MISDIRECTED, her_id, opened.message.head.msg_id)
            return []
        mark = mark_of(opened.message)
        self._refers(endpoint, opened.message.head, dialogue=mark is not None)
        if mark is not None:
            return self._answer(endpoint, opened.message, mark)
        return self._message(endpoint, opened.message)

    def _refers(self, endpoint: Endpoint, head: Head, *, dialogue: bool) -> None:
        if head.conversation is not None:
            references = (head.conversation.parent, head.conversation.root)
            self._ledger.referred(
                endpoint.her_id, head.msg_id, patient_of(head), references, dialogue=dialogue
            )

    def _org_no(self, head: Head) -> str | None:
        hospital = self._hospital(head)
        return hospital.org_no if hospital is not None else None

    def _hospital(self, head: Head) -> Hospital | None:
        for her_id in head.sender.her_ids if head.sender is not None else ():
            if (hospital := self._registry.hospital(her_id)) is not None:
                return hospital
        return None

    def _addressed(self, head: Head) -> Endpoint | None:
        for her_id in head.receivers[0].party.her_ids if head.receivers else ():
            if (endpoint := self._registry.endpoint(her_id)) is not None:
                return endpoint
        return None

    def _message(self, endpoint: Endpoint, message: Message) -> list[Outgoing]:
        """Note it; the first time a MsgId is seen, answer it."""
        head = message.head
        patient = patient_of(head)
        hospital = self._hospital(head)
        self._ledger.learned(endpoint.her_id, head.msg_id, patient)
        first = self._ledger.received(endpoint.her_id, patient, head.msg_id, fingerprint(message))
        if not first or hospital is None:
            return []
        conduct = self._behaviour.conduct(endpoint.her_id, patient)
        outgoing = self._receipts(endpoint, hospital, message, patient, conduct)
        referring = conduct.referring or not _can_be_guessed(patient)
        outgoing.extend(
            self._reply(endpoint, hospital, message, patient, number=number, referring=referring)
            for number in range(conduct.replies)
        )
        return outgoing

    def _receipts(
        self, endpoint: Endpoint, hospital: Hospital, message: Message, patient: str, conduct: Conduct
    ) -> list[Outgoing]:
        if conduct.answer is Answer.NEVER:
            return []
        head = message.head

        def made(number: int, error: str | None, delay_seconds: float) -> Outgoing:
            status = ReceiptStatus.OK if error is None else ReceiptStatus.REJECTED
            return receipt(
                head,
                message.format,
                queue=hospital.queue,
                to_her_id=(head.sender.her_id if head.sender is not None else None) or hospital.her_id,
                apprec_id=invented_id("receiver", endpoint.her_id, head.msg_id, number),
                error=error,
                published=lambda: self._ledger.answered(endpoint.her_id, patient, head.msg_id, status),
                delay_seconds=delay_seconds,
            )

        if conduct.answer is Answer.CONTRADICTS:
            return [made(1, None, 0.0), made(2, ErrorCode.OTHER, conduct.delay_seconds)]
        first = made(1, conduct.error, conduct.delay_seconds)
        # Twice: the same once more, as a transport does, and another, as some record systems do.
        return [first, first, made(2, conduct.error, 0.0)] if conduct.answer is Answer.TWICE else [first]

    def _reply(
        self,
        endpoint: Endpoint,
        hospital: Hospital,
        message: Message,
        patient: str,
        *,
        number: int,
        referring: bool,
    ) -> Outgoing:
        """A dialogue message about a sending, each `number` of another kind."""
        head = message.head
        unit = self._registry.unit(head.sender.her_id if head.sender is not None else None)
        kinds = _KINDS_OF_GP if endpoint.kind is PartyKind.GP else _KINDS_OF_MUNICIPALITY
        turn = Turn(
            answered=head,
            sender=endpoint_party(endpoint),
            receiver=hospital_party(hospital, unit),
            kind=kinds[number % len(kinds)],
            msg_id=invented_id("reply", endpoint.her_id, head.msg_id, number),
            text="Notatet er mottatt, og oppfølging er planlagt.",
            referring=referring,
        )
        self._ledger.learned(endpoint.her_id, turn.msg_id, patient)
        record = Reply(writer=endpoint.her_id, patient=patient, msg_id=turn.msg_id)
        return Outgoing(
            queue=hospital.queue,
            envelope=turn.envelope(self._signer, endpoint.org_no or endpoint.organisation_her_id),
            published=lambda: self._ledger.reply_sent(turn.mark, record),
        )

    def _answer(self, endpoint: Endpoint, message: Message, mark: str) -> list[Outgoing]:
        """What a hospital answers to a reply: it is acknowledged, once, and now and then followed up."""
        head, patient = message.head, patient_of(message.head)
        if (endpoint.her_id, head.msg_id) in self._answered:
            return []
        self._answered.add((endpoint.her_id, head.msg_id))
        answer = self._ledger.reply_arrived(mark, head.msg_id)
        hospital = self._hospital(head)
        if answer is None or hospital is None:
            return []
        self._ledger.learned(endpoint.her_id, head.msg_id, patient)
        if answer.to != endpoint.her_id or answer.patient != patient:
            self._ledger.wrong(Wrong.MISDIRECTED, endpoint.her_id, head.msg_id)
        outgoing = [
            receipt(
                head,
                message.format,
                queue=hospital.queue,
                to_her_id=(head.sender.her_id if head.sender is not None else None) or hospital.her_id,
                apprec_id=invented_id("receiver", endpoint.her_id, head.msg_id, 1),
            )
        ]
        if self._behaviour.follows_up():
            outgoing.append(self._reply(endpoint, hospital, message, patient, number=0, referring=True))
        return outgoing


def _can_be_guessed(patient: str) -> bool:
    """Whether a message without references can be tied to its note: by the patient's identifier."""
    return patient.isdecimal()


_KINDS_OF_GP = ("DIALOG_SVAR", "DIALOG_NOTAT", "DIALOG_AVVIK")
_KINDS_OF_MUNICIPALITY = ("DIALOG_HELSEFAGLIG", "DIALOG_NOTAT", "DIALOG_AVVIK")
