from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.reading.when import find_when


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tar kontakt i løpet av 2 uker, og", "i løpet av 2 uker"),
        ("for ny kartlegging om ca. 3 mnd.", "om ca. 3 mnd."),
        ("seinast innan ei veke", "seinast innan ei veke"),
        ("Bydel ringer henne innen to uker, ikke før klokka 14", "innen to uker"),
        ("innan 14 dagar, tlf.", "innan 14 dagar"),
        ("inden 14 dage", "inden 14 dage"),
        ("om 3-4 måneder", "om 3-4 måneder"),
        ("om en ukes tid", "om en ukes tid"),
        ("om et par måneder", "om et par måneder"),
        ("6 uker etter operasjonen", "6 uker etter operasjonen"),
        ("KK ringer pas. etter kur 2.", "etter kur 2"),
        ("ca. uke 29", "ca. uke 29"),
        ("ringer henne i uke 24.", "i uke 24"),
        ("i veke 44", "i veke 44"),
        ("uke 12-14", "uke 12-14"),
        ("ringer pas., helst før helga", "før helga"),
        ("før månedsskiftet", "før månedsskiftet"),
        ("over nyttår", "over nyttår"),
        ("Bydelen tek kontakt etter jul.", "etter jul"),
        ("etter sommerferien", "etter sommerferien"),
        ("etter avsluttet strålebehandling", "etter avsluttet strålebehandling"),
        ("i løpet av juni, ring", "i løpet av juni"),
        ("innen utgangen av juni", "innen utgangen av juni"),
        ("ny prat i oktober", "i oktober"),
        ("Det haster: innen torsdag.", "innen torsdag"),
        ("på mandag", "på mandag"),
        ("ikke før 15 august, nummer", "ikke før 15 august"),
        ("senest 15. august", "senest 15. august"),
        ("så snart som råd", "så snart som råd"),
        ("ringes snarest", "snarest"),
        ("til høsten", "til høsten"),
        ("Kommunen ringer I UKE 24", "I UKE 24"),
        ("ringer pas innen 14 dg, mob", "innen 14 dg"),
        ("helst før klokka 11.", "før klokka 11"),
        ("Kommunen kontaktar pasienten i januar 2027", "i januar 2027"),
        ("kommunen -> pas, etter St. Hans", "etter St. Hans"),
        ("Helst på dagtid", "på dagtid"),
        ("ringer i siste stråleuke", "i siste stråleuke"),
    ],
)
def test_times_to_come(text: str, words: str) -> None:
    (found,) = find_when(text)
    assert (found.words, found.condition) == (words, False)
    assert text[slice(*found.span)] == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Pasienten tar selv kontakt ved behov. Mobil", "ved behov"),
        ("ta kontakt med kommunen dersom det blir behov.", "dersom det blir behov"),
        ("når han er komen heim frå jakt.", "når han er komen heim frå jakt"),
        ("ringer selv når de er hjemme igjen. Pappa", "når de er hjemme igjen"),
        ("når cellegiften er ferdig og formen bedre", "når cellegiften er ferdig"),
        ("hvis det blir verre, mob 900 00 012", "hvis det blir verre"),
    ],
)
def test_conditions(text: str, words: str) -> None:
    (found,) = find_when(text)
    assert (found.words, found.condition) == (words, True)


def test_two_times_in_one_line_both_count() -> None:
    assert [found.words for found in find_when("etter ferien (uke 33)")] == ["etter ferien", "uke 33"]


@pytest.mark.parametrize(
    "text",
    [
        "Kommunen tar kontakt.",
        "ikke avtalt",
        "Lillesøster på 4 år",
        "2 x uka",
        "snakke om det\nBehov",
        "om",
        "",
    ],
)
def test_words_that_say_no_time(text: str) -> None:
    assert find_when(text) == []


@given(
    st.text(st.sampled_from("om 3uker innen ferien ved behov når han er\n.,-i løpet av juni"), max_size=60)
)
@settings(max_examples=50, deadline=None)
def test_any_text_can_be_read(text: str) -> None:
    last = 0
    for found in find_when(text):
        assert found.span[0] >= last
        assert text[slice(*found.span)] == found.words
        assert "\n" not in found.words
        last = found.span[1]
