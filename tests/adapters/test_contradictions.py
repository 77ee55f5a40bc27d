"""Text that says another thing than a coded field: the code holds, and the words are noticed (PH090)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import cast

import pytest

import adapters
from gateway.contracts.messages import CodedValue, CodeList, DiagnosisEntry, EventEntry, ProcedureEntry
from gateway.contracts.reading import Reading
from gateway.contracts.summary import Action
from mappings import table, vocabulary
from tests.adapters.comparison import message_of


def _read(code: str, text: str) -> Reading:
    note = {"system": "dips", "text": f"Pakkeforløp hjem\n{text}", "sent_at": "2026-05-20T10:00:00+02:00"}
    entry = DiagnosisEntry(
        main=True, code=CodedValue(value=code, code_list="2.16.578.1.12.4.1.1.7110"), place="x"
    )
    adapter = adapters.installed().named("dips")
    assert adapter is not None
    return adapter.read(replace(message_of(note), diagnoses=(entry,)), None)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("C50.9", "Diagnose: Lungekreft, påvist 04.05.2026"),
        ("C34.1", "Pasienten har fått påvist brystkreft 4. mai."),
        ("C61", "Dx: ca. coli, op. 12.05."),
        ("C18.7", "Pasienten har prostatakreft, diagnostisert 2. mai."),
        ("C25.9", "Nyoppdaga eggstokkreft, stadfesta 3.5."),
        ("C43.5", "Diagnose\nAkutt myelogen leukemi"),
    ],
)
def test_a_text_of_another_cancer_is_noticed_and_the_code_holds(code: str, text: str) -> None:
    reading = _read(code, text)
    assert reading.summary.diagnosis is not None
    assert reading.summary.diagnosis.code == code
    assert "PH090" in reading.noticed
    assert any(words in text for words in (piece.strip(" .") for piece in reading.unplaced))


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("C50.9", "Diagnose: Brystkreft, påvist 04.05.2026"),
        ("C34.1", "Ca pulm, dx 4.5."),
        ("C34.1", "Lungekreft påvist 04.05.2026. Tidligere brystkreft (2015)."),
        ("C50.9", "Brystkreft med levermetastaser, påvist 4.5.2026."),
        ("C61", "Pasienten har kreft, påvist 4.5.2026."),
        ("C34.1", "Påvist levermetastaser, spredning fra kjent kreft."),
        ("C20", "Tarmkreft, påvist 4.5.2026."),
        ("C50.9", "Brystkreft. Mor døde av eggstokkreft."),
        ("C80", "Lungekreft påvist 4.5."),
    ],
)
def test_words_that_fit_the_code_are_no_contradiction(code: str, text: str) -> None:
    # C80 is of no site, so that nothing contradicts it: what is not placed has other reasons.
    assert _read(code, text).unplaced == _read("C80", text).unplaced


def test_every_site_has_codes_and_every_code_is_a_category_of_icd_10() -> None:
    codes = cast("dict[str, list[str]]", dict(table("site_codes")))
    assert set(codes) == set(vocabulary("sites"))
    assert all(re.fullmatch(r"[CD][0-9]{2}", code) for each in codes.values() for code in each)


def _with_coded_talk(text: str) -> Reading:
    note = {"system": "dips", "text": f"Pakkeforløp hjem\n{text}", "sent_at": "2026-05-20T10:00:00+02:00"}
    talk = ProcedureEntry(code=CodedValue(value="WMFG11", code_list=CodeList.PROCEDURES))
    adapter = adapters.installed().named("dips")
    assert adapter is not None
    return adapter.read(replace(message_of(note), procedures=(talk,)), None)


@pytest.mark.parametrize(
    "text",
    [
        "Kartleggingssamtale er ikke gjennomført.",
        "Kartlegging: ikke gjennomført",
        "Kartleggingssamtale er ikkje gjennomført.",
    ],
)
def test_a_coded_talk_was_held_and_words_against_it_are_noticed(text: str) -> None:
    reading = _with_coded_talk(text)
    assert reading.summary.survey is not None
    assert reading.summary.survey.procedure_code == "WMFG11"
    assert "PH090" in reading.noticed
    assert any("gjennomført" in piece for piece in reading.unplaced)


def test_a_coded_talk_that_the_words_tell_of_contradicts_nothing() -> None:
    reading = _with_coded_talk("Kartleggingssamtale ble gjennomført 19.05.2026.")
    assert reading.summary.survey is not None
    assert "PH090" not in reading.noticed


def _system_reads(system: str, text: str, **fields: object) -> Reading:
    note = {
        "system": system,
        "subject": "Pakkeforløp hjem",
        "text": f"Pakkeforløp hjem\n{text}",
        "sent_at": "2026-05-20T10:00:00+02:00",
    }
    adapter = adapters.installed().named(system)
    assert adapter is not None
    return adapter.read(replace(message_of(note), **fields), None)  # type: ignore[arg-type]  # of a message


_PHONE = EventEntry(
    code=CodedValue(value="6", name="Telefonkontakt"), start="20260519", end="20260519", place="x"
)
_VIDEO = EventEntry(code=CodedValue(value="4", name="Telemedisinsk kontakt"), start="2026-05-19", place="x")
_CLINIC = EventEntry(description="Poliklinisk konsultasjon", start="2026-05-19", place="x")


@pytest.mark.parametrize(
    ("event", "system", "text", "form"),
    [
        (_PHONE, "doculive", "Kartleggingssamtale 19.05.2026 på poliklinikken med kona til stede.", "phone"),
        (_VIDEO, "doculive", "Kartleggingssamtale 19.05.2026 på telefon.", "video"),
        (_CLINIC, "dips", "Kartleggingssamtale 19.5. per telefon.", "in_person"),
        (_CLINIC, "dips", "Kartleggingssamtala vart halden på video 19. mai.", "in_person"),
    ],
)
def test_a_coded_contact_on_the_day_of_the_talk_has_its_form(
    event: EventEntry, system: str, text: str, form: str
) -> None:
    reading = _system_reads(system, text, events=(event,))
    assert reading.summary.survey is not None
    assert reading.summary.survey.form == form
    assert "PH090" in reading.noticed
    assert reading.unplaced == (text,)
    assert any(one.field == "survey.form" and one.place == "x" for one in reading.evidence)


@pytest.mark.parametrize(
    ("event", "text", "form"),
    [
        (_PHONE, "Kartleggingssamtale 19.05.2026 på telefon.", "phone"),
        # Another day's contact is not the talk.
        (_PHONE, "Kartleggingssamtale 18.05.2026 på poliklinikken.", "in_person"),
        # Both are told: the words do not contradict the code.
        (_PHONE, "Kartleggingssamtale 19.05.2026 på telefon, hun møter på poliklinikken i juni.", "phone"),
        (_CLINIC, "Kartleggingssamtale 19.05.2026.", "in_person"),
        (_CLINIC, "Kartleggingssamtale 19.05.2026 med tolk på telefon.", "in_person"),
    ],
)
def test_words_that_fit_the_coded_contact_are_no_contradiction(
    event: EventEntry, text: str, form: str
) -> None:
    reading = _system_reads("doculive", text, events=(event,))
    assert reading.summary.survey is not None
    assert reading.summary.survey.form == form
    assert reading.unplaced == ()


@pytest.mark.parametrize(
    ("code", "name", "text", "language", "against"),
    [
        ("so", "Somali", "Trenger tolk i arabisk.", "so", True),
        ("so", "Somali", "Hun snakker godt norsk og trenger ikke tolk.", "so", True),
        ("pl", "polsk", "Treng ikkje tolk.", "pl", True),
        ("no", "norsk", "Trenger polsk tolk ved samtaler.", "pl", True),
        ("so", "Somali", "Somalisk tolk bestilles.", "so", False),
        ("so", "Somali", "Tolk må bestilles.", "so", False),
        ("so", "Somali", "Tolk i somali eller arabisk.", "so", False),
        ("no", "norsk", "Trenger ikke tolk.", None, False),
        ("so", "Somali", "Datteren snakker arabisk.", "so", False),
    ],
)
def test_a_coded_language_holds_and_words_against_it_are_noticed(
    code: str, name: str, text: str, language: str | None, *, against: bool
) -> None:
    coded = CodedValue(value=code, name=name)
    reading = _system_reads("dips", text, language=coded, language_place="x")
    uncoded = _system_reads("dips", text)
    assert reading.summary.patient.language == language
    assert (reading.unplaced[len(uncoded.unplaced) :] == (text,)) is against
    assert "PH090" in reading.noticed or not against


@pytest.mark.parametrize("system", ["dips", "doculive", "helseplattformen"])
@pytest.mark.parametrize(
    ("text", "confirmed"),
    [
        ("Pasienten har foreløpig ingen kreftdiagnose.", False),
        ("Det er tatt biopsi, men ikke endelig diagnose ennå.", False),
        ("Diagnosen er ikkje stadfesta.", False),
        ("Framleis under utgreiing.", True),
        ("Mistanke om bukspyttkjertelkreft.", True),
        ("Under utredning for kreft i bukspyttkjertelen.", True),
    ],
)
def test_words_that_a_coded_cancer_is_none_yet_are_noticed_and_a_denial_needs_a_person(
    system: str, text: str, *, confirmed: bool
) -> None:
    code = CodedValue(value="C25.0", code_list=CodeList.ICD_10)
    entry = DiagnosisEntry(main=True, code=code, place="x")
    reading = _system_reads(system, text, diagnoses=(entry,))
    assert reading.summary.diagnosis is not None
    assert (reading.summary.diagnosis.code, reading.summary.diagnosis.confirmed) == ("C25.0", confirmed)
    assert "PH090" in reading.noticed
    assert text in reading.unplaced
    uncoded = _system_reads(system, f"Diagnose: C25.0 kreft i bukspyttkjertelen\n{text}")
    assert uncoded.summary.diagnosis is not None


@pytest.mark.parametrize("system", ["dips", "doculive", "helseplattformen"])
@pytest.mark.parametrize("code", ["Z03.1", "R31", "K83.1"])
def test_a_code_of_no_cancer_fits_words_that_there_is_none_yet(system: str, code: str) -> None:
    entry = DiagnosisEntry(main=True, code=CodedValue(value=code, code_list=CodeList.ICD_10), place="x")
    text = "Mistanke om kreft, ikke endelig diagnose ennå."
    reading = _system_reads(system, text, diagnoses=(entry,))
    assert reading.summary.diagnosis is not None
    assert not reading.summary.diagnosis.confirmed
    assert reading.unplaced == ()


@pytest.mark.parametrize(
    "text",
    [
        "Kreft i bukspyttkjertelen, påvist 4.5. Avventer MDT.",
        "Fortsatt under utredning for levermetastaser.",
        "Mistanke om metastaser. Kreft i bukspyttkjertelen er påvist 4.5.",
        "Avventer svar på blodprøver.",
    ],
)
def test_what_is_open_beside_the_cancer_is_no_contradiction(text: str) -> None:
    entries = [
        DiagnosisEntry(main=True, code=CodedValue(value=code, code_list=CodeList.ICD_10), place="x")
        for code in ("C25.0", "C80")
    ]
    readings = [_system_reads("dips", text, diagnoses=(entry,)) for entry in entries]
    assert all(r.summary.diagnosis is not None and r.summary.diagnosis.confirmed for r in readings)
    assert readings[0].unplaced == readings[1].unplaced


@pytest.mark.parametrize("system", ["dips", "doculive"])
@pytest.mark.parametrize(
    ("action", "text", "against"),
    [
        (Action.NEW, "KANSELLERT", True),
        (Action.NEW, "Notatet er skrevet på feil pasient.", True),
        (Action.NEW, "Sjå bort frå denne meldinga.", True),
        (Action.NEW, "Dette notatet erstatter notat av 02.03.", True),
        (Action.NEW, "Rettelse til rapport sendt i går.", True),
        (Action.CHANGE, "Notatet utgår.", True),
        (Action.CANCEL, "Dette notatet erstatter notat av 02.03.", True),
        (Action.CANCEL, "Notatet er skrevet på feil pasient.", False),
        (Action.CHANGE, "Dette notatet erstattar notat av 02.03.", False),
        (Action.CHANGE, "Rettelse til rapport sendt i går.", False),
        (Action.NEW, "Timen på tirsdag er avlyst, medisinen erstattes av en annen.", False),
        (Action.NEW, "Det er gjort endringer i medisinlista.", False),
        (Action.NEW, "Retten er klar kl. 12, se bort fra kostlista.", False),
    ],
)
def test_a_coded_action_holds_and_words_of_another_are_noticed(
    system: str, action: Action, text: str, *, against: bool
) -> None:
    reading = _system_reads(system, text, action=action)
    assert reading.summary.source.action is action
    others = [_system_reads(system, text, action=other) for other in Action]
    fewest = min(len(other.unplaced) for other in others)
    assert (len(reading.unplaced) > fewest) is against


def test_where_words_alone_tell_the_action_they_contradict_nothing() -> None:
    reading = _system_reads("helseplattformen", "Dette notatet erstatter notat av 02.03.")
    plain = _system_reads("helseplattformen", "Dette gjelder.")
    assert reading.summary.source.action is plain.summary.source.action
    assert len(reading.unplaced) <= 1
