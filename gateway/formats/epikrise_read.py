"""Epikrise 1.1 and 1.2: a `Message` with sender, receivers and patient of its own.

Source: Epikrise-v1.1.xsd, Epikrise-v1.2.xsd; HIS 80226 (ServProvider sends, Requester is the primary
receiver, CopyDest gets a copy); HISD 1154 (ServProvId is the same in the new, the changed and the cancelled
version).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.contracts.messages import (
    Attachment,
    CodedValue,
    DiagnosisEntry,
    EventEntry,
    Format,
    Head,
    Identifier,
    Message,
    Party,
    PatientRecord,
    Person,
    ProcedureEntry,
    ProfessionalEntry,
    ProfessionalFunction,
    Receiver,
    RelativeEntry,
    TextBlock,
    Unit,
)
from gateway.contracts.summary import Action
from gateway.contracts.values import replace
from gateway.formats import hcp_read
from gateway.formats.element_names import Element
from gateway.formats.msghead_read import read_attachment
from gateway.formats.plo_read import ACTIONS
from gateway.formats.times import read_time
from gateway.formats.xml_reading import Reader, place_of

MAIN_DIAGNOSIS = "H"
DIAGNOSES = frozenset((MAIN_DIAGNOSIS, "B", "ART"))
"""InfItem/Type (8233): hoveddiagnose, bidiagnose, andre relevante tilstander"""
PROCEDURES = frozenset(("MPRS", "OPIN", "PRS"))
"""InfItem/Type (8233): medisinsk prosedyre, operasjon/inngrep, andre prosedyrer"""
GP = "FLE"
AUTHOR = "AHP"
"""Relation: fastlege, ansvarlig helsepersonell"""


def read_epikrise_head(message: Element, reader: Reader | None = None) -> Head:
    """The head; what is missing stays empty."""
    reader = reader or Reader()
    report = reader.child(message, "ServRprt")
    generated = reader.value(message, "GenDate") or ""
    patient = reader.child(report, "Patient")
    reader.skip(message, "MIGversion", "MsgVersion")
    reader.skip(report, "IssueDate", "ApprDate", "Status", "Priority")
    return Head(
        msg_type=reader.coded(message, "Type") or CodedValue(),
        msg_id=reader.text(message, "MsgId") or "",
        generated_at=generated,
        sent_at=read_time(generated),
        document_id=reader.text(report, "ServProvId"),
        processing_status=reader.coded(message, "Status"),
        ack=reader.coded(report, "Ack"),
        sender=_sender(reader, report),
        receivers=_receivers(reader, report),
        patient=None if patient is None else _patient(reader, patient),
    )


def read_epikrise(message: Element, version: Format) -> Message:
    """Read the `Message` element, head and content.

    Raises:
        FormatError: an attachment is not base64.
    """
    reader, found = Reader(), _Found(top=message)
    head = read_epikrise_head(message, reader)
    report = reader.child(message, "ServRprt")
    service = reader.coded(report, "ServType")
    subject = reader.text(report, "MsgDescr")
    for event in reader.children(report, "Event"):
        _event(reader, event, found)
    for request in reader.children(report, "ServReq"):
        reader.skip(request, "ServType", "IssueDate", "ReceiptDate", "Id")
        _comments(reader, request, "ReasonAsText", found)
    patient = reader.child(report, "Patient")
    _relatives(reader, patient, found)
    _professionals(reader, patient, "PatRelHCP", found)
    _professionals(reader, report, "RelServProvider", found)
    for reference in reader.children(report, "RefDoc"):
        attachment = read_attachment(reader, reference)
        if attachment is not None:
            found.attachments.append(attachment)
    return Message(
        format=version,
        head=head,
        action=ACTIONS.get((service.value if service else None) or "", Action.NEW),
        content_root="Message",
        subject=subject,
        texts=(*found.texts, *reader.unread(message, message)),
        diagnoses=tuple(found.diagnoses),
        procedures=tuple(found.procedures),
        relatives=tuple(found.relatives),
        professionals=tuple(found.professionals),
        events=tuple(found.events),
        attachments=tuple(found.attachments),
    )


@dataclass(slots=True)
class _Found:
    """What the events and the patient's surroundings say."""

    top: Element
    texts: list[TextBlock] = field(default_factory=list)
    diagnoses: list[DiagnosisEntry] = field(default_factory=list)
    procedures: list[ProcedureEntry] = field(default_factory=list)
    relatives: list[RelativeEntry] = field(default_factory=list)
    professionals: list[ProfessionalEntry] = field(default_factory=list)
    events: list[EventEntry] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)


def _sender(reader: Reader, report: Element | None) -> Party | None:
    provider = reader.child(report, "ServProvider")
    reader.skip(provider, "Role", "ComMethod")
    return hcp_read.read_party(reader, provider)


def _receivers(reader: Reader, report: Element | None) -> tuple[Receiver, ...]:
    found: list[Receiver] = []
    for name, copy in (("Requester", False), ("CopyDest", True)):
        for element in reader.children(report, name):
            reader.skip(element, "ComMethod", "CopyDestRole")
            role = reader.coded(element, "Role")
            party = hcp_read.read_party(reader, element)
            if party is not None:
                found.append(Receiver(party=party, copy=copy, role=role))
    return tuple(found)


def _patient(reader: Reader, patient: Element) -> PatientRecord:
    """Patient: one name, an official identifier, and others besides."""
    reader.skip(patient, "IdByServProvider", "IdByRequester")
    number, kind = reader.text(patient, "OffId"), reader.coded(patient, "TypeOffId")
    official: tuple[Identifier, ...] = ()
    if number is not None or kind is not None:
        kind = kind or CodedValue()
        official = (Identifier(id=number or "", type=kind.value or "", type_name=kind.name),)
    address, telecoms = hcp_read.read_contact(reader, patient)
    return PatientRecord(
        name=reader.text(patient, "Name"),
        birth_date=reader.value(patient, "DateOfBirth"),
        sex=reader.coded(patient, "Sex"),
        identifiers=official + hcp_read.read_additional(reader, patient),
        address=address,
        telecoms=telecoms,
    )


def _event(reader: Reader, event: Element, found: _Found) -> None:
    """Event, with the events in it."""
    reader.skip(event, "ServType", "Id")
    reported, planned = reader.child(event, "ReportedEvent"), reader.child(event, "PlannedEvent")
    start = reader.value(reported, "StartDateTime") or reader.value(planned, "ScheduledDate")
    end = reader.value(reported, "EndDateTime")
    code = reader.coded(reader.child(event, "Service"), "AdmCat")
    if start is not None or end is not None or code is not None:
        found.events.append(EventEntry(code=code, start=start, end=end, place=place_of(event, found.top)))
    for item in reader.children(event, "InfItem"):
        _item(reader, item, found)
    _comments(reader, event, "Comment", found)
    _professionals(reader, event, "RelServProvider", found)
    for inner in reader.children(event, "Event"):
        _event(reader, inner, found)


def _comments(reader: Reader, parent: Element, name: str, found: _Found) -> None:
    for comment in reader.children(parent, name):
        heading = reader.coded(comment, "Heading")
        for element in reader.children(comment, "TextResultValue"):
            text = reader.rich(element)
            if text:
                place = place_of(element, found.top)
                found.texts.append(TextBlock(text=text, heading=heading, place=place))


def _item(reader: Reader, item: Element, found: _Found) -> None:
    """InfItem: a coded diagnosis or procedure, or words under the name of their type."""
    kind = reader.coded(item, "Type")
    type_code = kind.value if kind else None
    observation = reader.child(item, "Observation")
    described = reader.child(observation, "CodedDescr")
    place = place_of(item, found.top)
    if type_code in DIAGNOSES:
        code, words = (
            reader.coded(described, "Concept"),
            reader.rich(reader.child(observation, "Description")),
        )
        if code is not None or words is not None:
            main = type_code == MAIN_DIAGNOSIS
            found.diagnoses.append(DiagnosisEntry(code=code, main=main, description=words, place=place))
    elif type_code in PROCEDURES:
        code = reader.coded(described, "Concept")
        if code is not None:
            found.procedures.append(ProcedureEntry(code=code, place=place))
    found.texts.extend(reader.unread(item, found.top, kind))


def _relatives(reader: Reader, patient: Element | None, found: _Found) -> None:
    for party in reader.children(patient, "PatientRelParty"):
        number = reader.text(party, "RelPartyOffId")
        address, telecoms = hcp_read.read_contact(reader, party)
        person = Person(
            name=reader.text(party, "Name"),
            identifiers=(Identifier(id=number, type=""),) if number else (),
            address=address,
            telecoms=telecoms,
        )
        relation = reader.coded(party, "Relation")
        place = place_of(party, found.top)
        found.relatives.append(RelativeEntry(relation=relation, person=person, place=place))


def _professionals(reader: Reader, parent: Element | None, name: str, found: _Found) -> None:
    """PatRelHCP and RelServProvider; the relation stands as the person's role."""
    for element in reader.children(parent, name):
        relation = reader.coded(element, "Relation")
        reader.skip(element, "Role")
        party = hcp_read.read_party(reader, element)
        if party is None:
            continue
        unit = party.unit or (None if party.organisation == Unit() else party.organisation)
        person = replace(party.person or Person(), role=relation)
        code = relation.value if relation else None
        function = {GP: ProfessionalFunction.GP, AUTHOR: ProfessionalFunction.AUTHOR}.get(
            code or "", ProfessionalFunction.OTHER
        )
        place = place_of(element, found.top)
        found.professionals.append(
            ProfessionalEntry(function=function, person=person, unit=unit, place=place)
        )
