"""A dialogue message in the other version: valid by the official schemas, and with its whole content."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gateway.contracts.errors import FormatError
from gateway.contracts.messages import (
    Attachment,
    CodedValue,
    CodeList,
    Format,
    Message,
    TextBlock,
)
from gateway.formats import identify, read_message, write_message
from gateway.formats.dialogue_version import in_version
from gateway.formats.element_names import Element
from schemas import SchemaSet
from tests.formats.support import parse, parse_file, strings

OLD, NEW = Format.DIALOGMELDING_1_0, Format.DIALOGMELDING_1_1
RICH = """
<Dialogmelding xmlns="http://www.kith.no/xmlstds/dialog/2013-01-23"
    xmlns:fk1="http://www.kith.no/xmlstds/felleskomponent1">
  <Notat>
    <TemaKodet V="8" S="2.16.578.1.12.4.1.1.7322" DN="Forespørsel om helseopplysninger"/>
    <Tema>Smertelindring</Tema>
    <TekstNotatInnhold><p xmlns="http://www.w3.org/1999/xhtml">Trenger <b>doser</b>.</p></TekstNotatInnhold>
    <DatoNotat>2026-03-02</DatoNotat>
    <Foresporsel>
      <TypeForesp V="3" S="2.16.578.1.12.4.1.1.9152" DN="Legemidler"/>
      <EmneSporsmal>Pumpe</EmneSporsmal>
      <Sporsmal><p xmlns="http://www.w3.org/1999/xhtml">Hvilken dose?</p></Sporsmal>
      <TypeJournalinfo V="1" S="2.16.578.1.12.4.1.1.7324" DN="Epikrise"/>
      <TypeJournalinfo V="2" S="2.16.578.1.12.4.1.1.7324" DN="Legemiddelliste"/>
      <KodetOpplysning V="77" S="2.16.578.1.12.4.1.1.7110" DN="Annet funn"/>
    </Foresporsel>
    <RollerRelatertNotat>
      <RoleToPatient V="18" S="2.16.578.1.12.4.1.1.9034" DN="Koordinator"/>
      <TilknyttetEnhet>
        <Kontaktenhet>
          <fk1:OrganisationName>Hjemmetjenesten sør</fk1:OrganisationName>
          <fk1:Ident><fk1:Id>8910031</fk1:Id>
            <fk1:TypeId V="HER" S="2.16.578.1.12.4.1.1.9051" DN="HER-id"/></fk1:Ident>
          <fk1:TeleCom><fk1:TypeTelecom V="WP" DN="Arbeidsplass"/>
            <fk1:TeleAddress V="tel:72000000"/></fk1:TeleCom>
        </Kontaktenhet>
        <Merknad>Hele døgnet</Merknad>
        <HealthcareProfessional><FamilyName>Vakt</FamilyName></HealthcareProfessional>
      </TilknyttetEnhet>
      <HealthcareProfessional><FamilyName>Sykepleier</FamilyName></HealthcareProfessional>
    </RollerRelatertNotat>
    <RollerRelatertNotat>
      <TilknyttetEnhet>
        <Kontaktenhet><fk1:OrganisationName>Kreftpoliklinikken</fk1:OrganisationName>
        <fk1:Ident><fk1:Id>8910032</fk1:Id>
          <fk1:TypeId V="HER" S="2.16.578.1.12.4.1.1.9051" DN="HER-id"/></fk1:Ident></Kontaktenhet>
      </TilknyttetEnhet>
    </RollerRelatertNotat>
  </Notat>
</Dialogmelding>
"""


def with_content(root: Element, content: str) -> Element:
    made = copy.deepcopy(root)
    old = next(made.iter("{*}Dialogmelding"))
    parent = old.getparent()
    assert parent is not None
    parent.replace(old, parse(content.encode()))
    return made


def of_type(root: Element, kind: str) -> Element:
    made = copy.deepcopy(root)
    element = made.find("{*}MsgInfo/{*}Type")
    assert element is not None
    element.set("V", kind)
    return made


@pytest.fixture(scope="module")
def official(standards: Path) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(standards / "xsd" / "all.xsd")))


@pytest.fixture
def clinical(standards: Path) -> Element:
    """A DIALOG_HELSEFAGLIG of version 1.1 with an attachment."""
    found = parse_file(standards / "examples/dialogmelding/1.1/ks-samsvar-test-message.xml")
    assert identify(found).msg_type == "DIALOG_HELSEFAGLIG"
    return found


def test_a_clinical_dialogue_becomes_a_note_with_its_text_and_attachments(
    official: etree.XMLSchema, clinical: Element
) -> None:
    before = read_message(clinical)
    untouched = etree.tostring(clinical)
    made = in_version(clinical, OLD)
    after = read_message(parse(etree.tostring(made, encoding="UTF-8")))
    official.assertValid(made)
    assert SchemaSet().is_valid(made)
    assert (after.format, after.head.msg_type.value) == (OLD, "DIALOG_NOTAT")
    assert (after.topic and (after.topic.value, after.topic.code_list)) == ("6", CodeList.DIALOGUE_TOPIC_FREE)
    assert [t.text for t in after.texts][: len(before.texts)] == [t.text for t in before.texts]
    assert after.attachments == before.attachments
    assert after.attachments
    assert (after.head.msg_id, after.head.conversation, after.head.sender, after.head.patient) == (
        before.head.msg_id,
        before.head.conversation,
        before.head.sender,
        before.head.patient,
    )
    assert etree.tostring(clinical) == untouched


def test_what_the_old_version_has_no_place_for_is_said_in_the_text(
    official: etree.XMLSchema, clinical: Element
) -> None:
    root = with_content(clinical, RICH)
    official.assertValid(root)
    made = in_version(root, OLD)
    official.assertValid(made)
    message = read_message(made)
    assert message.subject == "Forespørsel om helseopplysninger: Smertelindring"
    text = "\n".join(block.text for block in message.texts)
    for said in (
        "Trenger doser.",
        "Emne: Pumpe\nHvilken dose?",
        "Type journalopplysning: Legemiddelliste (2)",
        "Kodet opplysning: Annet funn (77)",
        "Hjemmetjenesten sør",
        "tel:72000000",
        "Hele døgnet",
        "Kreftpoliklinikken",
    ):
        assert said in text
    assert [(p.person.family_name, p.person.role and p.person.role.value) for p in message.professionals] == [
        ("Sykepleier", "18"),
        ("Vakt", "18"),
    ]


@pytest.mark.parametrize("version", [OLD, NEW])
def test_every_official_example_is_written_in_the_other_version_or_refused(
    standards: Path, official: etree.XMLSchema, version: Format
) -> None:
    made, refused = [], []
    for path in sorted((standards / "examples" / "dialogmelding").rglob("*.xml")):
        root = parse_file(path)
        if identify(root).format not in (OLD, NEW) or identify(root).format is version:
            continue
        if not official(root):
            continue
        try:
            written = in_version(root, version)
        except FormatError:
            refused.append(identify(root).msg_type or "")
            continue
        official.assertValid(written)
        assert identify(written).format is version
        before, after = read_message(root), read_message(written)
        said = "\n".join(strings(after))
        assert [s for s in strings(replace(before.head, msg_type=CodedValue())) if s not in said] == []
        assert [s for s in (before.topic and before.topic.name, before.subject) if s and s not in said] == []
        people = (before.relatives, before.professionals)
        entries = [
            *(replace(text, place="") for text in before.texts),
            *(replace(event, place="") for event in before.events),
            *((entry.person, entry.remark) for kind in people for entry in kind),
            *(entry.unit for entry in before.professionals),
        ]
        lost = [s for s in strings(tuple(entries)) if s not in said]
        assert lost == [], path.name
        assert after.attachments == before.attachments
        made.append(path.name)
    assert made
    kept = {"DIALOG_FORESPORSEL", "DIALOG_SVAR", "DIALOG_NOTAT", "DIALOG_HELSEFAGLIG"}
    assert not kept & set(refused)
    assert refused, "some have no counterpart"


@given(st.text(min_size=1, alphabet=st.characters(codec="utf-8", exclude_categories=("C", "Z"))))
def test_there_and_back_keeps_the_text(text: str) -> None:
    message = dialogue(NEW, "DIALOG_HELSEFAGLIG", text)
    there = in_version(parse(write_message(message)), OLD)
    assert SchemaSet().is_valid(there)
    back = in_version(there, NEW)
    assert SchemaSet().is_valid(back)
    found = read_message(parse(etree.tostring(back, encoding="UTF-8")))
    assert found.head.msg_type.value == "DIALOG_HELSEFAGLIG"
    assert (found.texts, found.subject) == (read_message(parse(write_message(message))).texts, "Om smerter")
    assert found.attachments == message.attachments


@pytest.mark.parametrize("kind", ["DIALOG_AVVIK", "DIALOG_STATUS_HENVISNING"])
def test_what_the_new_version_does_not_have_is_refused(kind: str) -> None:
    root = of_type(parse(write_message(dialogue(OLD, "DIALOG_NOTAT", "Tekst"))), kind)
    with pytest.raises(FormatError):
        in_version(root, NEW)


def dialogue(version: Format, kind: str, text: str) -> Message:
    """The parties of a sample, with other words."""
    sample = next((Path(__file__).parents[2] / "fixtures/notes/dips").glob("01-*.xml"))
    head = read_message(parse_file(sample)).head
    topic = CodedValue(value="6", code_list=CodeList.DIALOGUE_TOPIC_CLINICAL, name="Henvendelse om pasient")
    return Message(
        format=version,
        content_root="Dialogmelding",
        topic=topic,
        subject="Om smerter",
        head=replace(head, msg_type=CodedValue(value=kind, name=kind)),
        texts=(TextBlock(text=text),),
        attachments=(Attachment(mime_type="application/pdf", description="Plan", content=b"%PDF-1.7"),),
    )
