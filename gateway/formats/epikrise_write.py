"""Epikrise 1.1 and 1.2, written.

Source: Epikrise-v1.1.xsd, Epikrise-v1.2.xsd; HIS 80226; HISD 1154.
"""

from __future__ import annotations

from gateway.contracts.errors import FormatError
from gateway.contracts.messages import (
    CodedValue,
    EventEntry,
    Format,
    Message,
    Party,
    PatientRecord,
    ProfessionalEntry,
    ProfessionalFunction,
    Receiver,
    RelativeEntry,
    TextBlock,
    Unit,
)
from gateway.formats import codes, hcp_write, names
from gateway.formats.dialogmelding_write import under_heading
from gateway.formats.msghead_write import attached, issue_time
from gateway.formats.times import is_later, is_timestamp
from gateway.formats.xml_writing import DECLARATION, code, escaped, simple, text, value, wrap

_LIST = "2.16.578.1.12.4.1.1."
_HEADINGS, _CARE_LEVELS = _LIST + "8311", _LIST + "8240"
_TYPE = codes.simple_code("8279", "EPIKRISE")
_FINAL = simple("Status", codes.simple_code("7306", "F"))
_CONSULTATION = codes.simple_code("8240", "5")
_NEW = simple("ServType", codes.simple_code("7309", "N"))
_TEST = codes.simple_code("8323", "TEST")
_STATUSES = {
    "D": _TEST,
    "T": _TEST,
    "TEST": _TEST,
    "APR": codes.simple_code("8323", "APR"),
    "NAPR": codes.simple_code("8323", "NAPR"),
}
"""Message/Status (8323, version 1.2), also from the ProcessingStatus of a MsgHead (8113)"""

_MAIN = simple("Type", codes.simple_code("8233", "H"))
_FURTHER = simple("Type", codes.simple_code("8233", "B"))
_PROCEDURE = simple("Type", codes.simple_code("8233", "MPRS"))
_PROVIDER = simple("Role", CodedValue(value="SPR", name="Tjenesteyter"))
_REQUESTER = simple("Role", CodedValue(value="REQ", name="Rekvirent"))
_COPY = simple("Role", codes.COPY_RECEIVER)
_ELECTRONIC = simple("ComMethod", CodedValue(value="EDI", name="EDI"))
_GP = CodedValue(value="FLE", name="Fastlege")
_AUTHOR = CodedValue(value="AHP", name="Ansvarlig helsepersonell")
_REFERRER = "HHE"
_RELATIVE = CodedValue(name="Pårørende")


def write_epikrise(message: Message) -> str:
    """The `Message` element.

    The primary receiver is the Requester. Texts, diagnoses and procedures stand in the first event; where the
    message has no event, it is a consultation at the time of the message. What has no place (remarks, the
    language) must be said in the text.

    Raises:
        FormatError: the head lacks what every epikrise has.
    """
    head = message.head
    made_at = issue_time(head)
    primary = head.primary
    sender = "" if head.sender is None else _party(head.sender, message)
    requester = "" if primary is None else _party(primary.party, message)
    patient = "" if head.patient is None else _patient(head.patient, message)
    if not (sender and requester and patient and head.msg_id.strip()):
        raise FormatError("An epikrise needs an id, a sender, a primary receiver and a patient.")
    report = wrap(
        "ServRprt",
        simple("ServType", codes.SERVICE_TYPES[message.action]),
        value("IssueDate", made_at),
        _FINAL,
        simple("Ack", head.ack),
        text("MsgDescr", message.subject) or text("MsgDescr", "Epikrise"),
        text("ServProvId", head.document_id),
        _events(message, made_at),
        wrap("Patient", patient),
        wrap("ServProvider", _PROVIDER, _ELECTRONIC, sender),
        "".join(_copy(r, message) for r in head.receivers if r is not primary),
        wrap("Requester", _REQUESTER, _ELECTRONIC, requester),
        "".join(_related("RelServProvider", p, message) for p in message.professionals if not _of_patient(p)),
        "".join(attached(a) for a in message.attachments),
    )
    status = _STATUSES.get((head.processing_status or CodedValue()).value or "")
    return wrap(
        "Message",
        simple("Type", head.msg_type) or simple("Type", _TYPE),
        text("MIGversion", names.VERSIONS[message.format]),
        value("GenDate", made_at),
        text("MsgId", head.msg_id),
        simple("Status", status) if message.format is Format.EPIKRISE_1_2 else "",
        report,
        attributes=f' xmlns="{names.EPIKRISE[message.format]}"',
    )


def write_epikrise_document(message: Message) -> bytes:
    """The epikrise as a message of its own, UTF-8 XML.

    Raises:
        FormatError: the head lacks what every epikrise has.
    """
    return (DECLARATION + write_epikrise(message)).encode()


def _party(party: Party, message: Message) -> str:
    return hcp_write.party(party, persons_last=False, unit_type=message.format is Format.EPIKRISE_1_1)


def _copy(receiver: Receiver, message: Message) -> str:
    party = _party(receiver.party, message)
    if not party:
        raise FormatError("A copy receiver needs a name or an identifier.")
    return wrap("CopyDest", _COPY, party)


def _patient(patient: PatientRecord, message: Message) -> str:
    """The children of Patient; the first identifier is the official one."""
    name = patient.name
    if name is None:
        given = " ".join(n.strip() for n in (patient.given_name, patient.middle_name) if n and n.strip())
        name = ", ".join(n for n in ((patient.family_name or "").strip(), given) if n)
    official = codes.complete(patient.identifiers)
    return (
        simple("Sex", patient.sex)
        + (value("DateOfBirth", patient.birth_date) if is_timestamp(patient.birth_date) else "")
        + text("Name", name)
        + (text("OffId", official[0].id) if official else "")
        + (simple("TypeOffId", codes.type_of(official[0], with_list=False)) if official else "")
        + "".join(_relative(r) for r in message.relatives)
        + "".join(_related("PatRelHCP", p, message) for p in message.professionals if _of_patient(p))
        + hcp_write.additional(official[1:])
        + hcp_write.address(patient.address, patient.telecoms, hcp_write.HOME)
    )


def _events(message: Message, made_at: str) -> str:
    events = message.events or (EventEntry(),)
    content = (
        "".join(_diagnosis(d.code, d.description, main=d.main) for d in message.diagnoses)
        + "".join(wrap("InfItem", _observation("", p.code), _PROCEDURE) for p in message.procedures)
        + "".join(_comment(block) for block in message.texts)
    )
    return "".join(
        _event(event, number, made_at, content if number == 1 else "", message.format)
        for number, event in enumerate(events, 1)
    )


def _event(event: EventEntry, number: int, made_at: str, content: str, version: Format) -> str:
    level = event.code
    if level is None or level.code_list not in (None, _CARE_LEVELS):
        level = _CONSULTATION
    start = event.start if is_timestamp(event.start) else made_at
    end = event.end if is_later(event.end, start) else None
    times = value("StartDateTime", start) + value("EndDateTime", end)
    return wrap(
        "Event",
        wrap("ReportedEvent", times),
        _NEW,
        text("Id", str(number)) if version is Format.EPIKRISE_1_1 else "",
        wrap("Service", simple("AdmCat", level) or simple("AdmCat", _CONSULTATION)),
        content,
    )


def _diagnosis(concept: CodedValue | None, description: str | None, *, main: bool) -> str:
    observation = _observation(formatted("Description", description or ""), concept)
    return wrap("InfItem", observation, _MAIN if main else _FURTHER) if observation else ""


def _observation(description: str, concept: CodedValue | None) -> str:
    return wrap("Observation", description, wrap("CodedDescr", code("Concept", concept)))


def _comment(block: TextBlock) -> str:
    """Comment; a heading of another list than 8311 stands as the first line of the text."""
    heading, words = block.heading, block.text
    if heading is not None and heading.code_list not in (None, _HEADINGS):
        heading, words = None, under_heading(block)
    content = formatted("TextResultValue", words)
    return wrap("Comment", simple("Heading", heading), content) if content else ""


def formatted(tag: str, words: str) -> str:
    """Text as xhtml, line breaks as `br`."""
    lines = escaped(words).strip().split("\n")
    content = "<br/>".join(line.strip() for line in lines)
    if not content:
        return ""
    return f'<{tag}><div xmlns="http://www.w3.org/1999/xhtml"><p>{content}</p></div></{tag}>'


def _relative(entry: RelativeEntry) -> str:
    person = entry.person
    name, where = (
        text("Name", person.full_name),
        hcp_write.address(person.address, person.telecoms, hcp_write.HOME),
    )
    if not name and not where:
        return ""
    number = next((text("RelPartyOffId", i.id) for i in person.identifiers if i.id.strip()), "")
    relation = simple("Relation", entry.relation) or simple("Relation", _RELATIVE)
    return wrap("PatientRelParty", relation, name, number, where)


def _of_patient(entry: ProfessionalEntry) -> bool:
    """Whether a professional stands with the patient (PatRelHCP), or with the report (RelServProvider)."""
    role = entry.person.role
    return entry.function is ProfessionalFunction.GP or (role is not None and role.value == _REFERRER)


def _related(tag: str, entry: ProfessionalEntry, message: Message) -> str:
    party = _party(Party(organisation=entry.unit or Unit(), person=entry.person), message)
    return wrap(tag, simple("Relation", _relation(entry)), party) if party else ""


def _relation(entry: ProfessionalEntry) -> CodedValue:
    """Relation: a role of another list than the epikrise's own goes by its text."""
    if entry.function is ProfessionalFunction.GP:
        return _GP
    if entry.function is ProfessionalFunction.AUTHOR:
        return _AUTHOR
    role = entry.person.role
    if role is None:
        return CodedValue(name="Kontaktperson")
    return role if role.code_list is None else CodedValue(name=role.name or role.value)
