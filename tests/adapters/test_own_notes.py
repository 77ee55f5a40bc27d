"""Notes in many voices, each with the reading that a person would make of it."""

from __future__ import annotations

from pathlib import Path

import pytest

import adapters
from tests.adapters.comparison import differences, load, message_of

NOTES = sorted((Path(__file__).parent / "notes").glob("*.toml"))


@pytest.mark.parametrize("path", NOTES, ids=lambda path: path.stem)
def test_a_note_is_read_as_a_person_reads_it(path: Path) -> None:
    note = load(path)
    adapter = adapters.installed().named(note["system"])
    assert adapter is not None
    reading = adapter.read(message_of(note), None)
    assert differences(note["expected"], reading.summary) == []
    assert "PH001" not in reading.noticed


@pytest.mark.parametrize("path", NOTES, ids=lambda path: path.stem)
def test_the_evidence_is_in_the_note(path: Path) -> None:
    note = load(path)
    adapter = adapters.installed().named(note["system"])
    assert adapter is not None
    reading = adapter.read(message_of(note), None)
    written = " ".join(f"{note.get('subject', '')} {note['text']}".split())
    assert reading.evidence
    for one in reading.evidence:
        if one.field.startswith("source.") or one.place.startswith("MsgHead"):
            continue  # of the message, not of the note
        words = [word for word in one.words.replace(",", " ").split() if word != "og"]
        assert all(word.strip(",;") in written for word in words), one.field
        assert one.place


def test_what_is_placed_in_no_field_is_kept_and_noticed() -> None:
    note = load(NOTES[0])
    note["text"] = f"{note['text']}\n\nGiraffen sto i vinduet."
    adapter = adapters.installed().named(note["system"])
    assert adapter is not None
    reading = adapter.read(message_of(note), None)
    assert reading.unplaced[-1] == "Giraffen sto i vinduet."
    assert "PH090" in reading.noticed
    assert reading.summary.note is not None
    assert "Giraffen sto i vinduet." in reading.summary.note
