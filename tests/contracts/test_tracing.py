"""Trace context: kept where a message brings one, begun where it does not, carried on by what is sent."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.contracts.tracing import TRACEPARENT, child, trace_id, traced

MESSAGE = "0f8fad5b-d9cb-469f-a165-70867728950e"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
GOOD = f"00-{TRACE}-00f067aa0ba902b7-01"


def test_a_trace_that_a_message_brings_is_kept() -> None:
    assert trace_id(GOOD, MESSAGE) == TRACE
    assert trace_id(f" {GOOD} ", MESSAGE) == TRACE
    # A later version may say more (section 3.2.4).
    assert trace_id(f"01-{TRACE}-00f067aa0ba902b7-01-more", MESSAGE) == TRACE


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "nonsense",
        f"ff-{TRACE}-00f067aa0ba902b7-01",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-00f067aa0ba902b7-01",
    ],
)
def test_any_other_begins_one_whose_id_is_the_messages(header: str | None) -> None:
    assert trace_id(header, MESSAGE) == MESSAGE.replace("-", "")


@given(st.text())
def test_whatever_a_header_holds_the_trace_has_its_form(header: str) -> None:
    assert re.fullmatch(r"[0-9a-f]{32}", trace_id(header, MESSAGE))


def test_what_is_sent_carries_the_trace_on() -> None:
    assert child("s") == {}
    with traced(TRACE):
        header = child("s")[TRACEPARENT]
        assert child("s")[TRACEPARENT] == header
        assert child("t")[TRACEPARENT] != header
    assert trace_id(header, MESSAGE) == TRACE
    assert child("s") == {}
