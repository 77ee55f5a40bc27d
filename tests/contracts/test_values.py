"""Values, and how one is made of another."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.contracts.messages import PatientRecord, Unit
from gateway.contracts.records import Event, InboundMessage, NamedReceiver, Receipt, Sending
from gateway.contracts.states import InboundKind, InboundState, SendingKind, SendingState
from gateway.contracts.values import maker, replace, value

_AT = datetime(2026, 11, 28, tzinfo=UTC)
_VALUES = (
    NamedReceiver(her_id="1", copy=False, index=0),
    InboundMessage(
        id="a",
        kind=InboundKind.NOTE,
        state=InboundState.RECEIVED,
        queue="in",
        received_at=_AT,
        sender="1",
        msg_id="m",
        content_hash="h",
        body=b"b",
    ),
    Sending(id="s", inbound_id="a", kind=SendingKind.NOTE, state=SendingState.PENDING, receiver="2"),
    Event(inbound_id="a", at=_AT, name="received"),
    Receipt(sending_id="s", inbound_id="a", apprec_id="r", status="1", codes=(), received_at=_AT),
    Unit(),
    PatientRecord(),
)


@given(st.data())
def test_a_changed_value_is_what_dataclasses_make_of_it(data: st.DataObject) -> None:
    old: Any = data.draw(st.sampled_from(_VALUES))
    names = [each.name for each in dataclasses.fields(old)]
    changes = data.draw(st.dictionaries(st.sampled_from(names), st.integers() | st.text()))
    before = dataclasses.asdict(old)

    made = replace(old, **changes)

    assert type(made) is type(old)
    assert made == dataclasses.replace(old, **changes)
    assert dataclasses.asdict(old) == before


def test_a_value_of_one_field_is_changed_as_well() -> None:
    @value
    class One:
        only: int

    assert replace(One(only=1), only=2) == One(only=2)


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(TypeError, match="NamedReceiver has no field 'colour'"):
        replace(_VALUES[0], colour="red")  # type: ignore[call-arg]


@given(st.data())
def test_a_value_is_made_of_some_of_its_fields_in_any_order(data: st.DataObject) -> None:
    old: Any = data.draw(st.sampled_from(_VALUES))
    needed = [f.name for f in dataclasses.fields(old) if f.default is dataclasses.MISSING]
    further = [f.name for f in dataclasses.fields(old) if f.name not in needed]
    some = data.draw(st.lists(st.sampled_from(further), unique=True)) if further else []
    names = data.draw(st.permutations([*needed, *some]))
    values = [data.draw(st.integers()) for _ in names]

    assert maker(type(old), names)(values) == type(old)(**dict(zip(names, values, strict=True)))
