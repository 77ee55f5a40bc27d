"""Dialogue messages of the simulation: a reply of a receiver, and what a hospital answers to it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

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
from gateway.contracts.queues import Envelope
from gateway.contracts.transport_headers import transport_headers
from gateway.formats import write_message
from gateway.formats.codes import listed_code
from gateway.ops.simulation.traffic import now

_MARK = re.compile(r"SIM-[0-9a-f]{12}")
_MSGHEAD = "http://www.kith.no/xmlstds/msghead/2006-05-24"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One message of a dialogue."""

    answered: Head
    """Of the message that it follows, as its writer got it"""
    sender: Party
    receiver: Party
    kind: str
    """MsgInfo/Type"""
    msg_id: str
    text: str
    referring: bool = True
    """Whether it says what it follows"""

    @property
    def mark(self) -> str:
        """What stands in its text: whatever ids it travels under, it is known by this."""
        return f"SIM-{self.msg_id.replace('-', '')[:12]}"

    def envelope(self, signer: MessageSigner, org_no: str | None) -> Envelope:
        """The message, signed by its writer, with its headers."""
        message = self._message()
        conversation = message.head.conversation
        to_her_id = self.receiver.her_id or ""
        return Envelope(
            body=signer.sign(write_message(message), org_no=org_no),
            message_id=self.msg_id,
            headers=transport_headers(
                from_her_id=self.sender.her_id or "",
                to_her_id=to_her_id,
                msg_type=self.kind,
                msg_id=self.msg_id,
                at=now(),
                namespace=_MSGHEAD,
                sender_levels=(self.sender.organisation.her_id, self.sender.her_id),
                receiver_levels=(self.receiver.organisation.her_id, to_her_id),
                parent=conversation.parent if conversation is not None else None,
                conversation=conversation.root if conversation is not None else None,
            ),
        )

    def _message(self) -> Message:
        before, at = self.answered, now()
        root = before.conversation.root if before.conversation is not None else before.msg_id
        clinical = self.kind == "DIALOG_HELSEFAGLIG"
        return Message(
            format=Format.DIALOGMELDING_1_1 if clinical else Format.DIALOGMELDING_1_0,
            head=Head(
                msg_type=CodedValue(value=self.kind, name=_NAMES[self.kind]),
                msg_id=self.msg_id,
                generated_at=at.isoformat(),
                sent_at=at,
                processing_status=before.processing_status,
                conversation=Conversation(parent=before.msg_id, root=root) if self.referring else None,
                sender=self.sender,
                receivers=(Receiver(party=self.receiver),),
                patient=_patient(before.patient),
            ),
            content_root="Dialogmelding",
            topic=listed_code(*_TOPICS[self.kind]),
            subject="Svar om Pakkeforløp hjem",
            texts=(TextBlock(text=f"{self.text} Referanse: {self.mark}"),),
        )


def mark_of(message: Message) -> str | None:
    """The mark of a message that was written here."""
    found = (_MARK.search(block.text) for block in message.texts)
    return next((mark.group() for mark in found if mark is not None), None)


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
