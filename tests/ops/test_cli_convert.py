"""`convert`: one message in, no service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from gateway.contracts.findings import FINDINGS
from gateway.contracts.messages import Format
from gateway.contracts.summary import Summary
from gateway.formats import identify, read_message
from gateway.formats.summary_xml import read_summary
from gateway.rendering import read_rendering
from gateway.security.gate import parse
from schemas import SchemaSet
from tests.conftest import NOTES, REGISTRY
from tests.ops.conftest import Pakkehjem

ALL = sorted(NOTES.rglob("*.xml"))
EXPECTED = {note: json.loads(note.with_suffix(".expected.json").read_bytes()) for note in ALL}
READABLE = [note for note in ALL if EXPECTED[note]["summary"] is not None]
ONE_OF_EACH = [next(NOTES.glob(f"{system}/01-*.xml")) for system in ("dips", "doculive", "helseplattformen")]
OUTGOING = [f for f in Format if not f.value.startswith(("apprec", "summary"))]


def short(value: object) -> str:
    return f"{value.parent.name}-{value.name[:2]}" if isinstance(value, Path) else str(value)


@pytest.mark.parametrize("note", ALL, ids=short)
def test_the_json_has_the_contracts_shape(note: Path, pakkehjem: Pakkehjem) -> None:
    done = pakkehjem("convert", note, "--register", REGISTRY)
    document = done.json()
    assert list(document) == ["summary", "findings", "disposition", "route"]
    assert list(document["route"]) == ["municipality", "gp"]
    assert all(list(f) == ["code", "severity", "field", "message"] for f in document["findings"])
    assert all(f["code"] in FINDINGS for f in document["findings"])
    expected = EXPECTED[note]
    rejected = document["disposition"] == "reject"
    assert done.code == (1 if rejected else 0)
    assert (document["summary"] is None) == (expected["summary"] is None)
    if expected["summary"] is None:
        assert rejected
        assert document["route"] == {"municipality": None, "gp": None}
        codes = [f["code"] for f in document["findings"]]
        assert codes == ([] if "broken" in expected else ["PH001"])
        assert str(note) in done.err
        assert len(done.err.splitlines()) <= 2
    else:
        assert done.err == ""
        assert shape(document["summary"]) == shape(Summary.from_json(json.dumps(document["summary"])))
        assert document["summary"]["source"]["system"] == note.parent.name


def shape(value: Any) -> Any:
    """Every member of the summary is there, in the order of the contract."""
    document = value if isinstance(value, dict) else value.model_dump(mode="json")
    return {k: shape(v) if isinstance(v, dict) else None for k, v in document.items()}


def test_without_a_register_there_is_no_route(pakkehjem: Pakkehjem) -> None:
    for note in ONE_OF_EACH:
        document = pakkehjem("convert", note).json()
        assert document["route"] == {"municipality": None, "gp": None}
        with_register = pakkehjem("convert", note, "--register", REGISTRY).json()
        assert with_register["route"] == EXPECTED[note]["route"]


@pytest.mark.parametrize("note", READABLE, ids=short)
def test_every_format_is_valid_and_holds_the_whole_summary(note: Path, pakkehjem: Pakkehjem) -> None:
    summary = pakkehjem("convert", note, "--register", REGISTRY).json()["summary"]
    schemas = SchemaSet()
    for target in OUTGOING:
        done = pakkehjem("convert", note, "--to", target.value, "--register", REGISTRY)
        assert (done.code, done.err) == (0, "")
        root = parse(done.out.encode())
        assert identify(root).format is target
        assert schemas.faults(root) == ()
        back = read_rendering(read_message(root))
        assert back is not None
        document = back.model_dump(mode="json")
        assert document["patient"] == summary["patient"]
        assert document["needs"] == summary["needs"]
    done = pakkehjem("convert", note, "--to", "summary-1", "--register", REGISTRY)
    assert done.code == 0
    root = parse(done.out.encode())
    assert schemas.faults(root) == ()
    assert read_summary(root).model_dump(mode="json") == summary


@pytest.fixture(scope="session")
def official(standards: Path) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(standards / "xsd" / "all.xsd")))


@pytest.mark.parametrize("target", OUTGOING)
@pytest.mark.parametrize("note", ONE_OF_EACH, ids=short)
def test_every_format_follows_the_official_schemas(
    note: Path, target: Format, pakkehjem: Pakkehjem, official: etree.XMLSchema
) -> None:
    for register in (("--register", REGISTRY), ()):
        done = pakkehjem("convert", note, "--to", target.value, *register)
        assert done.code == 0
        assert official.validate(parse(done.out.encode())), target


@pytest.mark.parametrize("note", ONE_OF_EACH, ids=short)
def test_a_page_and_a_text_for_people(note: Path, pakkehjem: Pakkehjem) -> None:
    summary = EXPECTED[note]["summary"]
    for target in ("html", "text"):
        done = pakkehjem("convert", note, "--to", target)
        assert (done.code, done.err) == (0, "")
        assert done.out.endswith("\n")
        assert summary["patient"]["family_name"] in done.out
        assert summary["needs"][0]["text"][:20] in done.out
    assert "<script" not in pakkehjem("convert", note, "--to", "html").out.lower()


@pytest.mark.parametrize("target", ["summary-1", "plo-1.6", "html", "text"])
def test_what_is_no_note_is_written_in_no_format(target: str, pakkehjem: Pakkehjem) -> None:
    # A page shows any message that can be read (test_message_pages.py): what is no note has no other form.
    no_note = () if target == "html" else ("dips/07-*.xml",)
    for pattern in (*no_note, "dips/08-*.xml", "doculive/08-*.xml"):
        (note,) = NOTES.glob(pattern)
        done = pakkehjem("convert", note, "--to", target)
        assert done.code == 1
        assert done.out == ""
        assert str(note) in done.err


@pytest.mark.parametrize("note", ONE_OF_EACH, ids=short)
def test_the_output_is_the_same_every_time(note: Path, pakkehjem: Pakkehjem) -> None:
    for target in ("json", "summary-1", "dialogmelding-1.1", "epikrise-1.2", "html", "text"):
        assert pakkehjem("convert", note, "--to", target) == pakkehjem("convert", note, "--to", target)


@pytest.mark.parametrize("note", ONE_OF_EACH, ids=short)
def test_explain_shows_where_each_field_came_from(note: Path, pakkehjem: Pakkehjem) -> None:
    done = pakkehjem("convert", note, "--explain")
    assert (done.code, done.err) == (0, "")
    summary = EXPECTED[note]["summary"]
    assert f"survey.distress_score = {summary['survey']['distress_score']}\n  «" in done.out
    for field in ("pathway.status", "needs[0]", "diagnosis", "survey.held_on", "patient.id"):
        assert f"\n{field}" in f"\n{done.out}"
    assert f"\nneeds[0] = {summary['needs'][0]['responsible']}\n" in done.out
    fields = [
        line.split("[")[0].split(".")[0].split(" ")[0] for line in done.out.splitlines() if line[:1].isalpha()
    ]
    told = [field for field in fields if field in summary]
    assert told == sorted(told, key=list(summary).index)
    assert summary["needs"][0]["text"][:20] in done.out


def test_an_adapter_is_chosen_by_name(pakkehjem: Pakkehjem) -> None:
    note = ONE_OF_EACH[1]
    for name in ("dips", "doculive"):
        document = pakkehjem("convert", note, "--adapter", name).json()
        assert document["summary"]["source"]["system"] == name
    done = pakkehjem("convert", note, "--adapter", "epic")
    assert done.code == 2
    assert done.err == ("pakkehjem: there is no adapter epic\n  known: dips, doculive, helseplattformen\n")
    assert done.out == ""


def test_an_unknown_format_names_the_known_ones(pakkehjem: Pakkehjem) -> None:
    done = pakkehjem("convert", ONE_OF_EACH[0], "--to", "pdf")
    assert done.code == 2
    assert "epikrise-1.2" in done.err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not well-formed"),
        (b"\x00\x01\x02", "not well-formed"),
        (b"<a/>", "no format or type"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "doctype"),
        (b"plain text", "not well-formed"),
    ],
)
def test_what_is_no_message_is_rejected(
    content: bytes, said: str, pakkehjem: Pakkehjem, tmp_path: Path
) -> None:
    file = tmp_path / "x.xml"
    file.write_bytes(content)
    done = pakkehjem("convert", file)
    assert done.code == 1
    assert done.json() == {
        "summary": None,
        "findings": [],
        "disposition": "reject",
        "route": {"municipality": None, "gp": None},
    }
    assert said in done.err.lower()
    assert f"pakkehjem validate {file}" in done.err


def test_a_receipt_is_no_note(pakkehjem: Pakkehjem, tmp_path: Path) -> None:
    file = tmp_path / "apprec.xml"
    file.write_text(pakkehjem("apprec", ONE_OF_EACH[0], "--any-receiver").out)
    done = pakkehjem("convert", file)
    assert done.code == 1
    assert done.json()["disposition"] == "reject"
    assert "AppRec" in done.err
