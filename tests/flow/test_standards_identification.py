"""Who the patient is: identifiers of every kind, check digits, and the two worlds of test and production."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.contracts.messages import CodedValue, Head, Identifier, PatientRecord
from gateway.contracts.states import InboundState
from gateway.contracts.summary import Summary
from gateway.formats import read_head
from gateway.formats.patient_identification import is_identified, record_is_identified
from gateway.intake.patient import Profile, identification_faults, profile_faults
from gateway.security.gate import parse_damaged
from tests.conftest import NOTES
from tests.flow.harness import Gateway, note
from tests.flow.variants import REJECTED, answers, configured, swapped

HOSPITAL = "8900100"
PATIENT = "14896112148"
"""Of dips/01; a synthetic number"""
IDENT = f"<Id>{PATIENT}</Id>"
MAN = CodedValue(value="1")

REAL = "70019950032"
"""A D-number as a real person has it; of a national test person, whom a test replaces below"""


def record(
    *numbers: str, name: str | None = "Danser", born: str | None = None, sex: CodedValue | None = None
) -> PatientRecord:
    return PatientRecord(
        family_name=name,
        birth_date=born,
        sex=sex,
        identifiers=tuple(Identifier(id=number, type="FNR") for number in numbers),
    )


@pytest.mark.parametrize(
    ("patient", "identified"),
    [
        (record("13116900216"), True),
        (record("131169 00216"), True),
        (record("13116900217"), True),  # a check digit alone is no ground for refusing
        (record("63848890016"), True),  # D-number
        (record("88729509439"), True),  # felles hjelpenummer
        (record("13416900250"), True),  # H-number: it says the birth date and the sex
        (record("13116900216", name=None), False),
        (record("13116900216", name=" "), False),
        (record("906090"), False),
        (record("99999999999x"), False),
        (record(""), False),
        (record(), False),
        (record("906090", born="1969-11-13", sex=MAN), True),
        (record(born="1969-11-13", sex=MAN), True),
        (record(born="1969-11-13"), False),
        (record(born="1969-11-13", sex=CodedValue(value="9")), False),
        (record(sex=MAN), False),
        (record(born="1969-11-13", sex=MAN, name=None), False),
        (None, False),
    ],
)
def test_what_is_enough_to_identify_a_patient(patient: PatientRecord | None, *, identified: bool) -> None:
    assert record_is_identified(patient) is identified
    head = Head(
        msg_type=CodedValue(value="DIALOG_NOTAT"), msg_id="1", generated_at="", sent_at=None, patient=patient
    )
    assert [f.code for f in identification_faults(head)] == ([] if identified else ["E36"])


def test_a_report_of_a_fault_needs_no_patient() -> None:
    head = Head(msg_type=CodedValue(value="DIALOG_AVVIK"), msg_id="1", generated_at="", sent_at=None)
    assert identification_faults(head) == ()


def test_numbers_of_other_kinds_do_not_count() -> None:
    assert not is_identified(named=True, numbers=["", "X", "1234567890"], described=False)


@pytest.mark.parametrize(
    ("number", "production", "test"),
    [
        ("14896112148", False, True),  # Tenor: month + 80
        ("63848890016", False, True),  # Tenor, D-number
        ("13116900216", False, True),  # a national test person
        ("70019950032", False, True),  # the same, D-number
        ("88729509439", True, True),  # felles hjelpenummer
        ("13416900250", True, True),  # H-number
        ("13116900217", True, True),  # nobody's: the check digits are wrong
        ("906090", True, True),
    ],
)
def test_test_persons_and_real_ones_are_kept_apart(number: str, *, production: bool, test: bool) -> None:
    patient = record(number, "", "13416900250")
    assert (profile_faults(patient, "production") == ()) is production
    assert (profile_faults(patient, "test") == ()) is test
    assert profile_faults(patient, None) == ()
    assert profile_faults(None, "production") == ()


@pytest.mark.parametrize("profile", ["test", "training"])
def test_what_may_be_a_real_person_is_refused_in_test(
    profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.intake.patient._national_test_persons", frozenset)
    (found,) = profile_faults(record(REAL), profile)
    assert found.code == "E36"
    assert REAL not in str(found)
    assert profile_faults(record(REAL), "production") == ()


@pytest.fixture
def production(config: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """A gateway in production, where the keys of the test PKI pass for real ones."""
    configured(config, 'profile = "test"', 'profile = "production"')
    monkeypatch.setattr("gateway.ops.security.is_of_test_pki", lambda _certificate: False)
    running = Gateway(config)
    yield running
    running.close()


def test_a_production_gateway_refuses_a_synthetic_patient_and_says_why(production: Gateway) -> None:
    production.note(note("dips/01"))
    (row,) = production.rows()
    assert (row.state, row.reason) == (InboundState.REJECTED, "patient-profile")
    for answered in production.apprecs(f"epj_{HOSPITAL}"):
        assert [f.code for f in answered.faults] == ["E36"]
        assert "testperson" in (answered.faults[0].detail or "")
    assert production.take("8910031_async") == []


def test_a_production_gateway_takes_a_real_patient_and_a_test_gateway_does_not(
    production: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.intake.patient._national_test_persons", frozenset)
    production.note(swapped(note("dips/01"), PATIENT, REAL))
    (row,) = production.rows()
    assert row.state is InboundState.DELIVERED


def test_a_test_gateway_refuses_what_may_be_a_real_patient(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.intake.patient._national_test_persons", frozenset)
    gateway.note(swapped(note("dips/01"), PATIENT, REAL))
    assert answers(gateway, HOSPITAL) == [(REJECTED, ["E36"])] * 2


def test_the_sample_patients_are_all_test_persons() -> None:
    for path in NOTES.rglob("*.xml"):
        root = parse_damaged(path.read_bytes())
        head = read_head(root) if root is not None else None
        if head is not None:
            assert profile_faults(head.patient, "test") == (), path.name


@pytest.mark.parametrize("first", ["HNR", "FNR"])
def test_of_fnr_and_h_number_both_are_kept_and_the_fnr_decides(gateway: Gateway, first: str) -> None:
    data = note("dips/01")
    start = data.index(IDENT.encode())
    begin, end = data.rindex(b"<Ident>", 0, start), data.index(b"</Ident>", start) + len(b"</Ident>")
    fnr = data[begin:end]
    h_number = fnr.replace(PATIENT.encode(), b"13416900250").replace(b'"FNR"', b'"HNR"')
    both = h_number + fnr if first == "HNR" else fnr + h_number
    gateway.note(data[:begin] + both + data[end:])
    (row,) = gateway.rows()
    with gateway.worker.journal.reader() as view:
        stored = view.inbound(row.id)
    assert stored is not None
    assert stored.summary is not None
    summary = Summary.from_json(stored.summary)
    assert summary.patient.id == PATIENT
    assert b"13416900250" in stored.body
    assert row.state is InboundState.DELIVERED


def test_wrong_check_digits_are_a_finding_and_no_ground_for_refusing(gateway: Gateway) -> None:
    gateway.note(swapped(note("dips/01"), PATIENT, "14896112149"))
    (row,) = gateway.rows()
    assert row.state is InboundState.DELIVERED
    assert "PH070" in {f.code for f in row.findings}


@pytest.mark.parametrize("number", ["906090", "0000000000", "abc"])
def test_a_number_that_is_none_does_not_identify(gateway: Gateway, number: str) -> None:
    data = swapped(note("dips/01"), PATIENT, number)
    for name in ("DateOfBirth", "Sex"):
        start = data.find(f"<{name}".encode())
        if start >= 0:
            line_end = data.index(b"\n", start)
            data = data[:start] + data[line_end:]
    gateway.note(data)
    assert answers(gateway, HOSPITAL) == [(REJECTED, ["E36"])] * 2
    assert "PH071" in {f.code for f in gateway.rows()[0].findings}
