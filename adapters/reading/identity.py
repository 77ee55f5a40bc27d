"""Words that give the patient another sex, age or identifier than the coded fields, which hold.

A note that speaks of a man, in a woman's record, may be another patient's.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Sequence

from adapters.reading.kinship import names_relation
from adapters.reading.model import Statement, Topic
from adapters.reading.parties import read_day
from adapters.reading.vocabulary import Sieve, Words
from gateway.contracts.messages import PatientRecord
from gateway.formats.person_identifier import check_digits_ok, classify, normalise

_MEN = (Words("patient", "male"), Words("patient", "boy"))
_WOMEN = (Words("patient", "female"), Words("patient", "girl"))
_LABEL = Words("patient", "sex")
_SOMEBODY_ELSE = Words("patient", "somebody_else")
_PERSONS = {
    "1": (_MEN, Words("patient", "male_by_label"), Words("patient", "he"), Words("patient", "of_him")),
    "2": (_WOMEN, Words("patient", "female_by_label"), Words("patient", "she"), Words("patient", "of_her")),
}
"""By code list 3101: words that present the patient, after the label, that go on, that speak of one at all"""
_OTHER = {"1": "2", "2": "1"}
_PRESENTS = Sieve(*_MEN, *_WOMEN, *(by_label for _, by_label, _, _ in _PERSONS.values()))
_OF_OTHERS = frozenset(
    {
        Topic.KIN,
        Topic.GP,
        Topic.AUTHOR,
        Topic.RECIPIENT,
        Topic.FOLLOW_UP,
        Topic.LANGUAGE,
        Topic.CONTACT,
        Topic.NEED,
        Topic.REFERRAL,
    }
)
"""Headings under which others than the patient are told of"""
_IDENTIFIER = re.compile(r"\d(?<!\d\d)\d{5} ?\d{5}(?!\d)")
_AGE = re.compile(r"\b(\d{1,3})\s?-?\s?(?:år|åring)")
_ADULT = 18
_YEARS_WRONG = 1
_LEAST_PRONOUNS = 2
"""Sentences that have to begin so: one may be of somebody whom the line before has named"""


def against_patient(
    record: PatientRecord | None, statements: Sequence[Statement], sent_on: datetime.date
) -> tuple[str, ...]:
    """The statements that say another sex, age or identifier than the coded patient has.

    Args:
        record: the patient of the envelope.
        statements: the note.
        sent_on: the message's date, from which ages are counted.
    """
    if record is None:
        return ()
    about = [s for s in statements if s.section not in _OF_OTHERS]
    found = [*_other_identifiers(record, about), *_presented_otherwise(record, about, sent_on)]
    if not found:
        found = _spoken_of_otherwise(record, statements)
    return tuple(dict.fromkeys(statement.text for statement in found))


def _other_identifiers(record: PatientRecord, statements: Sequence[Statement]) -> Iterator[Statement]:
    own = {normalise(identifier.id) for identifier in record.identifiers}
    if not own or _IDENTIFIER.search("\n".join(statement.text for statement in statements)) is None:
        return
    for statement in statements:
        for found in _IDENTIFIER.finditer(statement.text):
            number = normalise(found[0])
            sound = classify(number) is not None and check_digits_ok(number)
            if sound and number not in own and not _is_of_another(statement.whole, len(statement.whole)):
                yield statement


def _presented_otherwise(
    record: PatientRecord, statements: Sequence[Statement], sent_on: datetime.date
) -> Iterator[Statement]:
    sex = record.sex.value if record.sex is not None else None
    other = _OTHER.get(sex or "")
    age = _age(record, sent_on)
    for statement in statements:
        if not _PRESENTS.passes(statement.low):
            continue
        if other and statement.low in _PERSONS[other][1] and statement.label in _LABEL:
            yield statement
        for code, (present, _, _, _) in _PERSONS.items():
            found = next((match for words in present if (match := words.find(statement.low))), None)
            if found is None or _is_of_another(statement.low, found.start()):
                continue
            child = statement.low in present[1]
            if child and age is not None and age >= _ADULT:
                continue  # a child of the patient's
            if code == other or (found.start() == 0 and _is_not_of(age, found[0])):
                yield statement


def _spoken_of_otherwise(record: PatientRecord, statements: Sequence[Statement]) -> list[Statement]:
    """Sentences that begin with the other sex's pronoun, in a note that speaks of nobody else."""
    sex = record.sex.value if record.sex is not None else None
    other = _OTHER.get(sex or "")
    if sex is None or other is None:
        return []
    begins, speaks_of_own = _PERSONS[other][2], _PERSONS[sex][3]
    found = [s for s in statements if s.low in begins and s.section not in _OF_OTHERS]
    if len(found) < _LEAST_PRONOUNS:
        return []
    if any(s.low in speaks_of_own or names_relation(s.whole) or s.section is Topic.KIN for s in statements):
        return []
    return found[:1]


def _is_of_another(low: str, until: int) -> bool:
    """Whether what stands before a place in lower-case words names somebody else, or is someone's speech."""
    before = low[:until]
    if before.count("«") > before.count("»") or before.count('"') % 2:
        return True
    return bool(before.strip()) and (names_relation(before) or before in _SOMEBODY_ELSE)


def _age(record: PatientRecord, sent_on: datetime.date) -> int | None:
    born = read_day(record.birth_date)
    if born is None:
        return None
    return sent_on.year - born.year - ((sent_on.month, sent_on.day) < (born.month, born.day))


def _is_not_of(age: int | None, words: str) -> bool:
    """Whether words give an age that a patient of that age can not be meant by."""
    said = _AGE.search(words)
    return age is not None and said is not None and abs(int(said[1]) - age) > _YEARS_WRONG
