"""Words that make the patient or a relative another than the coded fields say: the fields hold (PH090)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import adapters
from adapters.reading.kinship import excludes
from gateway.contracts.messages import CodedValue, Identifier, PatientRecord, Person, RelativeEntry, Telecom
from gateway.contracts.reading import Reading
from gateway.contracts.summary import Sex
from mappings import table
from tests.adapters.comparison import load, message_of
from tests.adapters.test_own_notes import NOTES

SYSTEMS = ("dips", "doculive", "helseplattformen")
MAN, WOMAN = CodedValue(value="1"), CodedValue(value="2")


def _read(
    system: str,
    text: str,
    *,
    sex: CodedValue | None = None,
    born: str | None = None,
    number: str | None = None,
    relatives: tuple[RelativeEntry, ...] = (),
) -> Reading:
    note = {
        "system": system,
        "subject": "Pakkeforløp hjem",
        "text": f"Pakkeforløp hjem\n{text}",
        "sent_at": "2026-05-20T10:00:00+02:00",
    }
    adapter = adapters.installed().named(system)
    assert adapter is not None
    message = message_of(note)
    identifiers = (Identifier(id=number, type="FNR"),) if number else ()
    record = PatientRecord(
        family_name="Prøve", given_name="Test", sex=sex, birth_date=born, identifiers=identifiers
    )
    return adapter.read(
        replace(message, head=replace(message.head, patient=record), relatives=relatives), None
    )


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize(
    ("sex", "text"),
    [
        (WOMAN, "78 år gammel mann med lungekreft."),
        (WOMAN, "Mann på 71 år, innlagt med ikterus."),
        (WOMAN, "Pasienten er ein mann på 64 år som bur aleine."),
        (WOMAN, "Ein 58 år gamal mann med tarmkreft."),
        (WOMAN, "Diagnose: 66-årig mann med prostatakreft."),
        (WOMAN, "Kjønn: Mann"),
        (WOMAN, "Pas er enkemann."),
        (MAN, "45 år gammel kvinne, gift, to barn."),
        (MAN, "Kvinne f. 1958 med småcella lungekreft."),
        (MAN, "Pasienten er enkje og bur åleine."),
        (MAN, "Kjønn: K"),
    ],
)
def test_words_of_the_other_sex_are_noticed_and_the_code_holds(
    system: str, sex: CodedValue, text: str
) -> None:
    reading = _read(system, text, sex=sex)
    assert reading.summary.patient.sex is (Sex.MALE if sex is MAN else Sex.FEMALE)
    assert "PH090" in reading.noticed
    assert any(piece in text for piece in reading.unplaced)
    own = _read(system, text, sex=WOMAN if sex is MAN else MAN)
    assert len(own.unplaced) < len(reading.unplaced)


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize(
    ("sex", "text"),
    [
        (WOMAN, "Bor sammen med mannen, en 80 år gammel mann med demens."),
        (WOMAN, "Gift med ein 74 år gamal mann som treng mykje hjelp."),
        (WOMAN, "Sønnen er en mann på 40 år som bor i Bergen."),
        (WOMAN, "Mann var med på samtalen."),
        (WOMAN, "Mannen er 78 år gammel og redd for å bli alene."),
        (WOMAN, "Har støttekontakt, en mann på 30 år."),
        (WOMAN, "Hun sier: «Jeg er blitt som en 90 år gammel mann»."),
        (MAN, "Bur saman med kona, ei kvinne på 69 år med MS."),
        (MAN, "Mor er en 82 år gammel kvinne på sykehjem."),
        (MAN, "Jente 9 år og gutt 4 år bor hjemme."),
        (MAN, "Han får hjelp av en eldre kvinne i oppgangen."),
        (MAN, "Pårørende: Kvinne 45 år, gift, bor på samme adresse."),
        (None, "45 år gammel kvinne."),
    ],
)
def test_words_of_somebody_else_are_no_contradiction(system: str, sex: CodedValue | None, text: str) -> None:
    born = "1970-01-01"
    other = {id(WOMAN): MAN, id(MAN): WOMAN, id(None): None}[id(sex)]
    assert (
        _read(system, text, sex=sex, born=born).unplaced == _read(system, text, sex=other, born=born).unplaced
    )


@pytest.mark.parametrize(
    ("text", "against"),
    [
        ("Han har vondt i ryggen. Han sover dårlig.", True),
        ("Han er plaga av kvalme. Han bur åleine.", True),
        ("Han har vondt i ryggen.", False),
        ("Mannen er med. Han er sliten. Han sover dårlig.", False),
        ("Hun har vondt i ryggen. Han sover dårlig. Han bor alene.", False),
        ("Det viktigste for henne er hagen. Han er sliten. Han sover dårlig.", False),
    ],
)
def test_a_note_that_speaks_of_nobody_but_the_other_sex_is_noticed(text: str, *, against: bool) -> None:
    """In a woman's record; it may be another patient's."""
    for system in SYSTEMS:
        as_coded, otherwise = _read(system, text, sex=WOMAN), _read(system, text, sex=MAN)
        assert (as_coded.unplaced != otherwise.unplaced) is against


@pytest.mark.parametrize(
    ("text", "against"),
    [
        ("78 år gammel mann med lungekreft.", True),
        ("56 år gammel mann med lungekreft.", False),
        ("57 år gammel mann med lungekreft.", False),
        ("Gift med en 78 år gammel mann.", False),
    ],
)
def test_another_age_than_the_birth_date_gives_is_noticed(text: str, *, against: bool) -> None:
    dated, undated = _read("dips", text, sex=MAN, born="1970-03-02"), _read("dips", text, sex=MAN)
    assert (dated.unplaced != undated.unplaced) is against


@pytest.mark.parametrize(
    ("text", "against"),
    [
        ("Fnr 01876994069", True),
        ("Fødselsnummer: 018769 94069.", True),
        ("Fnr 02825518560", False),
        ("Fnr 01876994060", False),
        ("Mor: Lys Måne, fnr 01876994069", False),
    ],
)
def test_anothers_identifier_is_noticed(text: str, *, against: bool) -> None:
    coded, uncoded = _read("doculive", text, number="02825518560"), _read("doculive", text)
    assert (coded.unplaced != uncoded.unplaced) is against
    assert coded.summary.patient.id == "02825518560"


def _relative(relation: str, *, name: str = "Rosa Blyant", phone: str | None = None) -> RelativeEntry:
    given, family = name.split()
    return RelativeEntry(
        relation=CodedValue(value=relation),
        person=Person(
            given_name=given, family_name=family, telecoms=(Telecom(address=f"tel:{phone}"),) if phone else ()
        ),
        place="x",
    )


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize(
    ("code", "text", "words"),
    [
        (
            "DA",
            "Sønnen Rosa Blyant, tlf 900 00 123, var med.",
            "Sønnen Rosa Blyant, tlf 900 00 123, var med.",
        ),
        ("DA", "Kona heiter Rosa Blyant og er heime.", "Kona heiter Rosa Blyant og er heime."),
        ("EK", "Pårørende: Rosa Blyant (datter)", "Rosa Blyant (datter)"),
        ("MO", "Systera Rosa Blyant hjelper til.", "Systera Rosa Blyant hjelper til."),
        ("DA", "Ring helst broren på 900 00 124.", "broren på 900 00 124"),
    ],
)
def test_another_relation_in_the_words_is_noticed_and_the_code_holds(
    system: str, code: str, text: str, words: str
) -> None:
    reading = _read(system, text, relatives=(_relative(code, phone="90000124"),))
    assert [one.name for one in reading.summary.next_of_kin] == ["Rosa Blyant"]
    assert "PH090" in reading.noticed
    assert words in reading.unplaced


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("EK", "Kona Rosa Blyant er med."),
        ("EK", "Sambuaren Rosa Blyant er med."),
        ("DA", "Dottera Rosa Blyant er med."),
        ("AN", "Mor Rosa Blyant er med."),
        ("DA", "Rosa Blyant (verge) er med."),
        ("DA", "Sønnen Kvass Fjell er med."),
        ("EK", "Bestevenninnen til mora Rosa Blyant er med."),
        ("DA", "Sønnens kone Rosa Blyant er med."),
        ("DA", "Sønnen var med."),
        ("DA", "Pårørende: Rosa Blyant"),
        ("ZZ", "Sønnen Rosa Blyant er med."),
    ],
)
def test_a_relation_that_fits_or_is_anothers_is_no_contradiction(system: str, code: str, text: str) -> None:
    coded, unknown = (_read(system, text, relatives=(_relative(each),)) for each in (code, "ZZ"))
    assert coded.unplaced == unknown.unplaced


def test_every_relation_that_stands_beside_another_is_known() -> None:
    kinship = table("kinship")
    known = set(kinship["words"])  # type: ignore[call-overload]
    alike = kinship["alike"]
    assert isinstance(alike, dict)
    assert {one for general, words in alike.items() for one in (general, *words)} <= known
    assert set(kinship["alongside"]["words"]) <= known  # type: ignore[index]
    assert all(not excludes(one, one) for one in known)
    assert all(excludes(one, other) == excludes(other, one) for one in known for other in known)


@pytest.mark.parametrize("path", NOTES, ids=lambda path: path.stem)
def test_a_note_contradicts_one_sex_at_most(path: Path) -> None:
    note = load(path)
    adapter = adapters.installed().named(note["system"])
    assert adapter is not None
    message = message_of(note)
    assert message.head.patient is not None
    kept = []
    for sex in (None, MAN, WOMAN):
        head = replace(message.head, patient=replace(message.head.patient, sex=sex))
        kept.append(len(adapter.read(replace(message, head=head), None).unplaced))
    assert kept[0] in kept[1:]
