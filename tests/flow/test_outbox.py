"""What the broker does not take is tried again, and given up only after the deadline."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.contracts.errors import QueueUnavailableError
from gateway.contracts.queues import Envelope, PublishOutcome
from gateway.contracts.records import Sending
from gateway.contracts.states import InboundState, SendingKind, SendingState
from gateway.pipeline.outbox import Outbox, RetrySettings, decide_retry
from tests.flow.harness import Gateway, note

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def sending(attempts: int, age: timedelta) -> Sending:
    return Sending(
        id="s",
        inbound_id="i",
        kind=SendingKind.NOTE,
        state=SendingState.PENDING,
        receiver="8910031",
        attempts=attempts,
        created_at=NOW - age,
    )


@given(st.integers(0, 200))
def test_pauses_grow_to_the_longest(attempts: int) -> None:
    settings = RetrySettings()
    pause = decide_retry(sending(attempts, timedelta(hours=1)), NOW, settings).at
    after = decide_retry(sending(attempts + 1, timedelta(hours=1)), NOW, settings).at
    assert pause is not None
    assert after is not None
    assert settings.first <= pause - NOW <= after - NOW <= settings.longest


@given(st.timedeltas(timedelta(hours=72), timedelta(days=365)))
def test_what_is_too_old_is_given_up(age: timedelta) -> None:
    assert decide_retry(sending(1, age), NOW, RetrySettings()).at is None


@pytest.mark.parametrize("outcome", [PublishOutcome.UNROUTABLE, PublishOutcome.NOT_CONFIRMED])
def test_what_is_not_confirmed_is_never_taken_as_sent(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, outcome: PublishOutcome
) -> None:
    queue, outbox = gateway.worker.queue, gateway.worker.service._outbox
    publish = queue.publish

    def refuses(messages: Sequence[tuple[str, Envelope]]) -> list[PublishOutcome]:
        return [outcome for _ in messages]

    gateway.put(gateway.configuration.queues.inbound, note("dips/01"))
    monkeypatch.setattr(queue, "publish", refuses)
    gateway.settle()
    (row,) = gateway.rows()
    assert row.state is InboundState.SENDING
    waiting = gateway.sendings(row.id, SendingKind.NOTE)
    assert {(s.state, s.attempts, s.error) for s in waiting} == {(SendingState.PENDING, 1, outcome.value)}
    monkeypatch.setattr(queue, "publish", publish)
    assert outbox.publish_due() == 0
    monkeypatch.setattr(outbox, "_clock", lambda: datetime.now(UTC) + timedelta(hours=1))
    assert outbox.publish_due() == 2
    assert gateway.rows()[0].state is InboundState.DELIVERED


def test_a_sending_that_is_given_up_shows_on_its_message(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox: Outbox = gateway.worker.service._outbox
    gateway.put(gateway.configuration.queues.inbound, note("dips/01"))
    monkeypatch.setattr(
        gateway.worker.queue, "publish", lambda messages: [PublishOutcome.UNROUTABLE for _ in messages]
    )
    gateway.settle()
    monkeypatch.setattr(outbox, "_clock", lambda: datetime.now(UTC) + timedelta(days=30))
    outbox.publish_due()
    (row,) = gateway.rows()
    assert row.state is InboundState.FAILED
    assert {s.state for s in gateway.sendings(row.id, SendingKind.NOTE)} == {SendingState.FAILED}


def test_a_group_that_could_not_be_kept_comes_again(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = gateway.worker.service
    gateway.put(gateway.configuration.queues.inbound, note("dips/01"))

    def unreachable(_deliveries: object) -> None:
        raise QueueUnavailableError

    with monkeypatch.context() as patched:
        patched.setattr(service._flow, "process", unreachable)
        with pytest.raises(QueueUnavailableError):
            service.step(wait_seconds=0.0)
    gateway.settle()
    assert [r.state for r in gateway.rows()] == [InboundState.DELIVERED]
