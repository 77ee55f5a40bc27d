"""What no AppRec can answer is told on the sender's error queue; what comes to our own has effect."""

from __future__ import annotations

from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from gateway.contracts.queues import Delivery, Envelope
from gateway.contracts.receipts import ReceiptStatus
from gateway.contracts.records import InboundMessage
from gateway.contracts.states import InboundKind, InboundState, SendingKind, SendingState
from gateway.receipts.remedies import ADVICE, Trouble
from tests.flow.harness import ALL_KINDS, Gateway, note, receipt

HOSPITAL, UNIT, MUNICIPALITY, GP = "8900100", "8900103", "8910031", "8920031"
CMS = "application/pkcs7-mime; smime-type=signed-and-enveloped-data"
GARBAGE = b"<MsgHead><Ola Nordmann"


def put(
    gateway: Gateway,
    queue: str,
    body: bytes,
    headers: dict[str, str] | None = None,
    *,
    content_type: str = "text/plain",
    message_id: str = "transport-id",
) -> None:
    envelope = Envelope(body=body, message_id=message_id, headers=headers or {}, content_type=content_type)
    gateway.worker.queue.publish([(queue, envelope)])
    gateway.settle()


def faults(gateway: Gateway, queue: str) -> list[Delivery]:
    return gateway.take(queue)


class TestTold:
    @pytest.mark.parametrize(
        ("body", "content_type", "condition", "data"),
        [
            (GARBAGE, "text/plain", "transport:not-well-formed-xml", "not-well-formed"),
            (b"\xff\xfe\x00", "text/plain", "transport:not-well-formed-xml", None),
            (b"<!DOCTYPE x><x/>", "text/plain", "transport:unsupported-message", "doctype"),
            (b"<other/>", "text/plain", "transport:unsupported-message", "unsupported-format"),
            (b"%PDF-1.7", "application/pdf", "transport:unsupported-message", None),
            (b"no CMS at all", CMS, "transport:unsupported-message", "cms-not-readable"),
        ],
    )
    def test_a_peer_hears_what_could_not_be_read(
        self, gateway: Gateway, body: bytes, content_type: str, condition: str, data: str | None
    ) -> None:
        put(
            gateway,
            f"{HOSPITAL}_async",
            body,
            {"fromHerId": MUNICIPALITY, "toHerId": UNIT},
            content_type=content_type,
        )
        (fault,) = faults(gateway, f"{MUNICIPALITY}_error")
        headers = fault.envelope.headers
        assert fault.envelope.body == b""
        assert (headers["fromHerId"], headers["toHerId"]) == (UNIT, MUNICIPALITY), "swapped"
        assert headers["originalMessageId"] == "transport-id"
        assert headers["errorCondition"] == condition
        assert data is None or headers["errorConditionData"] == data
        assert headers["errorDescription"].endswith(".")
        assert headers["receiverTimeStamp"] <= headers["applicationTimeStamp"]
        assert "Nordmann" not in str(headers), "no value of the message"
        (row,) = gateway.rows(ALL_KINDS)
        assert row.state is InboundState.REJECTED
        (sent,) = gateway.sendings(row.id, SendingKind.FAULT)
        assert (sent.state, sent.msg_id) == (SendingState.DELIVERED, fault.envelope.message_id)

    def test_a_record_system_hears_on_its_own_error_queue(self, gateway: Gateway) -> None:
        put(gateway, gateway.configuration.queues.inbound, GARBAGE, {"fromHerId": UNIT})
        (fault,) = faults(gateway, f"epj_{HOSPITAL}_error")
        assert fault.envelope.headers["toHerId"] == UNIT
        assert fault.envelope.headers["fromHerId"] == gateway.configuration.gateway.her_id

    def test_the_same_again_is_told_once(self, gateway: Gateway) -> None:
        for _ in range(3):
            put(gateway, f"{HOSPITAL}_async", GARBAGE, {"fromHerId": MUNICIPALITY})
        assert len(faults(gateway, f"{MUNICIPALITY}_error")) == 1

    @pytest.mark.parametrize("headers", [{}, {"fromHerId": "1234567"}, {"fromHerId": "Ola"}])
    def test_nobody_hears_where_the_sender_is_unknown(
        self, gateway: Gateway, headers: dict[str, str]
    ) -> None:
        put(gateway, f"{HOSPITAL}_async", GARBAGE, headers)
        (row,) = gateway.rows(ALL_KINDS)
        assert (row.state, gateway.sendings(row.id)) == (InboundState.REJECTED, [])

    def test_what_an_apprec_answers_gets_no_fault_besides(self, gateway: Gateway) -> None:
        broken = note("dips/01").replace(b"</MsgHead>", b"")
        put(gateway, gateway.configuration.queues.inbound, broken, {"fromHerId": UNIT})
        assert gateway.apprecs(f"epj_{HOSPITAL}")
        assert faults(gateway, f"epj_{HOSPITAL}_error") == []

    def test_a_header_that_names_nobody_of_ours(self, gateway: Gateway) -> None:
        headers = {"fromHerId": MUNICIPALITY, "toHerId": "8910041"}
        put(gateway, f"{HOSPITAL}_async", note("dips/01"), headers)
        (fault,) = faults(gateway, f"{MUNICIPALITY}_error")
        assert fault.envelope.headers["errorCondition"] == "transport:invalid-field-value"
        (row,) = gateway.rows(ALL_KINDS)
        assert (row.state, row.reason) == (InboundState.REJECTED, "invalid-header")

    def test_who_is_named_in_a_forgery_hears_of_it(self, gateway: Gateway) -> None:
        put(gateway, gateway.configuration.queues.inbound, note("dips/01"), {"fromHerId": MUNICIPALITY})
        (fault,) = faults(gateway, f"{MUNICIPALITY}_error")
        assert fault.envelope.headers["errorCondition"] == "abuse:spoofing-attack"
        assert gateway.take(f"epj_{HOSPITAL}") == [], "and nobody else does"


def sent(gateway: Gateway) -> tuple[InboundMessage, str]:
    """A note on its way, and the MsgId of what the municipality got."""
    gateway.note(note("dips/01"))
    (row,) = gateway.rows()
    (sending,) = [s for s in gateway.sendings(row.id, SendingKind.NOTE) if s.receiver == MUNICIPALITY]
    return row, sending.msg_id


def fault_about(msg_id: str, **headers: str) -> dict[str, str]:
    return {
        "fromHerId": MUNICIPALITY,
        "toHerId": UNIT,
        "originalMessageId": msg_id,
        "errorCondition": "transport:expired-certificate",
        "errorDescription": "Ola Nordmann",
        **headers,
    }


class TestReturned:
    def state(self, gateway: Gateway, row: InboundMessage) -> SendingState:
        found = gateway.sendings(row.id, SendingKind.NOTE)
        return next(s.state for s in found if s.receiver == MUNICIPALITY)

    def test_a_fault_makes_the_sending_fail_and_the_department_hears(self, gateway: Gateway) -> None:
        row, msg_id = sent(gateway)
        gateway.take(f"epj_{HOSPITAL}")
        with capture_logs() as logs:
            put(gateway, f"{HOSPITAL}_error", b"", fault_about(msg_id))
        assert self.state(gateway, row) is SendingState.FAILED
        (row,) = gateway.rows()
        assert row.state is InboundState.FAILED
        names = [e.name for e in gateway.worker.journal.events(row.id)]
        assert "transport-fault" in names
        (told,) = gateway.messages(f"epj_{HOSPITAL}")
        assert ADVICE[Trouble.GIVEN_UP].sentence in told.texts[0].text
        assert "Nordmann" not in str(logs)
        (kept,) = gateway.rows([InboundKind.FAULT])
        assert (kept.state, kept.reason) == (InboundState.ACCEPTED, "transport:expired-certificate")
        assert b"Ola Nordmann" in whole(gateway, kept).body, "what the peer wrote is kept, sealed"

    def test_the_same_again_does_nothing(self, gateway: Gateway) -> None:
        row, msg_id = sent(gateway)
        for _ in range(3):
            put(gateway, f"{HOSPITAL}_error", b"", fault_about(msg_id))
        assert len(gateway.rows([InboundKind.FAULT])) == 1
        assert len(gateway.sendings(row.id, SendingKind.DEVIATION)) == 1

    def test_an_apprec_afterwards_knows_better(self, gateway: Gateway) -> None:
        row, msg_id = sent(gateway)
        (message,) = gateway.messages(f"{MUNICIPALITY}_async")
        put(gateway, f"{HOSPITAL}_error", b"", fault_about(msg_id))
        gateway.outside(HOSPITAL, receipt(message, ReceiptStatus.OK))
        assert self.state(gateway, row) is SendingState.ACKNOWLEDGED

    def test_a_fault_after_the_apprec_changes_nothing(self, gateway: Gateway) -> None:
        row, msg_id = sent(gateway)
        (message,) = gateway.messages(f"{MUNICIPALITY}_async")
        gateway.outside(HOSPITAL, receipt(message, ReceiptStatus.OK))
        put(gateway, f"{HOSPITAL}_error", b"", fault_about(msg_id))
        assert self.state(gateway, row) is SendingState.ACKNOWLEDGED
        names = [e.name for e in gateway.worker.journal.events(row.id)]
        assert "fault-contradicts" in names

    @pytest.mark.parametrize(
        ("headers", "reason"),
        [
            ({"fromHerId": GP}, "fault-from-another-party"),
            ({"originalMessageId": "unknown"}, "fault-for-unknown-message"),
            ({"originalMessageId": ""}, "fault-without-reference"),
        ],
    )
    def test_what_does_not_fit_is_kept_and_shown(
        self, gateway: Gateway, headers: dict[str, str], reason: str
    ) -> None:
        row, msg_id = sent(gateway)
        put(gateway, f"{HOSPITAL}_error", b"", fault_about(msg_id) | headers)
        assert self.state(gateway, row) is SendingState.DELIVERED
        (kept,) = gateway.rows([InboundKind.FAULT])
        assert (kept.state, kept.reason) == (InboundState.FAILED, reason)

    def test_there_is_no_error_about_an_error(self, gateway: Gateway) -> None:
        put(gateway, f"{HOSPITAL}_async", GARBAGE, {"fromHerId": MUNICIPALITY})
        (fault,) = faults(gateway, f"{MUNICIPALITY}_error")
        put(gateway, f"{HOSPITAL}_error", GARBAGE, fault_about(fault.envelope.message_id))
        (kept,) = gateway.rows([InboundKind.FAULT])
        assert gateway.sendings(kept.id) == []
        assert faults(gateway, f"{MUNICIPALITY}_error") == []

    def test_a_dead_letter_of_ours_has_failed(self, gateway: Gateway) -> None:
        row, _ = sent(gateway)
        (delivery,) = gateway.take(f"{MUNICIPALITY}_async")
        headers = {**delivery.envelope.headers, "x-first-death-reason": "expired"}
        put(
            gateway,
            f"{HOSPITAL}_dl",
            delivery.envelope.body,
            headers,
            message_id=delivery.envelope.message_id,
        )
        assert self.state(gateway, row) is SendingState.FAILED
        (kept,) = gateway.rows([InboundKind.DEAD_LETTER])
        assert kept.reason == "dead-letter:expired"

    def test_a_dead_letter_that_we_never_had_is_kept_for_a_person(self, gateway: Gateway) -> None:
        body = note("dips/01")
        put(gateway, f"{gateway.configuration.gateway.her_id}_dl", body, {}, message_id=str(uuid4()))
        (kept,) = gateway.rows([InboundKind.DEAD_LETTER])
        assert (kept.state, kept.reason) == (InboundState.FAILED, "dead-letter-for-unknown-message")
        assert whole(gateway, kept).body == body


def whole(gateway: Gateway, row: InboundMessage) -> InboundMessage:
    with gateway.worker.journal.reader() as view:
        found = view.inbound(row.id)
    assert found is not None
    return found
