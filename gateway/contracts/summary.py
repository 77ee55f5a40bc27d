"""The canonical summary: what a Pakkeforløp hjem note says, whatever system it came from.

The pydantic model here, `schemas/own/summary-1.xsd` and the JSON of `model_dump_json()` say the same
thing. Unknown is `None`, never an empty string; lists keep the order of the note; dates are ISO 8601;
times carry a zone.
"""

from __future__ import annotations

import datetime
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from gateway.contracts.last import of_last
from gateway.contracts.text import as_line, as_text

Line = Annotated[str, Field(min_length=1), BeforeValidator(as_line)]
"""One line of text: no control characters, white space folded, never empty."""

Text = Annotated[str, Field(min_length=1), BeforeValidator(as_text)]
"""Text of several lines: line feeds only, no other control characters, never empty."""

PhoneNumber = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{3,14}$")]
"""A telephone number in E.164 form: `+4790000001`."""

HerId = Annotated[str, Field(pattern=r"^[0-9]{1,12}$")]
"""An identifier in the address register (Adresseregisteret) of the health network."""

HprNumber = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,8}$")]
"""A number in the register of health personnel (Helsepersonellregisteret), without leading zeros."""

MunicipalityCode = Annotated[str, Field(pattern=r"^([0-9]{4}|[0-9]{6})$")]
"""A kommune code of four digits, or a bydel code of six (030106: Oslo, Bydel Ullern)."""


class Strict(BaseModel):
    """What every part of the summary is: frozen, strict, closed."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        populate_by_name=True,
        serialize_by_alias=True,
        hide_input_in_errors=True,
        # Most commands read no summary.
        defer_build=True,
    )


class PathwayStatus(StrEnum):
    """(a) of the note: has the patient started the pathway?"""

    STARTED = "started"
    OFFER_LATER = "offer_later"
    DECLINED = "declined"
    UNKNOWN = "unknown"


class PathwayReason(StrEnum):
    """Why the pathway is offered now."""

    NEW_DIAGNOSIS = "new_diagnosis"
    RELAPSE = "relapse"


class Basis(StrEnum):
    """The date that an interaction point is counted from."""

    STARTED_ON = "started_on"
    DIAGNOSIS_DATE = "diagnosis_date"
    SURVEY_DATE = "survey_date"
    DISCHARGE_DATE = "discharge_date"


class NextPoint(Strict):
    """The window in which an interaction point in the municipality is due."""

    point: Literal[2, 3]
    start: datetime.date = Field(alias="from")
    end: datetime.date = Field(alias="to")
    basis: Basis


class Pathway(Strict):
    """Where the patient stands in the pathway."""

    status: PathwayStatus = PathwayStatus.UNKNOWN
    reason: PathwayReason | None = None
    interaction_point: Literal[1, 2, 3] = 1
    started_on: datetime.date | None = None
    objects_to_sharing: bool = False
    next_points: tuple[NextPoint, ...] = ()


class PersonIdentifierType(StrEnum):
    """Kinds of identifiers of a person (code list 8116) that the summary carries."""

    FNR = "FNR"
    DNR = "DNR"
    FHN = "FHN"
    HNR = "HNR"


class Sex(StrEnum):
    """Sex of the patient as the message gives it (code list 3101)."""

    MALE = "male"
    FEMALE = "female"
    UNKNOWN = "unknown"


class Address(Strict):
    """The patient's home address."""

    line: Line | None = None
    postal_code: Annotated[str, Field(pattern=r"^[0-9]{4}$")] | None = None
    city: Line | None = None


class Patient(Strict):
    """The patient."""

    id: Line | None = None
    id_type: PersonIdentifierType | None = None
    given_name: Line | None = None
    middle_name: Line | None = None
    family_name: Line | None = None
    birth_date: datetime.date | None = None
    sex: Sex = Sex.UNKNOWN
    phones: tuple[PhoneNumber, ...] = ()
    address: Address | None = None
    municipality_code: MunicipalityCode | None = None
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] | None = None


class NextOfKin(Strict):
    """A named relative."""

    name: Line
    relation: Line | None = None
    phone: PhoneNumber | None = None


class GeneralPractitioner(Strict):
    """The patient's GP (fastlege)."""

    name: Line | None = None
    her_id: HerId | None = None
    hpr: HprNumber | None = None


class Intent(StrEnum):
    """The aim of the treatment."""

    CURATIVE = "curative"
    PALLIATIVE = "palliative"


class Diagnosis(Strict):
    """The cancer that the note is about."""

    code: Line | None = None
    code_system: Literal["ICD-10", "ICPC-2"] | None = None
    text: Line | None = None
    date: datetime.date | None = None
    confirmed: bool = True
    intent: Intent | None = None


class SurveyForm(StrEnum):
    """How the conversation was held."""

    IN_PERSON = "in_person"
    PHONE = "phone"
    VIDEO = "video"


class Survey(Strict):
    """The conversation that maps the patient's needs (kartleggingssamtale)."""

    held_on: datetime.date | None = None
    form: SurveyForm | None = None
    distress_score: Annotated[int, Field(ge=0, le=10)] | None = None
    relatives_present: bool | None = None
    procedure_code: Line | None = None


class StrainArea(StrEnum):
    """The problem lists of the NCCN distress thermometer."""

    PRACTICAL = "practical"
    FAMILY = "family"
    EMOTIONAL = "emotional"
    SPIRITUAL = "spiritual"
    PHYSICAL = "physical"


class Strain(Strict):
    """(b) of the note: one strain (påkjenning), in the author's words."""

    area: StrainArea | None = None
    text: Line


class Responsible(StrEnum):
    """Who is to meet a need."""

    MUNICIPALITY = "municipality"
    HOSPITAL = "hospital"
    GP = "gp"
    NAV = "nav"
    OTHER = "other"


class Need(Strict):
    """(c) of the note: one need for follow-up, in the author's words."""

    text: Line
    responsible: Responsible | None = None


class Referral(Strict):
    """(c) of the note: what the patient has already been referred to."""

    text: Line


class ContactInitiator(StrEnum):
    """Who is to call first."""

    MUNICIPALITY = "municipality"
    PATIENT = "patient"
    UNKNOWN = "unknown"


class Contact(Strict):
    """Who contacts whom, and when."""

    initiated_by: ContactInitiator = ContactInitiator.UNKNOWN
    when: Line | None = None


class ExistingFollowUp(Strict):
    """Follow-up that the patient already has."""

    kreftkoordinator: bool | None = None
    text: Line | None = None


class Author(Strict):
    """Who wrote the note."""

    name: Line | None = None
    role: Line | None = None
    unit: Line | None = None
    phone: PhoneNumber | None = None
    hpr: HprNumber | None = None


class System(StrEnum):
    """The record systems that the gateway ships adapters for; an adapter may name another."""

    DIPS = "dips"
    DOCULIVE = "doculive"
    HELSEPLATTFORMEN = "helseplattformen"


class Action(StrEnum):
    """What a message does (code list 7309: N, M, C)."""

    NEW = "new"
    CHANGE = "change"
    CANCEL = "cancel"


class Participant(Strict):
    """A name with its address in the register."""

    name: Line | None = None
    her_id: HerId | None = None


SourceFormat = Literal[
    "plo-1.5",
    "plo-1.6",
    "epikrise-1.1",
    "epikrise-1.2",
    "dialogmelding-1.0",
    "dialogmelding-1.1",
]


class Source(Strict):
    """The message that the summary was read from."""

    system: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]
    format: SourceFormat
    action: Action = Action.NEW
    msg_type: Line | None = None
    msg_id: Line | None = None
    conversation_id: Line | None = None
    replaces: Line | None = None
    sent_at: AwareDatetime | None = None
    organisation: Participant = Participant()
    unit: Participant = Participant()


class Summary(Strict):
    """One Pakkeforløp hjem note, in canonical form."""

    pathway: Pathway
    patient: Patient
    next_of_kin: tuple[NextOfKin, ...] = ()
    gp: GeneralPractitioner | None = None
    diagnosis: Diagnosis | None = None
    survey: Survey | None = None
    strains: tuple[Strain, ...] = ()
    what_matters: Line | None = None
    needs: tuple[Need, ...] = ()
    referrals: tuple[Referral, ...] = ()
    contact: Contact = Contact()
    existing_follow_up: ExistingFollowUp = ExistingFollowUp()
    author: Author | None = None
    source: Source
    note: Text | None = None

    def to_json(self) -> str:
        """The summary as the JSON document of the contract."""
        return _document(self)

    @classmethod
    def from_json(cls, document: str | bytes) -> Self:
        """Read `to_json` back.

        Raises:
            pydantic.ValidationError: the document is no summary. Its text holds no values.
        """
        return cls.model_validate_json(document)


# It is asked for by who keeps a note, and by who renders it.
_document = of_last(Summary.model_dump_json)
