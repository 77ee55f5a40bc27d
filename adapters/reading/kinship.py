"""Relatives in free text and in coded fields.

A relative counts where the text gives a name (`ektemann Stille Torsk, tlf 900 00 013`) or a number
(`ektefelle 900 00 502`): the name makes next of kin of them, the number has to be kept apart from the
patient's own. Whoever is only mentioned (`mor var med`, `bekymret for kona`) is not reported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import cast

from adapters.reading.phones import FoundPhone, find_phones
from mappings import table


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRelative:
    """A relative with a name, a telephone number, or both."""

    relation: str | None
    """The summary's word (`ektefelle`); None where the text says no more than `pårørende`"""
    name: str | None
    phone: str | None
    """E.164"""
    span: tuple[int, int]
    """From the first word of the relation, name or number to the last"""
    phone_span: tuple[int, int] | None = None


_WORD = r"[A-ZÆØÅÄÖÉ][a-zæøåäöéèüó'’]+(?:-[A-ZÆØÅ][a-zæøåäöéèüó]+)?"
_LOUD = r"[A-ZÆØÅ]{3,}"
_NAME = (
    rf"(?:{_WORD}|{_LOUD}(?=,?\s+{_LOUD}))"
    rf"(?:\s+(?:(?:van|von|de|al|el|bin)\s+)?(?:{_WORD}|[A-ZÆØÅ]\.|{_LOUD})){{0,3}}"
)

_OWN = r"(?:\s+(?:hans|hennes|hennar|sin|si|min|mi|til pas\.?(?:ienten)?|og (?:nærmeste )?pårørende))?"
_TIE = (
    r"(?:\s*(?:[:,(\-–=/]|heter|heiter|er|v/|ved navn|kalt|som heter)\s*(?:er\s+|heter\s+|heiter\s+)?\(?"
    r"|\s+\(?)"
)
_BETWEEN_NAME_AND_PHONE = re.compile(
    r"[\s,(:;)\-–/=]*(?:(?:som|og|også|har|kan|nås|nåast|treffes|treffast|på|er|mobilnummer|mobilnr|mobiltelefon|"
    r"mobil|mob|telefonnummer|telefonnr|telefon|tlfnr|tlf|tel|nummeret|nummer|nr|sin|privat|ringes|ring|"
    r"bor sammen med|med|i|deltok|var med|satt med)\b[\s.,(:;)\-–/]*){0,6}(?:tel:)?",
    re.IGNORECASE,
)
_BETWEEN_RELATION_AND_PHONE = re.compile(
    r"[\s,(:;)\-–/=]*(?:(?:sin|si|sitt|hans|hennes|har|på|er|mobilnummer|mobil|mob|telefonnummer|telefon|tlf|tel|"
    r"nummer|nr|egen|til)\b[\s.,(:;)\-–/]*){0,4}(?:tel:)?",
    re.IGNORECASE,
)
_NAME_AFTER_PHONE = re.compile(rf"\s*[(,]\s*(?P<name>{_NAME})\s*[),.]")
_RELATION_AFTER = re.compile(r"\s*[(,]\s*(\w+)\s*(?:[),.\n]|$)")
_DEAD = re.compile(r"\s*,?\s*(?:døde|døydde|dør|er død|er avdød|gikk bort|gjekk bort|†)", re.IGNORECASE)


@cache
def _words() -> Mapping[str, str]:
    """From each word to the summary's."""
    words = cast("dict[str, list[str]]", table("kinship")["words"])
    return {word: relation for relation, all_words in words.items() for word in (relation, *all_words)}


@cache
def _no_names() -> frozenset[str]:
    no_name = cast("dict[str, list[str]]", table("kinship")["no_name"])
    return frozenset((*no_name["words"], *_words(), *_headings()))


@cache
def _headings() -> frozenset[str]:
    heading = cast("dict[str, list[str]]", table("kinship")["heading"])
    return frozenset(heading["words"])


@cache
def _codes() -> Mapping[str, str]:
    """From each code to the summary's word; the list of PLO wins where two lists disagree."""
    lists = cast("dict[str, dict[str, str]]", table("kinship")["codes"])
    return {**lists["7317"], **lists["9033"]}


@cache
def _relation() -> re.Pattern[str]:
    alternatives = "|".join(sorted(map(re.escape, {*_words(), *_headings()}), key=len, reverse=True))
    return re.compile(rf"(?<![\w\-])(?i:{alternatives})(?![\w\-])")


@cache
def _forward() -> re.Pattern[str]:
    """`datter (Kari Nordmann`, `Mannen heter Kvass Fjell`."""
    return re.compile(rf"{_OWN}{_TIE}(?P<name>{_NAME})")


@cache
def _backward() -> re.Pattern[str]:
    """`Kari Nordmann (datter)`, `Kari Nordmann, datter`."""
    alternatives = "|".join(sorted(map(re.escape, _words()), key=len, reverse=True))
    return re.compile(
        rf"(?<![\w\-])(?P<name>{_NAME})\s*(?:[(,\-–]|er)\s*\(?(?P<relation>(?i:{alternatives}))(?![\w\-])"
    )


def relation_of(code: str | None, display: str | None) -> str | None:
    """The summary's word for a coded relation (PLO `Slektskap`, epikrise `Relation`).

    Args:
        code: the code (`@V`).
        display: its text (`@DN`), which is asked first: systems put codes of their own into these fields.

    Returns:
        The text in lower case where neither is known; None where there is neither text nor known code.
    """
    text = " ".join((display or "").lower().split())
    return _words().get(text) or _codes().get((code or "").strip().upper()) or text or None


def find_relatives(text: str) -> list[FoundRelative]:
    """Find relatives with names or numbers, in order of place.

    A relation that is named in one place and has its number in another is one relative; where one of that
    relation has a name and number already, a further one is another.
    """
    phones = find_phones(text)
    found: list[FoundRelative] = []
    for relative in sorted((*_backwards(text, phones), *_forwards(text, phones)), key=lambda one: one.span):
        if any(_overlap(relative, other) for other in found):
            continue
        found.append(relative)
    return _joined(found)


def _forwards(text: str, phones: list[FoundPhone]) -> Iterator[FoundRelative]:
    for match in _relation().finditer(text):
        word = match[0].lower()
        relation = _words().get(word)
        other = _backward().search(text, match.end()) if relation is None else None
        if other and not text[match.end() : other.start()].strip(" :,-–(\n"):
            # `Pårørende: Kari Nordmann (datter)` is found by the relation.
            continue
        named = _forward().match(text, match.end())
        name = _clean(named["name"]) if named else None
        if named and name and not _DEAD.match(text, named.start("name") + len(name)):
            end = named.start("name") + len(name)
            phone = _phone_after(text, end, phones, _BETWEEN_NAME_AND_PHONE)
            if phone and relation is None and (after := _RELATION_AFTER.match(text, phone.span[1])):
                relation = _words().get(after[1].lower())
            alone = " " not in name and phone is None
            if not (
                alone and (relation is None or re.search(r"[,/\-–]", text[match.end() : named.start("name")]))
            ):
                yield _relative(relation, name, phone, match.start(), end)
                continue
        phone = _phone_after(text, match.end(), phones, _BETWEEN_RELATION_AND_PHONE)
        if phone is not None and relation is not None:
            after = _NAME_AFTER_PHONE.match(text, phone.span[1])
            name = _clean(after["name"]) if after else None
            end = after.end("name") if after and name else phone.span[1]
            yield _relative(relation, name, phone, match.start(), end)


def _backwards(text: str, phones: list[FoundPhone]) -> Iterator[FoundRelative]:
    for match in _backward().finditer(text):
        name = _clean(match["name"])
        if name is None or " " not in name or match["name"] != name:
            continue
        end = match.end("relation")
        phone = _phone_after(text, end, phones, _BETWEEN_NAME_AND_PHONE)
        if phone is None and "(" not in text[match.end("name") : match.start("relation")]:
            continue
        yield _relative(_words().get(match["relation"].lower()), name, phone, match.start(), end)


def _relative(
    relation: str | None, name: str | None, phone: FoundPhone | None, start: int, end: int
) -> FoundRelative:
    return FoundRelative(
        relation=relation,
        name=name,
        phone=phone.e164 if phone else None,
        span=(start, max(end, phone.span[1]) if phone else end),
        phone_span=phone.span if phone else None,
    )


def _clean(name: str) -> str | None:
    """The name without words at its end or beginning that are none."""
    parts = name.split()
    while parts and parts[-1].lower().strip(".") in _no_names():
        parts.pop()
    if not parts or parts[0].lower() in _no_names():
        return None
    return name[: name.index(parts[-1], sum(len(part) + 1 for part in parts[:-1])) + len(parts[-1])]


def _phone_after(
    text: str, end: int, phones: list[FoundPhone], between: re.Pattern[str]
) -> FoundPhone | None:
    """The number right after a place, with nothing but words of telephones between."""
    phone = next((phone for phone in phones if phone.span[0] >= end), None)
    if phone is None or not between.fullmatch(text, end, phone.span[0]):
        return None
    return phone


def _overlap(one: FoundRelative, other: FoundRelative) -> bool:
    return one.span[0] < other.span[1] and other.span[0] < one.span[1]


def _joined(found: list[FoundRelative]) -> list[FoundRelative]:
    """Give a number without a name to the one of that relation who has a name and no number."""
    result: list[FoundRelative] = []
    for relative in found:
        if relative.name is None:
            index = next(
                (
                    i
                    for i, other in enumerate(result)
                    if other.relation == relative.relation and other.phone is None
                ),
                None,
            )
            if index is not None:
                result[index] = replace(result[index], phone=relative.phone, phone_span=relative.phone_span)
                continue
        result.append(relative)
    return result
