"""Dialogmelding 1.0 and 1.1.

Source: dialogmelding.xsd (2006-10-11), dialogmelding-v1.1.xsd (2013-01-23, edited 2017); HIS 1077
(helsefaglig dialog).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.contracts.messages import (
    CodedValue,
    EventEntry,
    Format,
    Head,
    Message,
    Person,
    ProfessionalEntry,
    ProfessionalFunction,
    RelativeEntry,
    TextBlock,
)
from gateway.formats.components_read import read_person, read_unit
from gateway.formats.element_names import Element
from gateway.formats.xml_reading import Reader, place_of

AUTHOR = "1"
"""RolleNotat (9057): Forfatter"""
GP = "6"
"""RoleToPatient (9034): Fastlege"""
CONTACTS = frozenset(("9", "17", "18", "19", "21", "24"))
"""RoleToPatient (9034): Primærkontakt, Forløpskoordinator kreft, Koordinator, Kontaktlege,
Helsefaglig kontakt, Kontakt hos mottaker"""


@dataclass(slots=True)
class _Found:
    """What the notes and questions of one message say."""

    topic: CodedValue | None = None
    subject: str | None = None
    texts: list[TextBlock] = field(default_factory=list)
    events: list[EventEntry] = field(default_factory=list)
    relatives: list[RelativeEntry] = field(default_factory=list)
    professionals: list[ProfessionalEntry] = field(default_factory=list)


def read_dialogmelding(content: Element, head: Head, version: Format) -> Message:
    """Read the `Dialogmelding` element."""
    reader, found = Reader(), _Found()
    for note in reader.children(content, "Notat"):
        _note(reader, note, content, found)
    for question in reader.children(content, "Foresporsel"):
        _question(reader, question, content, found)
    return Message(
        format=version,
        head=head,
        content_root="Dialogmelding",
        topic=found.topic,
        subject=found.subject,
        texts=(*found.texts, *reader.unread(content, content)),
        relatives=tuple(found.relatives),
        professionals=tuple(found.professionals),
        events=tuple(found.events),
    )


def _note(reader: Reader, note: Element, top: Element, found: _Found) -> None:
    if found.topic is None:
        found.topic = reader.coded(note, "TemaKodet")
    if found.subject is None:
        found.subject = reader.text(note, "Tema")
    _rich(reader, reader.child(note, "TekstNotatInnhold"), top, found)
    _rich(reader, reader.child(note, "Merknad"), top, found)
    reader.skip(note, "DokIdNotat")
    written = reader.child(note, "DatoNotat")
    if written is not None:
        start = reader.text(note, "DatoNotat")
        found.events.append(
            EventEntry(description="Dato for notatet", start=start, place=place_of(written, top))
        )
    for question in reader.children(note, "Foresporsel"):
        _question(reader, question, top, found)
    _roles(reader, note, top, found)


def _question(reader: Reader, question: Element, top: Element, found: _Found) -> None:
    if found.topic is None:
        found.topic = reader.coded(question, "TypeForesp")
    if found.subject is None:
        found.subject = reader.text(question, "EmneSporsmal")
    _rich(reader, reader.child(question, "Sporsmal"), top, found)
    _rich(reader, reader.child(question, "Begrunnelse"), top, found)
    reader.skip(question, "DokIdForesp")
    _roles(reader, question, top, found)


def _rich(reader: Reader, element: Element | None, top: Element, found: _Found) -> None:
    text = reader.rich(element)
    if element is not None and text:
        found.texts.append(TextBlock(text=text, place=place_of(element, top)))


def _roles(reader: Reader, parent: Element, top: Element, found: _Found) -> None:
    """RollerRelatertNotat: 1.0 has the person directly, 1.1 may have it below a unit as well."""
    for entry in reader.children(parent, "RollerRelatertNotat"):
        in_note, role = reader.coded(entry, "RolleNotat"), reader.coded(entry, "RoleToPatient")
        connected = reader.child(entry, "TilknyttetEnhet")
        contact = reader.child(connected, "Kontaktenhet")
        unit = None if contact is None else read_unit(reader, contact)
        remark = reader.text(connected, "Merknad")
        place = place_of(entry, top)
        people = [
            read_person(reader, element, role)
            for holder in (entry, connected)
            for element in reader.children(holder, "HealthcareProfessional")
        ]
        if unit is not None and not people:
            people = [Person(role=role)]
        found.professionals.extend(
            ProfessionalEntry(
                function=_function(in_note, person.role), person=person, unit=unit, remark=remark, place=place
            )
            for person in people
        )
        found.relatives.extend(
            RelativeEntry(relation=role, person=read_person(reader, element), remark=remark, place=place)
            for holder in (entry, connected)
            for element in reader.children(holder, "Person")
        )


def _function(in_note: CodedValue | None, role: CodedValue | None) -> ProfessionalFunction:
    if in_note is not None and in_note.value == AUTHOR:
        return ProfessionalFunction.AUTHOR
    if role is not None and role.value == GP:
        return ProfessionalFunction.GP
    if role is not None and role.value in CONTACTS:
        return ProfessionalFunction.CONTACT
    return ProfessionalFunction.OTHER
