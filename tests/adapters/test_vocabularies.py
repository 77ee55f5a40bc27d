"""Every entry of every vocabulary recognises its own examples."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.reading.headings import classify
from adapters.reading.phrases import Part, Phrase, Trigger, one_beginning
from adapters.reading.vocabulary import Choice, Sieve, Words, forget, kept, lower
from adapters.reading.word_index import INDEX
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
    "patient",
    "people",
    "referrals",
    "sites",
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
    pattern = Phrase(phrase).pattern
    assert pattern.search(matches.lower())
    assert not pattern.search(other.lower())


_PHRASES = [one for name, key in ENTRIES for p in vocabulary(name)[key].phrases for one in one_beginning(p)]


def _example(phrase: str) -> str:
    """Words that the phrase most often finds."""
    words = (word.rstrip("?").split("|")[0] for word in phrase.split() if word not in {"^", "$", "..", "..."})
    return " ".join(word.replace("*", "").replace("_", " ").replace("#", "7") for word in words)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(_PHRASES), st.sampled_from(_PHRASES), st.sampled_from(["", "bed", "hun", "7"]))
def test_a_phrase_is_never_in_a_text_without_what_it_needs(first: str, second: str, around: str) -> None:
    """What is asked before a phrase is searched for never keeps it from a text that holds it."""
    text = lower(f"{around}{_example(first)} {_example(second)}")
    words = re.findall(r"[^\W_]+", text)
    for phrase in (Phrase(lower(first)), Phrase(lower(second))):
        if phrase.pattern.search(text) is None:
            continue
        assert phrase.also is None or not phrase.also.isdisjoint(words)
        assert not phrase.needs or any(_in(one, word) for one in phrase.needs for word in words)


def _in(trigger: Trigger, word: str) -> bool:
    if trigger.part is Part.WHOLE:
        return word == trigger.letters
    return word.startswith(trigger.letters) if trigger.part is Part.BEGINNING else trigger.letters in word


@pytest.mark.parametrize(("name", "key"), ENTRIES)
def test_the_index_finds_what_a_search_for_every_phrase_finds(name: str, key: str) -> None:
    words = Words(name, key)
    phrases = [Phrase(one) for one in words.phrases]
    for text in {lower(example) for each in vocabulary(name).values() for example in each.examples}:
        places = [found.span() for one in phrases if (found := one.pattern.search(text))]
        expected = min(places, key=lambda span: (span[0], -span[1]), default=None)
        found = words.find(text)
        assert (found.span() if found else None) == expected, text
    forget()


def test_a_choice_asks_in_order_and_by_place() -> None:
    nav, gp = Words("parties", "nav"), Words("parties", "gp")
    choice = Choice([("nav", nav), ("gp", gp)])
    text = "fastlegen og nav"
    assert [kind for kind, _ in choice.all(text)] == ["nav", "gp"]
    assert (choice.first(text) or ("",))[0] == "nav"
    assert (choice.earliest(text) or ("",))[0] == "gp"
    assert choice.earliest("ingen av dem") is None
    forget()


def test_a_note_is_forgotten_when_it_has_been_read() -> None:
    words = Words("contact", "not_agreed")
    assert words.find("ikke avtalt, sa robåt fjellheim og ringte/robåt")
    forget()
    assert not INDEX.texts
    assert "avtalt," in INDEX._tokens
    assert not any("robåt" in token for token in INDEX._tokens)


def test_only_answers_of_words_that_vocabularies_know_outlive_a_note() -> None:
    asked = []

    @kept
    def length(text: str) -> int | None:
        asked.append(text)
        return len(text) if "behov" in text else None

    texts = ("behov for oppfølging", "behov for robåt", "behov for hjelp 12.03.2026", "ingen plager")
    for _ in range(2):
        for text in texts * 2:
            assert length(text) == (len(text) if "behov" in text else None)
        forget()
    assert asked == [*texts, *texts[1:]]


@pytest.mark.parametrize(("name", "key"), ENTRIES)
def test_whether_words_are_there_is_the_same_as_where(name: str, key: str) -> None:
    words = Words(name, key)
    sieve = Sieve(Words("title", "title"), words)
    for text in {lower(example) for each in vocabulary(name).values() for example in each.examples}:
        for asked in (text, f"{text}_", f"x{text}", text.replace(" ", "_")):
            holds = asked in words
            assert holds == (words.find(asked) is not None), asked
            assert sieve.passes(asked) or not holds
            first = words.at_start(asked)
            assert (first is not None) == (holds and words.all(asked)[0].start() == 0), asked
    forget()


def test_words_that_are_named_late_are_found_in_a_text_that_was_looked_up_before() -> None:
    text = "hun har notert seg at fastlegen ringer"
    assert Words("parties", "gp").find(text)
    late = Words("contact", "patient", "not_agreed", "other", "municipality")
    found = late.find(text)
    forget()
    again = late.find(text)
    assert (found and found.span()) == (again and again.span())
    assert again is None or found is not None
    forget()


@given(st.text())
def test_lower_case_keeps_places(text: str) -> None:
    if len(text.lower()) == len(text):
        assert len(lower(text)) == len(text)
