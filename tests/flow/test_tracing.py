"""One message can be followed: by its trace in everything that is sent because of it."""

from __future__ import annotations

from gateway.contracts.queues import Envelope
from gateway.contracts.states import SendingKind
from gateway.contracts.tracing import TRACEPARENT
from tests.flow.harness import Gateway, note

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def test_the_trace_of_a_message_goes_on_to_its_receivers(gateway: Gateway) -> None:
    header = {TRACEPARENT: f"00-{TRACE}-00f067aa0ba902b7-01"}
    envelope = Envelope(body=note("dips/01"), message_id="m", headers=header)
    gateway.worker.queue.publish([(gateway.configuration.queues.inbound, envelope)])
    gateway.settle()
    (row,) = gateway.rows()
    sendings = gateway.sendings(row.id, SendingKind.NOTE)
    assert len(sendings) == 2
    carried = []
    for sending in sendings:
        (delivery,) = gateway.take(sending.queue)
        carried.append(delivery.envelope.headers[TRACEPARENT])
    assert all(each.startswith(f"00-{TRACE}-") for each in carried)
    assert len(set(carried)) == 2


def test_a_message_without_one_begins_it(gateway: Gateway) -> None:
    gateway.note(note("dips/01"))
    (row,) = gateway.rows()
    for sending in gateway.sendings(row.id, SendingKind.NOTE):
        assert (sending.headers or {})[TRACEPARENT].startswith(f"00-{row.id.replace('-', '')}-")
