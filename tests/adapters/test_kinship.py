from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters.reading.kinship import find_relatives, relation_of
from mappings import table
from tests.conftest import NOTES

Row = tuple[str | None, str | None, str | None]


def rows(text: str) -> list[Row]:
    return [(found.relation, found.name, found.phone) for found in find_relatives(text)]


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("PÅRØRENDE: ektemann Stille Torsk, tlf 900 00 013.", ("ektemann", "Stille Torsk", "+4790000013")),
        ("saman med sambuar Kry Nysnø (tlf. 900 00 522).", ("samboer", "Kry Nysnø", "+4790000522")),
        ("datter (Kari Nordmann, 900 00 123)", ("datter", "Kari Nordmann", "+4790000123")),
        ("Mannen heter Kvass Fjell, 40 00 05 12", ("ektemann", "Kvass Fjell", "+4740000512")),
        ("ringer kona, Varm Kjele, 900 00 532, da pas. hører dårlig", ("kone", "Varm Kjele", "+4790000532")),
        ("Venninnen Rund Sirkel, 90 00 05 52, er nærmeste", ("venninne", "Rund Sirkel", "+4790000552")),
        ("datteren Tydelig Tavle fulgte ham", ("datter", "Tydelig Tavle", None)),
        ("på kona sin mobil 40000211 (Rolig Snegle) da", ("kone", "Rolig Snegle", "+4740000211")),
        ("Kona (Rolig Snegle) har 40000211.", ("kone", "Rolig Snegle", "+4740000211")),
        ("Sønnen Fast Havn, tlf. 40000672, er hos henne", ("sønn", "Fast Havn", "+4740000672")),
        ("Pappa er Sterk Ballett, 400 00 652.", ("far", "Sterk Ballett", "+4740000652")),
        ("Kari Nordmann, datter, mob 900 00 123", ("datter", "Kari Nordmann", "+4790000123")),
        ("Pårørende: Kari Nordmann (datter), tlf. 900 00 123", ("datter", "Kari Nordmann", "+4790000123")),
        ("Kontaktperson: Ola Nordmann 900 00 012 (sønn)", ("sønn", "Ola Nordmann", "+4790000012")),
        ("Nærmeste pårørende: Kari Nordmann, tlf 900 00 123", (None, "Kari Nordmann", "+4790000123")),
        ("Næraste pårørande: Ola Nordmann", (None, "Ola Nordmann", None)),
        ("Svigerdatter Kari kan ringes på 900 00 012", ("svigerdatter", "Kari", "+4790000012")),
        ("ektefelle (mob 900 00 012)", ("ektefelle", None, "+4790000012")),
        ("Nabo Anne-Lise Berg hjelper", ("nabo", "Anne-Lise Berg", None)),
        ("DATTER NORDMANN KARI 90000012", ("datter", "NORDMANN KARI", "+4790000012")),
        ("datteren Kari N. Nordmann (900 00 012)", ("datter", "Kari N. Nordmann", "+4790000012")),
    ],
)
def test_relatives_as_they_are_written(text: str, row: Row) -> None:
    assert rows(text) == [row]


def test_both_parents() -> None:
    assert rows(
        "Pårørende: Mor Lystig Ballong 900 00 221, far Stor Ballong 900 00 222. Mor er hovedkontakt"
    ) == [
        ("mor", "Lystig Ballong", "+4790000221"),
        ("far", "Stor Ballong", "+4790000222"),
    ]


def test_name_and_number_in_two_places_are_one_relative() -> None:
    text = "Ektefelle Taus Gardin satt med.\nTlf:  900 00 501   (ektefelle 900 00 502)"
    (found,) = find_relatives(text)
    assert (found.name, found.phone) == ("Taus Gardin", "+4790000502")
    assert found.phone_span is not None
    assert text[slice(*found.phone_span)] == "900 00 502"


def test_two_of_one_relation_are_two() -> None:
    text = "Sønn Per Hansen 90000012, sønn Ola Hansen 90000013"
    assert rows(text) == [("sønn", "Per Hansen", "+4790000012"), ("sønn", "Ola Hansen", "+4790000013")]


@pytest.mark.parametrize(
    "text",
    [
        "Mor var med.",
        "bekymret for kona m MS. ikke kvalm",
        "lurer på hvordan han skal si det til moren sin",
        "Far Ola Nordmann døde i 2020.",
        "Guttens far døde av tykktarmskreft",
        "Han bor med mor. Kari Nordmann er lege",
        "Mann, 72 år. Kommunen ringer.",
        "god kontakt med KK i Ullensaker (Turid)",
        "Fastlege: Amina Kasuslege",
        "Mvh Blid Pensel, kreftspl. tlf 73 00 00 21",
        "Ektefelle til stede. Kode WMFG11",
        "sønnen på 17 skulker skolen",
        "Formor Kari Nordmann",
        "",
    ],
)
def test_who_is_only_mentioned_is_no_relative(text: str) -> None:
    assert find_relatives(text) == []


@pytest.mark.parametrize(
    ("code", "display", "relation"),
    [
        ("EF", None, "ektefelle"),
        ("EK", "Ektefelle", "ektefelle"),
        ("DA", "Datter", "datter"),
        ("SS", "Søster", "søster"),
        ("SS", None, "stesøster"),
        ("SI", None, "søster"),
        ("MO", "Mor", "mor"),
        ("BF", None, "far"),
        ("DTR", None, "datter"),
        ("NBO", "", "nabo"),
        ("so", None, "sønn"),
        ("X", "SAMBOER", "samboer"),
        ("X", "Sambuar", "samboer"),
        ("X", "Kusine til far", "kusine til far"),
        ("X", None, None),
        (None, None, None),
    ],
)
def test_coded_relations(code: str | None, display: str | None, relation: str | None) -> None:
    assert relation_of(code, display) == relation


def test_a_word_means_one_relation() -> None:
    words = table("kinship")["words"]
    assert isinstance(words, dict)
    every = [word for relation, all_words in words.items() for word in {relation, *all_words}]
    assert len(every) == len(set(every))
    assert all(word == word.lower() for word in every)


def test_the_relatives_that_the_fixtures_name_in_words() -> None:
    read = 0
    for expected_path in sorted(NOTES.glob("*/*.expected.json")):
        expected = json.loads(expected_path.read_bytes())
        if not expected["summary"] or "next_of_kin" in expected.get("lenient", []):
            continue
        path = expected_path.parent / expected_path.name.replace(".expected.json", ".xml")
        text = "\n\n".join(
            "".join(map(str, element.itertext()))
            for element in etree.parse(path).iter("{*}Notat", "{*}TekstNotatInnhold", "{*}TextResultValue")
        )
        wanted = {(kin["name"], kin["phone"]) for kin in expected["summary"]["next_of_kin"]}
        found = {(kin.name, kin.phone) for kin in find_relatives(text) if kin.name}
        assert found <= wanted, path.name
        assert {kin for kin in wanted if kin[0] in text} == found, path.name
        read += len(found)
    assert read >= 12


@given(st.text(st.sampled_from("Mor Kari Far,(900 00 012)datter sønn Ola.\n:heter"), max_size=60))
@settings(max_examples=100, deadline=None)
def test_any_text_can_be_read(text: str) -> None:
    for found in find_relatives(text):
        assert found.name or found.phone
        assert found.name is None or found.name in text
        assert 0 <= found.span[0] < found.span[1] <= len(text)
