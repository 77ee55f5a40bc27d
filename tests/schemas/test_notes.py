"""The project's own schemas on the notes of the fixtures."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from schemas import SchemaSet
from tests.schemas import corpus

NOTES = list(corpus.notes())
own = SchemaSet()


@pytest.mark.parametrize(
    "path", [path for path, broken in NOTES if broken is None], ids=lambda path: path.stem
)
def test_a_note_is_valid(path: Path) -> None:
    root = corpus.parse(path)
    assert root is not None
    assert own.covers(root)
    assert own.is_valid(root)
    assert own.faults(root) == ()


@pytest.mark.parametrize("path", [path for path, how in NOTES if how == "schema"], ids=lambda path: path.stem)
def test_a_note_broken_on_purpose_is_refused_with_a_place_and_a_reason(path: Path) -> None:
    root = corpus.parse(path)
    assert root is not None
    assert own.covers(root)
    assert not own.is_valid(root)
    first = own.faults(root)[0]
    assert first.line is not None
    assert first.message.startswith(f"line {first.line}, {first.path}: ")
    assert first.code not in ("other", "no-declaration")


def test_some_notes_are_broken_on_purpose() -> None:
    assert sorted(filter(None, (how for _, how in NOTES))) == ["schema"] * 3 + ["wellformed"] * 3


def test_what_no_schema_knows_is_not_covered() -> None:
    for document in ("<a/>", "<Message xmlns='http://www.kith.no/xmlstds/epikrise'/>", "<Summary/>"):
        root = etree.fromstring(document)
        assert not own.covers(root)
        assert not own.is_valid(root)
        assert [fault.code for fault in own.faults(root)] == ["no-declaration"]


def test_an_envelope_is_covered_with_what_it_carries() -> None:
    root = corpus.parse(NOTES[0][0])
    assert root is not None
    content = next(root.iter("{http://www.kith.no/xmlstds/msghead/2006-05-24}Content"))
    content.append(etree.Element("{urn:other}Thing"))
    assert not own.covers(root)
    (fault,) = own.faults(root)
    assert fault.code == "no-declaration"
    assert fault.path == "/MsgHead/Document/RefDoc/Content/Thing"
