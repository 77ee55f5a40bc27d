"""Pleie- og omsorgsmeldinger (PLO) 1.5 and 1.6, whatever their root.

Source: poKomponent-v1.5.xsd, poKomponent-v1.6.xsd and the message schemas; HISD 1154 (change, cancellation).
"""

from __future__ import annotations

from gateway.contracts.messages import (
    CodedValue,
    DiagnosisEntry,
    EventEntry,
    Format,
    Head,
    Message,
    Person,
    ProcedureEntry,
    ProfessionalEntry,
    ProfessionalFunction,
    RelativeEntry,
    TextBlock,
)
from gateway.contracts.summary import Action
from gateway.formats.components_read import read_person, read_unit
from gateway.formats.dialogmelding_read import GP
from gateway.formats.element_names import Element, local_name
from gateway.formats.xml_reading import Reader, attribute, coded_of, place_of, string_of

ACTIONS = {"N": Action.NEW, "M": Action.CHANGE, "C": Action.CANCEL}
"""Tjenestetype (7309)"""


_ENTRIES = {
    "Journaltekst": "text",
    "MedisinskDiagnose": "diagnosis",
    "IntervensjonTiltakKode": "procedure",
    "TidsfestetHendelse": "event",
    "FellesinfoKontaktepisode": "event",
    "ParorendeForesatt": "relative",
    "TilknyttetEnhet": "professional",
    "KontaktpersonHelsepersonell": "professional",
    "AnsvarForRapport": "professional",
    "Ansvarlig": "professional",
    "BehovTolkSprak": "language",
}
"""What is read wherever it stands: name of the element, and what it tells of"""
_TAGS = tuple("{*}" + name for name in _ENTRIES)

_Entries = dict[str, list[Element]]


def _entries(content: Element) -> _Entries:
    """The elements of `_ENTRIES` in the order of the message, found in one pass."""
    found: _Entries = {kind: [] for kind in _ENTRIES.values()}
    for element in content.iterdescendants(*_TAGS):
        found[_ENTRIES[local_name(element)]].append(element)
    return found


def read_plo(content: Element, head: Head, version: Format) -> Message:
    """Read the root of a PLO message (`TverrfagligEpikrise`, `HelseopplysningerVedSoknad`, …)."""
    reader, found = Reader(), _entries(content)
    status = reader.coded(reader.child(content, "InformasjonOmForsendelsen"), "Forsendelsesstatus")
    topic = reader.coded(reader.child(content, "TypeInnholdIMelding"), "TypeInnhold")
    texts = _texts(reader, content, found)
    diagnoses = _diagnoses(reader, content, found)
    procedures = _procedures(reader, content, found)
    events = _events(reader, content, found)
    relatives = _relatives(reader, content, found)
    professionals = _professionals(reader, content, found)
    language, language_place = _language(reader, content, found)
    sent = reader.child(content, "OpplysningerTilSoknad", "EgensoknadSendt")
    if string_of(sent) == "false":
        reader.done(sent)
    return Message(
        format=version,
        head=head,
        action=ACTIONS.get((status.value if status else None) or "", Action.NEW),
        content_root=local_name(content),
        topic=topic,
        texts=(*texts, *reader.unread(content, content)),
        diagnoses=diagnoses,
        procedures=procedures,
        relatives=relatives,
        professionals=professionals,
        events=events,
        language=language,
        language_place=language_place,
    )


def _texts(reader: Reader, content: Element, entries: _Entries) -> tuple[TextBlock, ...]:
    """Every Journaltekst, wherever it stands: its note, then the remark on it."""
    found: list[TextBlock] = []
    for entry in entries["text"]:
        heading = reader.coded(entry, "Overskriftskode")
        for name in ("Notat", "Merknad"):
            for element in reader.children(entry, name):
                text = reader.rich(element)
                if text:
                    found.append(TextBlock(text=text, heading=heading, place=place_of(element, content)))
    return tuple(found)


def _diagnoses(reader: Reader, content: Element, entries: _Entries) -> tuple[DiagnosisEntry, ...]:
    found: list[DiagnosisEntry] = []
    for entry in entries["diagnosis"]:
        main = reader.text(entry, "Hoveddiagnose")
        code, description = reader.coded(entry, "Diagnosekode"), reader.text(entry, "DiagnoseBeskrivelse")
        if code is not None or description is not None:
            found.append(
                DiagnosisEntry(
                    code=code,
                    main=main in ("true", "1"),
                    description=description,
                    place=place_of(entry, content),
                )
            )
    return tuple(found)


def _procedures(reader: Reader, content: Element, entries: _Entries) -> tuple[ProcedureEntry, ...]:
    found: list[ProcedureEntry] = []
    for element in entries["procedure"]:
        reader.done(element)
        code = coded_of(element)
        if code is not None:
            found.append(ProcedureEntry(code=code, place=place_of(element, content)))
    return tuple(found)


def _events(reader: Reader, content: Element, entries: _Entries) -> tuple[EventEntry, ...]:
    found: list[EventEntry] = []
    for entry in entries["event"]:
        reader.skip(entry, "Anslag")
        found.append(
            EventEntry(
                code=reader.coded(entry, "Hendelsekode") or reader.coded(entry, "Kontakttype"),
                description=reader.text(entry, "BeskrivelseAvHendelse"),
                start=reader.value(entry, "TidspunktForHendelse") or reader.value(entry, "KontaktStartet"),
                end=reader.value(entry, "KontaktAvsluttet"),
                place=place_of(entry, content),
            )
        )
    return tuple(found)


def _relatives(reader: Reader, content: Element, entries: _Entries) -> tuple[RelativeEntry, ...]:
    found: list[RelativeEntry] = []
    for entry in entries["relative"]:
        person = reader.child(entry, "Referanseperson")
        found.append(
            RelativeEntry(
                relation=reader.coded(entry, "Slektskap"),
                person=Person() if person is None else read_person(reader, person),
                remark=reader.text(entry, "Merknad"),
                place=place_of(entry, content),
            )
        )
    return tuple(found)


def _professionals(reader: Reader, content: Element, entries: _Entries) -> tuple[ProfessionalEntry, ...]:
    """Everybody named with a task: persons, and units to turn to."""
    found: list[ProfessionalEntry] = []
    for entry in entries["professional"]:
        person, unit = None, None
        for element in entry.iterchildren("*"):
            name = local_name(element)
            if name in ("Kontaktperson", "AnsvarligRapport", "AnsvarligTjenesteyter"):
                person = read_person(reader, element)
            elif name in ("Kontaktenhet", "Virksomhet"):
                unit = read_unit(reader, element)
        person = person or Person()
        if person == Person() and unit is None:
            continue
        found.append(
            ProfessionalEntry(
                function=_function(local_name(entry), person.role),
                person=person,
                unit=unit,
                remark=reader.text(entry, "Merknad"),
                place=place_of(entry, content),
            )
        )
    return tuple(found)


def _function(entry: str, role: CodedValue | None) -> ProfessionalFunction:
    if entry == "AnsvarForRapport":
        return ProfessionalFunction.AUTHOR
    if role is not None and role.value == GP:
        return ProfessionalFunction.GP
    return (
        ProfessionalFunction.CONTACT if entry == "KontaktpersonHelsepersonell" else ProfessionalFunction.OTHER
    )


def _language(reader: Reader, content: Element, entries: _Entries) -> tuple[CodedValue | None, str]:
    """The language an interpreter is asked for, else the patient's language; with its place."""
    for asked in entries["language"]:
        if attribute(asked, "V") or attribute(asked, "DN"):
            reader.done(asked)
            return coded_of(asked), place_of(asked, content)
    spoken = reader.coded(reader.child(content, "TilleggsopplysningPasient"), "Sprak")
    return spoken, "TilleggsopplysningPasient/Sprak" if spoken is not None else ""
