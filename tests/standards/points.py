"""A check for each point that the acceptance tests demand of an outgoing message (docs/standards.md)."""

from __future__ import annotations

import re
from collections.abc import Callable

from lxml import etree

from gateway.contracts.messages import Format, PatientRecord
from gateway.contracts.summary import Action
from gateway.formats.times import is_later, is_timestamp
from gateway.rendering import structure
from schemas import SchemaSet
from tests.standards.sent import Sent, local

OID = "2.16.578.1.12.4.1.1."
OF_TIME = {"IssueDate", "StartDateTime", "EndDateTime", "TidspunktForHendelse"}
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
LISTS = {
    "MsgInfo/Type": "8279",
    "Message/Type": "8279",
    "MsgInfo/ProcessingStatus": "8113",
    "MsgInfo/Ack": "7304",
    "ServRprt/Ack": "7304",
    "RefDoc/MsgType": "8114",
    "Address/Type": "3401",
    "InformasjonOmForsendelsen/Forsendelsesstatus": "7309",
    "ServRprt/ServType": "7309",
    "Event/ServType": "7309",
    "ServRprt/Status": "7306",
    "Message/Status": "8323",
    "Service/AdmCat": "8240",
    "InfItem/Type": "8233",
    "Comment/Heading": "8311",
    "Patient/TypeOffId": "8116",
    "Inst/TypeId": "9051",
    "Dept/TypeId": "9051",
    "HCPerson/TypeId": "8116",
    "HealthcareProfessional/TypeHealthcareProfessional": "9060",
    "Kontaktperson/TypeHealthcareProfessional": "9060",
    "AnsvarligRapport/TypeHealthcareProfessional": "9060",
}
"""Parent and name of a CS, and its code list"""

KINDS = {
    "TverrfagligEpikrise": "UTSKRIVNINGSRAPPORT",
    "HelseopplysningerVedSoknad": "HELSEOPPL_SOKNAD",
}
OWN = SchemaSet()

Check = Callable[[Sent], None]
CHECKS: dict[int, Check] = {}


def point(number: int) -> Callable[[Check], Check]:
    def keep(check: Check) -> Check:
        CHECKS[number] = check
        return check

    return keep


def parent(element: etree._Element) -> str:
    above = element.getparent()
    return "" if above is None else local(above)


def has(element: etree._Element, *names: str) -> bool:
    return all(element.find("{*}" + name) is not None for name in names)


@point(1)
def is_valid(message: Sent) -> None:
    assert OWN.faults(message.root) == ()


@point(3)
def is_utf_8(message: Sent) -> None:
    assert message.body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>') or message.root.find(
        "{*}Signature"
    )
    message.body.decode("utf-8")


@point(4)
def values_have_the_form_of_their_type(message: Sent) -> None:
    for element in message.root.iter(etree.Element):
        value = element.get("V")
        if local(element) in OF_TIME:
            assert is_timestamp(value)
        if local(element) == "TeleAddress":
            assert re.fullmatch(r"tel:\+[0-9]+|mailto:\S+@\S+", value or "")
        if element.get("S") is not None:
            assert re.fullmatch(r"[0-9]+(\.[0-9]+)+", element.get("S") or "")


@point(5)
def parties_and_people_are_complete(message: Sent) -> None:
    for each in message.all("Organisation") + message.all("Kontaktenhet"):
        assert has(each, "OrganisationName", "Ident")
    for name in ("HealthcareProfessional", "Kontaktperson", "AnsvarligRapport"):
        assert all(has(each, "Ident") for each in message.all(name))


@point(6)
def nothing_is_empty(message: Sent) -> None:
    for element in message.root.iter(etree.Element):
        if etree.QName(element).namespace == "http://www.w3.org/2000/09/xmldsig#":
            continue  # the reference to the whole message is an empty one
        assert local(element) == "br" or element.attrib or len(element) or (element.text or "").strip()
        assert all(value.strip() for value in element.attrib.values())


@point(7)
def a_cs_has_code_and_name(message: Sent) -> None:
    for element in message.root.iter(etree.Element):
        if "V" in element.attrib and local(element) not in OF_TIME | {
            "TeleAddress",
            "GenDate",
            "DateOfBirth",
        }:
            assert element.get("DN"), local(element)
        if "DN" in element.attrib:
            assert element.get("V"), local(element)


@point(8)
def a_cv_has_its_list(message: Sent) -> None:
    for element in message.root.iter(etree.Element):
        if local(element) in CODED_WITH_LIST or (local(element) == "TypeId" and parent(element) == "Ident"):
            assert (element.get("S") or "").startswith(OID), local(element)
            assert (element.get("V") and element.get("DN")) or element.get("OT"), local(element)


@point(9)
def an_id_has_its_type(message: Sent) -> None:
    for element in message.root.iter(etree.Element):
        name = local(element)
        if name == "Ident":
            assert has(element, "Id", "TypeId")
        if name == "AdditionalId":
            assert has(element, "Id", "Type")
        if name == "Patient":
            assert has(element, "OffId") == has(element, "TypeOffId")
        if name in ("Inst", "Dept", "HCPerson", "HCProf"):
            assert has(element, "Id") == has(element, "TypeId")


@point(10)
def it_has_an_id(message: Sent) -> None:
    (msg_id,) = [e for e in message.all("MsgId") if parent(e) in ("MsgInfo", "Message")]
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", msg_id.text or "")


@point(11)
def it_tells_its_version(message: Sent) -> None:
    (version,) = message.all("MIGversion")
    assert re.fullmatch(r"v[0-9]+\.[0-9]+ [0-9]{4}-[0-9]{2}-[0-9]{2}", version.text or "")


@point(12)
def it_tells_when_it_was_made(message: Sent) -> None:
    (made,) = message.all("GenDate")
    written = made.get("V") or made.text or ""
    assert re.fullmatch(r"[0-9-]{10}T[0-9]{2}:[0-9]{2}:[0-9]{2}([+-][0-9]{2}:[0-9]{2}|Z)", written)


@point(13)
def an_end_is_later_than_its_start(message: Sent) -> None:
    for end in message.all("EndDateTime"):
        (start,) = [e for e in end.itersiblings(preceding=True) if local(e) == "StartDateTime"]
        assert is_later(end.get("V"), start.get("V"))


@point(15)
def a_msghead_has_its_parts(message: Sent) -> None:
    if not message.epikrise:
        parts = ("Type", "MIGversion", "GenDate", "MsgId", "Sender", "Receiver")
        assert has(message.at("MsgInfo"), *parts)
        assert len(message.at("Document/RefDoc/Content")) == 1
        if message.summary.patient.family_name:
            assert has(message.at("MsgInfo"), "Patient")


@point(16)
def the_type_fits_the_content(message: Sent) -> None:
    kind = message.at("Type" if message.epikrise else "MsgInfo/Type").get("V")
    if message.epikrise:
        assert kind == "EPIKRISE"
    elif message.plo:
        assert kind == KINDS[local(message.at("Document/RefDoc/Content")[0])]
    else:
        assert kind == (
            "DIALOG_NOTAT" if message.format is Format.DIALOGMELDING_1_0 else "DIALOG_HELSEFAGLIG"
        )


@point(17)
@point(18)
def the_message_stands_first_and_attachments_after_it(message: Sent) -> None:
    documents = message.root.findall("{*}Document/{*}RefDoc")
    kinds = [d.find("{*}MsgType").get("V") for d in documents]  # type: ignore[union-attr] # a CS, mandatory
    assert kinds == ([] if message.epikrise else ["XML", *"A" * (len(documents) - 1)])
    assert len(message.message.attachments) == len(message.all("Base64Container"))


@point(20)
@point(21)
@point(22)
def both_parties_have_two_levels_with_name_and_numbers(message: Sent) -> None:
    receiver = message.message.head.primary
    assert receiver is not None
    for party in (message.message.head.sender, receiver.party):
        assert party is not None
        assert party.organisation.name
        assert party.organisation.her_id
        assert party.organisation.org_no
        assert (party.unit and party.unit.name and party.unit.her_id) or (
            party.person and party.person.her_id
        )


@point(23)
@point(24)
@point(27)
def the_patient_has_name_and_number(message: Sent) -> None:
    patient, found = message.summary.patient, message.message.head.patient
    written = structure.patient_record(patient)
    if written == PatientRecord():
        return
    assert found is not None
    assert [(i.id, i.type) for i in found.identifiers] == [(i.id, i.type) for i in written.identifiers]
    assert found.birth_date == written.birth_date
    if message.epikrise:
        assert found.name == written.name
    else:
        names = (patient.family_name, patient.middle_name, patient.given_name)
        assert (found.family_name, found.middle_name, found.given_name) == names


@point(28)
def a_plo_message_tells_status_and_content(message: Sent) -> None:
    if message.plo:
        assert message.all("Forsendelsesstatus")
        # Helseopplysninger ved søknad 1.5 has no place for the type of content.
        old = message.format is Format.PLO_1_5 and bool(message.all("OpplysningerTilSoknad"))
        assert bool(message.all("TypeInnhold")) is not old


@point(32)
def each_heading_has_a_text_of_its_own(message: Sent) -> None:
    for each in message.all("Journaltekst"):
        assert has(each, "Notat", "Overskriftskode")
        assert len(each.findall("{*}Notat")) == 1


@point(33)
def a_unit_has_name_and_organisation_number(message: Sent) -> None:
    for each in message.all("Kontaktenhet"):
        types = {e.get("V") for e in each.iter("{*}TypeId")}
        assert has(each, "OrganisationName")
        assert types == ({"HER", "ENH"} if message.of_its_sender else {"HER"})


@point(35)
@point(50)
def a_change_and_a_cancellation_say_so(message: Sent) -> None:
    word = {Action.NEW: "Pakkeforløp", Action.CHANGE: "RETTET", Action.CANCEL: "KANSELLERT"}[message.action]
    code = {Action.NEW: "N", Action.CHANGE: "M", Action.CANCEL: "C"}[message.action]
    assert message.message.texts[0].text.startswith(word)
    if message.plo:
        assert message.at(_status_path(message)).get("V") == code
    if message.epikrise:
        assert message.at("ServRprt/ServType").get("V") == code
        assert (message.at("ServRprt/MsgDescr").text or "").startswith(word)


def _status_path(message: Sent) -> str:
    content = local(message.at("Document/RefDoc/Content")[0])
    return f"Document/RefDoc/Content/{content}/InformasjonOmForsendelsen/Forsendelsesstatus"


@point(36)
@point(38)
def a_dialogue_message_has_a_note_with_text(message: Sent) -> None:
    if message.dialogue:
        note = message.at("Document/RefDoc/Content/Dialogmelding/Notat")
        assert has(note, "TemaKodet", "TekstNotatInnhold")


@point(39)
def a_person_in_a_note_has_a_role(message: Sent) -> None:
    for each in message.all("RollerRelatertNotat"):
        assert has(each, "RolleNotat") or has(each, "RoleToPatient")
        assert has(each, "HealthcareProfessional")


@point(41)
def an_event_has_a_comment_and_a_main_diagnosis(message: Sent) -> None:
    if not message.epikrise:
        return
    assert message.all("Event")
    for event in message.all("Event"):
        assert has(event, "Comment", "ReportedEvent")
        main = [i for i in event.iterfind("{*}InfItem/{*}Type") if i.get("V") == "H"]
        assert len(main) == 1


@point(43)
@point(44)
def an_epikrise_names_sender_and_receiver(message: Sent) -> None:
    if not message.epikrise:
        return
    for party in ("ServProvider", "Requester"):
        assert has(message.at(f"ServRprt/{party}/HCP/Inst"), "Name", "Id", "TypeId")
    author = message.summary.author
    if author and author.name and author.hpr and message.of_its_sender:
        responsible = message.at("ServRprt/ServProvider/HCP/Inst/HCPerson")
        assert has(responsible, "Name", "Id", "TypeId")


@point(45)
def the_gp_stands_with_the_patient(message: Sent) -> None:
    if message.epikrise:
        relations = [e.get("V") for e in message.root.iterfind(".//{*}PatRelHCP/{*}Relation")]
        gp = message.summary.gp
        known = gp is not None and bool(gp.name or gp.her_id or gp.hpr)
        assert relations == (["FLE"] if known else [])


@point(46)
def an_address_holds_more_than_its_type(message: Sent) -> None:
    assert all(len(each) > 1 for each in message.all("Address"))


@point(49)
def text_of_an_epikrise_is_xhtml_with_breaks(message: Sent) -> None:
    for each in message.all("TextResultValue"):
        (block,) = each
        assert etree.QName(block).namespace == "http://www.w3.org/1999/xhtml"
        assert "\n" not in "".join(map(str, each.itertext()))
        assert list(block.iter("{*}br"))
