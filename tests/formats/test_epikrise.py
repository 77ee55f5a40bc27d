from __future__ import annotations

import base64

import pytest

from gateway.contracts.errors import FormatError
from gateway.contracts.messages import CodedValue, Format, Message, ProfessionalFunction
from gateway.formats import read_head, read_message
from tests.formats.support import KITH, in_head, parse


def message(report: str, version: str = "2012-02-15") -> str:
    return (
        f'<Message xmlns="{KITH}/epikrise/{version}"><Type V="EPIKRISE"/><GenDate V="2026-03-03"/>'
        f"<MsgId>m1</MsgId>"
        f"<ServRprt>{report}</ServRprt></Message>"
    )


def epikrise(report: str) -> Message:
    return read_message(parse(message(report)))


def item(kind: str, content: str) -> str:
    return f'<InfItem>{content}<Type V="{kind}" DN="type {kind}"/></InfItem>'


def coded(value: str) -> str:
    return f'<Observation><CodedDescr><Concept V="{value}" DN="navn {value}"/></CodedDescr></Observation>'


def test_nested_events() -> None:
    found = epikrise(
        f"""<Event><ReportedEvent><StartDateTime V="2026-02-01"/></ReportedEvent>
        <Event><ReportedEvent><StartDateTime V="2026-02-03T10:00:00"/></ReportedEvent>
          <Service><AdmCat V="6"/></Service>{item("MPRS", coded("WMFG11"))}
          <Comment><Heading V="OP" DN="Planer"/><TextResultValue>innerst</TextResultValue></Comment></Event>
        <Service><AdmCat V="1"/></Service>{item("H", coded("C50"))}{item("B", coded("E119"))}
        <Comment><TextResultValue>ytterst</TextResultValue></Comment></Event>"""
    )
    assert [(e.code and e.code.value, e.start) for e in found.events] == [
        ("1", "2026-02-01"),
        ("6", "2026-02-03T10:00:00"),
    ]
    assert [(d.code and d.code.value, d.main) for d in found.diagnoses] == [("C50", True), ("E119", False)]
    assert [p.code.value for p in found.procedures] == ["WMFG11"]
    assert [(t.text, t.heading and t.heading.value, t.place) for t in found.texts] == [
        ("ytterst", None, "ServRprt/Event/Comment/TextResultValue"),
        ("innerst", "OP", "ServRprt/Event/Event/Comment/TextResultValue"),
    ]


def test_words_and_medicines_stand_under_their_type() -> None:
    found = epikrise(
        "<Event>"
        + item("CAVE", "<Observation><Description>Sulfa</Description></Observation>")
        + item(
            "MEDB",
            '<Medication><DrugId V="C03CA01" DN="Furix"/><UnitDose V="20" U="mg"/>'
            "<DosageText>1 om morgenen</DosageText></Medication>",
        )
        + item("H", "<Observation><Description>Brystkreft</Description></Observation>")
        + "</Event>"
    )
    assert [(t.heading and t.heading.value, t.text) for t in found.texts] == [
        ("CAVE", "Sulfa"),
        ("MEDB", "DrugId: Furix (C03CA01)\nUnitDose: 20 mg\n1 om morgenen"),
    ]
    assert [(d.description, d.main) for d in found.diagnoses] == [("Brystkreft", True)]


def test_the_people_around_the_patient() -> None:
    found = epikrise(
        """<Patient><Name>Danser, Line</Name><OffId>13116900216</OffId><TypeOffId V="FNR"/>
        <PatientPrecaution><Precaution>Faller lett</Precaution></PatientPrecaution>
        <PatientRelParty><Relation V="EK" DN="Ektefelle"/><Name>Per Danser</Name>
          <Address><Type V="H"/><TeleAddress V="tel:90000001"/></Address></PatientRelParty>
        <PatRelHCP><Relation V="HHE"/><HCP><HCProf><Name>August</Name></HCProf></HCP></PatRelHCP>
        <PatRelHCP><Relation V="FLE"/><HCP><Inst><Name>Legesenteret</Name><Id>1</Id><TypeId V="HER"/>
          <HCPerson><Name>Magnar Koman</Name><Id>009144889</Id><TypeId V="HPR"/></HCPerson></Inst>
          </HCP></PatRelHCP>
        <AdditionalId><Id>99</Id><Type V="HNR"/></AdditionalId></Patient>
        <RelServProvider><Relation V="AHP"/><HCP><HCProf><Name>Rita Lin</Name><Id>9144900</Id>
        <TypeId V="HPR"/></HCProf>
          <Address><Type V="WP"/><TeleAddress V="tel:22"/></Address></HCP></RelServProvider>"""
    )
    assert found.head.patient is not None
    assert [(i.type, i.id) for i in found.head.patient.identifiers] == [("FNR", "13116900216"), ("HNR", "99")]
    (relative,) = found.relatives
    assert (relative.person.name, relative.person.telecoms[0].address) == ("Per Danser", "tel:90000001")
    function = ProfessionalFunction
    assert [(p.function, p.person.full_name, p.person.hpr) for p in found.professionals] == [
        (function.OTHER, "August", None),
        (function.GP, "Magnar Koman", "9144889"),
        (function.AUTHOR, "Rita Lin", "9144900"),
    ]
    assert found.professionals[1].unit is not None
    assert found.professionals[1].unit.name == "Legesenteret"
    assert found.professionals[1].person.role == CodedValue(value="FLE")
    assert found.professionals[2].person.telecoms[0].address == "tel:22"
    assert [t.text for t in found.texts] == ["Faller lett"]


def test_sender_without_institution() -> None:
    found = epikrise(
        """<ServProvider><HCP><HCProf><Name>Rita Lin</Name><Id>258.521</Id><TypeId V="HER"/></HCProf>
        </HCP></ServProvider>"""
    )
    assert found.head.sender is not None
    assert found.head.sender.her_id == "258521"
    assert found.head.sender.organisation.name is None


def test_attachment() -> None:
    content = base64.b64encode(b"%PDF-1.7").decode()
    document = """<RefDoc><MsgType V="A"/><MimeType>application/pdf</MimeType>
    <Description>Skjema</Description><Content>
        <b:Base64Container xmlns:b="{}/base64container">{}</b:Base64Container></Content></RefDoc>"""
    found = epikrise(document.format(KITH, content))
    (attachment,) = found.attachments
    assert (attachment.content, attachment.mime_type, attachment.description) == (
        b"%PDF-1.7",
        "application/pdf",
        "Skjema",
    )
    assert not found.texts
    with pytest.raises(FormatError) as error:
        epikrise(document.format(KITH, "%%%"))
    assert "%%%" not in str(error.value)


def test_an_epikrise_in_a_msghead_rules() -> None:
    sender = "<ServProvider><HCP><Inst><Name>Fjellheim</Name></Inst></HCP></ServProvider>"
    report = "<ServProvId>d1</ServProvId>" + sender
    outer = """<h:ConversationRef><h:RefToParent>p</h:RefToParent><h:RefToConversation>c</h:RefToConversation>
        </h:ConversationRef><h:Sender><h:Organisation><h:OrganisationName>Ytre</h:OrganisationName>
        </h:Organisation></h:Sender>"""
    root = in_head(message(report), info=outer)
    found = read_message(root)
    assert found.format is Format.EPIKRISE_1_2
    assert (found.head.msg_id, found.head.document_id) == ("m1", "d1")
    assert found.head.sender is not None
    assert found.head.sender.organisation.name == "Fjellheim"
    assert found.head.conversation is not None
    assert (found.head.conversation.parent, found.head.conversation.root) == ("p", "c")
    assert read_head(root) == found.head
