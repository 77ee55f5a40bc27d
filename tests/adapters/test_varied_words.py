"""What must hold however it is said: denials, illness in families, relapse, aims, scores, cancers, children.

Sentences are drawn from `varied_words.toml` and put together in any order, in both languages and all systems.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import adapters
from gateway.contracts.reading import Reading
from gateway.contracts.summary import Intent, PathwayReason, Summary
from tests.adapters.comparison import message_of

_WORDS: dict[str, Any] = tomllib.loads(
    Path(__file__).with_name("varied_words.toml").read_text(encoding="utf-8")
)
_LANGUAGES = st.sampled_from(sorted(_WORDS))
_NAMES = ("Lys Måne", "Varm Kakao", "Klar Fjord", "Lun Hagestad")


def _read(system: str, text: str) -> Reading:
    adapter = adapters.installed().named(system)
    assert adapter is not None
    title = "Pakkeforløp hjem for pasienter med kreft"
    note = {
        "system": system,
        "subject": title if system == "helseplattformen" else "Brev",
        "text": f"{title}\n\n{text}",
        "sent_at": "2026-05-20T10:00:00+02:00",
    }
    return adapter.read(message_of(note), None)


@st.composite
def _notes(draw: st.DrawFn, *said: str, language: str) -> Summary:
    """The reading of sentences among others, in any order."""
    fillers = draw(st.lists(st.sampled_from(_WORDS[language]["fillers"]), max_size=3, unique=True))
    sentences = draw(st.permutations([*said, *fillers]))
    between = draw(st.sampled_from([" ", "\n", "\n\n", "\n- "]))
    system = draw(st.sampled_from(["dips", "doculive", "helseplattformen"]))
    text = between.join(sentences)
    return _read(system, f"- {text}" if between == "\n- " else text).summary


def _one(draw: st.DrawFn, language: str, key: str, **values: object) -> str:
    sentence: str = draw(st.sampled_from(_WORDS[language][key]))
    return sentence.format(**values)


@st.composite
def _denied(draw: st.DrawFn) -> tuple[str, Summary]:
    language = draw(_LANGUAGES)
    service: str = draw(st.sampled_from(_WORDS[language]["services"]))
    sentence = _one(draw, language, "denials", service=service, Service=service.capitalize())
    return service, draw(_notes(sentence, language=language))


@settings(max_examples=150, deadline=None)
@given(_denied())
def test_what_is_denied_is_no_item(drawn: tuple[str, Summary]) -> None:
    service, summary = drawn
    texts = [one.text for one in summary.needs] + [one.text for one in summary.referrals]
    for text in (*texts, *(one.text for one in summary.strains)):
        assert service not in text.lower()


@st.composite
def _in_family(draw: st.DrawFn) -> tuple[str, bool, Summary]:
    language = draw(_LANGUAGES)
    cancer: str = draw(st.sampled_from(_WORDS[language]["other_cancers"]))
    own = draw(st.booleans())
    said = [_one(draw, language, "family_history", cancer=cancer)]
    if own:
        said.append(_one(draw, language, "diagnosis"))
    return cancer, own, draw(_notes(*said, language=language))


@settings(max_examples=150, deadline=None)
@given(_in_family())
def test_illness_in_the_family_is_no_diagnosis(drawn: tuple[str, bool, Summary]) -> None:
    cancer, own, summary = drawn
    if not own:
        assert summary.diagnosis is None
        return
    assert summary.diagnosis is not None
    assert summary.diagnosis.text is not None
    assert cancer not in summary.diagnosis.text.lower()
    assert "lungekreft" in summary.diagnosis.text.lower()
    assert summary.diagnosis.date is not None
    assert summary.diagnosis.date.isoformat() == "2026-05-04"


@st.composite
def _two_cancers(draw: st.DrawFn) -> Summary:
    language = draw(_LANGUAGES)
    cancer = draw(st.sampled_from(_WORDS[language]["other_cancers"]))
    said = _one(draw, language, "diagnosis"), _one(draw, language, "earlier", cancer=cancer)
    return draw(_notes(*said, language=language))


@settings(max_examples=150, deadline=None)
@given(_two_cancers())
def test_of_two_cancers_the_new_one_is_the_diagnosis(summary: Summary) -> None:
    assert summary.diagnosis is not None
    assert "lungekreft" in (summary.diagnosis.text or "").lower()
    assert str(summary.diagnosis.date) == "2026-05-04"
    assert summary.diagnosis.confirmed
    assert summary.pathway.reason is not PathwayReason.RELAPSE


@st.composite
def _relapses(draw: st.DrawFn) -> tuple[bool, Summary]:
    language = draw(_LANGUAGES)
    relapse = draw(st.booleans())
    said = [_one(draw, language, "relapse" if relapse else "diagnosis")]
    if not relapse or draw(st.booleans()):
        said.append(_one(draw, language, "no_relapse"))
    return relapse, draw(_notes(*said, language=language))


@settings(max_examples=150, deadline=None)
@given(_relapses())
def test_a_relapse_is_one_and_fear_of_one_is_none(drawn: tuple[bool, Summary]) -> None:
    relapse, summary = drawn
    assert (summary.pathway.reason is PathwayReason.RELAPSE) is relapse
    assert summary.diagnosis is not None
    assert str(summary.diagnosis.date) == "2026-05-04"


@st.composite
def _aims(draw: st.DrawFn) -> tuple[Intent | None, Summary]:
    language = draw(_LANGUAGES)
    intent = draw(st.sampled_from([Intent.PALLIATIVE, Intent.CURATIVE, None]))
    said = [_one(draw, language, "diagnosis")]
    if intent is not None:
        said.append(_one(draw, language, intent.value))
    return intent, draw(_notes(*said, language=language))


@settings(max_examples=150, deadline=None)
@given(_aims())
def test_the_aim_of_the_treatment(drawn: tuple[Intent | None, Summary]) -> None:
    intent, summary = drawn
    assert summary.diagnosis is not None
    assert summary.diagnosis.intent == intent


@st.composite
def _scored(draw: st.DrawFn) -> tuple[int, str, Summary]:
    language = draw(_LANGUAGES)
    score = draw(st.integers(0, 10))
    forms = [str(score), f"{score}/10", f"{score} av 10"]
    if score:
        forms += [
            f"{score - 1}-{score}",
            f"{score - 1}–{score}",
            f"{score - 1} til {score}",
        ]
    if score > 1:
        forms.append(_WORDS[language]["numbers"][score])
    sentence = _one(draw, language, "scores", score=draw(st.sampled_from(forms)))
    return score, sentence, draw(_notes(sentence, language=language))


@settings(max_examples=250, deadline=None)
@given(_scored())
def test_a_score_however_it_is_written(drawn: tuple[int, str, Summary]) -> None:
    score, _, summary = drawn
    assert summary.survey is not None
    assert summary.survey.distress_score == score


@st.composite
def _children(draw: st.DrawFn) -> tuple[dict[str, tuple[str, str]], Summary]:
    language = draw(_LANGUAGES)
    names = draw(st.permutations(_NAMES))
    numbers = draw(st.lists(st.integers(100, 999), min_size=2, max_size=2, unique=True))
    parents = draw(st.sampled_from([("mother",), ("father",), ("mother", "father")]))
    told, said = {}, [_one(draw, language, "child")]
    for parent, name, number in zip(parents, names, numbers, strict=False):
        relation = {"mother": "mor", "father": "far"}[parent]
        told[relation] = name, f"+4790000{number}"
        said.append(_one(draw, language, parent, name=name, phone=f"900 00 {number}"))
    return told, draw(_notes(*said, language=language))


@settings(max_examples=150, deadline=None)
@given(_children())
def test_a_child_s_parents_have_names_and_numbers_of_their_own(
    drawn: tuple[dict[str, tuple[str, str]], Summary],
) -> None:
    told, summary = drawn
    assert {one.relation: (one.name, one.phone) for one in summary.next_of_kin} == told
    assert summary.patient.phones == ()
    assert summary.diagnosis is not None
    assert "leukemi" in (summary.diagnosis.text or "").lower()


@pytest.mark.parametrize("language", sorted(_WORDS))
def test_both_languages_have_the_same_kinds_of_words(language: str) -> None:
    assert set(_WORDS[language]) >= set(_WORDS["nn"])
