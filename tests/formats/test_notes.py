"""Every synthetic note reads, and what stands in its places is found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.contracts.messages import CodedValue, CodeList, Format, Message, ProfessionalFunction
from gateway.contracts.summary import Action
from gateway.formats import identify, read_head, read_message
from tests.conftest import NOTES
from tests.formats.support import folded, parse_file, strings

_UNREADABLE = ("20-avkuttet", "08-ikke-velformet", "20-styretegn-i-teksten")
_FILES = sorted(p for p in NOTES.glob("*/*.xml") if p.stem not in _UNREADABLE)


def note(name: str) -> Message:
    return read_message(parse_file(next(p for p in _FILES if f"{p.parent.name}/{p.stem}".startswith(name))))


@pytest.mark.parametrize("path", _FILES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_every_note_reads(path: Path) -> None:
    root = parse_file(path)
    message = read_message(root)
    assert message.format is identify(root).format
    assert message.texts
    assert message.head.sender is not None
    assert message.head.sender.her_id is not None
    assert message.head.primary is not None
    assert message.head.sent_at is not None
    assert message.head.patient is not None
    assert read_head(root) == message.head


@pytest.mark.parametrize("path", _FILES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_no_word_of_a_note_is_lost(path: Path) -> None:
    root = parse_file(path)
    have = folded("\n".join(strings(read_message(root))))
    for element in root.iter("*"):
        for said in (element.text, element.tail):
            if said and folded(said) and folded(said) not in have:
                # The version of the format and what PLO calls an estimate say nothing of the patient.
                assert element.tag.rpartition("}")[2] in ("MIGversion", "Anslag", "Hoveddiagnose", "Id")


@pytest.mark.parametrize("path", _FILES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_head_says_what_a_person_read(path: Path) -> None:
    expected = json.loads(path.with_suffix(".expected.json").read_text())["summary"]
    if expected is None:
        return
    message = note(f"{path.parent.name}/{path.stem}")
    source, head = expected["source"], message.head
    assert message.format == source["format"]
    if message.format not in (Format.DIALOGMELDING_1_0, Format.DIALOGMELDING_1_1):
        assert message.action == source.get("action", message.action)
    assert (head.msg_type.value, head.msg_id) == (source["msg_type"], source["msg_id"])
    assert head.sender is not None
    assert head.sender.organisation.her_id == source["organisation"]["her_id"]
    assert (head.sender.unit.her_id if head.sender.unit else None) == source["unit"]["her_id"]
    assert head.patient is not None
    patient = expected["patient"]
    assert any(i.id == patient["id"] for i in head.patient.identifiers) == (patient["id"] is not None)


def test_plo_with_a_heading_for_each_text() -> None:
    found = note("dips/01")
    assert found.format is Format.PLO_1_6
    assert (found.content_root, found.action) == ("TverrfagligEpikrise", Action.NEW)
    assert found.topic == CodedValue(
        value="11", code_list=CodeList.PLO_CONTENT_DISCHARGE, name="Utskrivningsrapport"
    )
    assert [t.place for t in found.texts][:2] == [
        "Sykepleierdokumentasjon/InfoFraSykepleier/Journaltekst[1]/Notat",
        "Sykepleierdokumentasjon/InfoFraSykepleier/Journaltekst[2]/Notat",
    ]
    assert found.texts[2].text == "Status\nPas. har startet pakkeforløp hjem 02.03.2026."
    assert found.texts[2].heading == CodedValue(
        value="88", code_list=CodeList.PLO_HEADING_NURSING, name="Annet"
    )
    assert [(e.description, e.start) for e in found.events] == [
        ("Innlagt dato", "2026-02-23T08:00:00"),
        ("Utskrevet dato", "2026-03-02T14:00:00"),
    ]
    assert [(d.main, d.code and d.code.value) for d in found.diagnoses] == [(True, "C187")]
    (relative,) = found.relatives
    assert relative.relation == CodedValue(value="EK", name="Ektefelle")
    assert relative.person.full_name == "Varsom Fiskebolle"
    assert relative.person.telecoms[0].address == "tel:90000002"
    (author,) = found.professionals
    assert author.function is ProfessionalFunction.AUTHOR
    assert (author.person.full_name, author.person.hpr) == ("Pen Skisse", "9910101")
    assert author.person.type == CodedValue(value="SP", name="Sykepleier")
    assert author.place == "AnsvarForRapport"


def test_two_receivers_the_gp_gets_a_copy() -> None:
    municipality, gp = note("dips/01").head.receivers
    assert (municipality.copy, municipality.party.her_id) == (False, "8910031")
    assert municipality.party.her_ids == ("8910031", "8910030")
    assert (gp.copy, gp.party.her_id, gp.role) == (
        True,
        "8920031",
        CodedValue(value="COP", name="Kopimottaker"),
    )
    assert gp.party.person is not None
    assert (gp.party.person.hpr, gp.party.person.role and gp.party.person.role.value) == ("9900031", "6")


def test_interpreter_language() -> None:
    assert note("dips/17").language == CodedValue(value="so", name="Somali")


def test_gp_among_the_contacts_of_a_plo() -> None:
    functions = [p.function for p in note("dips/11").professionals]
    assert functions == [ProfessionalFunction.GP, ProfessionalFunction.AUTHOR]


def test_remark_of_a_relative_stays_with_the_relative() -> None:
    found = note("dips/14")
    assert any(r.remark for r in found.relatives)


def test_change_and_cancellation() -> None:
    assert note("dips/05").action is Action.CHANGE
    assert note("dips/16").action is Action.CANCEL
    changed = note("doculive/16")
    assert changed.action is Action.CHANGE
    assert changed.head.document_id == note("doculive/10").head.document_id
    corrected = note("helseplattformen/05").head.conversation
    assert corrected is not None
    assert corrected.parent == note("helseplattformen/02").head.msg_id


def test_epikrise_letter() -> None:
    found = note("doculive/01")
    assert found.subject == "Brev"
    (text,) = found.texts
    assert "Behov for oppfølging:\n- Kommunen: avlastning for kona" in text.text
    assert [(d.main, d.code and d.code.value) for d in found.diagnoses] == [(True, "C61")]
    assert [p.code.value for p in found.procedures] == ["WMFG11"]
    (event,) = found.events
    assert (event.code and event.code.value, event.start) == ("6", "2026-03-03T10:00:00")
    assert {p.function: p.person.full_name for p in found.professionals} == {
        ProfessionalFunction.GP: "Odd Prøvelege",
        ProfessionalFunction.AUTHOR: "Kvikk Fjellrev",
    }
    head = found.head
    assert head.patient is not None
    assert (head.patient.name, head.patient.telecoms[0].address) == ("Robåt, Stødig", "tel:+4790000051")
    assert head.patient.address is not None
    assert head.patient.address.municipality == CodedValue(value="5056", name="Hitra")
    requester, copy = head.receivers
    assert (
        requester.copy,
        requester.party.her_id,
        requester.party.person and requester.party.person.name,
    ) == (
        False,
        "8920021",
        "Odd Prøvelege",
    )
    assert (copy.copy, copy.party.her_id) == (True, "8910021")


def test_table_of_an_epikrise() -> None:
    (text,) = note("doculive/14").texts
    assert "\nTelefon\t+47 400 00 601\n" in text.text


def test_dialogue_with_remark_and_author() -> None:
    found = note("helseplattformen/11")
    assert (found.subject, found.topic and found.topic.value) == (
        "Pakkeforløp hjem for pasienter med kreft",
        "6",
    )
    assert [t.place for t in found.texts] == ["Notat/TekstNotatInnhold", "Notat/Merknad"]
    assert found.texts[1].text == "Egen mobil: 900 00 661"
    (author,) = found.professionals
    assert (author.function, author.person.hpr) == (ProfessionalFunction.AUTHOR, "9910433")


def test_dialogue_in_cdata() -> None:
    (text,) = note("helseplattformen/18").texts
    assert text.text.startswith("Pasienten har nyoppdaga lungekreft")
    assert text.text.count("\n") == 2


def test_what_the_schema_does_not_know_is_read_all_the_same() -> None:
    assert any("Fritekst" in t.place for t in note("dips/08").texts)
