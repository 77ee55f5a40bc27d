"""The set of adapters: what is installed, and which one takes a message."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import adapters
from adapters import AdapterRegistry
from adapters.dips import Dips
from adapters.doculive import Doculive
from adapters.helseplattformen import Helseplattformen
from gateway.contracts.errors import AdapterError, ConfigurationError
from gateway.contracts.messages import (
    CodedValue,
    Conversation,
    DiagnosisEntry,
    Format,
    Head,
    Identifier,
    Message,
    PatientRecord,
    TextBlock,
)
from gateway.contracts.reading import Reading
from gateway.contracts.registry import Registry
from gateway.contracts.summary import Action, PersonIdentifierType
from tests.adapters.comparison import message_of


def _note(
    system: str, text: str, *, subject: str | None = None, sent_at: str = "2026-03-02T12:00:00+01:00"
) -> Message:
    return message_of({"system": system, "text": text, "subject": subject, "sent_at": sent_at})


def _points(*entries: tuple[str, str]) -> list[EntryPoint]:
    return [EntryPoint(name=name, value=value, group=adapters.ENTRY_POINTS) for name, value in entries]


class Other(Dips):
    """A plug-in."""

    name: ClassVar[str] = "other"


class Impostor(Dips):
    """A plug-in with the name of a built-in one."""


def test_the_three_systems_are_installed() -> None:
    assert [adapter.name for adapter in adapters.installed().adapters] == [
        "dips",
        "doculive",
        "helseplattformen",
    ]


def test_a_plug_in_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters, "entry_points", lambda **_: _points(("other", f"{__name__}:Other")))
    assert isinstance(adapters.installed().named("other"), Other)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("broken", "no_such_module:Thing"),
        ("broken", f"{__name__}:Absent"),
        ("broken", "json:loads"),
        ("broken", f"{__name__}:Other"),
    ],
)
def test_a_plug_in_that_does_not_work_is_named(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapters, "entry_points", lambda **_: _points((name, value)))
    with pytest.raises(ConfigurationError, match="broken"):
        adapters.installed()


def test_two_adapters_can_not_have_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters, "entry_points", lambda **_: _points(("dips", f"{__name__}:Impostor")))
    with pytest.raises(ConfigurationError, match="dips"):
        adapters.installed()
    with pytest.raises(ConfigurationError, match="dips"):
        AdapterRegistry([Dips(), Impostor()])


@pytest.mark.parametrize(
    ("system", "hint", "chosen"),
    [
        ("dips", (), "dips"),
        ("doculive", (), "doculive"),
        ("helseplattformen", (), "helseplattformen"),
        ("dips", ("dips",), "dips"),
        ("dips", ("helseplattformen", "dips"), "dips"),
        ("dips", ("doculive",), "dips"),
        ("dips", ("unknown",), "dips"),
    ],
)
def test_the_adapter_is_chosen_by_the_sender_then_by_the_message(
    system: str, hint: tuple[str, ...], chosen: str
) -> None:
    adapter = adapters.installed().choose(_note(system, "Pakkeforløp hjem"), system_hint=hint)
    assert adapter is not None
    assert adapter.name == chosen


def test_the_senders_own_system_comes_before_another_of_the_same_format() -> None:
    registry = AdapterRegistry([Dips(), Other()])
    message = _note("dips", "Pakkeforløp hjem")
    assert isinstance(registry.choose(message, system_hint=("other",)), Other)
    assert type(registry.choose(message)) is Dips


def test_no_adapter_takes_what_none_recognises() -> None:
    head = Head(msg_type=CodedValue(), msg_id="1", generated_at="", sent_at=None)
    assert adapters.installed().choose(Message(format=Format.SUMMARY_1, head=head)) is None


_CONVERSATION = Conversation(parent="first", root="first")
_WHOLE = """Diagnose: lungekreft
Status: startet 2.3.
Påkjenninger: hoste
Behov: hjemmesykepleie
Kontakt: kommunen ringer"""


@pytest.mark.parametrize(
    ("subject", "text", "refers", "action"),
    [
        ("Pakkeforløp hjem", _WHOLE, False, Action.NEW),
        ("Pakkeforløp hjem", _WHOLE, True, Action.NEW),
        ("Pakkeforløp hjem - rettelse", _WHOLE, True, Action.CHANGE),
        ("Pakkeforløp heim", f"Erstattar notat sendt i går.\n{_WHOLE}", True, Action.CHANGE),
        ("Pakkeforløp hjem", f"Se bort fra notatet som ble sendt i går.\n{_WHOLE}", True, Action.CHANGE),
        ("Pakkeforløp hjem", "Se bort fra notatet som ble sendt i går.", True, Action.CANCEL),
        ("Pakkeforløp hjem - KANSELLERT", "Feil pasient.", True, Action.CANCEL),
        ("Pakkeforløp hjem", "Notatet sendt 1.3. trekkes tilbake.", True, Action.CANCEL),
        ("Pakkeforløp hjem - annullert", "Sendt ved en feil.", False, Action.CANCEL),
    ],
)
def test_a_dialogue_message_tells_in_words_what_it_does(
    subject: str, text: str, action: Action, *, refers: bool
) -> None:
    message = _note("helseplattformen", text, subject=subject)
    head = message.head
    told = Message(
        format=message.format,
        head=Head(
            msg_type=head.msg_type,
            msg_id=head.msg_id,
            generated_at=head.generated_at,
            sent_at=head.sent_at,
            conversation=_CONVERSATION if refers else None,
            patient=head.patient,
        ),
        subject=subject,
        texts=message.texts,
    )
    source = Helseplattformen().read(told, None).summary.source
    assert source.action is action
    assert source.replaces == ("first" if refers and action is not Action.NEW else None)
    assert source.conversation_id == ("first" if refers else None)


@pytest.mark.parametrize(
    ("system", "subject", "text"),
    [
        ("helseplattformen", "Pakkeforløp hjem", "x"),
        ("helseplattformen", "Oppsummering PFH", "x"),
        ("helseplattformen", "Pakkeforlop heim kreft", "x"),
        ("helseplattformen", "Notat", f"Pasienten har takket ja til pakkeforløp hjem.\n{_WHOLE}"),
        ("helseplattformen", "SV: Pakkeforløp hjem", _WHOLE),
        ("dips", None, "EDI: PF hjem\nDiagnose: x"),
        ("dips", None, "Til Forvaltningskontoret\nPakkeforløp hjem for kreftpasienter\nDx: ca coli"),
        ("dips", None, "Pakkeforløp-hjem\nx"),
        ("dips", None, "Pakkeforløb hjem\nx"),
        ("doculive", "Brev", "Vedr. pakkeforløp hjem\nDiagnose: x"),
        ("doculive", "Brev", "Kreftpoliklinikken\nDato 12.3.26\nPakkeforløp hjem for pasienter med kreft\nx"),
    ],
)
def test_the_title_makes_the_note(system: str, subject: str | None, text: str) -> None:
    adapter = adapters.installed().named(system)
    assert adapter is not None
    assert "PH001" not in adapter.read(_note(system, text, subject=subject), None).noticed


@pytest.mark.parametrize(
    ("system", "subject", "text"),
    [
        ("helseplattformen", "Spørsmål om pakkeforløp hjem", "Hvem er kreftkoordinator hos dere nå?"),
        ("helseplattformen", "Takk for notat om pakkeforløp hjem", "Mottatt."),
        (
            "helseplattformen",
            "Hjemreise fredag",
            "Pakkeforløp bryst avsluttet, pas. reiser hjem. Behov: hjemmesykepleie.",
        ),
        ("dips", None, "Innlagt med feber. Pakkeforløp hjem ble startet i fjor. Behov for hjemmesykepleie."),
        ("dips", None, "Henvist i pakkeforløp for lungekreft. Reiser hjem i dag.\nBehov: hjemmesykepleie"),
        (
            "doculive",
            "Epikrise",
            "Tidligere: Prostatakreft 2023, i pakkeforløp hjem.\nForløp: antibiotika.\nPlan: kontroll.",
        ),
        (
            "doculive",
            "Epikrise",
            "Brystkreft operert. Får tilbud om pakkeforløp hjem, eget notat sendes.\nPlan: stråling.",
        ),
    ],
)
def test_a_mention_does_not_make_a_note(system: str, subject: str | None, text: str) -> None:
    adapter = adapters.installed().named(system)
    assert adapter is not None
    assert "PH001" in adapter.read(_note(system, text, subject=subject), None).noticed


def _read(message: Message, registry: Registry | None = None) -> Reading:
    return Doculive().read(message, registry)


def test_a_name_in_one_string_is_taken_apart() -> None:
    message = _note("doculive", "Pakkeforløp hjem")
    for written, names in (
        ("Danser, Line", ("Line", None, "Danser")),
        ("DANSER, LINE MARIE", ("Line", "Marie", "Danser")),
        ("Line Danser", ("Line", None, "Danser")),
    ):
        record = PatientRecord(
            name=written, identifiers=(Identifier(id="150786 46824", type=""), Identifier(id="x", type="XXX"))
        )
        head = Head(msg_type=CodedValue(), msg_id="1", generated_at="", sent_at=None, patient=record)
        patient = _read(Message(format=message.format, head=head, texts=message.texts)).summary.patient
        assert (patient.given_name, patient.middle_name, patient.family_name) == names
        assert (patient.id, patient.id_type) == ("15078646824", PersonIdentifierType.FNR)


def test_an_error_holds_no_value() -> None:
    head = Head(msg_type=CodedValue(), msg_id="1", generated_at="", sent_at=None)
    message = Message(format=Format.APPREC_1_0, head=head, texts=(TextBlock(text="hemmelig"),))
    with pytest.raises(AdapterError) as caught:
        Dips().read(message, None)
    assert "hemmelig" not in str(caught.value)
    assert "apprec" not in str(caught.value)


_ANYTHING = st.text(max_size=200)
_PIECES = st.sampled_from(
    [
        "Diagnose: ",
        "Påkjenninger:",
        "Behov",
        "- ",
        "1. ",
        "Kommunen ringer ",
        "startet ",
        "ikke ",
        "tlf ",
        "90000001",
        "termometer ",
        "11",
        "(",
        "«",
        "\t",
        "  ",
        "\n",
        "\n\n",
        ": ",
        "= ",
        ", ",
        ". ",
        "og ",
        "mor Kari ",
        "lungekreft ",
        "1.2.26",
        "31.02.2026",
        "[ ] ",
        "[x] ",
        "Hilsen ",
        "sykepleier ",
        "C50.4 ",
        "henvist til ",
        "pakkeforløp hjem ",
        "?",
    ]
)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["dips", "doculive", "helseplattformen"]),
    st.lists(st.one_of(_PIECES, _ANYTHING), max_size=30).map("".join),
    st.one_of(st.none(), _ANYTHING),
)
def test_whatever_stands_in_a_note_it_is_read_twice_alike(
    system: str, text: str, subject: str | None
) -> None:
    adapter = adapters.installed().named(system)
    assert adapter is not None
    message = _note(system, text, subject=subject)
    first = adapter.read(message, None)
    assert adapter.read(message, None) == first
    assert set(first.noticed) <= {"PH001", "PH061", "PH090"}


def test_a_coded_diagnosis_that_is_no_cancer_gives_way_to_one_that_is() -> None:
    message = _note("dips", "Pakkeforløp hjem\nInnlagt med ileus.")
    entries = (
        DiagnosisEntry(
            code=CodedValue(value="K567", code_list="2.16.578.1.12.4.1.1.7110", name="Ileus"), main=True
        ),
        DiagnosisEntry(
            code=CodedValue(value="C787", code_list="2.16.578.1.12.4.1.1.7110", name="Metastase i lever")
        ),
        DiagnosisEntry(code=CodedValue(value="C20", code_list="2.16.578.1.12.4.1.1.7110", name="Endetarm")),
    )
    read = Message(format=message.format, head=message.head, texts=message.texts, diagnoses=entries)
    diagnosis = Dips().read(read, None).summary.diagnosis
    assert diagnosis is not None
    assert (diagnosis.code, diagnosis.code_system, diagnosis.confirmed) == ("C20", "ICD-10", True)


_FIRST_IN_ITS_PROCESS = """
import sys
import adapters
from pathlib import Path
from tests.adapters.comparison import load, message_of
note = load(Path(sys.argv[1]))
adapter = adapters.installed().named(note["system"])
first, second = (adapter.read(message_of(note), None) for _ in range(2))
assert first == second, "the first reading of a process differs"
"""


@pytest.mark.parametrize(
    "name", ["01-hode-hals-nccn-omraader", "62-ous-poliklinikk-brev", "116-dictated-secretary"]
)
def test_the_first_note_of_a_process_is_read_as_every_other(name: str) -> None:
    note = Path(__file__).parent / "notes" / f"{name}.toml"
    subprocess.run([sys.executable, "-c", _FIRST_IN_ITS_PROCESS, str(note)], check=True, timeout=60)
