from __future__ import annotations

from gateway.contracts.messages import CodedValue, Message, ProfessionalFunction
from gateway.formats import read_message
from tests.formats.support import KITH, in_head

_ROLES = f'xmlns:fk1="{KITH}/felleskomponent1"'


def dialogue(content: str, version: str = "2013-01-23") -> Message:
    return read_message(
        in_head(f'<d:Dialogmelding xmlns:d="{KITH}/dialog/{version}" {_ROLES}>{content}</d:Dialogmelding>')
    )


def test_xhtml_and_text_in_one_note() -> None:
    found = dialogue(
        """<d:Notat><d:TemaKodet V="6" DN="Henvendelse om pasient"/><d:TekstNotatInnhold>Først tekst
        <div xmlns="http://www.w3.org/1999/xhtml"><p>så <b>xhtml</b></p><ul><li>et punkt</li></ul></div>
        </d:TekstNotatInnhold></d:Notat>"""
    )
    assert found.texts[0].text == "Først tekst\nså xhtml\n- et punkt"


def test_several_notes() -> None:
    found = dialogue(
        """<d:Notat><d:TemaKodet V="6"/><d:Tema>Ett</d:Tema>
        <d:TekstNotatInnhold>A</d:TekstNotatInnhold></d:Notat>
        <d:Notat><d:TemaKodet V="7" DN="Annet tema"/><d:Tema>To</d:Tema>
        <d:TekstNotatInnhold>B</d:TekstNotatInnhold>
        <d:DatoNotat>2026-03-02</d:DatoNotat></d:Notat>"""
    )
    assert found.subject == "Ett"
    assert [(t.text, t.place) for t in found.texts] == [
        ("A", "Notat[1]/TekstNotatInnhold"),
        ("B", "Notat[2]/TekstNotatInnhold"),
        ("TemaKodet: Annet tema (7)\nTo", "Notat[2]"),
    ]
    assert [(e.start, e.place) for e in found.events] == [("2026-03-02", "Notat[2]/DatoNotat")]


def test_a_question_alone_and_in_an_answer() -> None:
    question = """<d:Foresporsel><d:TypeForesp V="99" DN="Annen henvendelse"/><d:Sporsmal>Hva nå?</d:Sporsmal>
        <d:Formål V="1" DN="Helsehjelp"/><d:Begrunnelse>Fordi.</d:Begrunnelse></d:Foresporsel>"""
    alone = dialogue(question, "2006-10-11")
    assert alone.topic == CodedValue(value="99", name="Annen henvendelse")
    assert [t.text for t in alone.texts] == ["Hva nå?", "Fordi.", "Formål: Helsehjelp (1)"]
    answer = dialogue(
        f"<d:Notat><d:TemaKodet V='5'/><d:TekstNotatInnhold>Svar</d:TekstNotatInnhold>{question}</d:Notat>"
    )
    assert answer.topic == CodedValue(value="5")
    assert [t.text for t in answer.texts][:3] == ["Svar", "Hva nå?", "Fordi."]
    assert answer.texts[1].place == "Notat/Foresporsel/Sporsmal"


_PERSON = """<d:FamilyName>Penn</d:FamilyName><d:GivenName>Ny</d:GivenName><d:Ident><fk1:Id>9910416</fk1:Id>
    <fk1:TypeId V="HPR"/></d:Ident><d:TeleCom><fk1:TeleAddress V="tel:73000055"/></d:TeleCom>"""


def roles(content: str, version: str) -> Message:
    return dialogue(
        f'<d:Notat><d:TemaKodet V="1"/><d:RollerRelatertNotat>{content}</d:RollerRelatertNotat></d:Notat>',
        version,
    )


def test_roles_of_1_0() -> None:
    found = roles(
        f'<d:RolleNotat V="1" DN="Forfatter"/><d:HealthcareProfessional>{_PERSON}</d:HealthcareProfessional>',
        "2006-10-11",
    )
    (author,) = found.professionals
    assert (author.function, author.person.hpr) == (ProfessionalFunction.AUTHOR, "9910416")
    assert author.person.telecoms[0].address == "tel:73000055"


def test_the_role_may_stand_with_the_person_or_beside_it() -> None:
    beside = roles(
        f'<d:RoleToPatient V="6" DN="Fastlege"/>'
        f"<d:HealthcareProfessional>{_PERSON}</d:HealthcareProfessional>",
        "2006-10-11",
    )
    inside = roles(
        f"<d:HealthcareProfessional>"
        f'<d:RoleToPatient V="6" DN="Fastlege"/>{_PERSON}</d:HealthcareProfessional>',
        "2006-10-11",
    )
    assert beside.professionals == inside.professionals
    assert beside.professionals[0].function is ProfessionalFunction.GP
    assert not beside.texts
    coordinator = roles(
        f'<d:RoleToPatient V="17"/><d:HealthcareProfessional>{_PERSON}</d:HealthcareProfessional>',
        "2006-10-11",
    )
    assert coordinator.professionals[0].function is ProfessionalFunction.CONTACT


_UNIT = """<d:TilknyttetEnhet><d:Kontaktenhet><fk1:OrganisationName>Kreftpoliklinikken</fk1:OrganisationName>
    <fk1:Ident><fk1:Id>8900101</fk1:Id><fk1:TypeId V="HER"/></fk1:Ident></d:Kontaktenhet>
    <d:Merknad>åpent 8-15</d:Merknad>{}</d:TilknyttetEnhet>"""


def test_unit_and_person_of_1_1_in_every_shape() -> None:
    person = f"<d:HealthcareProfessional>{_PERSON}</d:HealthcareProfessional>"
    inside = roles('<d:RolleNotat V="1"/>' + _UNIT.format(person), "2013-01-23")
    beside = roles('<d:RolleNotat V="1"/>' + _UNIT.format("") + person, "2013-01-23")
    assert inside.professionals == beside.professionals
    (author,) = inside.professionals
    assert (author.person.hpr, author.unit and author.unit.her_id, author.remark) == (
        "9910416",
        "8900101",
        "åpent 8-15",
    )
    alone = roles(_UNIT.format(""), "2013-01-23")
    assert alone.professionals[0].unit == author.unit
    assert alone.professionals[0].function is ProfessionalFunction.OTHER
    assert not alone.texts


def test_a_person_who_is_no_professional_is_a_relative() -> None:
    found = roles(
        "<d:RoleToPatient V='1' DN='Ektefelle'/><d:Person><d:GivenName>Varsom</d:GivenName>"
        "<d:FamilyName>Fiskebolle</d:FamilyName></d:Person>",
        "2013-01-23",
    )
    (relative,) = found.relatives
    assert (relative.person.full_name, relative.relation and relative.relation.name) == (
        "Varsom Fiskebolle",
        "Ektefelle",
    )


def test_an_empty_dialogue_is_read() -> None:
    found = dialogue("")
    assert (found.texts, found.topic, found.subject) == ((), None, None)
