from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.contracts.errors import ConfigurationError
from gateway.contracts.findings import Disposition
from gateway.formats import read_head, read_message
from gateway.ops.simulation.facts import read_facts
from gateway.ops.simulation.notes import Note, NoteBook
from gateway.ops.simulation.persons import Persons, check_digits, is_valid
from gateway.ops.simulation.traffic import patient_of
from tests.conftest import NOTES


@pytest.fixture(scope="module")
def book() -> NoteBook:
    return NoteBook.load(NOTES, seed=1)


def named(book: NoteBook, beginning: str, round_number: int) -> Note:
    index = next(i for i, s in enumerate(book.samples) if s.name.startswith(beginning))
    return book.note(index, round_number)


def test_the_first_round_is_the_files_byte_for_byte_in_their_order(book: NoteBook) -> None:
    files = sorted(NOTES.rglob("*.xml"))
    notes = list(book.notes(len(files)))
    assert [n.body for n in notes] == [f.read_bytes() for f in files]
    assert [n.sample.system for n in notes] == [f.parent.name for f in files]


def test_what_is_read_from_the_text_is_what_the_formats_read(book: NoteBook) -> None:
    compared = 0
    for note in book.notes(2 * len(book.samples)):
        if not note.facts.well_formed:
            continue
        head = read_head(etree.fromstring(note.body))
        assert head is not None
        facts = note.facts
        assert (facts.msg_id, facts.document_id) == (head.msg_id, head.document_id), note.name
        assert facts.generated_at == head.generated_at
        assert head.sender is not None
        assert set(facts.sender) == set(head.sender.her_ids)
        assert sorted(r[-1] for r in facts.receivers) == sorted(
            r.party.her_id for r in head.receivers if r.party.her_id
        ), note.name
        assert facts.patient == patient_of(head), note.name
        if head.conversation is not None:
            assert (facts.parent, facts.root) == (head.conversation.parent, head.conversation.root)
        compared += 1
    assert compared > 100


@pytest.mark.parametrize("round_number", [1, 2, 40])
def test_a_fresh_round_changes_ids_and_persons_and_nothing_else(book: NoteBook, round_number: int) -> None:
    for index, sample in enumerate(book.samples):
        fresh = book.note(index, round_number)
        old = read_facts(sample.text, sample.body)
        assert fresh.body.startswith(b"\xef\xbb\xbf") == sample.body.startswith(b"\xef\xbb\xbf")
        assert fresh.body.count(b"\r\n") == sample.body.count(b"\r\n")
        assert fresh.body.count(b"\n") == sample.body.count(b"\n")
        assert fresh.facts.well_formed == old.well_formed
        assert fresh.facts.msg_id != old.msg_id
        assert fresh.facts.patient != old.patient
        assert (fresh.facts.sender, fresh.facts.receivers) == (old.sender, old.receivers)
        assert fresh.facts.generated_at == old.generated_at
        before, after = (
            sample.text.split("\n"),
            fresh.body.decode(sample.encoding, "surrogateescape").split("\n"),
        )
        changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
        assert 2 <= len(changed) <= 8, sample.name
        assert all("Id>" in a or "Name>" in a or "RefTo" in a for a, _ in changed), sample.name


def test_a_change_still_points_to_the_note_that_it_changes(book: NoteBook) -> None:
    for round_number in range(3):
        first, change = named(book, "dips/01", round_number), named(book, "dips/05", round_number)
        assert change.facts.parent == first.facts.msg_id
        assert change.facts.patient == first.facts.patient
        letter, correction = (
            named(book, "doculive/10", round_number),
            named(book, "doculive/16", round_number),
        )
        assert correction.facts.document_id == letter.facts.document_id
        assert correction.facts.msg_id != letter.facts.msg_id


def test_every_round_has_people_of_its_own(book: NoteBook) -> None:
    rounds = [
        {n.facts.patient for n in (book.note(i, r) for i in range(len(book.samples)))} for r in range(8)
    ]
    for number, people in enumerate(rounds):
        assert len(people) == len(rounds[0])
        assert not any(people & other for other in rounds[:number])


def test_fresh_persons_keep_birth_date_sex_and_name_order(book: NoteBook) -> None:
    fresh, old = named(book, "dips/18", 1), named(book, "dips/18", 0)
    new, known = (read_message(etree.fromstring(n.body)).head.patient for n in (fresh, old))
    assert new is not None
    assert known is not None
    assert (new.birth_date, new.sex) == (known.birth_date, known.sex)
    assert new.family_name != known.family_name
    assert new.identifiers[0].id[:6] == known.identifiers[0].id[:6]
    shouting = read_message(etree.fromstring(named(book, "doculive/10", 1).body)).head.patient
    assert shouting is not None
    assert shouting.name is not None
    assert shouting.name.isupper()
    assert ", " in shouting.name


def test_the_same_seed_gives_the_same_notes_and_another_others() -> None:
    bodies = [[n.body for n in NoteBook.load(NOTES, seed).notes(130)] for seed in (1, 1, 2)]
    assert bodies[0] == bodies[1]
    assert bodies[0][:60] == bodies[2][:60]
    assert not set(bodies[0][60:]) & set(bodies[2][60:])


def test_expectations_stand_beside_the_notes(book: NoteBook) -> None:
    counts: dict[Disposition, int] = {}
    for sample in book.samples:
        assert sample.expected is not None
        disposition = sample.expected.disposition
        counts[disposition] = counts.get(disposition, 0) + 1
    assert set(counts) == set(Disposition)
    assert named(book, "dips/06", 0).sample.expected.after_history is Disposition.HOLD  # type: ignore[union-attr]


def test_a_folder_without_notes_and_a_broken_expectation_are_errors(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no notes"):
        NoteBook.load(tmp_path, 1)
    (tmp_path / "a.xml").write_text("<MsgHead/>")
    (tmp_path / "a.expected.json").write_text('{"route": {}}')
    with pytest.raises(ConfigurationError, match="no expectation"):
        NoteBook.load(tmp_path, 1)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=400))
def test_facts_of_anything_never_fail(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    assert read_facts(text, data).msg_id == ""


def complete(parts: tuple[int, int, int, int]) -> str | None:
    day, month, year, individual = parts
    nine = f"{day:02}{month:02}{year:02}{individual:03}"
    digits = check_digits(nine)
    return nine + digits if digits else None


numbers = (
    st.tuples(st.integers(1, 28), st.integers(81, 92), st.integers(0, 99), st.integers(0, 999))
    .map(complete)
    .filter(lambda number: number is not None)
)


@settings(max_examples=50, deadline=None)
@given(st.lists(numbers, min_size=1, max_size=4, unique=True), st.integers(0, 100))
def test_fresh_numbers_keep_what_matters(originals: list[str], seed: int) -> None:
    persons = Persons(originals, seed)
    seen: set[str] = set()
    for round_number in range(1, 6):
        for original in originals:
            number = persons.number(original, round_number)
            assert number[:6] == original[:6]
            assert int(number[8]) % 2 == int(original[8]) % 2
            assert is_valid(number)
            assert number not in originals
            assert number not in seen
            seen.add(number)


def test_a_number_that_fails_its_check_is_replaced_by_one_that_fails() -> None:
    persons = Persons(["25825130107"], 1)
    assert not is_valid("25825130107")
    assert not any(is_valid(persons.number("25825130107", r)) for r in range(1, 50))
