"""The patient at the way in: can it be told who it is, and may it be a person of this kind here?"""

from __future__ import annotations

from functools import cache
from typing import Literal, cast

from gateway.contracts.messages import Head, PatientRecord
from gateway.contracts.receipts import ErrorCode, Fault, fault
from gateway.contracts.summary import PersonIdentifierType
from gateway.formats.patient_identification import record_is_identified
from gateway.formats.person_identifier import check_digits_ok, classify, normalise
from mappings import table

Profile = Literal["production", "test", "training"]

_FOLKEREGISTERET = frozenset((PersonIdentifierType.FNR, PersonIdentifierType.DNR))
_WITHOUT_PATIENT = frozenset(("DIALOG_AVVIK",))
"""Message types that are taken without one (acceptance test for dialogmelding, criterion 13)"""

_INSUFFICIENT = fault(
    ErrorCode.PATIENT_INSUFFICIENT,
    "Pasienten kan ikke identifiseres: oppgi navn med fødselsnummer, D-nummer eller felles hjelpenummer, "
    "eller navn med fødselsdato og kjønn.",
)
_SYNTHETIC = fault(
    ErrorCode.PATIENT_INSUFFICIENT,
    "Fødselsnummeret tilhører en testperson. Testpersoner tas ikke imot i produksjon.",
)
_REAL = fault(
    ErrorCode.PATIENT_INSUFFICIENT,
    "Fødselsnummeret kan tilhøre en virkelig person. Virkelige personer tas ikke imot i testmiljøet.",
)


def identification_faults(head: Head) -> tuple[Fault, ...]:
    """E36 where the envelope does not say well enough who the patient is (HIS 80415:2012, chapter 3.3.4)."""
    if record_is_identified(head.patient):
        return ()
    if head.patient is None and head.msg_type.value in _WITHOUT_PATIENT:
        return ()
    return (_INSUFFICIENT,)


def profile_faults(patient: PatientRecord | None, profile: Profile | None) -> tuple[Fault, ...]:
    """E36 for a test person in production, and for what may be a real person anywhere else.

    Only numbers of Folkeregisteret tell: an H-number and a felles hjelpenummer are the same in both worlds. A
    number that fails its check digits is nobody's.

    Args:
        patient: the patient of the envelope.
        profile: of this deployment; None: not asked.
    """
    if profile is None or patient is None:
        return ()
    told = [_is_test_person(identifier.id) for identifier in patient.identifiers]
    if profile == "production":
        return (_SYNTHETIC,) if True in told else ()
    return (_REAL,) if False in told else ()


def _is_test_person(written: str) -> bool | None:
    """Whether a number is a test person's; None where it can not be told, or is nobody's."""
    number = normalise(written)
    kind = classify(number)
    if kind is None or kind.kind not in _FOLKEREGISTERET:
        return None
    if kind.synthetic or number in _national_test_persons():
        return True
    return False if check_digits_ok(number) else None


@cache
def _national_test_persons() -> frozenset[str]:
    return frozenset(cast("list[str]", table("test_persons")["numbers"]))
