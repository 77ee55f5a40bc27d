"""Identifiers of persons: what eleven digits say.

Folkeregisterloven's regulation, section 2-2 (fødselsnummer, D-nummer); Direktoratet for e-helse HITS
«Identifikatorer for personer» (H-nummer, felles hjelpenummer). A number that is only mistyped keeps its
kind: `classify` reads the digits, `check_digits_ok` judges them.

python-stdnum validates fødselsnummer and D-nummer, but refuses synthetic and FH numbers, so only its
arithmetic is used here.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

from stdnum.no import fodselsnummer

from gateway.contracts.summary import PersonIdentifierType, Sex

_ELEVEN_DIGITS = re.compile(r"[0-9]{11}")
_SEPARATORS = re.compile(r"[\s.\-\u2010-\u2015:/]+")

_H_MONTH = 40
"""Added to the month in an H-number, which a hospital gives for itself."""

_SYNTHETIC_MONTHS = (80, 65)
"""Added to the month in test persons: the tax administration's (Tenor) and Norsk helsenett's."""

_REMAINDERS_OF_2032 = range(4)
"""What the first check digit may leave of 11 in numbers given from 2032 on; before, 0 alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identified:
    """What a number says of itself and of the person."""

    kind: PersonIdentifierType
    birth_date: datetime.date | None
    """None for a felles hjelpenummer and numbers of the rule of 2032, and where the century is open"""
    sex: Sex
    """As the individual number has it; unknown for a felles hjelpenummer and numbers of the rule of 2032"""
    synthetic: bool
    """A test person's number, never a real person's"""


def normalise(raw: str) -> str:
    """Take away what people put between the digits: blanks, dots, dashes."""
    return _SEPARATORS.sub("", raw)


def classify(digits: str) -> Identified | None:
    """Tell the kind of a number of eleven digits, whether its check digits fit or not.

    Args:
        digits: the number without separators (see `normalise`).

    Returns:
        None where the digits form no kind of number: wrong length, or no day of any calendar.
    """
    if not _ELEVEN_DIGITS.fullmatch(digits):
        return None
    if digits[0] in "89":
        return Identified(kind=PersonIdentifierType.FHN, birth_date=None, sex=Sex.UNKNOWN, synthetic=False)
    day, month, year = int(digits[0:2]), int(digits[2:4]), int(digits[4:6])
    individual = int(digits[6:9])
    kind, synthetic = PersonIdentifierType.FNR, False
    if day > 40:
        kind, day = PersonIdentifierType.DNR, day - 40
    added = next((added for added in _SYNTHETIC_MONTHS if 1 <= month - added <= 12), 0)
    if added:
        synthetic, month = True, month - added
    elif month > _H_MONTH:
        # A D-number with the month of an H-number is a test person's: hospitals do not give D-numbers.
        synthetic = kind is PersonIdentifierType.DNR
        kind = kind if synthetic else PersonIdentifierType.HNR
        month -= _H_MONTH
    # A number of the rule of 2032 says neither the century nor the sex.
    telling = not (_remainder(digits) and check_digits_ok(digits))
    century = _century(year, individual) if telling else None
    # A year that four divides has the 29th of February; of the centuries in use, 1900 alone has not.
    birth_date = _date((century or 2000) + year, month, day)
    if birth_date is None:
        return None
    return Identified(
        kind=kind,
        birth_date=birth_date if century else None,
        sex=(Sex.MALE if individual % 2 else Sex.FEMALE) if telling else Sex.UNKNOWN,
        synthetic=synthetic,
    )


def check_digits_ok(digits: str) -> bool:
    """Whether both check digits fit.

    Numbers given from 2032 on have a looser first check digit (Skatteetaten, «Nytt fødselsnummer fra
    2032»); they are in the test population already, so the looser rule holds for all. The second check
    digit finds every single wrong digit under both rules.
    """
    if not _ELEVEN_DIGITS.fullmatch(digits):
        return False
    second_fits: bool = digits[10] == fodselsnummer.calc_check_digit2(digits)
    return second_fits and _remainder(digits) in _REMAINDERS_OF_2032


def _remainder(digits: str) -> int:
    """What the first check digit leaves of 11."""
    return (int(digits[9]) - int(fodselsnummer.calc_check_digit1(digits))) % 11


def _century(year: int, individual: int) -> int | None:
    """The century by the series of the individual number (section 2-2), None outside of the series."""
    if individual < 500:
        return 1900
    if year < 40:
        return 2000
    if individual >= 900:
        return 1900
    return 1800 if individual < 750 and year >= 54 else None


def _date(year: int, month: int, day: int) -> datetime.date | None:
    try:
        return datetime.date(year, month, day)
    except ValueError:
        return None
