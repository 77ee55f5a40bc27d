"""A receiver that says that it is not there: flagged, looked up again, sent to where the register says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.contracts.messages import Message
from gateway.contracts.receipts import ErrorCode, ReceiptStatus
from gateway.contracts.records import Sending
from gateway.contracts.states import InboundState, SendingKind, SendingState
from gateway.contracts.summary import Action
from gateway.formats import read_message
from gateway.ops.browsing import shown
from gateway.ops.composition import resending
from gateway.pipeline.replay_refusals import Asked
from gateway.security.gate import parse
from tests.flow.harness import Gateway, note, receipt
from tests.flow.test_deviations import deviations, to_the_gateway
from tests.flow.variants import msg_id_of, version

HOSPITAL = "8900100"
RECORD_SYSTEM = f"epj_{HOSPITAL}"
MUNICIPALITY = "8910031_async"
NEW_SERVICE = "8910999"


def moved(gateway: Gateway) -> None:
    """The municipality's one way in gets another HER-id, and the service has read the register since."""
    register = gateway.config.parent / "register.toml"
    text = register.read_text(encoding="utf-8")
    assert '"8910031"' in text
    register.write_text(text.replace('"8910031"', f'"{NEW_SERVICE}"'), encoding="utf-8")
    gateway.restart()


def look_again(gateway: Gateway) -> None:
    deadlines = gateway.worker.deadlines
    deadlines._next = None
    deadlines.check()
    gateway.settle()


def sent(gateway: Gateway) -> Message:
    gateway.note(note("dips/01"))
    (message,) = gateway.messages(MUNICIPALITY)
    return message


def refuse(gateway: Gateway, message: Message, code: ErrorCode = ErrorCode.RECEIVER_UNKNOWN) -> None:
    gateway.outside(HOSPITAL, receipt(message, ReceiptStatus.REJECTED, code))


def to_municipality(gateway: Gateway) -> list[Sending]:
    (row,) = gateway.rows()
    return [s for s in gateway.sendings(row.id, SendingKind.NOTE) if s.receiver_role == "municipality"]


def flagged(gateway: Gateway) -> list[tuple[str, str]]:
    with gateway.worker.journal.reader() as view:
        return [(f.receiver, f.codes) for f in view.address_faults()]


def test_the_entry_is_flagged_until_the_receiver_takes_something(gateway: Gateway) -> None:
    refuse(gateway, sent(gateway))
    assert flagged(gateway) == [("8910031", "E21")]
    (fault,) = shown(gateway.worker.journal, gateway.rows()[0])["address_faults"]
    assert (fault["receiver"], fault["codes"], fault["outcome"]) == ("8910031", "E21", None)
    gateway.restart()
    look_again(gateway)
    assert flagged(gateway) == [("8910031", "E21")], "nothing has changed"
    assert len(to_municipality(gateway)) == 1
    found, statuses = deviations(gateway)
    assert (len(found), statuses) == (1, ["2"])
    data = version(note("dips/01"), parent=msg_id_of(note("dips/01")))
    gateway.note(data)
    (later,) = gateway.messages(MUNICIPALITY)
    gateway.outside(HOSPITAL, receipt(later))
    assert flagged(gateway) == []


def test_a_person_who_sends_it_again_ends_the_flag(gateway: Gateway) -> None:
    refuse(gateway, sent(gateway))
    (sending,) = to_municipality(gateway)
    again = resending(gateway.configuration, gateway.registry)
    with gateway.worker.journal.transaction() as transaction:
        again.resend(transaction, sending, Asked(by="kari", at=datetime.now(UTC)), as_new=True)
    assert flagged(gateway) == []
    (fault,) = shown(gateway.worker.journal, gateway.rows()[0])["address_faults"]
    assert fault["outcome"] == "ended"


def test_flagged_entries_are_looked_up_when_the_register_has_changed_only(gateway: Gateway) -> None:
    refuse(gateway, sent(gateway))
    addresses = gateway.worker.deadlines._addresses
    with gateway.worker.journal.transaction() as transaction:
        addresses.look_again(transaction, datetime.now(UTC))
    with gateway.worker.journal.reader() as view:
        # A view for reading only: whatever was written would be refused.
        assert addresses.look_again(view, datetime.now(UTC)) == 0


@pytest.mark.parametrize("code", [ErrorCode.PATIENT_INSUFFICIENT, ErrorCode.NOT_VALID, ErrorCode.OTHER])
def test_no_other_code_flags_an_entry(gateway: Gateway, code: ErrorCode) -> None:
    refuse(gateway, sent(gateway), code)
    assert flagged(gateway) == []


def test_a_register_that_has_changed_by_then_gets_a_new_message_and_its_answer_is_the_one_passed_on(
    gateway: Gateway,
) -> None:
    message = sent(gateway)
    moved(gateway)
    # Its AppRec comes from the old service, by way of the municipality's own HER-id.
    refuse(gateway, message)
    assert deviations(gateway) == ([], [])
    old, new = to_municipality(gateway)
    assert (old.state, new.state) == (SendingState.DISCARDED, SendingState.DELIVERED)
    (again,) = gateway.messages(f"{NEW_SERVICE}_async")
    assert again.head.msg_id == new.msg_id != message.head.msg_id
    assert (again.action, again.head.conversation) == (Action.NEW, None)
    gateway.outside(HOSPITAL, receipt(again))
    assert [a.status for a in gateway.apprecs(RECORD_SYSTEM)] == ["1"]
    assert flagged(gateway) == []
    assert gateway.rows()[0].state is InboundState.DELIVERED, "the GP has not answered"


def test_a_register_that_changes_later_gets_it_by_itself_once_and_the_department_hears_that_it_arrived(
    gateway: Gateway,
) -> None:
    refuse(gateway, sent(gateway))
    deviations(gateway)
    moved(gateway)
    look_again(gateway)
    look_again(gateway)
    gateway.restart()
    look_again(gateway)
    (again,) = gateway.messages(f"{NEW_SERVICE}_async")
    assert len(to_municipality(gateway)) == 2
    assert gateway.rows()[0].state is InboundState.DELIVERED
    gateway.outside(HOSPITAL, receipt(again), receipt(again))
    (told,), statuses = deviations(gateway)
    assert statuses == [], "the receiver was answered for: one AppRec, ever"
    assert "nå tatt imot" in read_message(parse(told)).texts[0].text


def test_a_new_address_that_is_wrong_too_is_left_to_a_person(gateway: Gateway) -> None:
    message = sent(gateway)
    moved(gateway)
    refuse(gateway, message)
    (again,) = gateway.messages(f"{NEW_SERVICE}_async")
    refuse(gateway, again)
    found, statuses = deviations(gateway)
    assert (len(found), statuses) == (1, ["2"])
    register = gateway.config.parent / "register.toml"
    text = register.read_text(encoding="utf-8")
    register.write_text(text.replace(f'"{NEW_SERVICE}"', '"8910998"'), encoding="utf-8")
    gateway.restart()
    look_again(gateway)
    assert len(to_municipality(gateway)) == 2
    assert flagged(gateway) == [(NEW_SERVICE, "E21")]


def test_a_note_that_was_changed_or_cancelled_meanwhile_is_not_sent_again(gateway: Gateway) -> None:
    refuse(gateway, sent(gateway))
    gateway.note(version(note("dips/01"), parent=msg_id_of(note("dips/01")), action="C"))
    moved(gateway)
    look_again(gateway)
    assert gateway.take(f"{NEW_SERVICE}_async") == []
    assert flagged(gateway) == []


@pytest.mark.parametrize("answered_by_gateway", [False, True])
def test_a_late_positive_after_silence_is_told_where_no_receipt_tells_it(
    gateway: Gateway, *, answered_by_gateway: bool
) -> None:
    data = note("dips/01")
    gateway.note(to_the_gateway(data) if answered_by_gateway else data)
    (message,) = gateway.messages(MUNICIPALITY)
    gateway.take(RECORD_SYSTEM)
    later = datetime.now(UTC) + timedelta(hours=97)
    deadlines = gateway.worker.deadlines
    deadlines._clock = lambda: later
    gateway.worker.service._outbox._clock = lambda: later
    look_again(gateway)
    assert "8910031" in "".join(read_message(parse(b)).texts[0].text for b in deviations(gateway)[0])
    gateway.outside(HOSPITAL, receipt(message))
    gateway.settle()
    found, statuses = deviations(gateway)
    if answered_by_gateway:
        assert statuses == []
        assert "nå tatt imot" in read_message(parse(found[0])).texts[0].text
    else:
        assert (found, statuses) == ([], ["1"]), "its AppRec says it"
