from __future__ import annotations

import itertools

import pytest
from pydantic import ValidationError

from gateway.contracts.findings import FINDINGS, Disposition, Finding, Severity, disposition, finding
from gateway.contracts.summary import Summary

DEFAULTS = {
    "PH001": "reject",
    "PH010": "withhold",
    "PH011": "withhold",
    "PH012": "hold",
    "PH020": "warning",
    "PH021": "hold",
    "PH030": "warning",
    "PH031": "warning",
    "PH040": "hold",
    "PH041": "info",
    "PH050": "hold",
    "PH051": "warning",
    "PH060": "warning",
    "PH061": "warning",
    "PH070": "warning",
    "PH071": "reject",
    "PH080": "warning",
    "PH090": "info",
}
"""What the contract of the summary promises."""


def test_codes_and_default_severities_are_those_of_the_contract() -> None:
    assert {code: kind.severity.value for code, kind in FINDINGS.items()} == DEFAULTS
    assert list(FINDINGS) == sorted(FINDINGS)


def test_every_row_can_be_told_to_both_sides() -> None:
    for code, kind in FINDINGS.items():
        assert kind.code == code
        assert kind.message.endswith(".")
        assert kind.for_sender.endswith(".")
        assert kind.message != kind.for_sender


def test_what_stops_a_note_has_a_code_for_the_receipt() -> None:
    for kind in FINDINGS.values():
        if kind.severity in (Severity.REJECT, Severity.WITHHOLD):
            assert kind.error is not None, kind.code


def test_a_field_is_a_member_of_the_summary() -> None:
    fields = {kind.field for kind in FINDINGS.values() if kind.field is not None}
    for field in fields:
        first, _, second = field.partition(".")
        assert first in Summary.model_fields
        annotation = str(Summary.model_fields[first].annotation)
        if second:
            name = annotation.removesuffix("'>").removesuffix(" | None").rpartition(".")[2]
            module = __import__("gateway.contracts.summary", fromlist=[name])
            assert second in getattr(module, name).model_fields, field


def test_a_finding_takes_the_severity_of_the_deployment() -> None:
    assert finding("PH030").severity is Severity.WARNING
    assert finding("PH030", {"PH030": Severity.HOLD}).severity is Severity.HOLD
    assert finding("PH030", {"PH020": Severity.HOLD}).severity is Severity.WARNING
    assert finding("PH030").model_dump(mode="json") == {
        "code": "PH030",
        "severity": "warning",
        "field": "patient.phones",
        "message": FINDINGS["PH030"].message,
    }
    with pytest.raises(KeyError):
        finding("PH999")


def test_a_finding_can_not_be_changed() -> None:
    made = finding("PH030")
    with pytest.raises(ValidationError):
        made.severity = Severity.INFO  # type: ignore[misc]  # what is tested
    with pytest.raises(ValidationError):
        Finding.model_validate({**made.model_dump(), "value": "x"})


def test_the_gravest_finding_decides_whatever_the_order() -> None:
    of = {
        Severity.INFO: Disposition.SEND,
        Severity.WARNING: Disposition.SEND,
        Severity.HOLD: Disposition.HOLD,
        Severity.WITHHOLD: Disposition.WITHHOLD,
        Severity.REJECT: Disposition.REJECT,
    }
    assert list(of) == list(Severity)
    assert disposition([]) is Disposition.SEND
    for several in itertools.chain.from_iterable(itertools.permutations(Severity, n) for n in (1, 2, 3)):
        found = [finding("PH090", {"PH090": severity}) for severity in several]
        gravest = max(several, key=list(Severity).index)
        assert disposition(found) is of[gravest]
