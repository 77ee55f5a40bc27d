"""Synthetic persons: the same birth date and sex, another number and name.

Numbers are of the kind of Skatteetaten's Tenor: the month is raised by 80, the check digits are right
(Skatteetaten, «Fødselsnummer»: weights 3 7 6 1 8 9 4 5 2 and 5 4 3 2 7 6 5 4 3 2).
"""

from __future__ import annotations

import random
from collections.abc import Iterable

_FIRST_WEIGHTS = (3, 7, 6, 1, 8, 9, 4, 5, 2)
_SECOND_WEIGHTS = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)

_GIVEN = (
    "Artig Blank Dristig Ekte Fin Flink Frodig Grei Gyllen Hendig Husvarm Ivrig Jevn Kjapp Klar "
    "Kledelig Lang Listig Lystig Mild Munter Myndig Nett Nysgjerrig Oppvakt Planlagt Prektig Rak "
    "Rolig Rund Samlet Seig Sikker Skarp Smidig Solrik Spenstig Staut Stolt Sterk Taktfast Tapper "
    "Trygg Tydelig Undrende Uredd Vaken Vakker Vennlig Verdig Viljesterk Vital Yndig"
)
_FAMILY = (
    "Armlene Badekar Benkeplate Bokhylle Brygge Dyne Eplekake Fiolin Fyrstikk Gitar Gryte Hagestol "
    "Hengelås Isbre Jolle Kalender Kikkert Kommode Lampett Linjal Lykt Melkespann Matboks Nattbord "
    "Notatbok Oppskrift Orgel Penal Pilegren Postkort Ribbevegg Rogn Saksofon Sengekant Skistav "
    "Skrin Snekke Solbris Spade Stol Syltetøy Tavle Teppe Trapp Tresko Ullgenser Vannmugge Vindu "
    "Yttertak Ørret"
)
GIVEN_NAMES = tuple(_GIVEN.split())
FAMILY_NAMES = tuple(_FAMILY.split())


def check_digits(nine: str) -> str | None:
    """The two check digits of the first nine; None where there are none (the remainder is 10)."""
    digits = [int(c) for c in nine]
    first = -sum(d * w for d, w in zip(digits, _FIRST_WEIGHTS, strict=True)) % 11
    second = -sum(d * w for d, w in zip([*digits, first], _SECOND_WEIGHTS, strict=True)) % 11
    return f"{first}{second}" if first < 10 and second < 10 else None


def is_valid(number: str) -> bool:
    """Whether the check digits are right."""
    return check_digits(number[:9]) == number[9:]


def _candidates(kind: tuple[str, range, bool, bool], seed: int) -> tuple[str, ...]:
    prefix, individual, odd, valid = kind
    numbers = []
    for value in individual:
        nine = f"{prefix}{value:03}"
        if bool(value % 2) is odd and (digits := check_digits(nine)):
            # A number that is to fail its check differs in the last digit, as a slip of the pen does.
            numbers.append(nine + (digits if valid else digits[0] + str((int(digits[1]) + 1) % 10)))
    random.Random(f"{seed}:{prefix}").shuffle(numbers)  # noqa: S311 - invented persons, not secrets
    return tuple(numbers)


def _kind(number: str) -> tuple[str, range, bool, bool]:
    """Birth date, the individual numbers of the same century, sex, and whether it passes its check."""
    year, individual = int(number[4:6]), int(number[6:9])
    if individual < 500:
        century = range(500)
    elif year < 40:
        century = range(500, 1000)
    elif individual >= 900:
        century = range(900, 1000)
    else:
        century = range(500, 900)
    return number[:6], century, bool(individual % 2), is_valid(number)


class Persons:
    """Fresh persons for a set of people: never one of them, and never the same one for two of them."""

    def __init__(self, numbers: Iterable[str], seed: int) -> None:
        """`numbers`: the identifiers (eleven digits) of the people that are to be replaced."""
        self._seed = seed
        self._known = frozenset(numbers)
        self._groups: dict[tuple[str, range, bool, bool], list[str]] = {}
        self._pools: dict[tuple[str, range, bool, bool], list[str]] = {}
        for number in sorted(self._known):
            self._groups.setdefault(_kind(number), []).append(number)
        for kind in self._groups:
            self._pools[kind] = [n for n in _candidates(kind, seed) if n not in self._known]

    def number(self, original: str, round_number: int) -> str:
        """Another number with the same birth date and sex; one that fails its check where the original does.

        Numbers of one birth date and sex are about two hundred: after as many rounds they come again.
        """
        kind = _kind(original)
        group, pool = self._groups[kind], self._pools[kind]
        return pool[((round_number - 1) * len(group) + group.index(original)) % len(pool)]

    def name(self, original: str, round_number: int) -> tuple[str, str]:
        """Given and family name for somebody who is known by `original` (a number, or a name)."""
        chance = random.Random(f"{self._seed}:{round_number}:{original}")  # noqa: S311 - as above
        return chance.choice(GIVEN_NAMES), chance.choice(FAMILY_NAMES)
