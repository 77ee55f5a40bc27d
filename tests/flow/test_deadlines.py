"""Silence: counted as a refusal once, recovered from once, and what nobody took waits for a person."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import click
import orjson
import pytest
from click.testing import CliRunner
from structlog.testing import capture_logs

from gateway.contracts.audit import AuditFilter
from gateway.contracts.errors import EXIT_DONE, EXIT_NO, EXIT_USAGE, GatewayError
from gateway.contracts.messages import Conversation, Message
from gateway.contracts.queues import PublishOutcome
from gateway.contracts.receipts import ErrorCode, ReceiptStatus
from gateway.contracts.records import InboundMessage
from gateway.contracts.states import InboundKind, InboundState, SendingKind, SendingState
from gateway.formats import read_message
from gateway.ops.cli import cli
from gateway.security.gate import parse
from tests.flow.dialogue import answer_to, written
from tests.flow.harness import Gateway, note, receipt

HOSPITAL = "8900100"
RECORD_SYSTEM = f"epj_{HOSPITAL}"
MUNICIPALITY = "8910031_async"
GP = "8920031_async"


def later(gateway: Gateway, hours: float) -> list[str]:
    """Look at the deadlines so many hours from now; the log lines."""
    deadlines = gateway.worker.deadlines
    deadlines._clock = lambda: datetime.now(UTC) + timedelta(hours=hours)
    deadlines._next = None
    outbox = gateway.worker.service._outbox
    outbox._clock = lambda: datetime.now(UTC) + timedelta(hours=hours)
    with capture_logs() as logs:
        deadlines.check()
        gateway.settle()
    return [line["event"] for line in logs]


def events(gateway: Gateway, row: InboundMessage) -> list[str]:
    return [e.name for e in gateway.worker.journal.events(row.id)]


def told(gateway: Gateway) -> list[Message]:
    """The deviations on the record system's queue."""
    return [m for m in gateway.messages(RECORD_SYSTEM) if m.head.msg_type.value == "DIALOG_AVVIK"]


def test_no_receipt_within_the_deadline_alerts_once_and_tells_the_department(gateway: Gateway) -> None:
    gateway.note(note("dips/01"))
    assert later(gateway, 95) == []
    assert later(gateway, 97) == ["receipt-overdue", "receipt-overdue"]
    assert later(gateway, 98) == []
    gateway.restart()
    assert later(gateway, 110) == []
    (row,) = gateway.rows()
    assert (row.state, row.reason) == (InboundState.DELIVERED, "receipt-overdue")
    assert {s.state for s in gateway.sendings(row.id, SendingKind.NOTE)} == {SendingState.OVERDUE}
    assert events(gateway, row).count("overdue") == 2
    assert later(gateway, 130) == ["deviation-not-taken"]
    (deviation,) = told(gateway)
    assert "ikke bekreftet notatet innen fristen" in deviation.texts[0].text
    assert "8910031" in deviation.texts[0].text
    assert gateway.apprecs(RECORD_SYSTEM) == [], "the receiver has not answered, so nobody answers for it"


def test_a_late_receipt_settles_it_with_one_notice(gateway: Gateway) -> None:
    gateway.note(note("dips/01"))
    (message,) = gateway.messages(MUNICIPALITY)
    (to_gp,) = gateway.messages(GP)
    later(gateway, 97)
    gateway.take(RECORD_SYSTEM)
    with capture_logs() as logs:
        gateway.outside(HOSPITAL, receipt(message), receipt(message))
    assert [line["event"] for line in logs].count("receipt-recovered") == 1
    (row,) = gateway.rows()
    assert row.reason == "receipt-overdue", "the GP is still silent"
    gateway.outside(HOSPITAL, receipt(to_gp, ReceiptStatus.REJECTED, ErrorCode.PATIENT_INSUFFICIENT))
    (row,) = gateway.rows()
    assert (row.state, row.reason) == (InboundState.REFUSED, None)
    assert events(gateway, row).count("receipt-late") == 2
    assert sorted(a.status for a in gateway.apprecs(RECORD_SYSTEM)) == ["1", "2"]


def test_what_was_answered_in_time_is_never_overdue(gateway: Gateway) -> None:
    gateway.note(note("dips/01"))
    for queue in (MUNICIPALITY, GP):
        (message,) = gateway.messages(queue)
        gateway.outside(HOSPITAL, receipt(message))
    assert later(gateway, 1000) == []
    (row,) = gateway.rows()
    assert (row.state, row.reason) == (InboundState.ACKNOWLEDGED, None)


def test_the_deadline_is_the_deployments(gateway: Gateway) -> None:
    text = gateway.config.read_text(encoding="utf-8")
    assert "receipt_deadline_hours = 96.0" in text
    gateway.config.write_text(text.replace("deadline_hours = 96.0", "deadline_hours = 2.0"), encoding="utf-8")
    gateway.close()
    gateway.__post_init__()
    gateway.note(note("dips/01"))
    assert later(gateway, 1) == []
    assert later(gateway, 3) == ["receipt-overdue", "receipt-overdue"]


def test_the_service_looks_by_itself_and_not_at_every_turn(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadlines = gateway.worker.deadlines
    gateway.note(note("dips/01"))
    start = datetime.now(UTC)
    clock: dict[str, datetime] = {"now": start + timedelta(hours=95, minutes=59, seconds=30)}
    deadlines._clock = lambda: clock["now"]
    deadlines._next = None
    looked: list[datetime] = []
    transaction = gateway.worker.journal.transaction
    monkeypatch.setattr(deadlines, "_journal", _Counting(transaction, lambda: looked.append(clock["now"])))
    for _ in range(5):
        gateway.worker.service.step(wait_seconds=0.0)
    assert len(looked) == 1
    clock["now"] += timedelta(minutes=2)
    gateway.settle()
    (row,) = gateway.rows()
    assert row.reason == "receipt-overdue"


class _Counting:
    """A journal whose transactions are counted."""

    def __init__(self, transaction: Callable[[], object], counted: Callable[[], None]) -> None:
        self._transaction = transaction
        self._counted = counted

    def transaction(self) -> object:
        self._counted()
        return self._transaction()


def test_a_resend_without_confirmation_is_the_same_message_until_one_is_confirmed(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue, outbox = gateway.worker.queue, gateway.worker.service._outbox
    publish, tried = queue.publish, []

    def stored_but_not_confirmed(messages: list[tuple[str, object]]) -> list[PublishOutcome]:
        tried.extend(messages)
        publish(messages)  # type: ignore[arg-type]  # what the outbox gave
        return [PublishOutcome.NOT_CONFIRMED for _ in messages]

    gateway.put(gateway.configuration.queues.inbound, note("dips/01"))
    with monkeypatch.context() as patched:
        patched.setattr(queue, "publish", stored_but_not_confirmed)
        gateway.settle()
        for hours in (1, 2):
            patched.setattr(outbox, "_clock", lambda hours=hours: datetime.now(UTC) + timedelta(hours=hours))
            outbox.publish_due()
    monkeypatch.setattr(outbox, "_clock", lambda: datetime.now(UTC) + timedelta(hours=3))
    outbox.publish_due()
    outbox.publish_due()
    got = [d.envelope for d in gateway.take(MUNICIPALITY)]
    assert len(got) == 4
    assert len({(e.message_id, e.body) for e in got}) == 1
    gateway.outside(HOSPITAL, receipt(read_message(parse(got[0].body))))
    (row,) = gateway.rows()
    (sending,) = [s for s in gateway.sendings(row.id, SendingKind.NOTE) if s.queue == MUNICIPALITY]
    assert (sending.state, sending.attempts) == (SendingState.ACKNOWLEDGED, 4)


# --- replies that nobody took ------------------------------------------------------------------------


@pytest.fixture
def reply(gateway: Gateway) -> InboundMessage:
    """A reply of the municipality that lies on the hospital's queue."""
    gateway.note(note("dips/01"))
    (message,) = gateway.messages(MUNICIPALITY)
    gateway.outside(HOSPITAL, written(answer_to(message)))
    (row,) = gateway.rows([InboundKind.REPLY])
    return row


def command(gateway: Gateway, *arguments: str) -> tuple[int, bytes]:
    """The exit code of `pakkehjem replies …`, and its standard output."""
    given = ["replies", *arguments, "-c", str(gateway.config)]
    result = CliRunner().invoke(cli, given, standalone_mode=False)
    if isinstance(result.exception, GatewayError | click.UsageError):
        return result.exception.exit_code, result.stdout_bytes
    assert result.exception is None
    return result.return_value, result.stdout_bytes


def listed(gateway: Gateway) -> list[tuple[str, str, str]]:
    code, out = command(gateway, "list", "--json")
    assert code == EXIT_DONE
    return [(r["id"], r["why"], r["mailbox"]) for r in orjson.loads(out)]


def test_a_reply_that_is_not_taken_alerts_once_is_listed_and_can_be_claimed(
    gateway: Gateway, reply: InboundMessage
) -> None:
    assert listed(gateway) == []
    code, out = command(gateway, "list", "--all", "--json")
    assert [(r["why"], r["mailbox"]) for r in orjson.loads(out)] == [("not-collected", "8900104")]
    assert later(gateway, 23) == []
    assert later(gateway, 25) == ["reply-not-taken"]
    assert later(gateway, 26) == []
    assert listed(gateway) == [(reply.id, "overdue", "8900104")]
    code, out = command(gateway, "list")
    assert code == EXIT_DONE
    assert reply.id[:8].encode() in out
    code, _ = command(gateway, "claim", reply.id[:8], "--reason", "ringt avdelingen")
    assert code == EXIT_DONE
    assert listed(gateway) == []
    (row,) = gateway.rows([InboundKind.REPLY])
    assert (row.state, row.reason) == (InboundState.DISCARDED, "claimed")
    (claimed,) = [e for e in gateway.worker.journal.events(row.id) if e.name == "claimed"]
    assert claimed.detail is not None
    assert claimed.detail["by"]
    (entry,) = [r.entry for r in gateway.worker.journal.audit_log(AuditFilter())]
    assert (entry.action, entry.inbound_id, entry.reason) == ("reply-claim", row.id, "ringt avdelingen")
    assert (entry.who, entry.patient_reference) == (claimed.detail["by"], row.patient_reference)
    code, _ = command(gateway, "claim", reply.id, "--reason", "en gang til")
    assert code == EXIT_NO

    (passed_on,) = gateway.messages(RECORD_SYSTEM)
    gateway.note(receipt(passed_on))
    (row,) = gateway.rows([InboundKind.REPLY])
    assert row.state is InboundState.DISCARDED
    assert "receipt-after-end" in events(gateway, row)


def test_a_hospital_that_takes_a_reply_late_settles_it(gateway: Gateway, reply: InboundMessage) -> None:
    later(gateway, 25)
    (passed_on,) = gateway.messages(RECORD_SYSTEM)
    gateway.note(receipt(passed_on))
    (row,) = gateway.rows([InboundKind.REPLY])
    assert (row.id, row.state, row.reason) == (reply.id, InboundState.ACKNOWLEDGED, None)
    assert listed(gateway) == []


def test_a_reply_is_sent_on_to_another_mailbox_with_the_same_references(
    gateway: Gateway, reply: InboundMessage
) -> None:
    later(gateway, 25)
    (first,) = gateway.messages(RECORD_SYSTEM)
    code, _ = command(gateway, "send-on", reply.id, "--to", "8900101")
    assert code == EXIT_DONE
    gateway.settle()
    (delivery,) = gateway.take(RECORD_SYSTEM)
    assert delivery.envelope.headers["toHerId"] == "8900102"
    second = read_message(parse(delivery.envelope.body))
    assert second.head.msg_id != first.head.msg_id
    assert second.head.conversation == first.head.conversation
    assert second.head.primary is not None
    assert second.head.primary.party.her_id == "8900102"
    assert listed(gateway) == []
    gateway.note(receipt(second))
    (row,) = gateway.rows([InboundKind.REPLY])
    assert (row.state, row.unit) == (InboundState.ACKNOWLEDGED, "8900101")
    assert {"overdue", "sent-on", "closed"} <= set(events(gateway, row))


@pytest.mark.parametrize(("mailbox", "code"), [("8910031", EXIT_USAGE), ("8900104", EXIT_DONE)])
def test_a_reply_that_fits_nothing_is_listed_and_can_be_sent_on_to_a_mailbox_of_the_register(
    gateway: Gateway, mailbox: str, code: int
) -> None:
    gateway.note(note("dips/01"))
    (message,) = gateway.messages(MUNICIPALITY)
    lost = Conversation(parent="nobody-knows", root="nobody-knows")
    gateway.outside(HOSPITAL, written(answer_to(message, reference=lost)))
    ((identifier, why, _),) = listed(gateway)
    assert why == "fits-nothing"
    assert command(gateway, "send-on", identifier, "--to", mailbox)[0] == code
    gateway.settle()
    if code != EXIT_DONE:
        assert gateway.take(RECORD_SYSTEM) == []
        return
    (passed_on,) = gateway.messages(RECORD_SYSTEM)
    assert passed_on.head.conversation is None, "references of the municipality mean nothing to the hospital"
    gateway.note(receipt(passed_on))
    (row,) = gateway.rows([InboundKind.REPLY])
    assert row.state is InboundState.ACKNOWLEDGED


def test_a_reply_that_fits_nothing_can_be_claimed(gateway: Gateway) -> None:
    gateway.note(note("dips/01"))
    (message,) = gateway.messages(MUNICIPALITY)
    lost = Conversation(parent="nobody-knows", root="nobody-knows")
    gateway.outside(HOSPITAL, written(answer_to(message, reference=lost)))
    ((identifier, _, _),) = listed(gateway)
    assert command(gateway, "claim", identifier, "--reason", "  ")[0] == EXIT_USAGE
    assert command(gateway, "claim", identifier, "--reason", "feil pasient")[0] == EXIT_DONE
    (row,) = gateway.rows([InboundKind.REPLY])
    assert (row.state, row.reason) == (InboundState.DISCARDED, "claimed")
    (a_note,) = gateway.rows()
    assert command(gateway, "claim", a_note.id, "--reason", "nei")[0] == EXIT_NO
