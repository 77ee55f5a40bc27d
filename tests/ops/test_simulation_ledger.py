"""A gateway that loses, doubles and corrupts, played by hand: every fault is found, and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from gateway.contracts.findings import Disposition
from gateway.contracts.states import InboundState
from gateway.contracts.summary import Action
from gateway.ops.simulation.behaviour import Decision
from gateway.ops.simulation.ledger import Entry, Ledger, Reply, Wrong
from gateway.ops.simulation.settlement import Account
from tests.ops.ledger_world import GP, MUNICIPALITY, World, message_id


@pytest.fixture
def world() -> World:
    return World()


def kinds(account: Account) -> list[tuple[str, str]]:
    return sorted((p.kind, p.what) for p in account.problems)


def test_a_gateway_that_does_everything_right(world: World) -> None:
    entry = world.send("dips/01", InboundState.ACKNOWLEDGED)
    world.complete(entry, MUNICIPALITY, GP)
    refused = world.send("dips/07", InboundState.REJECTED, receivers=(), disposition=Disposition.REJECT)
    world.pass_on(refused, MUNICIPALITY, "2")
    world.pass_on(refused, GP, "2")
    held = world.send("dips/03", InboundState.HELD, receivers=("8910061",), disposition=Disposition.HOLD)
    declined = world.send(
        "doculive/06", InboundState.WITHHELD, receivers=(), disposition=Disposition.WITHHOLD
    )
    world.pass_on(declined, MUNICIPALITY, "2")
    world.pass_on(declined, GP, "2")
    account = world.account()
    assert account.in_order
    assert account.settled
    assert account.sent == 4
    assert account.decided == {"accepted": 1, "rejected": 1, "held": 1, "withheld": 1}
    assert account.delivered == {"municipality": 1, "gp": 1}
    assert account.acknowledged == Counter({"positive": 2, "missing": 0})
    assert account.systems["dips"]["accepted"] == 1
    assert account.systems["doculive"]["withheld"] == 1
    assert not account.differing
    assert held.receipts == {}


@pytest.mark.parametrize("state", [None, InboundState.RECEIVED])
def test_a_note_that_the_journal_does_not_know_or_never_decides_is_lost(
    world: World, state: InboundState | None
) -> None:
    world.send("dips/01", state)
    account = world.account()
    assert account.count("lost") == 1
    assert not account.settled
    assert account.problems[0].note == "dips/01-kolonkreft-standard"


def test_an_accepted_note_that_never_reaches_its_gp_is_lost(world: World) -> None:
    entry = world.send("dips/01")
    world.complete(entry, MUNICIPALITY)
    account = world.account()
    assert kinds(account) == [("lost", "sending")]
    assert account.problems[0].receiver == GP
    assert account.delivered == {"municipality": 1, "gp": 0}
    assert account.acknowledged["missing"] == 1


def test_a_note_that_failed_in_the_gateway_is_lost(world: World) -> None:
    world.send("dips/01", InboundState.FAILED, receivers=())
    assert ("lost", "failed") in kinds(world.account())


def test_the_same_note_under_a_second_id_is_a_duplicate_a_repeat_is_none(world: World) -> None:
    entry = world.send("dips/01")
    world.complete(entry, MUNICIPALITY, GP)
    (first,) = world.ledger.deliveries[GP, entry.note.facts.patient]
    world.deliver(entry, GP, msg_id=first)
    assert world.account().in_order
    world.deliver(entry, GP)
    account = world.account()
    assert kinds(account) == [("duplicated", "sending")]
    assert account.settled
    assert first in account.problems[0].ids


def test_a_note_doubled_in_other_words_is_a_duplicate_too(world: World) -> None:
    entry = world.send("dips/01")
    world.complete(entry, MUNICIPALITY, GP)
    world.deliver(entry, GP, content="the same in other words")
    assert kinds(world.account()) == [("duplicated", "sending")]


def test_one_lost_and_another_doubled_do_not_cancel_out(world: World) -> None:
    first = world.send("dips/12", receivers=("8910021",))
    second = world.send("dips/13", receivers=("8910021",))
    assert first.note.facts.patient == second.note.facts.patient
    world.deliver(first, "8910021")
    world.deliver(first, "8910021")
    assert kinds(world.account()) == [("duplicated", "sending"), ("lost", "sending")]


def test_a_note_at_somebody_who_should_not_have_it_is_wrong(world: World) -> None:
    entry = world.send("dips/01")
    world.complete(entry, MUNICIPALITY, GP)
    world.deliver(entry, "8910011")
    assert kinds(world.account()) == [("invalid", "misdirected")]


def test_a_withheld_note_that_goes_out_is_wrong(world: World) -> None:
    entry = world.send("doculive/06", InboundState.WITHHELD, receivers=(), disposition=Disposition.WITHHOLD)
    world.pass_on(entry, MUNICIPALITY, "2")
    world.pass_on(entry, GP, "2")
    world.deliver(entry, MUNICIPALITY)
    assert kinds(world.account()) == [("invalid", "misdirected")]


def test_a_receipt_that_is_never_passed_on_is_lost(world: World) -> None:
    entry = world.send("dips/01")
    world.complete(entry, MUNICIPALITY)
    world.answer(entry, GP, world.deliver(entry, GP))
    account = world.account()
    assert kinds(account) == [("lost", "receipt")]
    assert not account.settled


def test_a_receipt_that_is_never_given_is_missing_and_no_fault(world: World) -> None:
    entry = world.send("dips/01")
    world.complete(entry, MUNICIPALITY)
    world.deliver(entry, GP)
    account = world.account()
    assert account.in_order
    assert account.acknowledged == Counter({"positive": 1, "missing": 1})


def test_two_receipts_of_one_receiver_are_a_duplicate_a_repeat_is_none(world: World) -> None:
    entry = world.send("dips/01")
    world.complete(entry, GP)
    world.answer(entry, MUNICIPALITY, world.deliver(entry, MUNICIPALITY))
    apprec_id = world.pass_on(entry, MUNICIPALITY)
    world.pass_on(entry, MUNICIPALITY, apprec_id=apprec_id)
    assert world.account().in_order
    world.pass_on(entry, MUNICIPALITY)
    assert kinds(world.account()) == [("duplicated", "receipt")]


def test_a_receipt_with_another_status_than_the_receiver_gave_is_wrong(world: World) -> None:
    entry = world.send("dips/01")
    world.complete(entry, MUNICIPALITY)
    world.answer(entry, GP, world.deliver(entry, GP), "2")
    world.pass_on(entry, GP, "1")
    account = world.account()
    assert kinds(account) == [("invalid", "receipt")]
    assert account.acknowledged == Counter({"positive": 1, "negative": 1, "missing": 0})


@pytest.mark.parametrize(
    ("receipts", "problems"),
    [
        ([(MUNICIPALITY, "2"), (GP, "2")], []),
        ([(MUNICIPALITY, "2")], [("lost", "receipt")]),
        ([(MUNICIPALITY, "2"), (GP, "2"), (GP, "2")], [("duplicated", "receipt")]),
        ([(MUNICIPALITY, "2"), (GP, "1")], [("invalid", "receipt")]),
    ],
)
def test_a_rejected_note_brings_exactly_one_negative_receipt_for_each_named_receiver(
    world: World, receipts: list[tuple[str, str]], problems: list[tuple[str, str]]
) -> None:
    entry = world.send("dips/07", InboundState.REJECTED, receivers=(), disposition=Disposition.REJECT)
    for receiver, status in receipts:
        world.pass_on(entry, receiver, status)
    assert kinds(world.account()) == problems


def test_a_file_that_is_cut_off_need_not_be_answered(world: World) -> None:
    world.send("dips/20", InboundState.REJECTED, receivers=(), disposition=Disposition.REJECT)
    assert world.account().in_order


def test_a_receiver_found_in_the_text_alone_is_answered_to_nobody(world: World) -> None:
    entry = world.send(
        "helseplattformen/01", receivers=("8910011", GP)
    )  # names another GP than it is sent to
    assert GP not in entry.named
    world.complete(entry, "8910011")
    world.answer(entry, GP, world.deliver(entry, GP))
    account = world.account()
    assert account.in_order
    assert account.acknowledged == Counter({"positive": 2, "missing": 0})


def test_a_change_goes_to_whoever_had_the_note(world: World) -> None:
    first = world.send("dips/01")
    change = world.send("dips/05", receivers=(MUNICIPALITY,), action=Action.CHANGE)
    world.complete(first, MUNICIPALITY, GP)
    world.complete(change, MUNICIPALITY)
    account = world.account()
    assert kinds(account) == [("lost", "sending")]
    assert account.problems[0].receiver == GP
    world.complete(change, GP)
    assert world.account().in_order


def test_a_cancellation_goes_to_whoever_had_the_note_and_to_nobody_else(world: World) -> None:
    first = world.send("dips/09", receivers=(MUNICIPALITY,))
    cancellation = world.send("dips/16", action=Action.CANCEL, lenient=True)
    world.complete(first, MUNICIPALITY)
    assert kinds(world.account()) == [("lost", "sending")]
    world.complete(cancellation, MUNICIPALITY)
    assert world.account().in_order


def test_a_cancellation_need_not_go_to_who_has_refused_the_note(world: World) -> None:
    note = world.send("dips/09", receivers=(MUNICIPALITY,))
    refused = world.deliver(note, MUNICIPALITY)
    world.answer(note, MUNICIPALITY, refused, "2")
    world.pass_on(note, MUNICIPALITY, "2")
    cancellation = world.send("dips/16", receivers=(MUNICIPALITY,), action=Action.CANCEL)
    assert kinds(world.account()) == [("lost", "receipt")], "the hospital hears of it"
    world.pass_on(cancellation, MUNICIPALITY, "2")
    assert world.account().in_order
    # Where it was the quicker one it came.
    world.answer(cancellation, MUNICIPALITY, world.deliver(cancellation, MUNICIPALITY), "2")
    assert world.account().in_order


def test_a_cancellation_of_what_was_taken_is_lost_where_it_does_not_come(world: World) -> None:
    note = world.send("dips/09", receivers=(MUNICIPALITY,))
    world.complete(note, MUNICIPALITY)
    world.pass_on(world.send("dips/16", receivers=(MUNICIPALITY,), action=Action.CANCEL), MUNICIPALITY)
    assert ("lost", "sending") in kinds(world.account())


def test_a_change_of_what_was_refused_must_come(world: World) -> None:
    note = world.send("dips/01", receivers=(MUNICIPALITY,))
    world.answer(note, MUNICIPALITY, world.deliver(note, MUNICIPALITY), "2")
    world.pass_on(note, MUNICIPALITY, "2")
    world.send("dips/05", receivers=(MUNICIPALITY,), action=Action.CHANGE)
    assert ("lost", "sending") in kinds(world.account())


def test_a_cancellation_of_what_was_never_sent_goes_to_nobody(world: World) -> None:
    world.send("dips/09", InboundState.HELD, disposition=Disposition.HOLD)
    world.send("dips/16", InboundState.ACCEPTED, action=Action.CANCEL)
    account = world.account()
    assert account.in_order
    assert account.decided == {"accepted": 1, "held": 1}


def test_a_note_that_its_change_has_overtaken_need_not_go_out(world: World) -> None:
    world.send("dips/01", InboundState.ACCEPTED)
    change = world.send("dips/05", action=Action.CHANGE)
    world.complete(change, MUNICIPALITY, GP)
    assert world.account().in_order


def test_a_note_accepted_for_nobody_is_lost_to_all_its_receivers(world: World) -> None:
    world.send("dips/01", InboundState.ACCEPTED)
    assert kinds(world.account()) == [("lost", "sending")] * 2


def test_where_more_than_one_route_is_reasonable_the_journal_says_which(world: World) -> None:
    entry = world.send("dips/01", lenient=True)
    world.journal_says[f"journal-{entry.position}"] = (MUNICIPALITY,)
    world.complete(entry, MUNICIPALITY)
    assert world.account().in_order
    world.journal_says[f"journal-{entry.position}"] = (MUNICIPALITY, GP)
    assert kinds(world.account()) == [("lost", "sending")]


def test_versions_of_an_epikrise_share_an_id_and_are_told_apart_by_time(world: World) -> None:
    letter = world.send("doculive/10", receivers=(MUNICIPALITY,))
    correction = world.send("doculive/16", action=Action.CHANGE)
    assert letter.note.facts.document_id == correction.note.facts.document_id
    world.complete(letter, MUNICIPALITY)
    world.complete(correction, MUNICIPALITY, GP)
    assert world.account().in_order
    assert [len(e.receipts) for e in (letter, correction)] == [1, 2]


def test_a_decision_that_a_person_would_not_take_is_told(world: World) -> None:
    world.send("dips/01", InboundState.HELD)
    account = world.account()
    assert account.in_order
    assert account.differing == [("dips/01-kolonkreft-standard", "send", "held")]


def reply_to(world: World, entry: Entry) -> Reply:
    reply = Reply(writer=GP, patient=entry.note.facts.patient, msg_id=message_id())
    world.ledger.reply_sent("SIM-0123456789ab", reply)
    return reply


@pytest.mark.parametrize(
    ("happens", "problems"),
    [
        (lambda _l, _r: None, [("lost", "receipt of a reply"), ("lost", "reply")]),
        (lambda ledger, _r: ledger.reply_arrived("SIM-0123456789ab", "a"), [("lost", "receipt of a reply")]),
        (
            lambda ledger, r: [
                ledger.reply_arrived("SIM-0123456789ab", "a"),
                ledger.reply_arrived("SIM-0123456789ab", "a"),
                ledger.reply_receipt(r.msg_id, "x"),
                ledger.reply_receipt(r.msg_id, "x"),
            ],
            [],
        ),
        (
            lambda ledger, r: [
                ledger.reply_arrived("SIM-0123456789ab", "a"),
                ledger.reply_arrived("SIM-0123456789ab", "b"),
                ledger.reply_receipt(r.msg_id, "x"),
                ledger.reply_receipt(r.msg_id, "y"),
            ],
            [("duplicated", "receipt of a reply"), ("duplicated", "reply")],
        ),
    ],
)
def test_replies(
    world: World, happens: Callable[[Ledger, Reply], object], problems: list[tuple[str, str]]
) -> None:
    entry = world.send("dips/01")
    world.complete(entry, MUNICIPALITY, GP)
    happens(world.ledger, reply_to(world, entry))
    account = world.account()
    assert kinds(account) == problems
    assert account.replies_sent == 1
    assert account.replies_delivered == (0 if ("lost", "reply") in problems else 1)


def test_something_wrong_is_counted_once_however_often_it_comes(world: World) -> None:
    world.ledger.wrong(Wrong.SIGNATURE, GP, "m")
    world.ledger.wrong(Wrong.SIGNATURE, GP, "m")
    assert kinds(world.account()) == [("invalid", "signature")]


def test_what_belongs_to_an_earlier_run_is_no_fault_of_this_one(world: World) -> None:
    world.ledger.received(GP, "somebody else", message_id(), "x")
    world.ledger.receipt(apprec_id="a", status="1", original_id="unknown", issued_at="", sender=(GP,))
    world.ledger.reply_receipt("unknown", "a")
    assert world.ledger.reply_arrived("SIM-ffffffffffff", "a") is None
    assert world.account().in_order
    assert world.ledger.strays == 4


# --- persons, contradictions, replies that fit nothing -----------------------------------------------


def test_who_contradicts_himself_may_be_heard_either_way(world: World) -> None:
    for heard in ("1", "2"):
        fresh = World()
        entry = fresh.send("dips/01")
        fresh.complete(entry, GP)
        msg_id = fresh.deliver(entry, MUNICIPALITY)
        fresh.answer(entry, MUNICIPALITY, msg_id, "1")
        fresh.answer(entry, MUNICIPALITY, msg_id, "2")
        fresh.pass_on(entry, MUNICIPALITY, heard)
        assert fresh.account().in_order, heard
    entry = world.send("dips/01")
    world.complete(entry, GP)
    world.answer(entry, MUNICIPALITY, world.deliver(entry, MUNICIPALITY), "1")
    world.pass_on(entry, MUNICIPALITY, "2")
    assert not world.account().in_order


def test_a_held_note_that_a_person_releases_counts_as_held_and_must_arrive(world: World) -> None:
    entry = world.send("dips/01", InboundState.HELD, disposition=Disposition.HOLD)
    assert world.account().persons == {Decision.LEAVE: 1}
    entry.decision = Decision.RELEASE
    world.decide(entry, InboundState.SENDING)
    account = world.account()
    assert (account.decided, account.persons) == ({"held": 1}, {Decision.RELEASE: 1})
    assert {p.kind for p in account.problems} == {"lost"}
    world.complete(entry, MUNICIPALITY, GP)
    assert world.account().in_order


def test_a_corrected_route_is_where_it_must_arrive(world: World) -> None:
    entry = world.send("dips/01", InboundState.HELD, receivers=(GP,), disposition=Disposition.HOLD)
    entry.decision, entry.corrected_to = Decision.RELEASE, "8910021"
    world.decide(entry, InboundState.SENDING)
    world.complete(entry, GP)
    assert world.account().count("lost") == 1
    world.answer(entry, "8910021", world.deliver(entry, "8910021"))
    assert world.account().count("lost") == 0


def test_a_discarded_note_must_be_answered_negatively_for_each_receiver(world: World) -> None:
    entry = world.send("dips/01", InboundState.HELD, disposition=Disposition.HOLD)
    entry.decision = Decision.DISCARD
    world.decide(entry, InboundState.DISCARDED)
    assert world.account().count("lost") == 2
    world.pass_on(entry, MUNICIPALITY, "2")
    world.pass_on(entry, GP, "2")
    assert world.account().in_order
    assert world.account().persons == {Decision.DISCARD: 1}


def test_a_reply_that_waits_for_a_person_is_not_lost(world: World) -> None:
    entry = world.send("dips/01")
    world.complete(entry, MUNICIPALITY, GP)
    reply = Reply(writer=MUNICIPALITY, patient=entry.note.facts.patient, msg_id="r-1")
    world.ledger.reply_sent("SIM-1", reply)
    world.ledger.reply_receipt("r-1", "apprec-1")
    assert [(p.kind, p.what) for p in world.account().problems] == [("lost", "reply")]
    reply.unplaced = True
    account = world.account()
    assert (account.in_order, account.replies_unplaced, account.replies_delivered) == (True, 1, 0)


@pytest.mark.parametrize(
    ("party", "reference", "dialogue", "wrong"),
    [
        (GP, "outside", True, False),
        (GP, "inside", True, True),
        (GP, "unheard of", True, True),
        ("8900100", "inside", True, False),
        ("8900100", "outside", True, True),
        # A change may come where the note before was lost, but not with the hospital's own id.
        (GP, "unheard of", False, False),
        (GP, "inside", False, True),
    ],
)
def test_nobody_is_referred_to_what_another_party_knows(
    party: str, reference: str, *, dialogue: bool, wrong: bool
) -> None:
    world = World()
    world.ledger.learned("8900100", "inside", "p")
    world.ledger.learned(GP, "outside", "p")
    world.ledger.referred(party, "m", "p", (reference,), dialogue=dialogue)
    found = [(p.kind, p.what, p.receiver) for p in world.account().problems]
    assert found == ([("invalid", "reference", party)] if wrong else [])
