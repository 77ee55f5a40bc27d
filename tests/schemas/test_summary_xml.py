"""The canonical summary as XML: nothing is lost, and the schema says what the model says."""

from __future__ import annotations

import datetime
import json
import timeit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.contracts.errors import FormatError
from gateway.contracts.summary import (
    Contact,
    Diagnosis,
    ExistingFollowUp,
    GeneralPractitioner,
    NextOfKin,
    Pathway,
    Patient,
    Source,
    Strain,
    Summary,
    Survey,
)
from gateway.formats.summary_xml import NAMESPACE, ROOT, read_summary, write_summary
from schemas import SchemaSet
from tests.schemas import corpus
from tests.strategies import summaries

CANARY = "Kanarifugl"
NS = f"{{{NAMESPACE}}}"

schemas = SchemaSet()


def _parsed(summary: Summary) -> etree._Element:
    return etree.fromstring(write_summary(summary))


@pytest.fixture
def small() -> Summary:
    return Summary(
        pathway=Pathway(),
        patient=Patient(),
        source=Source(system="dips", format="plo-1.6"),
        note="En\n  to\ttre",
    )


@settings(max_examples=100, deadline=None)
@given(summaries())
def test_a_summary_comes_back_from_xml_and_from_json(summary: Summary) -> None:
    root = _parsed(summary)
    assert read_summary(root) == summary
    assert Summary.from_json(summary.to_json()) == summary
    assert read_summary(root).to_json() == summary.to_json()


@settings(max_examples=100, deadline=None)
@given(summaries())
def test_every_summary_is_valid(summary: Summary) -> None:
    root = _parsed(summary)
    assert schemas.covers(root)
    assert schemas.faults(root) == ()


@settings(max_examples=60, deadline=None)
@given(summaries(), st.integers())
def test_what_the_schema_accepts_the_model_accepts(summary: Summary, seed: int) -> None:
    dice = corpus.dice_of(seed)
    changed = corpus.changed(_parsed(summary), dice)
    if schemas.is_valid(changed):
        read_summary(changed)


@settings(max_examples=60, deadline=None)
@given(summaries())
def test_the_same_summary_gives_the_same_bytes(summary: Summary) -> None:
    again = Summary.from_json(summary.to_json())
    assert write_summary(summary) == write_summary(again)


def test_the_document(small: Summary) -> None:
    assert write_summary(small).decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<Summary xmlns="urn:pakkehjem:summary:1" version="1">'
        "<Pathway><Status>unknown</Status><InteractionPoint>1</InteractionPoint>"
        "<ObjectsToSharing>false</ObjectsToSharing></Pathway>"
        "<Patient><Sex>unknown</Sex></Patient>"
        "<Contact><InitiatedBy>unknown</InitiatedBy></Contact><ExistingFollowUp></ExistingFollowUp>"
        "<Source><System>dips</System><Format>plo-1.6</Format><Action>new</Action>"
        "<Organisation></Organisation><Unit></Unit></Source>"
        "<Note>En\n  to\ttre</Note></Summary>\n"
    )


def test_an_object_with_nothing_in_it_is_not_an_object_that_is_missing(small: Summary) -> None:
    there = small.model_copy(
        update={"gp": GeneralPractitioner(), "survey": Survey(), "diagnosis": Diagnosis()}
    )
    for summary in (small, there):
        assert read_summary(_parsed(summary)) == summary
    assert _parsed(there).find(f"{NS}Gp") is not None
    assert _parsed(small).find(f"{NS}Gp") is None


def test_indentation_and_comments_change_nothing(small: Summary) -> None:
    summary = small.model_copy(
        update={
            "strains": (Strain(text="trøtt & sliten <alltid>"), Strain(text="«redd»")),
            "next_of_kin": (NextOfKin(name="Kari Bjørk"),),
            "contact": Contact(when="uke 12"),
            "existing_follow_up": ExistingFollowUp(kreftkoordinator=False),
        }
    )
    root = _parsed(summary)
    etree.indent(root)
    for element in list(root.iter(etree.Element)):
        if len(element) == 0 and element.text and element.text.strip():
            comment = etree.Comment("note")
            comment.tail, element.text = element.text[1:], element.text[:1]
            element.append(comment)
    assert schemas.is_valid(root)
    assert read_summary(corpus.again(root)) == summary


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("Pathway/Status", "begun"),
        ("Pathway/Status", "Started"),
        ("Pathway/Reason", "unknown"),
        ("Pathway/InteractionPoint", "4"),
        ("Pathway/ObjectsToSharing", "1"),
        ("Pathway/StartedOn", "2026-02-30"),
        ("Pathway/StartedOn", "2026-02-28Z"),
        ("Pathway/NextPoint/Point", "1"),
        ("Pathway/NextPoint/Basis", ""),
        ("Patient/Id", " "),
        ("Patient/Id", "\u00a0\u2003"),
        ("Patient/IdType", "HPR"),
        ("Patient/Sex", "other"),
        ("Patient/Phone", "90000001"),
        ("Patient/Phone", "+0790000001"),
        ("Patient/Phone", "+47 90000001"),
        ("Patient/Phone", "+1234567890123456"),
        ("Patient/Address/PostalCode", "703"),
        ("Patient/MunicipalityCode", "03010"),
        ("Patient/Language", "NO"),
        ("Diagnosis/CodeSystem", "ICD-11"),
        ("Diagnosis/Confirmed", "yes"),
        ("Diagnosis/Intent", "cure"),
        ("Survey/DistressScore", "11"),
        ("Survey/DistressScore", "6.5"),
        ("Survey/Form", "letter"),
        ("Strain/Area", "work"),
        ("Need/Responsible", "state"),
        ("Contact/InitiatedBy", "gp"),
        ("Author/Hpr", "009144897"),
        ("Gp/HerId", "1234567890123"),
        ("Source/System", "DIPS"),
        ("Source/Format", "plo-2.0"),
        ("Source/Action", "N"),
        ("Source/SentAt", "2026-03-02T13:45:00"),
        ("Note", "\n\t\u00a0\n"),
        ("WhatMatters", ""),
    ],
)
def test_a_value_that_the_model_refuses_is_refused_by_the_schema_too(place: str, value: str) -> None:
    root = _parsed(_full())
    element = root.find("/".join(f"{NS}{step}" for step in place.split("/")))
    assert element is not None
    assert schemas.is_valid(root)
    element.text = value
    assert not schemas.is_valid(root)
    with pytest.raises(FormatError) as caught:
        read_summary(root)
    assert value.strip() not in str(caught.value).split() or len(value.strip()) < 2


def _full() -> Summary:
    document = {
        "pathway": {
            "status": "started",
            "reason": "relapse",
            "started_on": "2026-03-02",
            "next_points": [{"point": 2, "from": "2026-06-02", "to": "2026-07-02", "basis": "started_on"}],
        },
        "patient": {
            "id": "13888549952",
            "id_type": "FNR",
            "phones": ["+4790000001"],
            "address": {"line": "Fjordgata 1", "postal_code": "7030", "city": "TRONDHEIM"},
            "municipality_code": "030106",
            "language": "so",
        },
        "gp": {"name": "Lege Lind", "her_id": "8900012", "hpr": "9000012"},
        "diagnosis": {"code": "C50.9", "code_system": "ICD-10", "intent": "curative"},
        "survey": {"distress_score": 10, "form": "phone", "relatives_present": True},
        "strains": [{"area": "physical", "text": "trøtt"}],
        "what_matters": "å sove",
        "needs": [{"text": "samtale", "responsible": "nav"}],
        "author": {"name": "Siv", "hpr": "9144897"},
        "source": {"system": "dips", "format": "plo-1.6", "sent_at": "2026-03-02T13:45:00.25+01:00"},
        "note": "alt",
    }
    return Summary.from_json(json.dumps(document))


@pytest.mark.parametrize(
    "document",
    [
        "<Summary version='1'/>",
        f"<Summary xmlns='{NAMESPACE}'/>",
        f"<Summary xmlns='{NAMESPACE}' version='2'/>",
        "<Summary xmlns='urn:pakkehjem:summary:2' version='1'/>",
        f"<Patient xmlns='{NAMESPACE}' version='1'/>",
        f"<Summary xmlns='{NAMESPACE}' version='1'/>",
        f"<Summary xmlns='{NAMESPACE}' version='1'><Strange>{CANARY}</Strange></Summary>",
    ],
)
def test_what_is_no_summary_is_refused(document: str) -> None:
    with pytest.raises(FormatError, match="not a summary"):
        read_summary(etree.fromstring(document))
    assert not schemas.is_valid(etree.fromstring(document))


def test_errors_hold_no_value() -> None:
    for place in (
        "Pathway/Status",
        "Patient/Phone",
        "Diagnosis/Date",
        "Survey/DistressScore",
        "Source/SentAt",
    ):
        root = _parsed(_full())
        parent, name = place.split("/")
        holder = root.find(f"{NS}{parent}")
        assert holder is not None
        for old in holder.findall(f"{NS}{name}"):
            holder.remove(old)
        etree.SubElement(holder, f"{NS}{name}").text = CANARY
        with pytest.raises(FormatError) as caught:
            read_summary(root)
        assert CANARY not in str(caught.value)
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None


def test_a_value_given_twice_is_refused() -> None:
    root = _parsed(_full())
    root[0].insert(0, etree.fromstring(f"<Status xmlns='{NAMESPACE}'>declined</Status>"))
    with pytest.raises(FormatError, match="Status stands twice"):
        read_summary(root)


def test_elements_inside_a_value_and_attributes_are_refused() -> None:
    for change in (lambda e: etree.SubElement(e, f"{NS}b"), lambda e: e.set("lang", CANARY)):
        root = _parsed(_full())
        element = root.find(f"{NS}WhatMatters")
        assert element is not None
        change(element)
        with pytest.raises(FormatError):
            read_summary(root)
        assert not schemas.is_valid(root)


def test_a_time_keeps_its_zone() -> None:
    summary = read_summary(_parsed(_full()))
    sent = summary.source.sent_at
    assert sent is not None
    assert sent.utcoffset() == datetime.timedelta(hours=1)
    assert sent.microsecond == 250_000


def test_writing_is_fast_enough_to_do_it_for_every_message() -> None:
    summary = _full()
    write_summary(summary)
    assert min(timeit.repeat(lambda: write_summary(summary), number=20, repeat=5)) / 20 < 0.005


def test_the_root_is_what_the_constants_say(small: Summary) -> None:
    assert _parsed(small).tag == f"{NS}{ROOT}"
