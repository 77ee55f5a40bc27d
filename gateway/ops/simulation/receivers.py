"""Municipalities and GPs: they check what they get, answer it well or badly, and sometimes write back."""

from __future__ import annotations

from dataclasses import replace

from gateway.contracts.messages import (
    CodedValue,
    CodeList,
    Conversation,
    Format,
    Head,
    Identifier,
    Message,
    Party,
    PatientRecord,
    Receiver,
    TextBlock,
)
from gateway.contracts.ports import MessageSigner
from gateway.contracts.queues import Delivery, Envelope
from gateway.contracts.receipts import ErrorCode, ReceiptStatus
from gateway.contracts.registry import Endpoint, Hospital, PartyKind, Registry
from gateway.contracts.transport_headers import transport_headers
from gateway.formats import write_message
from gateway.formats.codes import listed_code
from gateway.ops.simulation.behaviour import Answer, Behaviour, Conduct
from gateway.ops.simulation.ledger import Ledger, Reply, Wrong
from gateway.ops.simulation.traffic import (
    Opener,
    Outgoing,
    Wronged,
    fingerprint,
    invented_id,
    now,
    patient_of,
    receipt,
)
from gateway.routing.parties import endpoint_party, hospital_party

_MSGHEAD = "http://www.kith.no/xmlstds/msghead/2006-05-24"


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
        return self._message(endpoint, opened.message)

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
        msg_id = invented_id("reply", endpoint.her_id, head.msg_id, number)
        mark = f"SIM-{msg_id.replace('-', '')[:12]}"
        unit = self._registry.unit(head.sender.her_id if head.sender is not None else None)
        reply = _reply_message(
            endpoint, hospital_party(hospital, unit), head, msg_id, mark, number=number, referring=referring
        )
        body = write_message(reply)
        body = self._signer.sign(body, org_no=endpoint.org_no or endpoint.organisation_her_id)
        to_her_id = unit.her_id if unit is not None else hospital.her_id
        conversation = reply.head.conversation
        envelope = Envelope(
            body=body,
            message_id=msg_id,
            headers=transport_headers(
                from_her_id=endpoint.her_id,
                to_her_id=to_her_id,
                msg_type=reply.head.msg_type.value or "",
                msg_id=msg_id,
                at=now(),
                namespace=_MSGHEAD,
                sender_levels=(endpoint.organisation_her_id, endpoint.her_id),
                receiver_levels=(hospital.her_id, to_her_id),
                parent=conversation.parent if conversation is not None else None,
                conversation=conversation.root if conversation is not None else None,
            ),
        )
        record = Reply(receiver=endpoint.her_id, patient=patient, msg_id=msg_id)
        return Outgoing(
            queue=hospital.queue,
            envelope=envelope,
            published=lambda: self._ledger.reply_sent(mark, record),
        )


def _can_be_guessed(patient: str) -> bool:
    """Whether a message without references can be tied to its note: by the patient's identifier."""
    return patient.isdecimal()


_KINDS_OF_GP = ("DIALOG_SVAR", "DIALOG_NOTAT", "DIALOG_AVVIK")
_KINDS_OF_MUNICIPALITY = ("DIALOG_HELSEFAGLIG", "DIALOG_NOTAT", "DIALOG_AVVIK")
_TOPICS = {
    "DIALOG_SVAR": (CodeList.DIALOGUE_TOPIC_ANSWER, "5"),
    "DIALOG_HELSEFAGLIG": (CodeList.DIALOGUE_TOPIC_CLINICAL, "6"),
    "DIALOG_NOTAT": (CodeList.DIALOGUE_TOPIC_FREE, "1"),
    "DIALOG_AVVIK": (CodeList.DIALOGUE_TOPIC_DEVIATION, "2"),
}
_NAMES = {
    "DIALOG_SVAR": "Svar på forespørsel",
    "DIALOG_HELSEFAGLIG": "Helsefaglig dialog",
    "DIALOG_NOTAT": "Notat",
    "DIALOG_AVVIK": "Tilbakemelding om feil i mottatt melding",
}


def _reply_message(
    endpoint: Endpoint,
    to: Party,
    head: Head,
    msg_id: str,
    mark: str,
    *,
    number: int,
    referring: bool,
) -> Message:
    at = now()
    from_gp = endpoint.kind is PartyKind.GP
    kinds = _KINDS_OF_GP if from_gp else _KINDS_OF_MUNICIPALITY
    kind = kinds[number % len(kinds)]
    root = head.conversation.root if head.conversation is not None else head.msg_id
    clinical = kind == "DIALOG_HELSEFAGLIG"
    return Message(
        format=Format.DIALOGMELDING_1_1 if clinical else Format.DIALOGMELDING_1_0,
        head=Head(
            msg_type=CodedValue(value=kind, name=_NAMES[kind]),
            msg_id=msg_id,
            generated_at=at.isoformat(),
            sent_at=at,
            processing_status=head.processing_status,
            conversation=Conversation(parent=head.msg_id, root=root) if referring else None,
            sender=endpoint_party(endpoint),
            receivers=(Receiver(party=to),),
            patient=_patient(head.patient),
        ),
        content_root="Dialogmelding",
        topic=listed_code(*_TOPICS[kind]),
        subject="Svar om Pakkeforløp hjem",
        texts=(TextBlock(text=f"Notatet er mottatt, og oppfølging er planlagt. Referanse: {mark}"),),
    )


def _patient(patient: PatientRecord | None) -> PatientRecord | None:
    """The patient as MsgHead writes one: an epikrise has identifiers without code list, and one name."""
    if patient is None:
        return None
    identifiers = tuple(
        Identifier(
            id=i.id, type=i.type, type_name=i.type_name, code_list=i.code_list or CodeList.PERSON_IDENTIFIERS
        )
        for i in patient.identifiers
    )
    given, family = patient.given_name, patient.family_name
    if patient.name and not family:
        if "," in patient.name:
            family, _, given = (part.strip() for part in patient.name.partition(","))
        else:
            given, _, family = patient.name.rpartition(" ")
    return replace(
        patient, identifiers=identifiers, name=None, given_name=given or None, family_name=family or None
    )
