"""PLO 1.5 and 1.6, written: Utskrivningsrapport and Helseopplysninger (ved søknad).

Source: TverrfagligEpikrise and HelseopplysningerVedSoknad, versions 1.5 and 1.6, with poKomponent; HISD 1154.
"""

from __future__ import annotations

import uuid

from gateway.contracts.errors import FormatError
from gateway.contracts.messages import (
    CodedValue,
    CodeList,
    DiagnosisEntry,
    EventEntry,
    Format,
    Message,
    ProfessionalEntry,
    ProfessionalFunction,
    RelativeEntry,
    TextBlock,
)
from gateway.formats import codes, names
from gateway.formats import components_write as write
from gateway.formats.components_write import PLO
from gateway.formats.dialogmelding_write import REMARK
from gateway.formats.msghead_write import issue_time
from gateway.formats.times import is_timestamp
from gateway.formats.xml_writing import code, simple, text, value, wrap

DISCHARGE = "TverrfagligEpikrise"
HEALTH = "HelseopplysningerVedSoknad"
_CONTENTS = {
    DISCHARGE: codes.listed_code(CodeList.PLO_CONTENT_DISCHARGE, "11"),
    HEALTH: codes.listed_code(CodeList.PLO_CONTENT_HEALTH, "2"),
}
"""TypeInnhold where the message has none"""

_MEDICAL = "MedisinskfagligeOpplysninger"
_OTHER = "InfoAndreViktigeOpplysninger"
_NURSING = "Sykepleierdokumentasjon"
_JOURNAL = (
    ' xmlns:m1="http://www.kith.no/xmlstds/epj/meta/2008-02-20" m1:basiskomponenttype="EPJ dokument"'
    ' m1:komponenttype="2.16.578.1.12.4.1.6.13.11009.0" komponentID="{}"'
)
"""Attributes of epj2:GenereltJournalnotat: its type is fixed, its id is any string"""


def write_plo(message: Message) -> str:
    """The root of the PLO message, by `content_root` (else by MsgInfo/Type).

    What has no place must be said in the text: a professional without identifier, an event without time,
    and in Helseopplysninger ved søknad 1.5 the topic and every event.

    Raises:
        FormatError: it is another root, or the head has no time.
    """
    root = message.content_root or (
        HEALTH if message.head.msg_type.value == "HELSEOPPL_SOKNAD" else DISCHARGE
    )
    if root not in _CONTENTS:
        raise FormatError("This PLO message is not one that the gateway writes.")
    discharge = root == DISCHARGE
    application = not discharge and message.format is Format.PLO_1_5
    sections = _sections(message.texts, others=discharge)
    staff = message.professionals
    status = simple("Forsendelsesstatus", codes.SERVICE_TYPES[message.action])
    events = "" if application else "".join(_event(e) for e in message.events)
    if not events and root == HEALTH and not application:
        events = _event(EventEntry(description="Opplysningene er sendt", start=issue_time(message.head)))
    contents = (
        wrap("InformasjonOmForsendelsen", status),
        wrap("TilleggsopplysningPasient", simple("Sprak", message.language)),
        "".join(_relative(r) for r in message.relatives),
        "".join(_connected(p) for p in staff),
        "".join(_contact(p) for p in staff if p.function is not ProfessionalFunction.AUTHOR),
        "".join(_author(p) for p in staff if p.function is ProfessionalFunction.AUTHOR),
        "" if application else _content_type(message.topic, root),
        events,
        wrap("OpplysningerTilSoknad", text("EgensoknadSendt", "false")) if application else "",
        wrap("InfoMedisinskDiagnose", *(_diagnosis(d) for d in message.diagnoses)),
        _journal(_MEDICAL, sections[_MEDICAL], message.head.msg_id),
        _journal(_OTHER, sections[_OTHER], message.head.msg_id),
        wrap(
            _NURSING,
            wrap("InfoFraSykepleier", _journal_texts(sections[_NURSING])),
            "".join(
                wrap("IverksatteTiltak", wrap("Tiltaksbeskrivelse", code("IntervensjonTiltakKode", p.code)))
                for p in message.procedures
            ),
        ),
    )
    attributes = (
        f' xmlns:p="{names.plo_namespace(message.format, root)}"'
        f' xmlns="{names.plo_namespace(message.format, "poKomponent")}"'
        f' xmlns:fk1="{names.COMPONENTS}" xmlns:epj2="{names.KITH}/epj/epj2/2008-02-20"'
    )
    return wrap("p:" + root, *contents, attributes=attributes)


def _content_type(topic: CodedValue | None, root: str) -> str:
    return wrap("TypeInnholdIMelding", code("TypeInnhold", topic) or code("TypeInnhold", _CONTENTS[root]))


def _sections(texts: tuple[TextBlock, ...], *, others: bool) -> dict[str, list[TextBlock]]:
    """Where each text belongs: by the list of its heading, else where it stood, else with the nurse's."""
    found: dict[str, list[TextBlock]] = {_MEDICAL: [], _OTHER: [], _NURSING: []}
    for block in texts:
        code_list = block.heading.code_list if block.heading else None
        section = block.place.partition("/")[0]
        if section == _OTHER and not others:
            section = _MEDICAL
        if section not in found:
            section = _MEDICAL if code_list == CodeList.PLO_HEADING_MEDICAL else _NURSING
        found[section].append(block)
    return found


def _journal(section: str, texts: list[TextBlock], msg_id: str) -> str:
    """A section whose texts stand in a GenereltJournalnotat."""
    component = uuid.uuid5(uuid.NAMESPACE_URL, f"{msg_id}/{section}")
    note = wrap("epj2:GenereltJournalnotat", _journal_texts(texts), attributes=_JOURNAL.format(component))
    return wrap(section, note)


def _journal_texts(texts: list[TextBlock]) -> str:
    """A Journaltekst for each heading; a remark belongs to the text before it."""
    parts: list[str] = []
    for index, block in enumerate(texts):
        if block.place.endswith(REMARK) and index:
            continue
        note = text("epj2:Notat", block.text)
        if not note:
            continue
        following = texts[index + 1] if index + 1 < len(texts) else None
        remark = following.text if following is not None and following.place.endswith(REMARK) else None
        heading = code("epj2:Overskriftskode", block.heading)
        parts.append(wrap("epj2:Journaltekst", heading, note, text("epj2:Merknad", remark)))
    return "".join(parts)


def _event(entry: EventEntry) -> str:
    """OpplysningOpphold; an event without a time can not be written."""
    if not is_timestamp(entry.start):
        return ""
    happened = wrap(
        "TidsfestetHendelse",
        code("Hendelsekode", entry.code),
        text("BeskrivelseAvHendelse", entry.description),
        value("TidspunktForHendelse", entry.start),
        text("Anslag", "false"),
    )
    return wrap("OpplysningOpphold", happened)


def _diagnosis(entry: DiagnosisEntry) -> str:
    content = code("Diagnosekode", entry.code) + text("DiagnoseBeskrivelse", entry.description)
    if not content:
        return ""
    return wrap("MedisinskDiagnose", text("Hoveddiagnose", "true" if entry.main else "false"), content)


def _relative(entry: RelativeEntry) -> str:
    person = wrap("Referanseperson", write.person(PLO, entry.person))
    if not person:
        return ""
    return wrap(
        "ParorendeForesatt", simple("Slektskap", entry.relation), person, text("Merknad", entry.remark)
    )


def _connected(entry: ProfessionalEntry) -> str:
    if entry.unit is None or not write.unit_is_complete(entry.unit):
        return ""
    alone = not codes.complete(entry.person.identifiers)
    unit = wrap("Kontaktenhet", write.unit(PLO, entry.unit, type_first=True))
    return wrap("TilknyttetEnhet", unit, text("Merknad", entry.remark) if alone else "")


def _contact(entry: ProfessionalEntry) -> str:
    person = _professional("Kontaktperson", entry)
    return wrap("KontaktpersonHelsepersonell", person, text("Merknad", entry.remark)) if person else ""


def _author(entry: ProfessionalEntry) -> str:
    person = _professional("AnsvarligRapport", entry)
    return wrap("AnsvarForRapport", person, text("Merknad", entry.remark)) if person else ""


def _professional(tag: str, entry: ProfessionalEntry) -> str:
    """A HealthcareProfessional; the schema wants an identifier."""
    if not codes.complete(entry.person.identifiers):
        return ""
    return wrap(tag, write.person(PLO, entry.person, write.role_to_patient(entry)))
