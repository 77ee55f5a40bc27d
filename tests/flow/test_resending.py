"""A sending once more: the same message, or a new one in its place; each replay once."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from gateway.contracts.receipts import ErrorCode, ReceiptStatus
from gateway.contracts.records import Event, Sending
from gateway.contracts.replays import ReplayMode
from gateway.contracts.states import InboundState, SendingKind, SendingState
from gateway.formats import read_message
from gateway.ops.composition import resending
from gateway.ops.configuration import load
from gateway.ops.security import message_verifier
from gateway.ops.stores import open_journal, open_registry
from gateway.pipeline.replay_refusals import (
    AlreadyResentError,
    Asked,
    ContentPurgedError,
    ReceiverUnknownError,
    ResendingError,
)
from gateway.pipeline.resending import Resending
from gateway.security.gate import parse
from tests.flow.harness import Gateway, note, receipt

MUNICIPALITY, QUEUE, HOSPITAL = "8910031", "8910031_async", "8900100"
NOTE = "dips/01"
ACCEPTS = 'her_id = "8910031" }\naccepts = ["plo-1.6", "dialogmelding-1.0"]\nepj = "Profil"\n'
"""The municipality's, in the register"""


def now() -> datetime:
    return datetime.now(UTC)


def asked(by: str = "kari", generation: int | None = None) -> Asked:
    return Asked(by=by, at=now(), generation=generation)


def service(gateway: Gateway) -> Resending:
    """With the register and the keys as they are now."""
    configuration = load(gateway.config)
    return resending(configuration, open_registry(configuration))


def to_municipality(gateway: Gateway, kind: SendingKind = SendingKind.NOTE) -> list[Sending]:
    """The sendings to it, oldest first."""
    return [s for row in gateway.rows() for s in gateway.sendings(row.id, kind) if s.receiver == MUNICIPALITY]


def fails(gateway: Gateway, sending: Sending, error: str = "unroutable") -> None:
    """As after days without its queue."""
    with gateway.worker.journal.transaction() as transaction:
        transaction.update_sending(sending.id, state=SendingState.FAILED, error=error, attempts=30)
        transaction.update_inbound(sending.inbound_id, state=InboundState.FAILED)


def again(
    gateway: Gateway, sending: Sending, request: Asked | None = None, *, as_new: bool = False
) -> Sending:
    with gateway.worker.journal.transaction() as transaction:
        return service(gateway).resend(transaction, sending, request or asked(), as_new=as_new)


def events(gateway: Gateway, inbound_id: str, name: str) -> list[Event]:
    return [e for e in gateway.worker.journal.events(inbound_id) if e.name == name]


def change_register(gateway: Gateway, old: str, new: str) -> None:
    file = gateway.config.with_name("register.toml")
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


@pytest.fixture
def failed(gateway: Gateway) -> Sending:
    gateway.note(note(NOTE))
    gateway.take(QUEUE)
    (sending,) = to_municipality(gateway)
    fails(gateway, sending)
    return sending


@pytest.fixture
def refused(gateway: Gateway) -> Sending:
    gateway.note(note(NOTE))
    (message,) = gateway.messages(QUEUE)
    gateway.outside(HOSPITAL, receipt(message, ReceiptStatus.REJECTED, ErrorCode.RECEIVER_UNKNOWN))
    (sending,) = to_municipality(gateway)
    assert sending.state is SendingState.REFUSED
    return sending


class TestTheSame:
    def test_it_goes_out_with_the_same_id_and_the_same_bytes(self, gateway: Gateway, failed: Sending) -> None:
        again(gateway, failed)
        assert gateway.row(gateway.rows()[0].msg_id).state is InboundState.SENDING
        gateway.settle()
        (delivery,) = gateway.take(QUEUE)
        assert delivery.envelope.body == failed.body
        assert delivery.envelope.message_id == failed.msg_id
        assert delivery.envelope.headers == failed.headers
        (sending,) = to_municipality(gateway)
        assert (sending.id, sending.state, sending.attempts, sending.error) == (
            failed.id,
            SendingState.DELIVERED,
            1,
            None,
        )
        assert gateway.rows()[0].state is InboundState.DELIVERED

    def test_the_history_links_it_to_the_first_attempt_and_its_error(
        self, gateway: Gateway, failed: Sending
    ) -> None:
        again(gateway, failed)
        (told,) = events(gateway, failed.inbound_id, "resent")
        assert told.sending_id == failed.id
        assert told.detail == {
            "receiver": MUNICIPALITY,
            "as": "same",
            "by": "kari",
            "generation": 1,
            "error": "unroutable",
            "first": failed.id,
            "made": failed.id,
        }

    def test_given_up_is_counted_from_then(self, gateway: Gateway) -> None:
        gateway.note(note(NOTE))
        (sending,) = to_municipality(gateway)
        fails(gateway, sending)
        with gateway.worker.journal.transaction() as transaction:
            transaction.update_sending(sending.id, created_at=now() - timedelta(days=30))
        change_register(gateway, ACCEPTS, ACCEPTS + 'queue = "nowhere"\n')
        again(gateway, sending)
        gateway.worker.service.step(wait_seconds=0.0)
        (tried,) = to_municipality(gateway)
        assert (tried.state, tried.error, tried.attempts) == (SendingState.PENDING, "unroutable", 1)

    def test_the_current_queue_counts(self, gateway: Gateway, failed: Sending) -> None:
        change_register(gateway, ACCEPTS, ACCEPTS + 'queue = "elsewhere"\n')
        gateway.worker.queue.declare(["elsewhere"])
        again(gateway, failed)
        gateway.settle()
        (delivery,) = gateway.take("elsewhere")
        assert delivery.envelope.body == failed.body
        assert gateway.take(QUEUE) == []

    def test_the_current_certificate_counts(self, gateway: Gateway, failed: Sending) -> None:
        keys = gateway.config.parent / "pki" / "signing"
        registered = gateway.registry.hospital(HOSPITAL)
        assert registered is not None
        assert registered.org_no is not None
        other = next(p for p in keys.glob("*.cert.pem") if registered.org_no not in p.name)
        for kind in ("cert", "key"):
            source = other.with_name(other.name.replace("cert", kind))
            (keys / f"{registered.org_no}.{kind}.pem").write_bytes(source.read_bytes())
        again(gateway, failed)
        gateway.settle()
        (delivery,) = gateway.take(QUEUE)
        assert delivery.envelope.body != failed.body
        verified = message_verifier(gateway.configuration).verify(delivery.envelope.body)
        assert verified.signer.org_no == other.name.split(".")[0]
        assert read_message(parse(verified.signed)) == read_message(
            parse(message_verifier(gateway.configuration).verify(failed.body).signed)
        )

    def test_what_the_receiver_no_longer_reads_is_written_anew_under_the_same_id(
        self, gateway: Gateway, failed: Sending
    ) -> None:
        change_register(gateway, ACCEPTS, 'her_id = "8910031" }\naccepts = ["dialogmelding-1.1"]\n')
        again(gateway, failed)
        gateway.settle()
        (message,) = gateway.messages(QUEUE)
        assert (message.format.value, message.head.msg_id) == ("dialogmelding-1.1", failed.msg_id)
        before = read_message(parse(failed.body))
        assert message.head.sent_at == before.head.sent_at

    @pytest.mark.parametrize(
        ("state", "why"),
        [
            (SendingState.PENDING, "in the outbox"),
            (SendingState.ACKNOWLEDGED, "acknowledged"),
            (SendingState.REFUSED, "new message"),
            (SendingState.DISCARDED, "ended"),
        ],
    )
    def test_what_has_ended_or_waits_is_left_alone(
        self, state: SendingState, why: str, gateway: Gateway, failed: Sending
    ) -> None:
        with gateway.worker.journal.transaction() as transaction:
            transaction.update_sending(failed.id, state=state)
        with pytest.raises(ResendingError, match=why):
            again(gateway, failed)
        (sending,) = to_municipality(gateway)
        assert sending.state is state

    def test_what_was_purged_is_refused(self, gateway: Gateway, failed: Sending) -> None:
        with gateway.worker.journal.transaction() as transaction:
            transaction.update_sending(failed.id, body=None)
        with pytest.raises(ContentPurgedError, match="purged"):
            again(gateway, failed)
        (sending,) = to_municipality(gateway)
        assert sending.state is SendingState.FAILED

    def test_a_receiver_that_left_the_register_is_named(self, gateway: Gateway, failed: Sending) -> None:
        change_register(gateway, f'"{MUNICIPALITY}"', '"8910039"')
        with pytest.raises(ReceiverUnknownError, match=MUNICIPALITY):
            again(gateway, failed)
        row = gateway.rows()[0]
        assert service(gateway).mode(row, failed) is ReplayMode.NEW
        gateway.worker.queue.declare(["8910039_async"])
        made = again(gateway, failed, as_new=True)
        assert made.receiver == "8910039"


class TestANewOne:
    def test_it_takes_the_place_of_the_refused_one(self, gateway: Gateway, refused: Sending) -> None:
        assert service(gateway).mode(gateway.rows()[0], refused) is ReplayMode.NEW
        made = again(gateway, refused, as_new=True)
        gateway.settle()
        (message,) = gateway.messages(QUEUE)
        assert message.head.msg_id == made.msg_id != refused.msg_id
        before = read_message(parse(refused.body))
        assert message.content_root == before.content_root
        old, new = to_municipality(gateway)
        assert (old.state, old.apprec) == (SendingState.DISCARDED, "2 E21")
        assert (new.state, new.apprec) == (SendingState.DELIVERED, None)
        gateway.outside(HOSPITAL, receipt(message))
        (_, new) = to_municipality(gateway)
        assert new.state is SendingState.ACKNOWLEDGED
        assert gateway.rows()[0].state is InboundState.DELIVERED  # the GP has not answered
        (told,) = events(gateway, refused.inbound_id, "resent")
        assert told.detail is not None
        assert (told.detail["error"], told.detail["first"], told.detail["made"]) == (
            "2 E21",
            refused.id,
            new.id,
        )

    def test_the_hospital_hears_of_a_receiver_once(self, gateway: Gateway, refused: Sending) -> None:
        told = [a.positive for a in gateway.apprecs("epj_8900100")]
        assert told == [False]
        again(gateway, refused, as_new=True)
        gateway.settle()
        (message,) = gateway.messages(QUEUE)
        gateway.outside(HOSPITAL, receipt(message))
        assert gateway.apprecs("epj_8900100") == []

    def test_a_second_refusal_leads_back_to_the_first_attempt(
        self, gateway: Gateway, refused: Sending
    ) -> None:
        made = again(gateway, refused, as_new=True)
        gateway.settle()
        (message,) = gateway.messages(QUEUE)
        gateway.outside(HOSPITAL, receipt(message, ReceiptStatus.REJECTED, ErrorCode.OTHER))
        third = again(gateway, made, as_new=True)
        with gateway.worker.journal.reader() as view:
            (last,) = view.replays(made.id)
        assert (last.first, last.error, last.made) == (refused.id, "2 X99", third.id)
        assert len({refused.msg_id, made.msg_id, third.msg_id}) == 3

    def test_what_is_on_its_way_or_has_arrived_is_not_sent_twice(self, gateway: Gateway) -> None:
        gateway.note(note(NOTE))
        (sending,) = to_municipality(gateway)
        with pytest.raises(ResendingError, match="may still answer"):
            again(gateway, sending, as_new=True)
        assert len(to_municipality(gateway)) == 1

    def test_a_receiver_that_has_the_note_does_not_get_it_again(
        self, gateway: Gateway, refused: Sending
    ) -> None:
        gp = gateway.registry.endpoint("8920031")
        with (
            pytest.raises(ResendingError, match="8920031 has the note already"),
            gateway.worker.journal.transaction() as transaction,
        ):
            service(gateway).resend(transaction, refused, asked(), as_new=True, endpoint=gp)

    def test_only_notes_are_written_anew(self, gateway: Gateway, refused: Sending) -> None:
        (receipt_to_hospital, *_) = gateway.sendings(refused.inbound_id, SendingKind.RECEIPT)
        with pytest.raises(ResendingError, match="receipt can not be written anew"):
            again(gateway, receipt_to_hospital, as_new=True)

    def test_without_the_content_it_is_refused(self, gateway: Gateway, refused: Sending) -> None:
        with gateway.worker.journal.transaction() as transaction:
            transaction.update_inbound(refused.inbound_id, summary=None)
        with pytest.raises(ContentPurgedError):
            again(gateway, refused, as_new=True)
        (sending,) = to_municipality(gateway)
        assert sending.state is SendingState.REFUSED


class TestOnce:
    def test_who_comes_second_is_told_who_was_first(self, gateway: Gateway, failed: Sending) -> None:
        again(gateway, failed, asked("kari", 1))
        with pytest.raises(AlreadyResentError, match="by kari at") as second:
            again(gateway, failed, asked("ola", 1))
        assert second.value.done is not None
        gateway.settle()
        assert len(gateway.take(QUEUE)) == 1
        assert len(events(gateway, failed.inbound_id, "resent")) == 1

    def test_what_failed_again_can_be_sent_again(self, gateway: Gateway, failed: Sending) -> None:
        again(gateway, failed, asked("kari", 1))
        fails(gateway, failed, "not_confirmed")
        with pytest.raises(AlreadyResentError):
            again(gateway, failed, asked("ola", 1))
        again(gateway, failed, asked("ola", 2))
        with gateway.worker.journal.reader() as view:
            assert [(r.generation, r.by, r.error) for r in view.replays(failed.id)] == [
                (1, "kari", "unroutable"),
                (2, "ola", "not_confirmed"),
            ]

    def test_two_who_press_at_once_send_it_once(self, gateway: Gateway, failed: Sending) -> None:
        configuration = load(gateway.config)
        sender, start = service(gateway), threading.Barrier(2)
        said: list[str] = []

        def press(by: str) -> None:
            journal = open_journal(configuration)
            start.wait()
            try:
                with journal.transaction() as transaction:
                    sender.resend(transaction, failed, asked(by, 1), as_new=False)
                said.append("sent")
            except AlreadyResentError as error:
                said.append(error.code)
            finally:
                journal.close()

        people = [threading.Thread(target=press, args=(name,)) for name in ("kari", "ola")]
        for person in people:
            person.start()
        for person in people:
            person.join()
        assert sorted(said) == ["already-resent", "sent"]
        gateway.settle()
        assert len(gateway.take(QUEUE)) == 1
