"""Renderings as bytes: valid by the official schemas, and read back from them, in every format."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.contracts.errors import FormatError
from gateway.contracts.messages import Attachment, Format, Message, PatientRecord
from gateway.contracts.summary import Action, Summary
from gateway.contracts.text import as_line
from gateway.formats import read_message, write_message
from gateway.rendering import APPLICATION, DISCHARGE_REPORT, RenderingOrder, read_rendering, render, structure
from gateway.rendering.structure import EPIKRISES
from schemas import SchemaSet
from tests.conftest import FIXTURES
from tests.rendering.orders import ALL_FORMATS, RICH, SPARSE, TEXT_FORMATS, order, replacing
from tests.strategies import examples, summaries

GOLDEN = FIXTURES / "golden"

ORDERS: dict[str, tuple[Summary, Callable[[Format], RenderingOrder]]] = {
    "rich": (RICH, lambda version: order(version, attach_summary=True)),
    "sparse": (SPARSE, order),
    "change": (RICH, lambda version: replacing(version, Action.CHANGE)),
    "cancel": (SPARSE, lambda version: replacing(version, Action.CANCEL)),
    "application": (RICH, lambda version: order(version, other=APPLICATION)),
}
TIMES_AND_ADDRESSES = {
    "GenDate",
    "IssueDate",
    "StartDateTime",
    "DateOfBirth",
    "TidspunktForHendelse",
    "TeleAddress",
}
CODED_WITH_LIST = {
    "Concept",
    "Diagnosekode",
    "IntervensjonTiltakKode",
    "Overskriftskode",
    "RolleNotat",
    "RoleToPatient",
    "TemaKodet",
    "TypeInnhold",
}
PLO = (Format.PLO_1_5, Format.PLO_1_6)
CASES = [
    (version, name) for version in ALL_FORMATS for name in ORDERS if name != "application" or version in PLO
]


@cache
def schemas(official: Path) -> SchemaSet:
    return SchemaSet(official / "xsd")


def parsed(document: bytes) -> etree._Element:
    return etree.fromstring(document, etree.XMLParser(resolve_entities=False, no_network=True))


def faults(official: Path, document: bytes) -> list[tuple[str, str]]:
    found = schemas(official).faults(parsed(document))
    return [(fault.path, fault.code) for fault in found]


def kept(summary: Summary | None) -> dict[str, object] | None:
    return None if summary is None else summary.model_dump(exclude={"source", "note"})


@pytest.mark.parametrize("version", ALL_FORMATS)
@settings(
    max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    summary=summaries(),
    action=st.sampled_from(Action),
    other=st.sampled_from((DISCHARGE_REPORT, APPLICATION)),
    attached=st.booleans(),
)
def test_any_summary_goes_out_valid_and_comes_back(
    standards: Path, version: Format, summary: Summary, action: Action, other: str, *, attached: bool
) -> None:
    wanted = order(version, action=action, other=other, attach_summary=attached)
    try:
        document = write_message(render(summary, wanted))
    except FormatError:
        # Of a patient that nothing is known of there can be no epikrise.
        assert version in EPIKRISES
        assert structure.patient_record(summary.patient) == PatientRecord()
        return
    assert faults(standards, document) == []
    read = read_rendering(read_message(parsed(document)))
    assert kept(read) == kept(summary)
    assert read is not None
    assert as_line(read.note or "") == as_line(summary.note or "")
    if version is Format.SUMMARY_1:
        assert read == summary
    else:
        assert read.source.system == summary.source.system
        assert read.source.action is action


@pytest.mark.parametrize(("version", "name"), CASES)
def test_golden(version: Format, name: str) -> None:
    """Byte for byte: `UPDATE_GOLDEN=1 pytest tests/rendering -k golden` writes the files anew."""
    summary, made = ORDERS[name]
    document = write_message(render(summary, made(version)))
    file = GOLDEN / f"{version.value}-{name}.xml"
    if os.environ.get("UPDATE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(document)
    assert document == file.read_bytes()


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.xml")), ids=lambda file: file.stem)
def test_golden_files_are_valid(standards: Path, file: Path) -> None:
    assert faults(standards, file.read_bytes()) == []


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("[dep]*.xml")), ids=lambda file: file.stem)
def test_golden_files_keep_the_rules_that_no_schema_states(file: Path) -> None:
    """No empty elements; a code with its text, a CV with its list too."""
    for element in parsed(file.read_bytes()).iter(etree.Element):
        name = etree.QName(element).localname
        assert name == "br" or element.attrib or len(element) or (element.text or "").strip(), name
        assert not any(value != value.strip() or not value for value in element.attrib.values()), name
        if "V" in element.attrib and name not in TIMES_AND_ADDRESSES:
            assert element.get("DN"), name
        if "DN" in element.attrib:
            assert element.get("V"), name
        if name in CODED_WITH_LIST:
            assert (element.get("S") or "").startswith("2.16.578.1.12.4.1.1."), name


@pytest.mark.parametrize("version", TEXT_FORMATS)
def test_the_note_comes_back_as_it_was_written(version: Format) -> None:
    read = read_rendering(sent(RICH, order(version)))
    assert read is not None
    assert read.note == RICH.note


@pytest.mark.parametrize("version", TEXT_FORMATS)
def test_attachments_arrive_as_they_are(version: Format) -> None:
    own = Attachment(mime_type="application/pdf", description="Skjema", content=bytes(range(256)))
    message = sent(RICH, order(version, attach_summary=True, attachments=(own,)))
    first, second = message.attachments
    assert first == own
    assert b"Brystkreft" in second.content


def sent(summary: Summary, wanted: RenderingOrder) -> Message:
    return read_message(parsed(write_message(render(summary, wanted))))
