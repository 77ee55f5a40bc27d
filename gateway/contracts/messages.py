"""A message as it was written, whatever its format: what formats read and write, adapters and renderings use.

Nothing here is interpreted: telephone numbers, names and codes stand as in the message. The two envelope
kinds (MsgHead; epikrise `Message`) give the same `Head`.
"""

from __future__ import annotations

from dataclasses import field
from datetime import datetime
from enum import StrEnum

from gateway.contracts.summary import Action
from gateway.contracts.values import value


class Format(StrEnum):
    """Message formats by name and version."""

    PLO_1_5 = "plo-1.5"
    PLO_1_6 = "plo-1.6"
    EPIKRISE_1_1 = "epikrise-1.1"
    EPIKRISE_1_2 = "epikrise-1.2"
    DIALOGMELDING_1_0 = "dialogmelding-1.0"
    DIALOGMELDING_1_1 = "dialogmelding-1.1"
    SUMMARY_1 = "summary-1"
    APPREC_1_0 = "apprec-1.0"
    APPREC_1_1 = "apprec-1.1"


class CodeList:
    """OIDs of the code lists that the gateway reads or writes."""

    _BASE = "2.16.578.1.12.4.1.1."
    ORGANISATION_IDENTIFIERS = _BASE + "9051"
    PERSON_IDENTIFIERS = _BASE + "8116"
    ROLE_TO_PATIENT = _BASE + "9034"
    ROLE_IN_NOTE = _BASE + "9057"
    ICD_10 = _BASE + "7110"
    ICPC_2 = _BASE + "7170"
    DIALOGUE_TOPIC_FREE = _BASE + "7321"
    DIALOGUE_TOPIC_CLINICAL = _BASE + "7322"
    DIALOGUE_TOPIC_ANSWER = _BASE + "9069"
    DIALOGUE_TOPIC_DEVIATION = _BASE + "8117"
    PLO_CONTENT_DISCHARGE = _BASE + "9139"
    PLO_CONTENT_HEALTH = _BASE + "9140"
    PLO_HEADING_NURSING = _BASE + "9141"
    PLO_HEADING_MEDICAL = _BASE + "9142"
    PLO_HEADING_HEALTH = _BASE + "9145"
    PROCEDURES = _BASE + "7275"


@value
class CodedValue:
    """CS or CV of the health messages."""

    value: str | None = None
    """V"""
    code_list: str | None = None
    """S: an OID (CV only)"""
    name: str | None = None
    """DN"""
    original_text: str | None = None
    """OT"""


@value
class Identifier:
    """Ident: an id with its type."""

    id: str
    type: str
    """V of TypeId: HER, ENH, RSH, HPR, FNR, DNR, …; stripped of white space"""
    type_name: str | None = None
    """DN of TypeId"""
    code_list: str | None = None
    """S of TypeId: …9051 (organisations), …8116 (persons); missing in epikrise and AppRec"""


def identifier(identifiers: tuple[Identifier, ...], kind: str) -> str | None:
    """The first identifier of a kind (key on V alone: a person's HER-id stands under either OID)."""
    for each in identifiers:
        if each.type == kind and (number := each.id.strip()):
            return number
    return None


@value
class PostalAddress:
    """Address."""

    type: CodedValue | None = None
    street: str | None = None
    postal_code: str | None = None
    city: str | None = None
    municipality: CodedValue | None = None
    """County: kommune code by SSB's list (a bydel code of six digits occurs)"""
    city_district: CodedValue | None = None
    """CityDistr (epikrise, AppRec): bydel"""


@value
class Telecom:
    """TeleCom, or a TeleAddress of an epikrise address."""

    address: str
    """V as written: `tel:90000001`, `mailto:…`"""
    type: CodedValue | None = None
    """MC mobile, HP home, WP work, …"""


@value
class Unit:
    """An organisation, or a part of one."""

    name: str | None = None
    type: CodedValue | None = None
    identifiers: tuple[Identifier, ...] = ()
    address: PostalAddress | None = None
    telecoms: tuple[Telecom, ...] = ()

    @property
    def her_id(self) -> str | None:
        """The HER-id, without the dots and blanks that old messages hold."""
        return _number(self.identifiers, "HER")

    @property
    def org_no(self) -> str | None:
        """The organisation number (ENH), digits only."""
        return _number(self.identifiers, "ENH")


def _number(identifiers: tuple[Identifier, ...], kind: str) -> str | None:
    """The digits of the first identifier of a kind."""
    written = identifier(identifiers, kind)
    if written is None or written.isdigit():
        return written
    return "".join(c for c in written if c.isdigit()) or None


@value
class Person:
    """A person in or around the message: health personnel, a relative, the patient's GP."""

    family_name: str | None = None
    middle_name: str | None = None
    given_name: str | None = None
    name: str | None = None
    """The whole name, where the format has one string only (epikrise, AppRec)."""
    type: CodedValue | None = None
    """Category of health personnel (9060): SP nurse, LE doctor, …"""
    role: CodedValue | None = None
    """RoleToPatient (9034): 6 Fastlege, 17 Forløpskoordinator kreft, …"""
    birth_date: str | None = None
    sex: CodedValue | None = None
    identifiers: tuple[Identifier, ...] = ()
    address: PostalAddress | None = None
    telecoms: tuple[Telecom, ...] = ()

    @property
    def her_id(self) -> str | None:
        """The HER-id, digits only."""
        return _number(self.identifiers, "HER")

    @property
    def hpr(self) -> str | None:
        """The HPR number as a number: without leading zeros."""
        digits = _number(self.identifiers, "HPR")
        return digits.lstrip("0") or None if digits else None

    @property
    def full_name(self) -> str | None:
        """Given, middle and family name in one string."""
        parts = (self.given_name, self.middle_name, self.family_name)
        return self.name or " ".join(p.strip() for p in parts if p and p.strip()) or None


@value
class Party:
    """A communication party on two levels: enterprise, and service or person (HIS 1153-2, AD2.2-AD2.8)."""

    organisation: Unit = Unit()
    """MsgHead Organisation; epikrise Inst (or empty for a bare HCProf)"""
    unit: Unit | None = None
    """MsgHead Organisation/Organisation; epikrise Inst/Dept"""
    person: Person | None = None
    """HealthcareProfessional of the organisation; epikrise Inst/HCPerson or HCProf"""

    @property
    def her_id(self) -> str | None:
        """The HER-id of the communication party: the lower level, where there is one."""
        for level in (self.unit, self.person, self.organisation):
            if level is not None and (number := level.her_id):
                return number
        return None

    @property
    def her_ids(self) -> tuple[str, ...]:
        """Every HER-id of the party, lowest level first."""
        levels = (self.unit, self.person, self.organisation)
        return tuple([number for level in levels if level is not None and (number := level.her_id)])

    @property
    def identifiable(self) -> bool:
        """Whether anything says who this is."""
        levels = (self.unit, self.person, self.organisation)
        return any(i.id.strip() for level in levels if level is not None for i in level.identifiers)


@value
class Receiver:
    """A receiver that the message names."""

    party: Party
    copy: bool = False
    """Copy receiver (COP): OtherReceiver; epikrise CopyDest"""
    role: CodedValue | None = None
    """RoleReceiver (8112), epikrise Role"""


@value
class PatientRecord:
    """The patient as the envelope gives it."""

    family_name: str | None = None
    middle_name: str | None = None
    given_name: str | None = None
    name: str | None = None
    """The whole name where the format has one string (epikrise: `Danser, Line`)."""
    birth_date: str | None = None
    """As written: xs:date, or TS"""
    sex: CodedValue | None = None
    identifiers: tuple[Identifier, ...] = ()
    address: PostalAddress | None = None
    telecoms: tuple[Telecom, ...] = ()


@value
class Conversation:
    """ConversationRef."""

    parent: str
    """RefToParent: MsgId of the message that is answered, changed or cancelled"""
    root: str
    """RefToConversation: MsgId of the first message of the conversation"""


@value
class Head:
    """Who sends what to whom about which patient."""

    msg_type: CodedValue
    msg_id: str
    generated_at: str
    """GenDate as written"""
    sent_at: datetime | None
    """GenDate with zone (Europe/Oslo where none is given); None where it is no time"""
    document_id: str | None = None
    """Epikrise ServProvId: the same in the new, changed and cancelled version"""
    processing_status: CodedValue | None = None
    """8113: P production, D debugging, T training (epikrise 1.2: Status 8323)"""
    ack: CodedValue | None = None
    conversation: Conversation | None = None
    sender: Party | None = None
    receivers: tuple[Receiver, ...] = ()
    """The primary receiver first, then the others in their order"""
    patient: PatientRecord | None = None

    @property
    def primary(self) -> Receiver | None:
        """The first receiver that is no copy receiver."""
        return next((r for r in self.receivers if not r.copy), None)


@value
class TextBlock:
    """A piece of the note: a heading code with its text."""

    text: str
    """Plain text; xhtml flattened with its structure kept: a line per paragraph, break and table row
    (cells split by tab), `- ` before list items"""
    heading: CodedValue | None = None
    place: str = ""
    """Where it stood: `Sykepleierdokumentasjon/InfoFraSykepleier/Journaltekst[2]/Notat`"""


@value
class DiagnosisEntry:
    """A coded diagnosis."""

    code: CodedValue | None = None
    main: bool = False
    description: str | None = None
    place: str = ""


@value
class ProcedureEntry:
    """A coded procedure (WMFG11: the conversation that maps needs)."""

    code: CodedValue
    place: str = ""


@value
class RelativeEntry:
    """A relative in a structured place (PLO ParorendeForesatt, epikrise PatientRelParty)."""

    relation: CodedValue | None = None
    person: Person = field(default_factory=Person)
    remark: str | None = None
    place: str = ""


class ProfessionalFunction(StrEnum):
    """Why a professional stands in the content."""

    AUTHOR = "author"
    """PLO AnsvarForRapport; dialogmelding RolleNotat 1; epikrise RelServProvider AHP"""
    CONTACT = "contact"
    """PLO KontaktpersonHelsepersonell"""
    GP = "gp"
    """RoleToPatient 6; epikrise PatRelHCP FLE"""
    OTHER = "other"


@value
class ProfessionalEntry:
    """A health professional in the content of the message."""

    function: ProfessionalFunction
    person: Person
    unit: Unit | None = None
    remark: str | None = None
    place: str = ""


@value
class EventEntry:
    """A time that matters: PLO OpplysningOpphold, epikrise Event."""

    code: CodedValue | None = None
    """PLO Hendelsekode (9121); epikrise AdmCat (8240)"""
    description: str | None = None
    """PLO BeskrivelseAvHendelse: `Innlagt dato`, `Utskrevet dato`, …"""
    start: str | None = None
    """As written (TS)"""
    end: str | None = None
    place: str = ""


@value
class Attachment:
    """A document that goes along."""

    mime_type: str
    description: str | None
    content: bytes


@value
class Message:
    """A message: its head, and what it says."""

    format: Format
    head: Head
    action: Action = Action.NEW
    """From Forsendelsesstatus (PLO), ServType (epikrise). A dialogmelding has none: NEW"""
    content_root: str = ""
    """Local name of the content's root: TverrfagligEpikrise, Dialogmelding, Message, …"""
    topic: CodedValue | None = None
    """Dialogmelding TemaKodet; PLO TypeInnhold; None in an epikrise"""
    subject: str | None = None
    """Dialogmelding Tema; epikrise MsgDescr"""
    texts: tuple[TextBlock, ...] = ()
    diagnoses: tuple[DiagnosisEntry, ...] = ()
    procedures: tuple[ProcedureEntry, ...] = ()
    relatives: tuple[RelativeEntry, ...] = ()
    professionals: tuple[ProfessionalEntry, ...] = ()
    events: tuple[EventEntry, ...] = ()
    language: CodedValue | None = None
    """PLO BehovTolkSprak, or TilleggsopplysningPasient/Sprak"""
    language_place: str = ""
    """Where it stands in the content"""
    attachments: tuple[Attachment, ...] = ()
    canonical: bytes | None = None
    """The canonical XML (summary-1), where it is the content of the message"""
