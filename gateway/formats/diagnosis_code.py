"""Codes of diagnoses: ICD-10 (code list 7110) and ICPC-2 (7170), as messages and authors write them.

What counts as cancer is data: `mappings/codes/cancer.toml`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Literal, NamedTuple, cast

from mappings import table

CodeSystem = Literal["ICD-10", "ICPC-2"]

_SYSTEMS: dict[str, CodeSystem] = {"7110": "ICD-10", "icd": "ICD-10", "7170": "ICPC-2", "icpc": "ICPC-2"}
"""Last part of the OID, or how the name starts."""

_OID_PART = re.compile(r"(?:^|\.)([0-9]{4})$")

_MARKS = re.compile(r"[\s\u2020*+]+")
"""White space, and the dagger and asterisk of dual coding."""

_ICD = re.compile(r"([A-Z][0-9]{2})[.,\-]?([0-9]{1,2})?")
_ICPC = re.compile(r"-?([ABDFHKLNPRSTUWXYZ][0-9]{2})(?:\.0*)?")
_ICPC_WRITTEN = re.compile(r"-?[ABDFHKLNPRSTUWXYZ][0-9]{2}")


def normalise(code: str, system: CodeSystem | None = "ICD-10") -> str:
    """Write a code as its list does: capitals, and in ICD-10 a dot after the third character.

    Args:
        code: as in the message: `C187`, `c18.7`, `C 18.7`, `-X76`.
        system: the code list; None writes a code of either shape.

    Returns:
        `C18.7`, `X76`; what has the shape of no code comes back in capitals, without blanks.
    """
    bare = _MARKS.sub("", code).upper()
    if system != "ICD-10" and (icpc := _ICPC.fullmatch(bare)):
        return icpc[1]
    if system != "ICPC-2" and (icd := _ICD.fullmatch(bare)):
        return f"{icd[1]}.{icd[2]}" if icd[2] else icd[1]
    return bare


def has_form_of(code: str, system: CodeSystem) -> bool:
    """Whether a code has the form of the codes of a list, as it is written."""
    return (_ICD if system == "ICD-10" else _ICPC_WRITTEN).fullmatch(code) is not None


def system_of(oid_or_name: str | None, code: str | None = None) -> CodeSystem | None:
    """Tell the code list: by its OID or name, else by the shape of the code.

    Args:
        oid_or_name: `2.16.578.1.12.4.1.1.7110`, `7110`, `ICD-10`, `icpc2`; None where the message has none.
        code: a code; it decides only where the list is not named. Three characters fit both lists in the
            chapters that both have: those are told apart by which of the two is a cancer.

    Returns:
        None for another list, and where the code does not tell.
    """
    named = (oid_or_name or "").strip()
    if named:
        part = _OID_PART.search(named)
        key = part[1] if part else "".join(named.split()).casefold()
        return next((system for start, system in _SYSTEMS.items() if key.startswith(start)), None)
    bare = normalise(code or "", None)
    if "." in bare:
        return "ICD-10" if _ICD.fullmatch(bare) else None
    icd, icpc = _ICD.fullmatch(bare) is not None, _ICPC.fullmatch(bare) is not None
    if not (icd and icpc):
        return "ICD-10" if icd else "ICPC-2" if icpc else None
    if is_cancer(bare, "ICD-10"):
        return "ICD-10"
    return "ICPC-2" if is_cancer(bare, "ICPC-2") else None


def is_cancer(code: str, system: CodeSystem) -> bool:
    """Whether the code is that of a cancer: it lies in a range of `mappings/codes/cancer.toml`."""
    bare = normalise(code, system)
    if (_ICD if system == "ICD-10" else _ICPC).fullmatch(bare) is None:
        return False
    return any(first <= bare[: len(first)] and bare[: len(last)] <= last for first, last in _ranges(system))


@cache
def _ranges(system: CodeSystem) -> tuple[tuple[str, str], ...]:
    of = cast("Mapping[str, list[list[str]]]", table("codes/cancer")[system])
    return tuple((first, last) for first, last in of["ranges"])


class FoundCode(NamedTuple):
    """A code in free text."""

    code: str
    """As its list writes it"""
    system: CodeSystem
    span: tuple[int, int]
    """Where the code stands, without its label"""


_LABELLED = re.compile(
    r"\b(?P<list>ICD|ICPC)[\s\-]?(?:10|2)?(?:[\s\-]?(?:kode[nr]?|diagnose))?\s*[:=,\-\u2013(]?\s*"
    r"(?P<code>-?[A-Z]\s?[0-9]{2}(?:[.,]?[0-9]{1,2})?)(?![\w\-]|[.,][0-9])",
    re.IGNORECASE,
)
"""`ICD-10: C34.1`, `icd10 c341`, `ICPC-2: X76`."""

_BARE = re.compile(
    r"(?<![\w.,+])(?<![^\W\d_][-/])"
    # With a dot, any chapter; without, those of cancer alone: B12 is a vitamin, L45 a place in the spine.
    r"(?:(?P<dotted>[A-Z][0-9]{2}\.[0-9]{1,2})"
    r"|(?P<plain>[A-Z][0-9]{2,3}))"
    r"(?![\w%]|[.,][0-9]|-[^\W\d_](?![0-9]{2}))"
)

_IN_BRACKETS = re.compile(r"\((?P<code>[A-Z][0-9]{2})\)")
"""`(X76)`: how a GP's code stands in a letter."""

_A_PLACE = re.compile(
    r"\b(?:rom|rommet|avd|avdeling|post|stue|etg|etasje|bygg|seng|sal|blokk|inngang)\.?\s*$", re.IGNORECASE
)
"""What makes `C20` a room."""

_BACK = 12
"""How far back a word before a code is looked for, in characters."""


def find_codes(text: str) -> list[FoundCode]:
    """Find codes of diagnoses in free text, in order of place.

    Taken are codes with their list's name, ICD-10 codes with a dot, ICD-10 codes of cancer without, and
    ICPC-2 codes of cancer in brackets. Not taken is what only looks like one: `cT2b`, `C7-vertebra`,
    `C11-PET`, `WMFG11`, `rom C20`.
    """
    found: dict[int, FoundCode] = {}
    for match in _LABELLED.finditer(text):
        system: CodeSystem = "ICD-10" if match["list"].upper() == "ICD" else "ICPC-2"
        found[match.start("code")] = FoundCode(normalise(match["code"], system), system, match.span("code"))
    for match in _BARE.finditer(text):
        if match["plain"] and not is_cancer(match["plain"], "ICD-10"):
            continue
        if not _A_PLACE.search(text, max(0, match.start() - _BACK), match.start()):
            code = FoundCode(normalise(match[0], "ICD-10"), "ICD-10", match.span())
            found.setdefault(match.start(), code)
    for match in _IN_BRACKETS.finditer(text):
        if is_cancer(match["code"], "ICPC-2"):
            found.setdefault(match.start("code"), FoundCode(match["code"], "ICPC-2", match.span("code")))
    return [found[start] for start in sorted(found)]
