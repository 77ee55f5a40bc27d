"""The structured places of an outgoing message."""

from __future__ import annotations

import datetime

import pytest

from gateway.contracts.messages import Attachment, Format, Party, ProfessionalFunction
from gateway.contracts.summary import Action, Author, Diagnosis, Summary
from gateway.formats.summary_xml import write_summary
from gateway.rendering import APPLICATION, read_rendering, render
from gateway.rendering.message import SUMMARY_DESCRIPTION
from tests.rendering.orders import (
    ALL_FORMATS,
    OLD_MSG_ID,
    RICH,
    SENDER,
    SPARSE,
    TEXT_FORMATS,
    order,
    replacing,
    unit,
)

OID = "2.16.578.1.12.4.1.1."


@pytest.mark.parametrize(
    ("version", "other", "msg_type", "root", "topic"),
    [
        (Format.PLO_1_5, "UTSKRIVNINGSRAPPORT", "UTSKRIVNINGSRAPPORT", "TverrfagligEpikrise", ("9139", "11")),
        (Format.PLO_1_6, "UTSKRIVNINGSRAPPORT", "UTSKRIVNINGSRAPPORT", "TverrfagligEpikrise", ("9139", "11")),
        (Format.PLO_1_6, APPLICATION, "HELSEOPPL_SOKNAD", "HelseopplysningerVedSoknad", ("9140", "2")),
        (Format.EPIKRISE_1_1, "UTSKRIVNINGSRAPPORT", "EPIKRISE", "Message", None),
        (Format.EPIKRISE_1_2, "UTSKRIVNINGSRAPPORT", "EPIKRISE", "Message", None),
        (Format.DIALOGMELDING_1_0, "UTSKRIVNINGSRAPPORT", "DIALOG_NOTAT", "Dialogmelding", ("7321", "1")),
        (Format.DIALOGMELDING_1_1, APPLICATION, "DIALOG_HELSEFAGLIG", "Dialogmelding", ("7322", "6")),
    ],
)
def test_each_format_is_named_as_its_standard_names_it(
    version: Format, other: str, msg_type: str, root: str, topic: tuple[str, str] | None
) -> None:
    message = render(RICH, order(version, other=other))
    assert (message.head.msg_type.value, message.content_root) == (msg_type, root)
    assert message.head.msg_type.name
    if topic is None:
        assert message.topic is None
    else:
        assert message.topic is not None
        assert (message.topic.code_list, message.topic.value) == (OID + topic[0], topic[1])


@pytest.mark.parametrize("version", ALL_FORMATS)
def test_the_head_says_who_sends_what_when_to_whom(version: Format) -> None:
    wanted = order(version)
    head = render(RICH, wanted).head
    assert head.msg_id == wanted.msg_id
    assert head.generated_at == "2026-03-02T13:46:05+01:00"
    assert head.sender is not None
    assert head.sender.her_ids[0] == "8900101"
    assert head.primary is not None
    assert head.primary.party == wanted.receiver
    assert head.ack is not None
    assert head.ack.value == "J"


def test_the_patient_stands_in_the_head() -> None:
    patient = render(RICH, order(Format.PLO_1_6)).head.patient
    assert patient is not None
    assert (patient.given_name, patient.middle_name, patient.family_name) == ("Klar", "Blid", "Morgensol")
    assert patient.name == "Morgensol, Klar Blid"
    assert patient.birth_date == "1985-08-13"
    assert patient.sex is not None
    assert (patient.sex.value, patient.sex.name) == ("2", "Kvinne")
    (number,) = patient.identifiers
    assert (number.id, number.type, number.code_list) == ("13888549952", "FNR", OID + "8116")
    assert patient.address is not None
    assert (patient.address.street, patient.address.postal_code) == ("Testveien 12", "1470")
    assert patient.address.municipality is not None
    assert patient.address.municipality.value == "3222"
    kinds = [(telecom.address, telecom.type and telecom.type.value) for telecom in patient.telecoms]
    assert kinds == [("tel:+4790000071", "MC"), ("tel:+4773000075", "HP")]


def test_codes_stand_in_the_content() -> None:
    message = render(RICH, order(Format.PLO_1_6))
    (diagnosis,) = message.diagnoses
    assert diagnosis.main
    assert diagnosis.code is not None
    assert (diagnosis.code.value, diagnosis.code.code_list) == ("C50.9", OID + "7110")
    assert diagnosis.code.name == "Brystkreft, venstre side"
    (procedure,) = message.procedures
    assert (procedure.code.value, procedure.code.code_list) == ("WMFG11", OID + "7275")
    assert message.language is not None
    assert (message.language.value, message.language.name) == ("PL", "polsk")
    (event,) = message.events
    assert (event.description, event.start) == ("Kartleggingssamtale", "2026-03-02")


@pytest.mark.parametrize(("version", "other"), [(Format.PLO_1_6, None), (Format.EPIKRISE_1_2, "ARL")])
def test_next_of_kin_have_a_code_or_a_word_for_their_relation(version: Format, other: str | None) -> None:
    first, second = render(RICH, order(version)).relatives
    assert first.relation is not None
    assert (first.relation.value, first.remark) == ("EF", None)
    assert (first.person.given_name, first.person.family_name) == ("Varm", "Morgensol")
    assert first.person.telecoms[0].address == "tel:+4790000072"
    assert second.relation is None or second.relation.value == other
    assert second.remark == "god venn av familien"


def test_a_dialogue_message_has_no_place_for_next_of_kin() -> None:
    message = render(RICH, order(Format.DIALOGMELDING_1_1))
    assert message.relatives == ()
    assert "- Varm Morgensol\n" in message.texts[0].text


def test_the_author_and_the_gp_stand_in_the_content() -> None:
    writer, gp = render(RICH, order(Format.DIALOGMELDING_1_1)).professionals
    assert writer.function is ProfessionalFunction.AUTHOR
    assert (writer.person.full_name, writer.person.hpr) == ("Pen Skisse", "9910101")
    assert writer.person.type is not None
    assert writer.person.type.value == "SP"
    assert writer.person.telecoms[0].address == "tel:+4773000011"
    assert gp.function is ProfessionalFunction.GP
    assert gp.person.role is not None
    assert (gp.person.role.value, gp.person.hpr, gp.person.her_id) == ("6", "9900031", "8920031")


@pytest.mark.parametrize(("version", "stands"), [(Format.PLO_1_6, False), (Format.EPIKRISE_1_2, True)])
def test_without_identifier_a_professional_stands_where_none_is_demanded(
    version: Format, *, stands: bool
) -> None:
    summary = SPARSE.model_copy(update={"author": Author(name="Pen Skisse")})
    message = render(summary, order(version))
    assert bool(message.professionals) is stands
    assert any("Pen Skisse" in block.text for block in message.texts)


def test_an_epikrise_of_the_hospital_names_its_responsible_professional() -> None:
    sender = render(RICH, order(Format.EPIKRISE_1_2)).head.sender
    assert sender is not None
    assert sender.person is not None
    assert sender.person.hpr == "9910101"
    other = Party(organisation=unit("Samhandlingsenheten", "8900900"))
    sender = render(RICH, order(Format.EPIKRISE_1_2, sender=other)).head.sender
    assert sender == other
    assert render(RICH, order(Format.PLO_1_6)).head.sender == SENDER


def test_what_is_not_known_is_left_out() -> None:
    message = render(SPARSE, order(Format.PLO_1_6))
    assert (message.diagnoses, message.procedures, message.relatives) == ((), (), ())
    assert (message.professionals, message.language) == ((), None)
    patient = message.head.patient
    assert patient is not None
    assert (patient.identifiers, patient.address, patient.telecoms) == ((), None, ())


def test_a_diagnosis_in_words_is_no_code() -> None:
    summary = SPARSE.model_copy(update={"diagnosis": Diagnosis(code="C61")})
    (entry,) = render(summary, order(Format.PLO_1_6)).diagnoses
    assert (entry.code, entry.description) == (None, "C61")


@pytest.mark.parametrize("version", TEXT_FORMATS)
def test_the_summary_goes_along_only_where_it_is_ordered(version: Format) -> None:
    assert render(RICH, order(version)).attachments == ()
    own = Attachment(mime_type="application/pdf", description="Skjema", content=b"%PDF-1.4")
    message = render(RICH, order(version, attachments=(own,), attach_summary=True))
    assert message.attachments == (
        own,
        Attachment(mime_type="text/xml", description=SUMMARY_DESCRIPTION, content=write_summary(RICH)),
    )


@pytest.mark.parametrize("version", ALL_FORMATS)
@pytest.mark.parametrize("action", [Action.CHANGE, Action.CANCEL])
def test_changes_and_cancellations_point_back(version: Format, action: Action) -> None:
    wanted = replacing(version, action)
    message = render(RICH, wanted)
    assert message.action is action
    assert message.head.conversation == wanted.conversation
    if version in (Format.EPIKRISE_1_1, Format.EPIKRISE_1_2):
        assert message.head.document_id == wanted.document_id
    read = read_rendering(message)
    assert read is not None
    if version is not Format.SUMMARY_1:
        assert (read.source.action, read.source.replaces) == (action, OLD_MSG_ID)


@pytest.mark.parametrize("version", TEXT_FORMATS)
def test_the_source_has_who_from_the_text_and_which_message_from_the_head(version: Format) -> None:
    read = read_rendering(render(RICH, order(version)))
    assert read is not None
    assert (read.source.system, read.source.unit.her_id) == ("dips", "8900101")
    assert (read.source.format, read.source.msg_id) == (version.value, order(version).msg_id)
    assert read.source.sent_at == order(version).at


def test_the_canonical_summary_is_read_as_it_is() -> None:
    message = render(RICH, order(Format.SUMMARY_1))
    assert message.texts == ()
    assert read_rendering(message) == RICH


def test_every_format_but_a_receipt_can_be_ordered() -> None:
    with pytest.raises(ValueError, match="apprec"):
        render(RICH, order(Format.APPREC_1_1))
    with pytest.raises(ValueError, match="zone"):
        order(Format.PLO_1_6, at=datetime.datetime(2026, 3, 2))  # noqa: DTZ001 - what is refused
    with pytest.raises(ValueError, match="PLO"):
        order(Format.PLO_1_6, other="INNLEGGELSESRAPPORT")


def test_one_summary_gives_one_message() -> None:
    for version in ALL_FORMATS:
        assert render(RICH, order(version)) == render(Summary.from_json(RICH.to_json()), order(version))
