"""N, M and C: chains of versions, versions out of order, versions of what waits, and loose ends."""

from __future__ import annotations

import re
from itertools import permutations
from uuid import uuid4

import pytest

from gateway.contracts.messages import Conversation, Message
from gateway.contracts.receipts import ErrorCode, ReceiptStatus
from gateway.contracts.states import InboundState, SendingKind
from gateway.contracts.summary import Action
from tests.flow.harness import Gateway, note, receipt
from tests.flow.variants import answers, msg_id_of, version

HOSPITAL = "8900100"
MUNICIPALITY, GP = "8910031_async", "8920031_async"

NEW = note("dips/01")
FIRST = version(NEW, parent=msg_id_of(NEW), sent="2026-03-05T08:00:00+01:00")
SECOND = version(NEW, parent=msg_id_of(FIRST), root=msg_id_of(NEW), sent="2026-03-06T08:00:00+01:00")
CANCEL = version(
    NEW, parent=msg_id_of(SECOND), root=msg_id_of(NEW), action="C", sent="2026-03-07T08:00:00+01:00"
)


def what_the_municipality_has(gateway: Gateway) -> list[Message]:
    return gateway.messages(MUNICIPALITY)


def test_a_change_of_a_change_and_its_cancellation_are_one_conversation(gateway: Gateway) -> None:
    gateway.note(NEW, FIRST, SECOND, CANCEL)
    new, first, second, cancel = what_the_municipality_has(gateway)
    assert [m.action for m in (new, first, second, cancel)] == [
        Action.NEW,
        Action.CHANGE,
        Action.CHANGE,
        Action.CANCEL,
    ]
    assert new.head.conversation is None
    root = new.head.msg_id
    assert first.head.conversation == Conversation(parent=root, root=root)
    assert second.head.conversation == Conversation(parent=first.head.msg_id, root=root)
    assert cancel.head.conversation == Conversation(parent=second.head.msg_id, root=root)
    rows = gateway.rows()
    assert [r.replaces for r in rows] == [None, *(r.id for r in rows[:3])]
    replaced = [e.name for e in gateway.worker.journal.events(rows[0].id)].count("replaced")
    assert replaced == 3


@pytest.mark.parametrize("order", list(permutations(range(3)))[1:])
def test_whatever_comes_first_what_is_current_is_the_last_version(
    gateway: Gateway, order: tuple[int, ...]
) -> None:
    versions = (NEW, FIRST, SECOND)
    for index in order:
        gateway.note(versions[index])
    last = what_the_municipality_has(gateway)[-1]
    by_id = {r.msg_id: r for r in gateway.rows()}
    from_the_last = gateway.sendings(by_id[msg_id_of(SECOND)].id, SendingKind.NOTE)
    assert last.head.msg_id in {s.msg_id for s in from_the_last}
    sent_after = [i for place, i in enumerate(order) if any(j > i for j in order[:place])]
    for index in sent_after:
        row = by_id[msg_id_of(versions[index])]
        assert (row.state, row.reason) == (InboundState.ACCEPTED, "superseded-by-change")
        assert gateway.sendings(row.id, SendingKind.NOTE) == []
    assert {status for status, _ in answers(gateway, HOSPITAL)} <= {"1"}


def test_a_cancellation_that_comes_first_ends_all_its_versions(gateway: Gateway) -> None:
    gateway.note(CANCEL, SECOND, FIRST, NEW)
    assert what_the_municipality_has(gateway) == []
    rows = gateway.rows()
    assert [r.reason for r in rows] == ["cancels-nothing-sent", *["superseded-by-cancel"] * 3]
    assert [status for status, _ in answers(gateway, HOSPITAL)] == ["1"] * 8


def test_a_change_replaces_what_is_held_and_both_are_answered_once(gateway: Gateway) -> None:
    held = note("dips/03")
    gateway.note(held)
    assert gateway.rows()[0].state is InboundState.HELD
    assert answers(gateway, HOSPITAL) == []
    change = version(NEW, parent=msg_id_of(held), sent="2026-06-01T08:00:00+02:00")
    gateway.note(change, change)
    before, after = gateway.rows()
    assert (before.state, before.reason) == (InboundState.DISCARDED, "replaced-by-change")
    (sent,) = what_the_municipality_has(gateway)
    assert sent.action is Action.NEW
    assert [status for status, _ in answers(gateway, HOSPITAL)] == ["1"] * len(before.named_receivers)
    assert after.replaces == before.id


def test_a_held_change_replaces_a_held_note(gateway: Gateway) -> None:
    held = note("dips/03")
    gateway.note(held, version(held, parent=msg_id_of(held)))
    assert [r.state for r in gateway.rows()] == [InboundState.DISCARDED, InboundState.HELD]


def test_a_cancellation_of_what_is_held_goes_nowhere(gateway: Gateway) -> None:
    held = note("dips/03")
    gateway.note(held, version(held, parent=msg_id_of(held), action="C"))
    before, after = gateway.rows()
    assert (before.state, before.reason) == (InboundState.DISCARDED, "replaced-by-cancel")
    assert (after.state, after.reason) == (InboundState.ACCEPTED, "cancels-nothing-sent")
    told = len(before.named_receivers) + len(after.named_receivers)
    assert [status for status, _ in answers(gateway, HOSPITAL)] == ["1"] * told


def test_a_cancellation_that_names_nothing_is_answered_and_given_to_a_person(gateway: Gateway) -> None:
    gateway.note(NEW, version(NEW, parent=None, action="C"))
    loose = gateway.rows()[1]
    assert (loose.state, loose.reason) == (InboundState.HELD, "cancels-nothing-named")
    assert [status for status, _ in answers(gateway, HOSPITAL)] == ["1"] * len(loose.named_receivers)
    assert [m.action for m in what_the_municipality_has(gateway)] == [Action.NEW]


def test_a_change_of_what_a_receiver_refused_is_new_to_it(gateway: Gateway) -> None:
    gateway.note(NEW)
    (sent,) = what_the_municipality_has(gateway)
    gateway.outside(HOSPITAL, receipt(sent, ReceiptStatus.REJECTED, ErrorCode.PATIENT_INSUFFICIENT))
    gateway.note(FIRST)
    (to_municipality,) = what_the_municipality_has(gateway)
    assert (to_municipality.action, to_municipality.head.conversation) == (Action.NEW, None)
    assert gateway.messages(GP)[-1].head.conversation is not None


def test_a_change_after_a_cancellation_is_sent_anew(gateway: Gateway) -> None:
    cancel = version(NEW, parent=msg_id_of(NEW), action="C", sent="2026-03-05T08:00:00+01:00")
    again = version(NEW, parent=msg_id_of(cancel), root=msg_id_of(NEW), sent="2026-03-06T08:00:00+01:00")
    gateway.note(NEW)
    gateway.note(cancel)
    gateway.note(again)
    new, cancelled, anew = what_the_municipality_has(gateway)
    assert [m.action for m in (new, cancelled, anew)] == [Action.NEW, Action.CANCEL, Action.NEW]
    assert anew.head.conversation is None


def of_epikrise(action: str, day: int) -> bytes:
    """A version of one epikrise: the same ServProvId, another MsgId, time and kind of service."""
    text = note("doculive/10").decode()
    text = re.sub(r"<MsgId>[^<]+</MsgId>", f"<MsgId>{uuid4()}</MsgId>", text, count=1)
    text = re.sub(r'<GenDate V="[^"]+"', f'<GenDate V="2026-05-{day:02}T10:00:00+02:00"', text, count=1)
    start = text.index("<ServRprt")
    return (
        text[:start] + re.sub(r'<ServType V="[NMC]"', f'<ServType V="{action}"', text[start:], count=1)
    ).encode()


@pytest.mark.parametrize("order", ["NMC", "MNC", "CMN", "CNM", "MCN", "NCM"])
def test_the_versions_of_an_epikrise_are_known_by_its_document_id(gateway: Gateway, order: str) -> None:
    versions = {"N": of_epikrise("N", 1), "M": of_epikrise("M", 2), "C": of_epikrise("C", 3)}
    for action in order:
        gateway.note(versions[action])
    states = dict(zip(order, gateway.rows(), strict=True))
    assert not [r for r in states.values() if r.state in {InboundState.FAILED, InboundState.REJECTED}]
    (queue,) = {e.queue for e in gateway.registry.endpoints if e.her_id == "8910031"}
    sent = [m.action for m in gateway.messages(queue)]
    assert sent[-1:] in ([], [Action.CANCEL])
    assert (Action.CANCEL in sent) is (order.index("C") > min(order.index("N"), order.index("M")))


def test_a_new_epikrise_after_the_cancellation_of_its_document_is_no_late_one(gateway: Gateway) -> None:
    gateway.note(of_epikrise("C", 3), of_epikrise("N", 4))
    assert gateway.rows()[1].state in {InboundState.DELIVERED, InboundState.HELD}
