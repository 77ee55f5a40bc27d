"""Where each field came from: nothing stands in a summary of which the evidence does not tell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import adapters
from adapters.base import RecordSystem
from gateway.contracts.errors import PermanentError
from gateway.contracts.messages import Message
from gateway.contracts.reading import Reading
from gateway.formats import read_message
from gateway.routing.register_file import RegisterFile
from gateway.security.gate import parse
from tests.conftest import NOTES, REGISTRY

_FILES = sorted(NOTES.rglob("*.xml"))
_OF_NO_PLACE = re.compile(
    r"note|pathway\.interaction_point|pathway\.objects_to_sharing|patient\.sex|contact\.initiated_by|source\.action"
    r"|pathway\.status"
)
"""The whole note; and fields that have a value where the message says nothing"""
_SAYS_NOTHING = (1, False, "unknown", "new")


def _leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{index}]")
    elif value is not None:
        yield path, value


def _read(path: Path) -> tuple[Message, Reading] | None:
    try:
        message = read_message(parse(path.read_bytes()))
    except PermanentError:
        return None
    adapter = adapters.installed().choose(message)
    assert isinstance(adapter, RecordSystem)
    reading = adapter.read(message, RegisterFile.load(REGISTRY))
    return None if "PH001" in reading.noticed else (message, reading)


@pytest.mark.parametrize(
    "path", sorted(NOTES.rglob("*.xml")), ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_every_field_has_words_and_a_place(path: Path) -> None:
    read = _read(path)
    if read is None:
        return
    message, reading = read
    told = tuple(one.field for one in reading.evidence)
    for name, value in _leaves(reading.summary.model_dump(mode="json")):
        if name == "note" or (value in _SAYS_NOTHING and _OF_NO_PLACE.fullmatch(name)):
            continue
        assert any(name == one or name.startswith((f"{one}.", f"{one}[")) for one in told), name
    written = " ".join((message.subject or "", *(block.text for block in message.texts)))
    for one in reading.evidence:
        assert one.words, one.field
        assert one.place, one.field
        if "line " in one.place and one.rule != "kinship":
            for word in one.words.replace(",", " ").split():
                assert word.strip(",;").lower() in written.lower() or word == "og", one.field


@pytest.mark.parametrize(
    "path", sorted(NOTES.rglob("*.xml")), ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_a_municipality_has_the_place_that_gave_it(path: Path) -> None:
    read = _read(path)
    if read is None:
        return
    message, reading = read
    code = reading.summary.patient.municipality_code
    told = [one for one in reading.evidence if one.field == "patient.municipality_code"]
    assert len(told) == (code is not None)
    for one in told:
        if one.place.endswith("/Address") and one.rule is None:
            assert code is not None
            assert one.words.startswith(code)
        else:
            assert one.rule == "register"
            names = [receiver.party.organisation.name for receiver in message.head.receivers]
            assert one.words in names or one.place.endswith("/Address")
