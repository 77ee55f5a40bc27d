"""Changes and cancellations: of what was sent, of what is held, and out of order."""

from __future__ import annotations

from gateway.contracts.states import InboundState, SendingKind
from gateway.contracts.summary import Action
from gateway.rendering import read_rendering
from tests.flow.harness import Gateway, note


def test_a_change_goes_out_as_a_change_of_what_was_sent(gateway: Gateway) -> None:
    gateway.note(note("dips/01"))
    (first,) = gateway.messages("8910031_async")
    gateway.note(note("dips/05"))
    (second,) = gateway.messages("8910031_async")
    assert second.action is Action.CHANGE
    assert second.head.conversation is not None
    assert second.head.conversation.parent == first.head.msg_id
    assert second.head.conversation.root == first.head.msg_id
    assert second.head.msg_id != first.head.msg_id


def test_a_changed_epikrise_is_found_by_its_document_id(gateway: Gateway) -> None:
    gateway.note(note("doculive/10"), note("doculive/16"))
    before, after = gateway.rows()
    assert after.replaces == before.id
    receivers = {s.receiver: s for s in gateway.sendings(after.id, SendingKind.NOTE)}
    earlier = {s.receiver: s for s in gateway.sendings(before.id, SendingKind.NOTE)}
    assert set(earlier) == {"8910031"}
    assert set(receivers) == {"8910031", "8920031"}
    assert receivers["8910031"].conversation_root == earlier["8910031"].msg_id


def test_a_cancellation_goes_to_everyone_who_had_the_note(gateway: Gateway) -> None:
    gateway.note(note("dips/09"))
    had = {s.receiver for s in gateway.sendings(gateway.rows()[0].id, SendingKind.NOTE)}
    gateway.messages("8910031_async")
    gateway.note(note("dips/16"))
    cancelled = gateway.rows()[1]
    assert {s.receiver for s in gateway.sendings(cancelled.id, SendingKind.NOTE)} == had
    (message,) = gateway.messages("8910031_async")
    assert message.action is Action.CANCEL
    assert cancelled.state is InboundState.DELIVERED


def test_a_cancellation_in_words_carries_the_note_that_it_cancels(gateway: Gateway) -> None:
    gateway.note(note("helseplattformen/13"))
    (first,) = gateway.messages("8910031_async")
    gateway.note(note("helseplattformen/16"))
    (message,) = gateway.messages("8910031_async")
    summary = read_rendering(message)
    assert summary is not None
    assert message.head.conversation is not None
    assert message.head.conversation.parent == first.head.msg_id
    assert summary.patient.family_name == "Planke"


def test_a_cancellation_of_nothing_sent_goes_nowhere_and_is_answered(gateway: Gateway) -> None:
    gateway.note(note("dips/16"))
    (row,) = gateway.rows()
    assert (row.state, row.reason) == (InboundState.ACCEPTED, "cancels-nothing-sent")
    assert {a.status for a in gateway.apprecs("epj_8900100")} == {"1"}
    assert gateway.sendings(row.id, SendingKind.NOTE) == []


def test_a_note_that_comes_after_its_cancellation_goes_nowhere(gateway: Gateway) -> None:
    gateway.note(note("dips/16"), note("dips/09"))
    late = gateway.rows()[1]
    assert (late.state, late.reason) == (InboundState.ACCEPTED, "superseded-by-cancel")
    assert gateway.take("8910031_async") == []


def test_a_note_that_comes_after_its_change_goes_nowhere(gateway: Gateway) -> None:
    gateway.note(note("dips/05"))
    assert len(gateway.messages("8910031_async")) == 1
    gateway.note(note("dips/01"))
    late = gateway.rows()[1]
    assert (late.state, late.reason) == (InboundState.ACCEPTED, "superseded-by-change")
    assert gateway.take("8910031_async") == []
