"""A consumer that the broker has forgotten is found by what is ready on its queue, and made anew."""

from __future__ import annotations

import time
from concurrent.futures import Future
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from gateway.contracts.queues import Delivery
from queues import rabbitmq_watch
from queues.rabbitmq import RabbitQueue
from queues.rabbitmq_link import finish
from queues.rabbitmq_watch import Watch
from tests.queues.brokers import envelope
from tests.queues.test_rabbitmq import ids, rabbit, take


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rabbitmq_watch, "LOOK_SECONDS", 0.3)


def forget(queue: RabbitQueue, name: str) -> None:
    """End a consumer at the broker; ours hears nothing of it."""
    assert queue._taking is not None
    link, consumer, _ = queue._taking
    tag, _ = consumer._subscriptions[name]

    def work(future: Future[None]) -> None:
        consumer._channel.basic_cancel(tag, lambda _frame: finish(future, None))

    link.ask(work)


def take_until(queue: RabbitQueue, *names: str, seconds: float = 60) -> list[Delivery]:
    """As the service takes: again and again."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if got := take(queue, *names, wait=0.2):
            return got
    return []


def test_a_forgotten_consumer_is_made_anew(rabbitmq: str) -> None:
    with rabbit(rabbitmq) as queue, rabbit(rabbitmq) as other, capture_logs() as logs:
        queue.declare(["a", "b"])
        assert take(queue, "a", "b", wait=0) == []
        forget(queue, "a")
        other.publish([("a", envelope("1")), ("a", envelope("2"))])
        assert ids(take_until(queue, "a", "b")) == ["1", "2"]
    told = [each for each in logs if each["event"] == "consumer-forgotten"]
    assert [each["queues"] for each in told] == [["a"]], "once, with the queue"


def test_it_is_found_while_another_queue_is_busy(rabbitmq: str) -> None:
    with rabbit(rabbitmq) as queue, rabbit(rabbitmq) as other:
        queue.declare(["a", "b"])
        assert take(queue, "a", "b", wait=0) == []
        forget(queue, "a")
        other.publish([("a", envelope("wanted"))])
        found: set[str] = set()
        deadline = time.monotonic() + 60
        while "wanted" not in found and time.monotonic() < deadline:
            other.publish([("b", envelope("busy"))])
            got = take(queue, "a", "b", wait=0.2)
            found |= set(ids(got))
            queue.acknowledge(got)
        assert "wanted" in found


def test_what_others_hold_and_what_we_have_no_room_for_is_no_sign(rabbitmq: str) -> None:
    with rabbit(rabbitmq) as queue, capture_logs() as logs:
        queue.declare(["full", "empty"])
        queue.publish([("full", envelope(str(n))) for n in range(20)])
        held = take(queue, "full", "empty", limit=5)
        assert len(held) == 5
        assert queue._taking is not None
        link = queue._taking[0]
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline:
            take(queue, "full", "empty", limit=5, wait=0.1)
        assert not link.lost
    assert logs == []


def test_a_broker_that_gives_nothing_whatever_we_do_is_tried_more_rarely(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    monkeypatch.setattr(rabbitmq_watch, "LOOK_SECONDS", 10.0)
    monkeypatch.setattr(time, "monotonic", lambda: now)
    watch = Watch()
    found = []
    with capture_logs() as logs:
        for second in range(7200):
            now = float(second)
            if watch.forgotten({"q": 0}, lambda _name: 7):
                found.append(second)
        assert len(logs) == 1
        pauses = [later - earlier for earlier, later in pairwise(found)]
        assert pauses == sorted(pauses)
        assert max(pauses) <= 3 * 600
        # It gives again, and forgets us anew: that is told.
        for second in range(7200, 12000):
            now = float(second)
            watch.forgotten({"q": min(9600, second)}, lambda _name: 7)
        assert len(logs) == 2
