"""Every entry of every vocabulary recognises its own examples."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.reading.headings import classify
from adapters.reading.phrases import beginnings, compile_phrases, first_letters
from adapters.reading.vocabulary import Words, forget, lower
from mappings import vocabulary

VOCABULARIES = (
    "action",
    "contact",
    "diagnosis",
    "follow_up",
    "headings",
    "matters",
    "needs",
    "parties",
    "people",
    "referrals",
    "status",
    "strains",
    "survey",
    "title",
)
ENTRIES = [(name, key) for name in VOCABULARIES for key in vocabulary(name)]


@pytest.mark.parametrize(("name", "key"), ENTRIES)
def test_an_entry_recognises_its_examples(name: str, key: str) -> None:
    entry = vocabulary(name)[key]
    assert entry.key == f"{name}.{key}"
    assert entry.examples
    for example in entry.examples:
        assert Words(name, key).find(lower(example)), example


_TOPICS = {
    "kin_problem": "strain",
    "physical": "strain",
    "emotional": "strain",
    "spiritual": "strain",
    "practical": "strain",
    "company": "survey",
    "offer": "status",
    "found_needs": "need",
}


@pytest.mark.parametrize("key", [key for key in vocabulary("headings") if key != "filler"])
def test_a_heading_is_about_what_its_entry_says(key: str) -> None:
    for example in vocabulary("headings")[key].examples:
        heading = classify(example)
        assert heading is not None, example
        assert heading.topic == _TOPICS.get(key, key), example


@pytest.mark.parametrize(
    ("phrase", "matches", "other"),
    [
        ("vondt", "har vondt i hofta", "vondtet"),
        ("smerte*", "smertene", "fantomsmerte"),
        ("*kreft", "lungekreft", "lungekreften"),
        ("ikke|ikkje behov", "ikkje behov for", "ikke noe behov"),
        ("ikke .. behov", "ikke noe stort behov", "ikke fordi han etter dette har behov"),
        ("hun? selv", "hun selv", "seg"),
        ("om # uker", "om 12 uker", "om noen uker"),
        ("^ startet", "Startet i dag", "er startet"),
        ("ja $", "svar: ja", "ja, men"),
        ("tar|tar_seg av", "tar seg av", "tar hand om"),
        ("på f.eks", "på f.eks. mandag", "på feks"),
    ],
)
def test_the_language_of_phrases(phrase: str, matches: str, other: str) -> None:
    pattern = compile_phrases([phrase])
    assert pattern.search(matches.lower())
    assert not pattern.search(other.lower())


def test_nothing_is_found_by_no_phrases() -> None:
    assert compile_phrases([]).search("alt") is None


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from([p for name, key in ENTRIES for p in vocabulary(name)[key].phrases]),
        min_size=1,
        max_size=6,
    )
)
def test_what_a_pattern_may_find_is_known_by_first_letters(phrases: list[str]) -> None:
    """The quick question before a pattern never keeps it from a text that it would match."""
    known = beginnings(phrases)
    text = " ".join(
        word.strip("*?|^$#.").split("|")[0].replace("_", " ") for p in phrases for word in p.split()
    )
    found = compile_phrases(phrases).search(text)
    possible = (
        known.open
        or not known.words.isdisjoint(first_letters(text))
        or any(letters in text for letters in known.inside)
    )
    assert possible or found is None


def test_answers_are_forgotten_after_a_note() -> None:
    words = Words("contact", "not_agreed")
    assert words.find("ikke avtalt")
    forget()
    assert not words._memory


@given(st.text())
def test_lower_case_keeps_places(text: str) -> None:
    if len(text.lower()) == len(text):
        assert len(lower(text)) == len(text)
