from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters.reading.scores import FoundScore, find_scores
from tests.conftest import NOTES


def distress(text: str) -> list[FoundScore]:
    return [score for score in find_scores(text) if score.scale == "distress"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Termometer: 5", 5),
        ("NCCN termometer for grad av påkjenning: 5. Ektefelle til stede.", 5),
        ("NCCN 4/10.", 4),
        ("NCCN Distress Thermometer: 6", 6),
        ("NCCN-termometer (0-10): 6", 6),
        ("Påkjenningstermometer 7. Dottera var med", 7),
        ("stress-termometer: 4", 4),
        ("På plagetermometeret sette han kryss på 5.", 5),
        ("Distress 6.", 6),
        ("T 5/10. NRS 7 v/mob", 5),
        ("T: 5", 5),
        ("DT=8", 8),
        ("Påkj.grad (termometer) = 8", 8),
        ("Termometern sto på 4.", 4),
        ("Termometeret stod på 5.", 5),
        ("Termometer: hun peker på 8.", 8),
        ("TERMOMETER  10", 10),
        ("Termometer: 0", 0),
        ("Termometer\n5", 5),
        ("termometret viste 3", 3),
        ("Termometer 12/2-26: 6", 6),
        ("Termometer 24.06.: 4", 4),
        ("Termometer 4 den 24. juni", 4),
        ("på termometeret, som hun fylte ut kl. 10 i uke 12, er det 6", 6),
        ("skåret 8 på NCCN", 8),
        ("7 på termometeret", 7),
        ("Han ga 6 av 10 på termometeret", 6),
    ],
)
def test_the_thermometer(text: str, value: int) -> None:
    (score,) = distress(text)
    assert (score.value, score.marked, score.spoken, score.out_of_range) == (value, False, False, False)
    assert text[slice(*score.span)] == score.words


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("På termometeret sette han ring rundt talet to.", 2),
        ("På skjemaet for grad av påkjenning har han satt sju.", 7),
        ("termometeret viste åtte av ti", 8),
        ("Termometer: null", 0),
        ("termometer ein av ti", 1),
    ],
)
def test_a_score_in_letters(text: str, value: int) -> None:
    (score,) = distress(text)
    assert (score.value, score.spoken) == (value, True)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Score 6-7 på termometeret.", 7),
        ("Termometer 7 til 8", 8),
        ("NCCN 3–4", 4),
        ("Termometer 6,5", 7),
        ("Termometer: mellom 5 og 6", 6),
        ("Termometer: mellom fem og seks", 6),
    ],
)
def test_of_two_numbers_the_higher_counts(text: str, value: int) -> None:
    (score,) = distress(text)
    assert (score.value, score.marked) == (value, True)


@pytest.mark.parametrize("text", ["TERMOMETER  11 (!)", "Termometer: 25", "NCCN 12/10"])
def test_a_score_that_the_scale_does_not_have(text: str) -> None:
    (score,) = distress(text)
    assert (score.value, score.out_of_range) == (None, True)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("Termometer = 7, var 9 i juni", [(7, False), (9, True)]),
        ("Termometer 4 (før op. 8)", [(4, False), (8, True)]),
        (
            "Termometeret sto på 9 den første gangen og på 6 den 4. november.",
            [(9, True), (6, False)],
        ),
        ("Vi brukte termometeret: Rund valgte 2, mamma ville satt 9 på sitt eget.", [(2, False), (9, True)]),
        ("Termometer: 3 i dag, 8 før operasjonen", [(3, False), (8, True)]),
        ("Mor var med. Termometer 6", [(6, False)]),
    ],
)
def test_another_time_or_person_is_an_aside(text: str, values: list[tuple[int, bool]]) -> None:
    assert [(score.value, score.aside) for score in distress(text)] == values


def test_scales_beside_the_thermometer() -> None:
    scores = find_scores("Termometer 6. Smerter NRS 4, VAS 3. ECOG 1. Gleason 7. ESAS: tungpust 7, smerte 2.")
    assert [(score.scale, score.value) for score in scores] == [
        ("distress", 6),
        ("pain", 4),
        ("pain", 3),
        ("other", 1),
        ("other", 7),
        ("esas", 7),
        ("esas", 2),
    ]


def test_a_score_that_does_not_say_of_what() -> None:
    (score,) = find_scores("Skår: 7")
    assert (score.scale, score.value) == (None, 7)


@pytest.mark.parametrize(
    "text",
    [
        "Temp. (øretermometer) 37,4.",
        "Termometer hjemme viste 40,1.",
        "Termometer: ikke utfylt",
        "NCCN-termometeret er ikke brukt, hun er for sliten.",
        "Termometeret ble brukt. Han er 7 år.",
        "Termometer fylt ut 12.03.2026 kl. 10",
        "Termometer, 20 min, 3 barn",
        "SKÅRER PÅ:\n1) Nevropati\n2) Mannen vil ikke snakke om det",
        "cT2N1M0, T 2",
        "Kode WMFG11",
        "",
    ],
)
def test_what_is_no_score(text: str) -> None:
    assert find_scores(text) == []


def _text(path: Path) -> str:
    elements = etree.parse(path).iter("{*}Notat", "{*}TekstNotatInnhold", "{*}TextResultValue")
    return "\n\n".join("".join(map(str, element.itertext())) for element in elements)


def test_the_scores_of_the_fixtures() -> None:
    read = 0
    for expected_path in sorted(NOTES.glob("*/*.expected.json")):
        expected = json.loads(expected_path.read_bytes())
        survey = (expected["summary"] or {}).get("survey")
        if not survey or "survey.distress_score" in expected.get("lenient", []):
            continue
        name = expected_path.name.removesuffix(".expected.json")
        scores = [score for score in distress(_text(expected_path.parent / f"{name}.xml")) if not score.aside]
        assert [score.value for score in scores][:1] == [survey["distress_score"]] or (
            survey["distress_score"] is None and not scores
        ), name
        assert ("PH061" in expected["findings"]) is any(score.out_of_range for score in scores), name
        read += 1
    assert read > 20


@given(
    value=st.integers(0, 10),
    label=st.sampled_from(
        ["Termometer: ", "NCCN ", "Påkjenningstermometer ", "Termometer for grad av påkjenning: "]
    ),
    after=st.sampled_from(
        ["", ".", "/10", " av 10", ". Kode WMFG11.", "\nPlager: 3 ting", ", samtale 3.4.26"]
    ),
)
@settings(max_examples=50, deadline=None)
def test_every_score_reads_back(value: int, label: str, after: str) -> None:
    (score,) = distress(f"Samtale 12.03.2026. {label}{value}{after}")
    assert score.value == value


@given(st.text(st.sampled_from("Termometer:NCCN 0123456789/10,.-\nav ti sju skår"), max_size=60))
@settings(max_examples=100, deadline=None)
def test_any_text_can_be_read(text: str) -> None:
    for score in find_scores(text):
        assert score.value is None or 0 <= score.value <= 10
        assert (score.value is None) is score.out_of_range
        assert text[slice(*score.span)] == score.words
