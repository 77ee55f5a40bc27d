from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from lxml import etree

from gateway.contracts.messages import Conversation, Format
from gateway.contracts.receipts import AppRec
from gateway.formats import read_apprec, read_message
from gateway.formats.readdress import readdress
from gateway.ops.simulation.behaviour import Shares
from gateway.ops.simulation.traffic import Outgoing, receipt
from gateway.routing.parties import endpoint_party, mailbox_party
from tests.ops.simulated_world import GATEWAY, HOSPITAL, OTHER_HOSPITAL, Actors, Keys, delivery, make_keys

MUNICIPALITY, GP = "8910031", "8920031"


def shares(*, negative: int, late: int, twice: int, never: int, replies: int) -> Shares:
    """These alone."""
    return Shares(
        negative=negative,
        late=late,
        twice=twice,
        contradicts=0,
        never=never,
        replies=replies,
        thrice=0,
        unreferenced=0,
    )


ALWAYS = shares(negative=0, late=0, twice=0, never=0, replies=0)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return make_keys(tmp_path_factory.mktemp("pki"))


def apprec(outgoing: Outgoing) -> AppRec:
    return read_apprec(etree.fromstring(outgoing.envelope.body))


def valid(actors: Actors, outgoing: Outgoing) -> bool:
    actors.intake.open(outgoing.envelope.body)
    return True


# --- hospitals ---------------------------------------------------------------------------------------


def test_a_hospital_signs_what_has_a_place_for_it(keys: Keys) -> None:
    actors = Actors(keys)
    outgoing = actors.hospitals.send(actors.note("dips/01", 1))
    assert outgoing.queue == "pakkehjem_in"
    verified = keys.verifier.verify(outgoing.envelope.body)
    assert verified.signer.org_no == HOSPITAL
    headers = outgoing.envelope.headers
    assert (headers["fromHerId"], headers["toHerId"]) == ("8900103", MUNICIPALITY)
    assert headers["X-MessageInfo-Type"] == "UTSKRIVNINGSRAPPORT"
    assert headers["X-MessageInfo-MsgId"] == outgoing.envelope.message_id
    assert (headers["X-Sender-Lvl1Id"], headers["X-Receiver-Lvl1Id"]) == ("8900100", "8910030")


def test_an_epikrise_and_a_broken_file_are_sent_as_they_are(keys: Keys) -> None:
    actors = Actors(keys)
    for name in ("doculive/01", "dips/20", "dips/08", "helseplattformen/20"):
        note = actors.note(name)
        assert actors.hospitals.send(note).envelope.body == note.body
    assert len(actors.ledger.entries) == 4
    assert all(e.hospital for e in actors.ledger.entries)


def test_every_sample_can_be_sent_in_every_round(keys: Keys) -> None:
    actors = Actors(keys)
    for note in actors.book.notes(120):
        actors.hospitals.send(note)
    assert len({e.content_hash for e in actors.ledger.entries}) == 120


# --- receivers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("chosen", [f for f in Format if not f.value.startswith("apprec")])
def test_a_receiver_answers_every_format_validly(keys: Keys, chosen: Format) -> None:
    actors = Actors(keys, ALWAYS)
    note = actors.note("dips/01")
    entry = actors.ledger.sent(note, note.body, "8900100")
    signed_by = None if chosen in (Format.EPIKRISE_1_1, Format.EPIKRISE_1_2) else HOSPITAL
    taken = actors.sending(note, MUNICIPALITY, signed_by=signed_by, chosen=chosen)
    (outgoing,) = actors.receivers.take(taken)
    assert not actors.ledger.problems
    assert valid(actors, outgoing)
    assert outgoing.queue == "8900100_async"
    assert apprec(outgoing).positive
    assert set(apprec(outgoing).sender.party.her_ids) >= {MUNICIPALITY, "8910030"}
    (seen,) = actors.ledger.deliveries[MUNICIPALITY, entry.note.facts.patient].values()
    assert seen.answer is None
    outgoing.published()
    assert seen.answer == "1"


def test_a_repeat_is_counted_and_not_answered_again(keys: Keys) -> None:
    actors = Actors(keys, ALWAYS)
    taken = actors.sending(actors.note("dips/01"), MUNICIPALITY)
    assert len(actors.receivers.take(taken)) == 1
    assert actors.receivers.take(taken) == []
    (group,) = actors.ledger.deliveries.values()
    assert [seen.copies for seen in group.values()] == [2]


def test_two_renderings_of_a_note_say_the_same_and_of_two_notes_do_not(keys: Keys) -> None:
    actors = Actors(keys, ALWAYS)
    for name in ("dips/12", "dips/12", "dips/13"):
        actors.receivers.take(actors.sending(actors.note(name), "8910021"))
    (group,) = actors.ledger.deliveries.values()
    assert sorted(Counter(seen.fingerprint for seen in group.values()).values()) == [1, 2]


@pytest.mark.parametrize(
    ("signed_by", "what"),
    [(HOSPITAL, []), (GATEWAY, []), (OTHER_HOSPITAL, ["signer"]), (None, ["signature"])],
)
def test_a_sending_must_be_signed_by_the_hospital_or_the_gateway(
    keys: Keys, signed_by: str | None, what: list[str]
) -> None:
    actors = Actors(keys, ALWAYS)
    outgoing = actors.receivers.take(
        actors.sending(actors.note("dips/01"), MUNICIPALITY, signed_by=signed_by)
    )
    assert [p.what for p in actors.ledger.problems] == what
    assert len(outgoing) == (0 if what else 1)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (b"Notatet.", b"Noe annet.", "signature"),
        (b"</MsgHead>", b"", "unreadable"),
        (b"<MIGversion>v1.2 2006-05-24</MIGversion>", b"", "schema"),
    ],
)
def test_a_sending_that_was_tampered_with_is_wrong(keys: Keys, old: bytes, new: bytes, what: str) -> None:
    actors = Actors(keys, ALWAYS)
    good = actors.sending(actors.note("dips/01"), MUNICIPALITY)
    assert old in good.envelope.body
    bad = delivery(good.queue, good.envelope.body.replace(old, new), good.envelope.headers)
    assert actors.receivers.take(bad) == []
    (problem,) = actors.ledger.problems
    assert (problem.kind, problem.receiver) == ("invalid", MUNICIPALITY)
    assert problem.what == what


def test_a_sending_on_the_queue_of_another_is_wrong(keys: Keys) -> None:
    actors = Actors(keys, ALWAYS)
    good = actors.sending(actors.note("dips/01"), MUNICIPALITY)
    assert actors.receivers.take(delivery("8910021_async", good.envelope.body)) == []
    assert [p.what for p in actors.ledger.problems] == ["misdirected"]


@pytest.mark.parametrize(
    ("shares", "ids", "statuses"),
    [
        (shares(negative=20, late=0, twice=0, never=0, replies=0), 1, ["2"]),
        (shares(negative=0, late=0, twice=20, never=0, replies=0), 2, ["1", "1", "1"]),
        (shares(negative=0, late=0, twice=0, never=20, replies=0), 0, []),
        (shares(negative=0, late=20, twice=0, never=0, replies=0), 1, ["1"]),
    ],
)
def test_receivers_behave(keys: Keys, shares: Shares, ids: int, statuses: list[str]) -> None:
    actors = Actors(keys, shares)
    outgoing = actors.receivers.take(actors.sending(actors.note("dips/01"), GP))
    receipts = [apprec(o) for o in outgoing]
    assert all(valid(actors, o) for o in outgoing)
    assert [r.status for r in receipts] == statuses
    assert len({r.id for r in receipts}) == ids
    assert all(bool(r.faults) == (r.status == "2") for r in receipts)
    assert all(bool(o.delay_seconds) == (shares.late == 20) for o in outgoing)


# --- replies -----------------------------------------------------------------------------------------


def replied(
    actors: Actors, name: str, her_id: str, chosen: Format | None = None
) -> tuple[Outgoing, Outgoing]:
    note = actors.note(name)
    actors.ledger.sent(note, note.body, note.facts.sender[0])
    signed_by = None if chosen is Format.EPIKRISE_1_1 else HOSPITAL
    answer, reply = actors.receivers.take(actors.sending(note, her_id, signed_by=signed_by, chosen=chosen))
    reply.published()
    return answer, reply


def passed_on(actors: Actors, reply: Outgoing, parent: str, mailbox: str) -> bytes:
    body = readdress(
        etree.fromstring(reply.envelope.body),
        msg_id="b1f0c7a2-0000-4000-8000-00000000abcd",
        conversation=Conversation(parent=parent, root=parent),
        receiver=mailbox_party(actors.registry, mailbox),
    )
    return actors.keys.signer.sign(body, org_no=None)


REPLIES = shares(negative=0, late=0, twice=0, never=0, replies=20)


@pytest.mark.parametrize(
    ("her_id", "chosen"), [(MUNICIPALITY, Format.PLO_1_6), (GP, None), (GP, Format.EPIKRISE_1_1)]
)
def test_a_reply_is_valid_and_refers_to_what_it_answers(
    keys: Keys, her_id: str, chosen: Format | None
) -> None:
    actors = Actors(keys, REPLIES)
    answer, reply = replied(actors, "dips/01", her_id, chosen)
    opened = actors.intake.open(reply.envelope.body)
    assert opened.message is not None
    assert opened.signer is not None
    head = opened.message.head
    assert head.conversation is not None
    answered = apprec(answer).original.id  # AppRec 1.0 for an epikrise names its ServProvId instead
    assert (head.conversation.parent == answered) is (chosen is not Format.EPIKRISE_1_1)
    assert head.patient is not None
    assert (head.patient.given_name, head.patient.family_name) == ("Rask", "Fiskebolle")
    assert reply.queue == "8900100_async"
    assert reply.envelope.headers["fromHerId"] == her_id


def test_a_hospital_acknowledges_a_reply_that_came_to_the_mailbox(keys: Keys) -> None:
    actors = Actors(keys, REPLIES)
    _, reply = replied(actors, "dips/01", MUNICIPALITY)
    parent = actors.note("dips/01").facts.msg_id
    body = passed_on(actors, reply, parent, "8900104")
    taken = delivery("epj_8900100", body, {"toHerId": "8900104"})
    (outgoing,) = actors.hospitals.take(taken)
    assert outgoing.queue == "pakkehjem_in"
    assert apprec(outgoing).positive
    assert valid(actors, outgoing)
    assert "8900104" in apprec(outgoing).sender.party.her_ids
    assert actors.hospitals.take(taken) == []
    (record,) = actors.ledger.replies.values()
    assert len(record.arrived) == 1
    assert not actors.ledger.problems


@pytest.mark.parametrize(
    ("parent", "mailbox", "what"),
    [(None, "8900104", "reference"), ("dips/01", "8900103", "mailbox"), ("dips/02", "8900104", "reference")],
)
def test_a_reply_with_the_wrong_reference_or_mailbox_is_wrong(
    keys: Keys, parent: str | None, mailbox: str, what: str
) -> None:
    actors = Actors(keys, REPLIES)
    other = actors.note("dips/02")
    actors.ledger.sent(other, other.body, "8900100")
    _, reply = replied(actors, "dips/01", MUNICIPALITY)
    reference = actors.note(parent).facts.msg_id if parent else "9c9c9c9c-0000-4000-8000-000000000000"
    body = passed_on(actors, reply, reference, mailbox)
    actors.hospitals.take(delivery("epj_8900100", body, {"toHerId": mailbox}))
    assert [p.what for p in actors.ledger.problems] == [what]


def test_a_hospital_notes_the_receipts_that_come(keys: Keys) -> None:
    actors = Actors(keys, ALWAYS)
    note = actors.note("dips/01")
    entry = actors.ledger.sent(note, note.body, "8900100")
    head = read_message(etree.fromstring(note.body)).head
    outgoing = receipt(head, Format.PLO_1_6, queue="x", to_her_id="8900103", apprec_id="a" * 8)
    assert actors.hospitals.take(delivery("epj_8900100", outgoing.envelope.body)) == []
    position = entry.named.index(MUNICIPALITY)
    assert entry.receipts[position] == {"a" * 8: "1"}
    broken = outgoing.envelope.body.replace(b"<Status", b"<Stotus").replace(b"</Status", b"</Stotus")
    actors.hospitals.take(delivery("epj_8900100", broken))
    assert [p.what for p in actors.ledger.problems] == ["schema"]


def test_a_dialogue_of_three_turns_and_what_each_side_knows_of_it(keys: Keys) -> None:
    replying = replace(shares(negative=0, late=0, twice=0, never=0, replies=20), followed_up=20)
    actors = Actors(keys, replying, answered=20)
    note = actors.note("dips/01")
    actors.hospitals.send(note)
    last_inside = note.facts.msg_id
    _, reply = actors.receivers.take(actors.sending(note, MUNICIPALITY))
    reply.published()
    for turn in range(2):
        # What the gateway does: the hospital gets the reply under another id, and with its own references.
        written = read_message(etree.fromstring(reply.envelope.body)).head
        passed_on = f"4e4c7b0e-8a65-4f0e-a0c1-6a1c1f6f0f{turn:02d}"
        inside = Conversation(parent=last_inside, root=note.facts.msg_id)
        body = readdress(
            etree.fromstring(reply.envelope.body),
            msg_id=passed_on,
            conversation=inside,
            receiver=mailbox_party(actors.registry, "8900104"),
        )
        signed = keys.signer.sign(body, org_no=None)
        _, answer = actors.hospitals.take(delivery("epj_8900100", signed, {"toHerId": "8900104"}, passed_on))
        answer.published()
        answered = read_message(etree.fromstring(answer.envelope.body)).head
        assert answered.conversation == Conversation(parent=passed_on, root=note.facts.msg_id)
        last_inside = answered.msg_id
        assert written.conversation is not None
        outside = Conversation(parent=written.msg_id, root=written.conversation.root)
        body = readdress(
            etree.fromstring(answer.envelope.body),
            msg_id=f"5e4c7b0e-8a65-4f0e-a0c1-6a1c1f6f0f{turn:02d}",
            conversation=outside,
            receiver=endpoint_party(actors.endpoint(MUNICIPALITY)),
        )
        signed = keys.signer.sign(body, org_no=HOSPITAL)
        taken = delivery("8910031_async", signed, {"toHerId": MUNICIPALITY}, "x")
        acknowledged, reply = actors.receivers.take(taken)
        reply.published()
        assert apprec(acknowledged).positive
        assert actors.receivers.take(taken) == [], "once"
    assert actors.ledger.problems == []
    assert [actors.ledger.foreign(each) for each in actors.ledger.references.values()] == [[]] * 4
    assert [bool(r.arrived) for r in actors.ledger.replies.values()] == [True, True, True, True, False]
    assert {r.to for r in actors.ledger.replies.values()} == {None, MUNICIPALITY}
