"""The text of a rendering: what a person reads, and what is read back from it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.contracts.messages import Format, Message
from gateway.contracts.summary import Action, Summary
from gateway.rendering import read_rendering, render, render_text
from gateway.rendering.form import form
from gateway.rendering.text import read_text
from tests.rendering.orders import RICH, SPARSE, TEXT_FORMATS, order
from tests.strategies import examples, summaries


def same(summary: Summary | None) -> dict[str, object] | None:
    """A summary without what a rendering need not keep."""
    return None if summary is None else summary.model_dump(exclude={"source", "note"})


@settings(max_examples=examples(150), deadline=None)
@given(summary=summaries(), action=st.sampled_from(Action), gp=st.booleans())
def test_any_summary_is_read_back_from_its_text(summary: Summary, action: Action, *, gp: bool) -> None:
    read = read_text([render_text(summary, action=action, gp=gp)])
    assert read is not None
    assert same(read[0]) == same(summary)
    assert read[1] is action
    assert read[0].source.system == summary.source.system
    assert read[0].source.organisation == summary.source.organisation
    assert read[0].source.unit == summary.source.unit


@settings(max_examples=examples(60), deadline=None)
@given(summary=summaries(), version=st.sampled_from(TEXT_FORMATS), action=st.sampled_from(Action))
def test_any_summary_is_read_back_from_its_message(summary: Summary, version: Format, action: Action) -> None:
    message = render(summary, order(version, action=action))
    read = read_rendering(message)
    assert read is not None
    assert same(read) == same(summary)
    assert read.source.action is action
    assert read.source.msg_id == message.head.msg_id


@settings(max_examples=examples(60), deadline=None)
@given(summary=summaries(), data=st.data())
def test_the_order_of_the_blocks_and_loose_texts_do_not_matter(summary: Summary, data: st.DataObject) -> None:
    texts = [block.text for block in render(summary, order(Format.PLO_1_6)).texts]
    texts += ["Merknad fra et annet sted", "Diagnosekode: C50.9", ""]
    read = read_text(data.draw(st.permutations(texts)))
    assert read is not None
    assert same(read[0]) == same(summary)


def test_the_diagnosis_comes_first_and_then_a_b_and_c() -> None:
    lines = render_text(RICH).split("\n")
    assert lines[0] == "Pakkeforløp hjem for pasienter med kreft"
    headings = [section.heading for section in form().sections] + [form().note]
    places = [lines.index(heading) for heading in headings]
    assert places == sorted(places)
    assert headings[:4] == [
        "Diagnose",
        "a) Status i pakkeforløpet",
        "b) Påkjenninger",
        "c) Behov for oppfølging",
    ]


def test_a_person_finds_words_not_codes() -> None:
    text = render_text(RICH)
    for line in (
        "Diagnose: Brystkreft, venstre side",
        "Diagnosekode (ICD-10): C50.9",
        "Status: startet",
        "Startet dato: 02.03.2026",
        "Grad av påkjenning (NCCN-termometer, 0–10): 6",
        "- Praktisk: Bekymret for økonomien",
        "- Kommunen: Samtale med kreftkoordinator",
        "Første kontakt: kommunen tar kontakt med pasienten",
        "- Samhandlingspunkt 2: fra 02.06.2026 til 02.07.2026, regnet fra oppstart",
        "Telefon: +47 900 00 071",
        "Telefon: +47 73 00 00 75",
        "Tolkespråk: polsk (pl)",
        "Kreftkoordinator følger opp fra før: nei",
        "Sendt fra sykehuset: 02.03.2026 kl. 13.45",
        "Journalsystem: DIPS",
        "Meldingsformat: PLO 1.6",
    ):
        assert f"\n{line}\n" in text
    assert not re.search(r"None|null|municipality|started_on|2026-0", text)


def test_what_the_note_lacks_is_said() -> None:
    text = render_text(SPARSE)
    for line in (
        "Diagnosen er ikke oppgitt i notatet.",
        "Pasientens telefonnummer er ikke oppgitt i notatet.",
        "Status: ønsker tilbudet senere",
        "Første kontakt: går ikke fram av notatet",
        "Kreftkoordinator følger opp fra før: ikke oppgitt",
    ):
        assert f"\n{line}\n" in text
    assert form().note not in text


def test_the_note_stands_last_as_it_was_written() -> None:
    assert RICH.note is not None
    assert render_text(RICH).endswith(f"\n\n{form().note}\n{RICH.note}\n")
    read = read_text([render_text(RICH)])
    assert read is not None
    assert read[0].note == RICH.note


@pytest.mark.parametrize(
    ("action", "word", "sentence"),
    [(Action.CHANGE, "RETTET", "erstatter"), (Action.CANCEL, "KANSELLERT", "slett")],
)
def test_a_change_and_a_cancellation_say_so_at_once(action: Action, word: str, sentence: str) -> None:
    first, second, *_ = render_text(RICH, action=action).split("\n")
    assert first == f"{word}: Pakkeforløp hjem for pasienter med kreft"
    assert sentence in second


def test_white_space_that_a_transport_changes_does_not_matter() -> None:
    text = render_text(RICH)
    changed = text.replace("\n\n", "\n").replace("\n", "  \r\n \t")
    read = read_text([changed.replace("\r\n", "\n")])
    assert read is not None
    assert same(read[0]) == same(RICH)


@settings(max_examples=examples(60), deadline=None)
@given(summary=summaries(), data=st.data())
def test_any_summary_survives_what_transports_do_to_white_space(
    summary: Summary, data: st.DataObject
) -> None:
    """Blanks at the ends of lines, other line ends and blanks that do not break, blank lines more or less."""
    ends = st.sampled_from(["\n", "\r\n", " \n", "  \r\n", "\t\n", "\n\n", "\u00a0\n"])
    blanks = st.sampled_from([" ", "\u00a0", "\u2009", "  ", "\t"])
    text = render_text(summary)
    blank, end = data.draw(blanks), data.draw(ends)
    read = read_text([text.replace(" ", blank).replace("\n", end)])
    assert read is not None
    assert same(read[0]) == same(summary)


@pytest.mark.parametrize(
    ("written", "changed"),
    [
        ("900 00 071", "900 00 072"),
        ("Status: startet", "Status: ønsker tilbudet senere"),
        ("Status: startet", "Status: i gang"),
        ("Status: startet\n", ""),
        ("a) Status i pakkeforløpet\n", ""),
        ("- Praktisk: Bekymret", "- Bekymret"),
        ("- Praktisk: Bekymret", "- Økonomi: Bekymret"),
        ("02.06.2026", "31.06.2026"),
        ("fra 02.06.2026", "fra midt i juni"),
        ("Fødselsdato: 13.08.1985", "Fødselsdato: 13. august 1985"),
        ("Tolkespråk: polsk (pl)", "Tolkespråk: Polsk"),
        ("Diagnose\n", "Diagnose\nKommunens merknad: ringt i dag\n"),
        ("Diagnose\n", "Diagnose\nDiagnosen er ikke oppgitt i notatet.\n"),
        ("- Sosionom\n", ""),
        ("kontrollkode ", "kontrollkode 0"),
        ("Sover dårlig\n\nMvh", "Mvh"),
        ("Mvh Pen Skisse", "Mvh Pen Skisse\n\nVennlig hilsen kommunen"),
        ("Pakkeforløp hjem for pasienter med kreft\n", "Sv: Pakkeforløp hjem for pasienter med kreft\n"),
    ],
)
def test_a_text_that_was_changed_is_no_rendering(written: str, changed: str) -> None:
    text = render_text(RICH)
    assert written in text
    assert read_text([text.replace(written, changed, 1)]) is None


@settings(max_examples=examples(80), deadline=None)
@given(summary=summaries(), data=st.data())
def test_a_lost_line_is_noticed(summary: Summary, data: st.DataObject) -> None:
    lines = render_text(summary.model_copy(update={"note": None})).split("\n")
    source = lines.index("Hvor notatet kommer fra")
    lost = data.draw(st.integers(0, source - 1).filter(lambda i: lines[i] and "tjeneste" not in lines[i]))
    assert read_text(["\n".join(lines[:lost] + lines[lost + 1 :])]) is None


def test_other_notes_are_no_renderings() -> None:
    message = render(RICH, order(Format.DIALOGMELDING_1_1))
    note = "Pakkeforløp hjem for pasienter med kreft\n\nDiagnose\nCa. mammae\n\na) Status i pakkeforløpet\nJa"
    assert read_rendering(_with_text(message, note)) is None
    assert read_rendering(replace(message, texts=())) is None
    assert read_rendering(_with_text(message, form().mark + "12345678")) is None


def _with_text(message: Message, text: str) -> Message:
    return replace(message, texts=(replace(message.texts[0], text=text),))
