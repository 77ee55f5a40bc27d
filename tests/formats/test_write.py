"""What is written, word for word, and what is refused."""

from __future__ import annotations

import dataclasses
import re

import pytest

from gateway.contracts.errors import FormatError
from gateway.contracts.messages import (
    CodedValue,
    CodeList,
    DiagnosisEntry,
    EventEntry,
    Format,
    Head,
    Identifier,
    Message,
    Party,
    PatientRecord,
    Person,
    ProcedureEntry,
    ProfessionalEntry,
    ProfessionalFunction,
    Receiver,
    RelativeEntry,
    TextBlock,
    Unit,
)
from gateway.contracts.summary import Action
from gateway.formats import read_message, write_message
from gateway.formats.times import read_time
from gateway.formats.xml_writing import code, escaped, quoted, simple, text, wrap
from tests.formats.support import parse
from tests.formats.test_round_trip import SCHEMAS, no_empty_elements

_WHEN = "2026-03-02T13:45:00+01:00"
_HOSPITAL = Party(organisation=Unit(name="Sykehuset", identifiers=(Identifier(id="8900100", type="HER"),)))
_TOWN = Party(
    organisation=Unit(name="Kommunen", identifiers=(Identifier(id="8910030", type="HER"),)),
    unit=Unit(name="Tjenesten", identifiers=(Identifier(id="8910031", type="HER"),)),
)
HEAD = Head(
    msg_type=CodedValue(value="DIALOG_NOTAT", name="Notat"),
    msg_id="9dfb369b-ab13-4fae-a276-55daa05f1119",
    generated_at=_WHEN,
    sent_at=read_time(_WHEN),
    sender=_HOSPITAL,
    receivers=(Receiver(party=_TOWN),),
    patient=PatientRecord(name="Danser, Line", identifiers=(Identifier(id="13116900216", type="FNR"),)),
)
_MESSAGE_FORMATS = [f for f in Format if not f.startswith("apprec") and f is not Format.SUMMARY_1]


def written(message: Message) -> str:
    document = write_message(message)
    root = parse(document)
    assert SCHEMAS.is_valid(root), SCHEMAS.faults(root)
    assert no_empty_elements(root)
    return document.decode()


def test_escaping() -> None:
    assert escaped("a\x00<b>\r\n&\ufffe\x0b") == "a&lt;b&gt;\n&amp;"
    assert quoted(' "x"\n\ty ') == "&quot;x&quot;&#10;&#9;y"


def test_no_character_is_written_that_xml_can_not_hold() -> None:
    legal = re.compile("[\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
    for number in (*range(0x3000), *range(0xD700, 0x10000), 0x10000, 0x1FFFE, 0xE0001, 0x10FFFF):
        character = chr(number)
        expected = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "\n"}.get(
            character, character if legal.fullmatch(character) else ""
        )
        assert escaped(f"a\n{character}b") == f"a\n{expected}b"
        assert escaped(character) == expected


def test_nothing_gives_no_element() -> None:
    assert text("a", None) == text("a", " \n") == text("a", "\x00") == ""
    assert simple("a", CodedValue(code_list="1.2")) == ""
    assert code("a", CodedValue(value=" ")) == ""
    assert wrap("a", "", "") == ""


def test_codes() -> None:
    coded = CodedValue(value="6", code_list="1.2", name="Æ")
    assert simple("a", coded) == '<a V="6" DN="Æ"/>'
    assert code("a", coded) == '<a V="6" S="1.2" DN="Æ"/>'
    assert code("a", CodedValue(original_text="fri tekst")) == '<a OT="fri tekst"/>'


@pytest.mark.parametrize("version", _MESSAGE_FORMATS)
@pytest.mark.parametrize(
    "change",
    [
        {"sender": None},
        {"receivers": ()},
        {"receivers": (Receiver(party=_TOWN, copy=True),)},
        {"sender": Party()},
        {"msg_id": " "},
        {"sent_at": None},
        {"receivers": (Receiver(party=_TOWN), Receiver(party=Party(), copy=True))},
    ],
)
def test_an_incomplete_head_is_refused(version: Format, change: dict[str, object]) -> None:
    head = dataclasses.replace(HEAD, **change)  # type: ignore[arg-type]  # the values fit the fields
    with pytest.raises(FormatError):
        write_message(Message(format=version, head=head))


@pytest.mark.parametrize("version", _MESSAGE_FORMATS)
def test_the_least_that_can_be_written(version: Format) -> None:
    found = read_message(parse(written(Message(format=version, head=HEAD))))
    assert found.head.msg_id == HEAD.msg_id
    assert found.action is Action.NEW


def test_an_epikrise_is_about_a_patient() -> None:
    head = dataclasses.replace(HEAD, patient=None)
    with pytest.raises(FormatError):
        write_message(Message(format=Format.EPIKRISE_1_2, head=head))
    written(Message(format=Format.PLO_1_6, head=head))


@pytest.mark.parametrize("version", [Format.APPREC_1_0, Format.APPREC_1_1, Format.SUMMARY_1])
def test_no_business_message(version: Format) -> None:
    with pytest.raises(FormatError):
        write_message(Message(format=version, head=HEAD))


def test_other_plo_messages_are_not_written() -> None:
    with pytest.raises(FormatError):
        write_message(Message(format=Format.PLO_1_6, head=HEAD, content_root="Innleggelsesrapport"))


def test_identifiers_get_their_list_and_text() -> None:
    document = written(Message(format=Format.DIALOGMELDING_1_1, head=HEAD))
    assert '<TypeId V="HER" S="2.16.578.1.12.4.1.1.9051" DN="HER-id"/>' in document
    assert '<TypeId V="FNR" S="2.16.578.1.12.4.1.1.8116" DN="Fødselsnummer"/>' in document
    assert "<FamilyName>Danser</FamilyName><GivenName>Line</GivenName>" in document


def test_an_identifier_never_goes_without_its_type() -> None:
    ids = (Identifier(id="1", type=""), Identifier(id="", type="FNR"), Identifier(id="2", type="HNR"))
    head = dataclasses.replace(HEAD, patient=PatientRecord(name="A B", identifiers=ids))
    assert "<Id>1</Id>" not in written(Message(format=Format.DIALOGMELDING_1_0, head=head))
    epikrise = written(Message(format=Format.EPIKRISE_1_1, head=head))
    assert '<OffId>2</OffId><TypeOffId V="HNR" DN="H-nummer"/>' in epikrise


@pytest.mark.parametrize(
    ("msg_type", "topic"),
    [
        ("DIALOG_HELSEFAGLIG", ("6", CodeList.DIALOGUE_TOPIC_CLINICAL)),
        ("DIALOG_SVAR", ("5", CodeList.DIALOGUE_TOPIC_ANSWER)),
        ("DIALOG_AVVIK", ("9", CodeList.DIALOGUE_TOPIC_DEVIATION)),
        ("DIALOG_NOTAT", ("1", CodeList.DIALOGUE_TOPIC_FREE)),
    ],
)
def test_topic_of_a_dialogue_follows_from_its_type(msg_type: str, topic: tuple[str, str]) -> None:
    head = dataclasses.replace(HEAD, msg_type=CodedValue(value=msg_type, name="x"))
    found = read_message(parse(written(Message(format=Format.DIALOGMELDING_1_0, head=head)))).topic
    assert found is not None
    assert (found.value, found.code_list) == topic


def test_several_texts_of_a_dialogue_become_one() -> None:
    texts = (
        TextBlock(text="En\nto", heading=CodedValue(value="OP", name="Planer")),
        TextBlock(text="Tre"),
        TextBlock(text="Husk", place="Notat/Merknad"),
    )
    document = written(Message(format=Format.DIALOGMELDING_1_0, head=HEAD, texts=texts))
    assert "<TekstNotatInnhold>Planer\nEn\nto\n\nTre</TekstNotatInnhold><Merknad>Husk</Merknad>" in document


def test_texts_of_a_plo_stand_where_their_heading_belongs() -> None:
    texts = (
        TextBlock(text="pleie", heading=CodedValue(value="8", code_list=CodeList.PLO_HEADING_NURSING)),
        TextBlock(text="plan", heading=CodedValue(value="OP", code_list=CodeList.PLO_HEADING_MEDICAL)),
        TextBlock(text="fri"),
        TextBlock(text=" "),
    )
    found = read_message(parse(written(Message(format=Format.PLO_1_6, head=HEAD, texts=texts))))
    assert [(t.text, t.place) for t in found.texts] == [
        ("plan", "MedisinskfagligeOpplysninger/GenereltJournalnotat/Journaltekst/Notat"),
        ("pleie", "Sykepleierdokumentasjon/InfoFraSykepleier/Journaltekst[1]/Notat"),
        ("fri", "Sykepleierdokumentasjon/InfoFraSykepleier/Journaltekst[2]/Notat"),
    ]


def test_plo_root_follows_from_the_type() -> None:
    head = dataclasses.replace(HEAD, msg_type=CodedValue(value="HELSEOPPL_SOKNAD", name="Helseopplysninger"))
    found = read_message(parse(written(Message(format=Format.PLO_1_6, head=head))))
    assert found.content_root == "HelseopplysningerVedSoknad"
    assert found.topic == CodedValue(
        value="2", code_list=CodeList.PLO_CONTENT_HEALTH, name="Oppdaterte opplysninger"
    )
    assert [(e.description, e.start) for e in found.events] == [("Opplysningene er sendt", _WHEN)]


@pytest.mark.parametrize(
    "version", [Format.PLO_1_5, Format.PLO_1_6, Format.EPIKRISE_1_1, Format.EPIKRISE_1_2]
)
@pytest.mark.parametrize("action", list(Action))
def test_change_and_cancellation(version: Format, action: Action) -> None:
    found = read_message(parse(written(Message(format=version, head=HEAD, action=action))))
    assert found.action is action


def test_an_epikrise_without_event_is_a_consultation_when_it_was_sent() -> None:
    found = read_message(parse(written(Message(format=Format.EPIKRISE_1_1, head=HEAD))))
    assert [(e.code and e.code.name, e.start) for e in found.events] == [("Konsultasjon", _WHEN)]
    assert found.subject == "Epikrise"


def test_texts_of_an_epikrise_are_xhtml() -> None:
    texts = (
        TextBlock(text="a < b\n\n- c", heading=CodedValue(value="OP", name="Planer")),
        TextBlock(
            text="d", heading=CodedValue(value="8", code_list=CodeList.PLO_HEADING_NURSING, name="Status")
        ),
    )
    document = written(Message(format=Format.EPIKRISE_1_2, head=HEAD, texts=texts))
    assert (
        '<Comment><Heading V="OP" DN="Planer"/><TextResultValue><div xmlns="http://www.w3.org/1999/xhtml">'
        "<p>a &lt; b<br/><br/>- c</p></div></TextResultValue></Comment>"
    ) in document
    assert "<p>Status<br/>d</p>" in document


def test_the_inst_of_an_epikrise_has_its_person_before_further_identifiers() -> None:
    sender = Party(
        organisation=Unit(
            name="A",
            identifiers=(Identifier(id="1", type="HER"), Identifier(id="2", type="ENH", type_name="e")),
        ),
        person=Person(given_name="Rita", family_name="Lin", identifiers=(Identifier(id="3", type="HPR"),)),
    )
    document = written(Message(format=Format.EPIKRISE_1_2, head=dataclasses.replace(HEAD, sender=sender)))
    assert (
        '<Inst><Name>A</Name><Id>1</Id><TypeId V="HER" DN="HER-id"/><HCPerson><Name>Rita Lin</Name><Id>3</Id>'
        '<TypeId V="HPR" DN="HPR-nummer"/></HCPerson><AdditionalId><Id>2</Id><Type V="ENH" DN="e"/>'
        "</AdditionalId></Inst>"
    ) in document


@pytest.mark.parametrize(
    ("version", "status", "expected"),
    [
        (Format.EPIKRISE_1_2, "D", "TEST"),
        (Format.EPIKRISE_1_2, "P", None),
        (Format.EPIKRISE_1_1, "D", None),
        (Format.PLO_1_6, "TEST", "D"),
        (Format.PLO_1_6, "APR", None),
        (Format.PLO_1_6, "T", "T"),
    ],
)
def test_processing_status_in_the_words_of_each_envelope(
    version: Format, status: str, expected: str | None
) -> None:
    head = dataclasses.replace(HEAD, processing_status=CodedValue(value=status))
    found = read_message(parse(written(Message(format=version, head=head)))).head.processing_status
    assert (found and found.value) == expected


def test_what_is_no_time_is_left_out() -> None:
    events = (EventEntry(description="x", start="i går"), EventEntry(description="y", start="2026-02-30"))
    born = PatientRecord(name="A B", birth_date="1961-02-30", identifiers=(Identifier(id="1", type="FNR"),))
    for version in (Format.PLO_1_6, Format.EPIKRISE_1_2):
        head = dataclasses.replace(HEAD, patient=born)
        document = written(Message(format=version, head=head, events=events))
        assert "i går" not in document
        assert "02-30" not in document


def test_codes_of_one_format_in_another() -> None:
    message = Message(
        format=Format.EPIKRISE_1_2,
        head=HEAD,
        events=(
            EventEntry(code=CodedValue(value="2", code_list="2.16.578.1.12.4.1.1.9121"), start="2026-03-02"),
        ),
        diagnoses=(DiagnosisEntry(main=True),),
        procedures=(ProcedureEntry(code=CodedValue(value="WMFG11")),),
        relatives=(RelativeEntry(person=Person(given_name="Per")), RelativeEntry()),
        professionals=(
            ProfessionalEntry(
                function=ProfessionalFunction.CONTACT,
                person=Person(
                    name="K",
                    role=CodedValue(
                        value="17", code_list=CodeList.ROLE_TO_PATIENT, name="Forløpskoordinator kreft"
                    ),
                ),
            ),
            ProfessionalEntry(function=ProfessionalFunction.OTHER, person=Person()),
        ),
    )
    document = written(message)
    assert '<AdmCat V="5" DN="Konsultasjon"/>' in document
    assert '<Relation DN="Forløpskoordinator kreft"/>' in document
    assert '<Relation DN="Pårørende"/><Name>Per</Name>' in document
    back = dataclasses.replace(
        read_message(parse(document)),
        format=Format.DIALOGMELDING_1_1,
        head=dataclasses.replace(HEAD, patient=None),
    )
    assert 'RoleToPatient V="21"' in written(back)
    assert 'RoleToPatient OT="Pårørende"' in written(back)


def test_a_person_alone_may_get_a_copy() -> None:
    doctor = Person(family_name="Lege", identifiers=(Identifier(id="8", type="HER"),))
    head = dataclasses.replace(
        HEAD, receivers=(*HEAD.receivers, Receiver(party=Party(person=doctor), copy=True))
    )
    for version in (Format.PLO_1_6, Format.EPIKRISE_1_2):
        found = read_message(parse(written(Message(format=version, head=head))))
        assert [(r.party.her_id, r.copy) for r in found.head.receivers] == [("8910031", False), ("8", True)]
