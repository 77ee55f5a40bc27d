"""The one table of findings: code, severity, field, receipt, and the sentences for sender and operator.

A finding's message never holds patient data. Severities are defaults; a deployment sets its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from gateway.contracts.receipts import ErrorCode


class Severity(StrEnum):
    """How grave a finding is; later ones are graver."""

    INFO = "info"
    WARNING = "warning"
    HOLD = "hold"
    WITHHOLD = "withhold"
    REJECT = "reject"


class Disposition(StrEnum):
    """What becomes of a note."""

    SEND = "send"
    HOLD = "hold"
    WITHHOLD = "withhold"
    REJECT = "reject"


class Finding(BaseModel):
    """Something that a person should know of a note."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    code: str
    severity: Severity
    field: str | None
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingKind:
    """A row of the table."""

    code: str
    severity: Severity
    """Default; `[rules.severity]` of the configuration overrides it."""
    field: str | None
    """The member of the summary that it is about"""
    message: str
    """For the operator and the sender (English, like all the gateway says to engineers)"""
    for_sender: str
    """For the sending department, in Norwegian (OT of a receipt)"""
    error: ErrorCode | None = None
    """Code of list 8221, where the finding rejects or withholds"""


_TABLE = (
    FindingKind(
        code="PH001",
        severity=Severity.REJECT,
        field=None,
        message="This is not a Pakkeforløp hjem note.",
        for_sender="Meldingen er ikke et notat om Pakkeforløp hjem og er ikke videresendt.",
        error=ErrorCode.OTHER,
    ),
    FindingKind(
        code="PH010",
        severity=Severity.WITHHOLD,
        field="pathway.status",
        message="The patient has declined the pathway in hospital and municipality: nothing may be sent.",
        for_sender="Pasienten ønsker ikke pakkeforløp hjem, verken i sykehus eller kommune. "
        "Notatet er ikke videresendt.",
        error=ErrorCode.OTHER,
    ),
    FindingKind(
        code="PH011",
        severity=Severity.WITHHOLD,
        field="pathway.objects_to_sharing",
        message="The patient objects to sharing: nothing may be sent.",
        for_sender="Pasienten motsetter seg at opplysningene deles. Notatet er ikke videresendt.",
        error=ErrorCode.OTHER,
    ),
    FindingKind(
        code="PH012",
        severity=Severity.HOLD,
        field="pathway.status",
        message="The note does not say whether the patient has started the pathway.",
        for_sender="Det går ikke fram av notatet om pasienten har startet pakkeforløp hjem.",
    ),
    FindingKind(
        code="PH020",
        severity=Severity.WARNING,
        field="diagnosis",
        message="The note has no diagnosis.",
        for_sender="Diagnosen mangler i notatet.",
    ),
    FindingKind(
        code="PH021",
        severity=Severity.HOLD,
        field="diagnosis",
        message="No cancer diagnosis yet (in work-up), or the code is no cancer code.",
        for_sender="Pasienten er under utredning, eller diagnosekoden er ikke en kreftdiagnose.",
    ),
    FindingKind(
        code="PH030",
        severity=Severity.WARNING,
        field="patient.phones",
        message="No phone number for the patient anywhere in the message.",
        for_sender="Pasientens telefonnummer mangler.",
    ),
    FindingKind(
        code="PH031",
        severity=Severity.WARNING,
        field="contact.initiated_by",
        message="It is not clear who is to make contact.",
        for_sender="Det går ikke fram hvem som skal ta kontakt.",
    ),
    FindingKind(
        code="PH040",
        severity=Severity.HOLD,
        field="patient.id",
        message="A note for the same patient and interaction point was sent recently.",
        for_sender="Et notat for samme pasient og samhandlingspunkt er nylig sendt.",
    ),
    FindingKind(
        code="PH041",
        severity=Severity.INFO,
        field="existing_follow_up.kreftkoordinator",
        message="The kreftkoordinator already follows the patient.",
        for_sender="Pasienten har allerede oppfølging av kreftkoordinator.",
    ),
    FindingKind(
        code="PH050",
        severity=Severity.HOLD,
        field="patient.municipality_code",
        message="The home municipality is unknown, or the register has no address for it.",
        for_sender="Pasientens hjemkommune er ukjent eller mangler i adresseregisteret.",
        error=ErrorCode.RECEIVER_UNKNOWN,
    ),
    FindingKind(
        code="PH051",
        severity=Severity.WARNING,
        field="gp",
        message="No GP, or the register has no address for the GP: the municipality alone gets the note.",
        for_sender="Fastlegen mangler eller finnes ikke i adresseregisteret. Bare kommunen får notatet.",
        error=ErrorCode.RECEIVER_UNKNOWN,
    ),
    FindingKind(
        code="PH060",
        severity=Severity.WARNING,
        field="strains",
        message="Neither strains nor needs are stated for a patient who has started.",
        for_sender="Verken påkjenninger eller behov er beskrevet.",
    ),
    FindingKind(
        code="PH061",
        severity=Severity.WARNING,
        field="survey.distress_score",
        message="The distress score is outside 0-10 or not a number.",
        for_sender="Skår på termometeret er ikke et tall fra 0 til 10.",
    ),
    FindingKind(
        code="PH070",
        severity=Severity.WARNING,
        field="patient.id",
        message="The patient's identifier fails its check digits.",
        for_sender="Pasientens fødselsnummer har feil kontrollsiffer.",
    ),
    FindingKind(
        code="PH071",
        severity=Severity.REJECT,
        field="patient",
        message="The patient can not be identified: no identifier, and no name with birth date and sex.",
        for_sender="Pasienten kan ikke identifiseres: oppgi fødselsnummer, "
        "eller navn med fødselsdato og kjønn.",
        error=ErrorCode.PATIENT_INSUFFICIENT,
    ),
    FindingKind(
        code="PH080",
        severity=Severity.WARNING,
        field="next_of_kin",
        message="A child (under 16) with no next of kin in the message.",
        for_sender="Pasienten er under 16 år, og ingen pårørende er oppgitt.",
    ),
    FindingKind(
        code="PH090",
        severity=Severity.INFO,
        field="note",
        message="A part of the note could not be placed in any field; the text is kept in the note.",
        for_sender="Deler av notatet kunne ikke plasseres i noe felt; teksten følger med.",
    ),
)

FINDINGS: Mapping[str, FindingKind] = {kind.code: kind for kind in _TABLE}

_DISPOSITIONS = (
    (Severity.REJECT, Disposition.REJECT),
    (Severity.WITHHOLD, Disposition.WITHHOLD),
    (Severity.HOLD, Disposition.HOLD),
)


def finding(code: str, severities: Mapping[str, Severity] | None = None) -> Finding:
    """A finding of the table, with the deployment's severity where it sets one."""
    kind = FINDINGS[code]
    return Finding(
        code=code,
        severity=(severities or {}).get(code, kind.severity),
        field=kind.field,
        message=kind.message,
    )


def disposition(findings: Iterable[Finding]) -> Disposition:
    """The gravest of the findings: reject before withhold before hold before send."""
    severities = {f.severity for f in findings}
    return next((d for s, d in _DISPOSITIONS if s in severities), Disposition.SEND)
