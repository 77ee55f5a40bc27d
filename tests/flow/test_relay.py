"""Who answers a hospital: its receivers, or the gateway for them, as a deployment chooses by sender."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.contracts.receipts import ErrorCode, ReceiptStatus
from gateway.contracts.states import InboundState, SendingKind, SendingState
from gateway.formats import read_message
from gateway.receipts.relay import AnsweredBy, RelayPolicy
from gateway.security.gate import parse
from tests.flow.conftest import Start
from tests.flow.harness import note, receipt
from tests.flow.test_deviations import deviations
from tests.flow.variants import configured

HOSPITAL = "8900100"
UNIT = "8900103"
RECORD_SYSTEM = f"epj_{HOSPITAL}"
MUNICIPALITY = "8910031_async"
GP = "8920031_async"


@pytest.mark.parametrize(
    ("default", "by_sender", "expected"),
    [
        ("receiver", {}, False),
        ("gateway", {}, True),
        ("receiver", {HOSPITAL: "gateway"}, True),
        ("gateway", {HOSPITAL: "receiver"}, False),
        ("receiver", {HOSPITAL: "gateway", UNIT: "receiver"}, False),
        ("receiver", {UNIT: "gateway"}, True),
        ("receiver", {"8900200": "gateway"}, False),
    ],
)
def test_the_choice_of_a_unit_goes_before_its_hospitals_and_that_before_the_default(
    default: str, by_sender: dict[str, str], *, expected: bool
) -> None:
    policy = RelayPolicy(
        answered_by=AnsweredBy(default), by_sender={k: AnsweredBy(v) for k, v in by_sender.items()}
    )
    assert policy.gateway_answers(HOSPITAL, UNIT) is expected


def test_a_sender_that_the_gateway_answers_hears_once_for_each_receiver_and_of_a_refusal_by_deviation(
    start: Start, config: Path
) -> None:
    configured(config, "by_sender = {}", 'by_sender = { "8900100" = "gateway" }')
    gateway = start()
    gateway.note(note("dips/01"))
    assert [a.status for a in gateway.apprecs(RECORD_SYSTEM)] == ["1", "1"]
    (to_municipality,) = gateway.messages(MUNICIPALITY)
    (to_gp,) = gateway.messages(GP)
    gateway.outside(HOSPITAL, receipt(to_municipality))
    gateway.outside(HOSPITAL, receipt(to_gp, ReceiptStatus.REJECTED, ErrorCode.PATIENT_INSUFFICIENT))
    (told,), statuses = deviations(gateway)
    assert statuses == [], "each receiver was answered for already"
    topic = read_message(parse(told)).topic
    assert topic is not None
    assert topic.value == "2"
    (row,) = gateway.rows()
    states = {s.receiver: s.state for s in gateway.sendings(row.id, SendingKind.NOTE)}
    assert states == {"8910031": SendingState.ACKNOWLEDGED, "8920031": SendingState.REFUSED}
    assert row.state is InboundState.REFUSED


def test_another_sender_is_answered_by_its_receivers(start: Start, config: Path) -> None:
    configured(config, "by_sender = {}", 'by_sender = { "8900200" = "gateway" }')
    gateway = start()
    gateway.note(note("dips/01"))
    assert gateway.apprecs(RECORD_SYSTEM) == []


def test_a_deployment_whose_gateway_answers_all(start: Start, config: Path) -> None:
    configured(config, 'answered_by = "receiver"', 'answered_by = "gateway"')
    gateway = start()
    gateway.note(note("dips/01"))
    assert [a.status for a in gateway.apprecs(RECORD_SYSTEM)] == ["1", "1"]
