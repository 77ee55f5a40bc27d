"""Whether a message says well enough who its patient is.

Source: HIS 80415:2012, chapter 6.3 (E36): a name, and with it a fødselsnummer, a D-number, a felles
hjelpenummer, or birth date and sex. An H-number says the birth date and the sex (HITS «Identifikatorer for
personer»), and counts for them. Neither check digits nor the code list of the type are a ground for refusing
(chapter 3.3.2).
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.contracts.messages import PatientRecord
from gateway.formats.person_identifier import classify, normalise

_SEX_NOT_SAID = frozenset(("", "0", "9"))
"""3101: ikke kjent, ikke spesifisert"""


def is_identified(*, named: bool, numbers: Iterable[str], described: bool) -> bool:
    """Whether a patient can be told.

    Args:
        named: whether there is a name.
        numbers: the identifiers as they are written, of any kind.
        described: whether both birth date and sex are said.
    """
    return named and (described or any(classify(normalise(number)) is not None for number in numbers))


def record_is_identified(patient: PatientRecord | None) -> bool:
    """Whether the patient of an envelope can be told."""
    if patient is None:
        return False
    names = (patient.name, patient.family_name, patient.given_name)
    sex = patient.sex.value if patient.sex is not None else None
    return is_identified(
        named=any(name and name.strip() for name in names),
        numbers=(identifier.id for identifier in patient.identifiers),
        described=bool(patient.birth_date) and (sex or "") not in _SEX_NOT_SAID,
    )
