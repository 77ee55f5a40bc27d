"""Next of kin with names, and whose a telephone number is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from adapters.reading.kinship import FoundRelative, excludes, find_relatives, names_relation, relation_of
from adapters.reading.model import Statement, Topic
from adapters.reading.people import is_signature
from adapters.reading.phones import find_phones, to_e164
from adapters.reading.vocabulary import Words, lower
from gateway.contracts.messages import RelativeEntry
from gateway.contracts.summary import NextOfKin

_WORK = Words("people", "work_phone")
_OWN = Words("people", "own_phone")
_FAMILY = Words("strains", "family_theme")
_NEED = Topic.NEED
_OTHERS_TOPICS = frozenset({Topic.AUTHOR, Topic.RECIPIENT, Topic.GP})
_WORD = re.compile(r"[\w-]+")
_BACK = 200
"""How far back it is looked for whose a number is, in characters"""


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """The relatives of the note, and the numbers that are the patient's."""

    next_of_kin: tuple[NextOfKin, ...]
    phones: tuple[str, ...]
    against: tuple[str, ...] = ()
    """Words that give a coded relative another relation"""


def read_people(
    entries: Sequence[RelativeEntry],
    statements: Sequence[Statement],
    *,
    own: Sequence[str],
    others: frozenset[str],
    names: frozenset[str],
) -> People:
    """Read relatives and the patient's numbers.

    Args:
        entries: the structured relatives.
        statements: the note.
        own: numbers that the message gives as the patient's, E.164.
        others: numbers of wards and health personnel, E.164.
        names: words of names of the patient, the author and the GP, in lower case.
    """
    found = _in_text(statements)
    coded = [one for entry in entries if (one := _structured(entry)) is not None]
    kin = _with_numbers(_merged(coded, found, names), statements, others)
    theirs = {one.phone for one in found if one.phone} | {one.phone for one in kin if one.phone}
    phones = list(dict.fromkeys(own))
    for entry in entries:
        phones += [p.e164 for p in find_phones(entry.remark or "") if _own_by(entry.remark or "", p.span[0])]
    for statement in statements:
        for phone in _of_patient(statement):
            if phone not in theirs and phone not in others:
                phones.append(phone)
    against = {
        relative.name or relative.words: relative
        for relative in found
        if not relative.somebodys and _is_against(relative, coded)
    }
    return People(
        next_of_kin=tuple(kin),
        phones=tuple(dict.fromkeys(phones)),
        against=tuple(dict.fromkeys(_statement_of(one, statements) for one in against.values())),
    )


def _statement_of(relative: FoundRelative, statements: Sequence[Statement]) -> str:
    """The words of the note that name a relative."""
    named = (s.text for s in statements if relative.name is not None and relative.name in s.text)
    return next(named, relative.words)


def _is_against(relative: FoundRelative, coded: Sequence[NextOfKin]) -> bool:
    """Whether the words give the coded relative of that name or number a relation that the code rules out."""
    meant = [one for one in coded if _is_named(relative, one)]
    return bool(meant) and all(excludes(one.relation, relative.relation) for one in meant)


def _is_named(relative: FoundRelative, coded: NextOfKin) -> bool:
    if relative.name is None:
        return relative.phone is not None and relative.phone == coded.phone
    return set(lower(relative.name).split()) <= set(lower(coded.name).split())


def _in_text(statements: Sequence[Statement]) -> list[FoundRelative]:
    """Relatives of the words, each line of the note read as one."""
    lines: dict[str, list[Statement]] = {}
    for statement in statements:
        if statement.topic not in _OTHERS_TOPICS and not is_signature(statement.text):
            lines.setdefault(statement.place, []).append(statement)
    written = (
        " ".join(f"{s.label}: {s.text}" if s.label and s.topic is not _NEED else s.text for s in line)
        for line in lines.values()
        if _names_relation(line)
    )
    return find_relatives("\n|\n".join(written))


def _names_relation(line: Sequence[Statement]) -> bool:
    for statement in line:
        if names_relation(statement.low) or (statement.label and names_relation(statement.label)):
            return True
    return False


def _structured(entry: RelativeEntry) -> NextOfKin | None:
    name = entry.person.full_name
    if not name:
        return None
    phone = next((p for t in entry.person.telecoms if (p := to_e164(t.address))), None)
    relation = relation_of(
        entry.relation.value if entry.relation else None, entry.relation.name if entry.relation else None
    )
    return NextOfKin(name=_natural(name), relation=relation, phone=phone)


def _natural(name: str) -> str:
    """`Blyant, Rosa` in the order of speech; capitals as in a name."""
    family, comma, given = name.partition(",")
    words = f"{given.strip()} {family.strip()}" if comma and given.strip() else name.strip(" ,")
    return words.title() if words.isupper() else words


def _merged(
    coded: Sequence[NextOfKin], found: Sequence[FoundRelative], names: frozenset[str]
) -> list[NextOfKin]:
    kin = list(coded)
    for relative in found:
        index = _same(kin, relative)
        if index is not None:
            if kin[index].phone is None and relative.phone:
                kin[index] = kin[index].model_copy(update={"phone": relative.phone})
        elif relative.name and not _is_other(relative.name, names):
            kin.append(NextOfKin(name=relative.name, relation=relative.relation, phone=relative.phone))
    return kin


def _same(kin: Sequence[NextOfKin], relative: FoundRelative) -> int | None:
    """The relative that is known already, by name or, where the text gives none, by relation."""
    for index, one in enumerate(kin):
        if relative.name is None:
            if relative.relation is not None and one.relation == relative.relation:
                return index
        elif set(lower(relative.name).split()) <= set(lower(one.name).split()):
            return index
    return None


def _with_numbers(
    kin: list[NextOfKin], statements: Sequence[Statement], others: frozenset[str]
) -> list[NextOfKin]:
    """Give a number that stands some words after a relation to the one named relative of that relation."""
    known = {one.phone for one in kin if one.phone} | others
    for statement in statements:
        for phone in find_phones(statement.text):
            before = _before(statement.text, phone.span[0])
            words = _FAMILY.all(before)
            if phone.e164 in known or not words or _own_by(statement.text, phone.span[0]):
                continue
            word = _WORD.match(before, words[-1].start())
            relation = relation_of(None, word[0]) if word else None
            index = next((i for i, k in enumerate(kin) if k.relation == relation and k.phone is None), None)
            if index is not None and relation is not None:
                kin[index] = kin[index].model_copy(update={"phone": phone.e164})
                known.add(phone.e164)
    return kin


def _is_other(name: str, names: frozenset[str]) -> bool:
    """Whether all words of a name are those of the patient or of health personnel."""
    return set(lower(name).split()) <= names and len(name.split()) > 1


def _of_patient(statement: Statement) -> list[str]:
    """The numbers of a statement that are the patient's own."""
    found = find_phones(statement.text)
    if not found or statement.topic in _OTHERS_TOPICS or is_signature(statement.text):
        return []
    return [phone.e164 for phone in found if _own_by(statement.whole, phone.span[0] + _offset(statement))]


def _offset(statement: Statement) -> int:
    return len(statement.whole) - len(statement.low)


def _own_by(text: str, start: int) -> bool:
    """Whether the words before a number leave it with the patient: whoever is named last has it."""
    before = _before(text, start)
    last_own = max((m.start() for m in _OWN.all(before)), default=-1)
    last_family = max((m.start() for m in _FAMILY.all(before)), default=-1)
    if before in _WORK or lower(text[start : start + 60]) in _WORK:
        return False
    if last_family < 0:
        return True
    between = before[last_family:]
    return last_own > last_family and _patient_is_named(between)


def _before(text: str, place: int) -> str:
    """The words before a number that may say whose it is, in lower case."""
    return lower(text[max(0, place - _BACK) : place])


def _patient_is_named(words: str) -> bool:
    return (
        re.search(r"\b(?:pas\w*\.?|pasienten\w*|egen|eigen|eget|eige|hans|hennes|hennar)\b", words)
        is not None
    )
