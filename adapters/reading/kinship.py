"""Relatives in free text and in coded fields.

A relative counts where the text gives a name (`ektemann Stille Torsk, tlf 900 00 013`) or a number
(`ektefelle 900 00 502`): the name makes next of kin of them, the number has to be kept apart from the
patient's own. Whoever is only mentioned (`mor var med`, `bekymret for kona`) is not reported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import cast

from adapters.reading.phones import FoundPhone, find_phones
from adapters.reading.vocabulary import words_in
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
    words: str = ""
    """What stands there"""
    somebodys: bool = False
    """Whether the word before makes it another's relative: `datterens mann`"""
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
_PHONE_WORD = (
    r"(?:(?:mobilnummer|mobiltelefon|mobilnr|mobil|mob|telefonnummer|telefonnr|telefon|tlfnr|tlf|tel|nummeret|"
    r"nummer|nr)\b\.?)"
)
_PAUSE = r"[ \t\u00a0,(:;)\-–/=]*"
_BETWEEN_NAME_AND_PHONE = re.compile(
    rf"{_PAUSE}(?:(?:{_PHONE_WORD}|(?:som|også|og|har|kan|nås|nåast|treffes|treffast|på|er|sin|privat|ringes|ring|"
    rf"bor sammen med|med|i|deltok|var med|satt med)\b){_PAUSE}){{0,6}}(?:tel:)?",
    re.IGNORECASE,
)
_BETWEEN_RELATION_AND_PHONE = re.compile(
    rf"{_PAUSE}(?:(?:{_PHONE_WORD}|(?:sin|sitt|si|hans|hennes|har|på|er|egen|til)\b){_PAUSE}){{0,4}}(?:tel:)?",
    re.IGNORECASE,
)
_NAME_AFTER_PHONE = re.compile(rf"\s*[(,]\s*(?P<name>{_NAME})\s*[),.]")
_RELATION_AFTER = re.compile(r"\s*[(,]\s*(\w+)\s*(?:[),.\n]|$)")
_TOKEN = re.compile(r"(?<![\w\-])[^\W\d_]+(?:[.-][^\W\d_]+)*(?:\.(?=\s?[A-ZÆØÅ:(]))?(?![\w\-])")
_LETTERS = re.compile(r"[^\W\d_]+")
_LAST_WORD = re.compile(r"(?<![^\W\d_])([^\W\d_]+s|til)\s$")
_REACH = 60
"""How far before its relation a name may begin, in characters."""
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
def _parts() -> frozenset[str]:
    """What stands between the blanks of words of relation."""
    return frozenset(part for word in (*_words(), *_headings()) for part in word.split())


@cache
def _single_words() -> frozenset[str]:
    """The words of which every text that names a relation has one."""
    return frozenset(part for word in (*_words(), *_headings()) for part in _LETTERS.findall(word))


@cache
def _codes() -> Mapping[str, str]:
    """From each code to the summary's word; the list of PLO wins where two lists disagree."""
    lists = cast("dict[str, dict[str, str]]", table("kinship")["codes"])
    return {**lists["7317"], **lists["9033"]}


_FORWARD = re.compile(rf"{_OWN}{_TIE}(?P<name>{_NAME})")
"""After a relation: `datter (Kari Nordmann`, `Mannen heter Kvass Fjell`."""

_BACKWARD = re.compile(rf"(?<![\w\-])(?P<name>{_NAME})\s*(?P<tie>[(,\-–]|er)\s*\(?$")
"""Before one: `Kari Nordmann (datter`, `Kari Nordmann, datter`."""


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


@cache
def _alongside() -> frozenset[str]:
    return frozenset(cast("dict[str, list[str]]", table("kinship")["alongside"])["words"])


@cache
def _alike() -> Sequence[frozenset[str]]:
    alike = cast("dict[str, list[str]]", table("kinship")["alike"])
    return [frozenset((general, *words)) for general, words in alike.items()]


def excludes(coded: str | None, said: str | None) -> bool:
    """Whether nobody can be both: a daughter is no son, but a husband is a spouse.

    Args:
        coded: a relation of the summary, by a code or its text.
        said: another, by words.

    Returns:
        False where either is not known.
    """
    known = _relations_known()
    if coded not in known or said not in known or coded == said:
        return False
    if coded in _alongside() or said in _alongside():
        return False
    return not any({coded, said} <= group for group in _alike())


@cache
def _relations_known() -> frozenset[str]:
    return frozenset(cast("dict[str, list[str]]", table("kinship")["words"]))


def names_relation(text: str) -> bool:
    """Whether a lower-case text has a word of relation: only such a text has to be read for relatives."""
    return not _single_words().isdisjoint(words_in(text))


def find_relatives(text: str) -> list[FoundRelative]:
    """Find relatives with names or numbers, in order of place.

    A relation that is named in one place and has its number in another is one relative; where one of that
    relation has a name and number already, a further one is another.
    """
    phones = find_phones(text)
    found: list[FoundRelative] = []
    until = 0
    for start, end, relation in _relations(text):
        if start < until:
            continue
        relative = _before(text, start, end, relation, phones, until) if relation else None
        relative = relative or _after(text, start, end, relation, phones)
        if relative is not None:
            words = text[relative.span[0] : relative.span[1]]
            found.append(
                replace(relative, words=words, somebodys=_is_somebodys(text[max(0, start - _REACH) : start]))
            )
            until = relative.span[1]
    return _joined(found)


def _is_somebodys(before: str) -> bool:
    """Whether the words before a relation end with whose it is: `datterens`, `til`."""
    last = _LAST_WORD.search(before.lower())
    return last is not None and (last[1] == "til" or last[1].removesuffix("s") in _words())


def _relations(text: str) -> Iterator[tuple[int, int, str | None]]:
    """Where words of relation stand; None for words that say only that somebody is next of kin."""
    before: re.Match[str] | None = None
    relations, headings, parts = _words(), _headings(), _parts()
    for match in _TOKEN.finditer(text):
        word = match[0].lower()
        if word not in parts:
            continue
        start = match.start()
        if before is not None and text[before.end() : start] == " ":
            pair = f"{before[0].lower()} {word}"
            if pair in relations or pair in headings:
                word, start = pair, before.start()
        before = match
        if relation := relations.get(word):
            yield start, match.end(), relation
        elif word in headings:
            yield start, match.end(), None


def _before(
    text: str, start: int, end: int, relation: str, phones: list[FoundPhone], until: int
) -> FoundRelative | None:
    """`Kari Nordmann (datter), 900 00 123`."""
    window = max(until, start - _REACH)
    match = _BACKWARD.search(text[window:start])
    name = _clean(match["name"]) if match else None
    if match is None or name is None or " " not in name or name != match["name"]:
        return None
    phone = _phone_after(text, end, phones, _BETWEEN_NAME_AND_PHONE)
    if phone is None and "(" not in match[0]:
        return None
    return _relative(relation, name, phone, window + match.start("name"), end)


def _after(
    text: str, start: int, end: int, relation: str | None, phones: list[FoundPhone]
) -> FoundRelative | None:
    """`datter Kari Nordmann, 900 00 123`, `Pårørende: Kari Nordmann (datter)`, `kona 900 00 123 (Kari)`."""
    match = _FORWARD.match(text, end)
    name = _clean(match["name"]) if match else None
    if match and name and not _DEAD.match(text, match.start("name") + len(name)):
        last = match.start("name") + len(name)
        if relation is None and (told := _RELATION_AFTER.match(text, last)):
            relation = _words().get(told[1].lower())
            last = told.end(1) if relation else last
        phone = _phone_after(text, last, phones, _BETWEEN_NAME_AND_PHONE)
        if phone and relation is None and (told := _RELATION_AFTER.match(text, phone.span[1])):
            relation = _words().get(told[1].lower())
        # One word that no number follows is a name only right beside its relation.
        beside = relation is not None and not re.search(r"[,/\-–]", text[end : match.start("name")])
        if " " in name or phone or beside:
            return _relative(relation, name, phone, start, last)
    phone = _phone_after(text, end, phones, _BETWEEN_RELATION_AND_PHONE)
    if phone is None or relation is None:
        return None
    named = _NAME_AFTER_PHONE.match(text, phone.span[1])
    name = _clean(named["name"]) if named else None
    return _relative(relation, name, phone, start, named.end("name") if named and name else end)


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
