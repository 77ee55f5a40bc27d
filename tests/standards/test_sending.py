"""What the acceptance tests demand of outgoing messages, by the numbers of the table in docs/standards.md.

Each check runs over everything that the sample notes make the gateway send, and over messages rendered from
generated summaries.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.contracts.errors import FormatError
from gateway.contracts.messages import CodeList, EventEntry, Format, PatientRecord
from gateway.contracts.summary import Action, Summary
from gateway.formats import write_message
from gateway.rendering import APPLICATION, DISCHARGE_REPORT, render, structure
from tests.rendering.orders import RICH, order, replacing
from tests.standards.points import CHECKS, LISTS, OID, parent
from tests.standards.sent import STANDARD_FORMATS, Sent, code_lists, local, sent, sent_for_the_notes
from tests.strategies import examples, summaries


@pytest.fixture(scope="module")
def outgoing(initialised: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Sent]:
    found = sent_for_the_notes(initialised, tmp_path_factory.mktemp("sending"))
    assert {each.format for each in found} == set(STANDARD_FORMATS)
    assert {each.action for each in found} == set(Action)
    return found


@pytest.mark.parametrize("number", sorted(CHECKS))
def test_a_point_over_all_that_the_notes_make_the_gateway_send(number: int, outgoing: list[Sent]) -> None:
    for each in outgoing:
        CHECKS[number](each)


@pytest.mark.parametrize("version", STANDARD_FORMATS)
@settings(
    max_examples=examples(15), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    summary=summaries(),
    action=st.sampled_from(Action),
    other=st.sampled_from((DISCHARGE_REPORT, APPLICATION)),
    attached=st.booleans(),
)
def test_every_point_over_generated_summaries(
    standards: Path, version: Format, summary: Summary, action: Action, other: str, *, attached: bool
) -> None:
    wanted = order(version, action=action, other=other, attach_summary=attached)
    try:
        made = sent(summary, wanted)
    except FormatError:
        assert structure.patient_record(summary.patient) == PatientRecord()
        return
    assert made.format is version  # point 2
    for check in CHECKS.values():
        check(made)
    _codes_are_legal(made, _lists(standards))


def test_codes_are_legal_ones_of_their_lists(standards: Path, outgoing: list[Sent]) -> None:
    """Points 7 and 8; the lists at hand are not all that there are."""
    checked = sum(_codes_are_legal(each, _lists(standards)) for each in outgoing)
    assert checked > 1000


@cache
def _lists(standards: Path) -> dict[str, frozenset[str]]:
    return code_lists(standards)


def _codes_are_legal(message: Sent, lists: dict[str, frozenset[str]]) -> int:
    checked = 0
    for element in message.root.iter(etree.Element):
        value = element.get("V")
        number = (element.get("S") or "").removeprefix(OID) or LISTS.get(
            f"{parent(element)}/{local(element)}"
        )
        known = lists.get(number or "")
        if value is None or known is None:
            continue
        # A person may have the HER-id of either list (HIS 1153-2).
        assert value in known or (number == "8116" and value == "HER"), (local(element), number)
        checked += 1
    return checked


def test_a_message_id_is_used_once(outgoing: list[Sent]) -> None:
    """Point 10."""
    ids = [each.message.head.msg_id for each in outgoing]
    assert len(set(ids)) == len(ids) > 40


@pytest.mark.parametrize(
    ("end", "written"),
    [("2026-03-02T14:00:00+01:00", 1), ("2026-03-02T13:45:00+01:00", 0), ("2026-03-01", 0)],
)
def test_an_end_that_is_not_later_is_left_out(end: str, written: int) -> None:
    """Point 13."""
    message = render(RICH, order(Format.EPIKRISE_1_2))
    event = EventEntry(start="2026-03-02T13:45:00+01:00", end=end)
    made = Sent(write_message(replace(message, events=(event,))))
    assert len(made.all("EndDateTime")) == written


def test_only_legal_codes_of_open_lists() -> None:
    """Point 8: a code that is none of its list goes as words, and a place that is none is left out."""
    summary = Summary.from_json(
        """{"pathway": {}, "patient": {"family_name": "Prøve", "municipality_code": "9999", "language": "qq"},
        "diagnosis": {"code": "kreft 1", "code_system": "ICD-10", "text": "Kreft"},
        "survey": {"procedure_code": "samtale"}, "source": {"system": "dips", "format": "plo-1.6"}}"""
    )
    made = sent(summary, order(Format.PLO_1_6))
    assert not made.all("County") + made.all("Sprak")
    for name, words in (("Diagnosekode", "kreft 1"), ("IntervensjonTiltakKode", "samtale")):
        (code,) = made.all(name)
        assert set(code.attrib) == {"S", "OT"}
        assert code.get("OT") == words


def test_a_bydel_stands_as_its_kommune_and_where_there_is_a_place_as_bydel() -> None:
    summary = Summary.from_json(
        """{"pathway": {}, "patient": {"family_name": "Prøve", "municipality_code": "030106"},
        "source": {"system": "dips", "format": "plo-1.6"}}"""
    )
    for version in STANDARD_FORMATS:
        made = sent(summary, order(version))
        assert [(e.get("V"), e.get("DN")) for e in made.all("County")] == [("0301", "Oslo")]
        districts = [(e.get("V"), e.get("DN")) for e in made.all("CityDistr")]
        assert districts == ([("030106", "Bydel Ullern")] if made.epikrise else [])


@pytest.mark.parametrize("version", [f for f in STANDARD_FORMATS if not f.value.startswith("epikrise")])
@pytest.mark.parametrize("action", [Action.CHANGE, Action.CANCEL])
def test_a_replacing_message_points_back(version: Format, action: Action) -> None:
    """Point 35."""
    wanted = replacing(version, action)
    made = sent(RICH, wanted)
    assert wanted.conversation is not None
    assert made.at("MsgInfo/ConversationRef/RefToParent").text == wanted.conversation.parent
    assert made.at("MsgInfo/MsgId").text != wanted.conversation.parent


@pytest.mark.parametrize("version", ["epikrise-1.1", "epikrise-1.2"])
def test_a_replacing_epikrise_is_the_same_document(version: str) -> None:
    """Point 50."""
    wanted = replacing(Format(version), Action.CHANGE)
    assert sent(RICH, wanted).at("ServRprt/ServProvId").text == wanted.document_id


PLO_PLACES = {
    "MsgInfo/Patient/Address/StreetAdr",
    "MsgInfo/Patient/Ident/Id",
    "{}/TypeInnholdIMelding/TypeInnhold",
    "{}/OpplysningOpphold/TidsfestetHendelse/TidspunktForHendelse",
    "{}/InfoMedisinskDiagnose/MedisinskDiagnose/Diagnosekode",
    "{}/KontaktpersonHelsepersonell/Kontaktperson",
    "{}/AnsvarForRapport/AnsvarligRapport",
    "{}/TilknyttetEnhet/Kontaktenhet",
    "{}/ParorendeForesatt/Referanseperson",
    "{}/Sykepleierdokumentasjon/IverksatteTiltak/Tiltaksbeskrivelse/IntervensjonTiltakKode",
}


@pytest.mark.parametrize("version", [Format.PLO_1_5, Format.PLO_1_6])
def test_what_a_plo_message_has_places_for_stands_there(version: Format) -> None:
    """Points 29, 30 and 34."""
    made = sent(RICH, order(version))
    for place in PLO_PLACES:
        made.at(place.format("Document/RefDoc/Content/TverrfagligEpikrise"))
    headings = {e.get("V") for e in made.all("Overskriftskode")}
    assert headings == {"8", "13", "14", "88"}
    assert {e.get("S") for e in made.all("Overskriftskode")} == {CodeList.PLO_HEADING_NURSING}


@pytest.mark.parametrize("version", [Format.EPIKRISE_1_1, Format.EPIKRISE_1_2])
def test_what_an_epikrise_has_places_for_stands_there(version: Format) -> None:
    """Points 47 and 48."""
    made = sent(RICH, order(version))
    for place in (
        "Patient/OffId",
        "Patient/Address/StreetAdr",
        "Patient/PatRelHCP/HCP",
        "Patient/PatientRelParty/Name",
        "RelServProvider/HCP",
        "Event/ReportedEvent/StartDateTime",
        "Event/InfItem/Observation/CodedDescr/Concept",
    ):
        made.at(f"ServRprt/{place}")
    headings = [e.get("V") or "" for e in made.all("Heading")]
    assert list(dict.fromkeys(headings)) == ["VU", "OP", "HJ", "FA"]
