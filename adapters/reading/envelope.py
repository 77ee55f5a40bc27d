"""Where what the summary has of a message's head stands in the message."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.reading.model import Trace
from gateway.contracts.messages import Format, Message, PostalAddress, Receiver
from gateway.contracts.summary import Participant, Patient, Summary


@dataclass(frozen=True, slots=True, kw_only=True)
class _Places:
    """What the head of a format calls its parts."""

    patient: str
    sender: str
    unit: str
    receiver: str
    copy: str
    head: str
    conversation: str


_MSGHEAD = _Places(
    patient="MsgHead/MsgInfo/Patient",
    sender="MsgHead/MsgInfo/Sender/Organisation",
    unit="MsgHead/MsgInfo/Sender/Organisation/Organisation",
    receiver="MsgHead/MsgInfo/Receiver",
    copy="MsgHead/MsgInfo/OtherReceiver",
    head="MsgHead/MsgInfo",
    conversation="MsgHead/MsgInfo/ConversationRef",
)
_EPIKRISE = _Places(
    patient="Message/ServRprt/Patient",
    sender="Message/ServRprt/ServProvider",
    unit="Message/ServRprt/ServProvider",
    receiver="Message/ServRprt/Requester",
    copy="Message/ServRprt/CopyDest",
    head="Message",
    conversation="Message/RefDoc",
)
_EPIKRISE_ROOT = "Message"


def _places(message: Message) -> _Places:
    return _EPIKRISE if message.content_root == _EPIKRISE_ROOT else _MSGHEAD


def place_of_patient(message: Message) -> str:
    """Where the patient stands."""
    return _places(message).patient


def place_of_receiver(message: Message, receiver: Receiver) -> str:
    """Where a receiver stands."""
    places = _places(message)
    return places.copy if receiver.copy else places.receiver


def trace_head(message: Message, summary: Summary, trace: Trace) -> None:
    """Say of everything that only the head tells which place gave it."""
    _trace_patient(message, summary.patient, trace)
    _trace_source(message, summary, trace)
    author, source = summary.author, summary.source
    if author is not None and author.unit in {source.unit.name, source.organisation.name}:
        trace.structured("author.unit", author.unit, _places(message).unit)


def _trace_patient(message: Message, patient: Patient, trace: Trace) -> None:
    record = message.head.patient
    if record is None:
        return
    place = _places(message).patient
    trace.structured("patient.id", patient.id, place)
    trace.structured("patient.id_type", patient.id_type, place)
    name = " ".join(part for part in (record.given_name, record.middle_name, record.family_name) if part)
    for field in ("given_name", "middle_name", "family_name"):
        if getattr(patient, field) is not None:
            trace.structured(f"patient.{field}", name or record.name, place)
    if patient.birth_date is not None:
        trace.structured("patient.birth_date", record.birth_date or patient.id, place)
    if record.sex is not None:
        trace.structured("patient.sex", record.sex.name or record.sex.value, f"{place}/Sex")
    if patient.address is not None:
        trace.structured("patient.address", written_address(record.address), f"{place}/Address")


def written_address(address: PostalAddress | None) -> str | None:
    """An address on one line."""
    if address is None:
        return None
    city = " ".join(part for part in (address.postal_code, address.city) if part)
    return ", ".join(part for part in (address.street, city) if part) or None


def _trace_source(message: Message, summary: Summary, trace: Trace) -> None:
    source, head, places = summary.source, message.head, _places(message)
    root = message.content_root or places.head
    trace.structured("source.system", root, root, rule=f"adapter {source.system}")
    trace.structured("source.format", source.format, root)
    trace.structured("source.msg_type", head.msg_type.value, f"{places.head}/Type")
    trace.structured("source.msg_id", head.msg_id, f"{places.head}/MsgId")
    trace.structured("source.sent_at", head.generated_at, f"{places.head}/GenDate")
    if source.action is message.action and (coded := _CODED_ACTIONS.get(message.format)) is not None:
        trace.structured("source.action", source.action, coded)
    for field in ("conversation_id", "replaces"):
        trace.structured(f"source.{field}", getattr(source, field), places.conversation)
    _trace_participant("source.organisation", source.organisation, places.sender, trace)
    _trace_participant("source.unit", source.unit, places.unit, trace)


_CODED_ACTIONS = {
    **dict.fromkeys((Format.EPIKRISE_1_1, Format.EPIKRISE_1_2), "Message/ServRprt/ServType"),
    **dict.fromkeys((Format.PLO_1_5, Format.PLO_1_6), "InformasjonOmForsendelsen/Forsendelsesstatus"),
}
"""Where the formats that have a field for it tell a change and a cancellation"""


def _trace_participant(field: str, one: Participant, place: str, trace: Trace) -> None:
    words = " ".join(part for part in (one.name, one.her_id) if part)
    trace.structured(field, words, place)
