"""What every implementation of the queue port does."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from itertools import pairwise

import pytest

from gateway.contracts.errors import QueueUnavailableError
from gateway.contracts.queues import Delivery, Envelope, PublishOutcome, Queue, QueueStatus
from tests.queues.brokers import Broker, envelope


def put(queue: Queue, name: str, *ids: str) -> None:
    queue.declare([name])
    outcomes = queue.publish([(name, envelope(each)) for each in ids])
    assert outcomes == [PublishOutcome.CONFIRMED] * len(ids)


def take(queue: Queue, *names: str, limit: int = 100, wait: float = 0) -> list[Delivery]:
    return queue.take(names, limit=limit, wait_seconds=wait)


def ids(deliveries: Sequence[Delivery]) -> list[str]:
    return [each.envelope.message_id for each in deliveries]


def status(queue: Queue, name: str) -> QueueStatus:
    (found,) = queue.status([name])
    return found


class TestPublish:
    def test_an_envelope_comes_back_as_it_was(self, queue: Queue) -> None:
        sent = Envelope(
            body=bytes(range(256)) * 40,
            message_id="æøå-1",
            headers={"toHerId": "1", "X-MessageInfo-Type": "DIALOG_HELSEFAGLIG", "navn": "Ærøskøbing «x»"},
            content_type="application/pkcs7-mime; smime-type=signed-and-enveloped-data",
            correlation_id="c",
            reply_to="1_async",
        )
        queue.declare(["a"])
        queue.publish([("a", sent)])
        (got,) = take(queue, "a")
        assert got.envelope == sent
        assert got.queue == "a"
        assert got.redelivered is False

    def test_empty_body_and_bare_properties(self, queue: Queue) -> None:
        sent = Envelope(body=b"", message_id="1")
        queue.declare(["a"])
        queue.publish([("a", sent)])
        assert take(queue, "a")[0].envelope == sent

    def test_each_message_has_its_outcome(self, queue: Queue) -> None:
        queue.declare(["a", "b"])
        outcomes = queue.publish(
            [("a", envelope("1")), ("nowhere", envelope("2")), ("b", envelope("3")), ("a", envelope("4"))]
        )
        assert outcomes == ["confirmed", "unroutable", "confirmed", "confirmed"]
        assert ids(take(queue, "a")) == ["1", "4"]
        assert ids(take(queue, "b")) == ["3"]

    def test_nothing_is_kept_for_a_queue_that_is_declared_later(self, queue: Queue) -> None:
        assert queue.publish([("late", envelope("1"))]) == [PublishOutcome.UNROUTABLE]
        put(queue, "late", "2")
        assert ids(take(queue, "late")) == ["2"]

    def test_nothing_to_publish(self, queue: Queue) -> None:
        assert queue.publish([]) == []

    def test_declaring_again_keeps_what_is_there(self, queue: Queue) -> None:
        put(queue, "a", "1")
        queue.declare(["a", "a", "b"])
        assert ids(take(queue, "a", "b")) == ["1"]

    def test_messages_outlive_their_publisher(self, broker: Broker) -> None:
        with broker.connect() as publisher:
            put(publisher, "a", "1", "2")
        with broker.connect() as taker:
            got = take(taker, "a")
            assert ids(got) == ["1", "2"]
            assert not any(each.redelivered for each in got)

    def test_the_same_id_twice_is_two_messages(self, queue: Queue) -> None:
        put(queue, "a", "1", "1")
        assert ids(take(queue, "a")) == ["1", "1"]


class TestTake:
    def test_order_and_limit(self, queue: Queue) -> None:
        put(queue, "a", *"12345")
        assert ids(take(queue, "a", limit=2)) == ["1", "2"]
        assert ids(take(queue, "a", limit=2)) == ["3", "4"]
        assert ids(take(queue, "a", limit=2)) == ["5"]
        assert take(queue, "a") == []

    def test_two_takers_share(self, broker: Broker, queue: Queue) -> None:
        put(queue, "a", *"1234")
        with broker.connect() as other:
            assert ids(take(queue, "a", limit=2)) == ["1", "2"]
            assert ids(take(other, "a")) == ["3", "4"]

    def test_several_queues_have_their_shares(self, queue: Queue) -> None:
        put(queue, "full", *(f"f{n}" for n in range(50)))
        put(queue, "small", "s1", "s2", "s3")
        got = ids(take(queue, "full", "small", limit=10))
        assert len(got) == 10
        assert [each for each in got if each.startswith("s")] == ["s1", "s2", "s3"]
        assert [each for each in got if each.startswith("f")] == [f"f{n}" for n in range(7)]

    def test_one_at_a_time_serves_all_in_turn(self, queue: Queue) -> None:
        put(queue, "full", *(f"f{n}" for n in range(20)))
        put(queue, "small", "s1", "s2")
        first = [ids(take(queue, "full", "small", limit=1))[0] for _ in range(6)]
        assert {"s1", "s2"} <= set(first)

    def test_only_the_queues_that_are_named(self, queue: Queue) -> None:
        put(queue, "a", "1")
        put(queue, "b", "2")
        assert ids(take(queue, "b")) == ["2"]

    def test_waits_no_longer_than_asked(self, queue: Queue) -> None:
        queue.declare(["a"])
        begun = time.monotonic()
        assert take(queue, "a", wait=0.2) == []
        assert 0.2 <= time.monotonic() - begun < 2

    def test_does_not_wait_where_something_is_there(self, queue: Queue) -> None:
        put(queue, "a", "1")
        begun = time.monotonic()
        assert ids(take(queue, "a", limit=10, wait=30)) == ["1"]
        assert time.monotonic() - begun < 10

    def test_wakes_soon_when_something_comes(self, broker: Broker, queue: Queue) -> None:
        """The median from publish to take, on a waiting connection: a few milliseconds on a free machine."""
        queue.declare(["a"])
        published: list[float] = []

        def publish_now_and_then() -> None:
            with broker.connect() as publisher:
                for n in range(11):
                    time.sleep(0.05)
                    publisher.publish([("a", envelope(str(n)))])
                    published.append(time.monotonic())

        publisher = threading.Thread(target=publish_now_and_then)
        publisher.start()
        taken = []
        for _ in range(11):
            got = take(queue, "a", limit=1, wait=30)
            taken.append(time.monotonic())
            queue.acknowledge(got)
        publisher.join()
        delays = sorted(t - p for p, t in zip(published, taken, strict=True))
        assert delays[len(delays) // 2] < 0.030

    def test_waiting_does_not_burn_the_processor(self, queue: Queue) -> None:
        queue.declare(["a", "b", "c"])
        used = time.process_time()
        take(queue, "a", "b", "c", wait=1)
        assert time.process_time() - used < 0.15


class TestAcknowledge:
    def test_acknowledged_never_comes_again(self, broker: Broker) -> None:
        with broker.connect() as first:
            put(first, "a", *"123")
            got = take(first, "a")
            first.acknowledge(got[:2])
        with broker.connect() as second:
            (again,) = take(second, "a")
            assert again.envelope.message_id == "3"
            assert again.redelivered

    def test_twice_is_once(self, queue: Queue) -> None:
        put(queue, "a", "1", "2")
        got = take(queue, "a", limit=1)
        queue.acknowledge(got)
        queue.acknowledge(got)
        assert ids(take(queue, "a")) == ["2"]

    def test_a_tag_dies_with_its_connection(self, broker: Broker) -> None:
        with broker.connect() as first:
            put(first, "a", "1")
            stale = take(first, "a")
        with broker.connect() as second:
            fresh = take(second, "a")
            second.acknowledge(stale)
            second.requeue(fresh)
            assert ids(take(second, "a")) == ["1"]

    def test_a_tag_dies_with_its_delivery(self, queue: Queue) -> None:
        put(queue, "a", "1")
        first = take(queue, "a")
        queue.requeue(first)
        second = take(queue, "a")
        queue.acknowledge(first)
        queue.requeue(second)
        third = take(queue, "a")
        assert ids(third) == ["1"]
        assert status(queue, "a").unacknowledged in (1, None)
        queue.acknowledge(third)
        assert status(queue, "a").unacknowledged in (0, None)

    def test_requeued_comes_again_in_its_place(self, queue: Queue) -> None:
        put(queue, "a", *"123")
        got = take(queue, "a", limit=2)
        queue.requeue(got[:1])
        again = take(queue, "a")
        assert ids(again) == ["1", "3"]
        assert [each.redelivered for each in again] == [True, False]

    def test_what_a_closed_connection_held_comes_again(self, broker: Broker, queue: Queue) -> None:
        other = broker.connect()
        put(other, "a", *"123")
        other.acknowledge(take(other, "a", limit=1))
        take(other, "a", limit=1)
        other.close()
        again = take(queue, "a", wait=5)
        assert [(each.envelope.message_id, each.redelivered) for each in again] == [("2", True), ("3", False)]

    def test_what_a_lost_connection_held_comes_again(self, broker: Broker, queue: Queue) -> None:
        other = broker.connect()
        put(other, "a", *"123")
        take(other, "a", limit=2)
        broker.crash(other)
        again = take(queue, "a", wait=5)
        assert ids(again) == ["1", "2", "3"]
        assert [each.redelivered for each in again] == [True, True, False]

    def test_what_takers_were_gone_with_is_told(self, broker: Broker, queue: Queue) -> None:
        queue.declare(["q"])
        queue.publish([("q", envelope("1")), ("q", envelope("2"))])
        for earlier in range(3):
            taker = broker.connect()
            (first, second) = taker.take(["q"], limit=2, wait_seconds=10)
            assert [each.envelope.message_id for each in (first, second)] == ["1", "2"]
            assert (first.abandoned, second.abandoned) == (earlier, earlier)
            broker.crash(taker)

    def test_what_is_given_back_was_not_abandoned(self, queue: Queue) -> None:
        queue.declare(["q"])
        queue.publish([("q", envelope("1"))])
        for _ in range(3):
            (taken,) = queue.take(["q"], limit=1, wait_seconds=10)
            assert taken.abandoned == 0
            queue.requeue([taken])

    def test_a_connection_that_lives_keeps_what_it_took(self, broker: Broker, queue: Queue) -> None:
        put(queue, "a", "1")
        take(queue, "a")
        with broker.connect() as other:
            assert take(other, "a", wait=0.4) == []


class TestStatus:
    def test_counts(self, broker: Broker, queue: Queue) -> None:
        put(queue, "a", *"12345")
        queue.declare(["empty"])
        got = take(queue, "a", limit=3)
        queue.acknowledge(got[:1])
        with broker.connect() as other:
            found = {each.name: each for each in other.status(["a", "empty"])}
        assert set(found) == {"a", "empty"} == {each.name for each in queue.status()}
        assert found["a"].ready in (2, 1), "one may have been sent ahead for the one that was acknowledged"
        assert found["a"].unacknowledged in (2, None)
        assert (found["empty"].ready, found["empty"].unacknowledged) in ((0, 0), (0, None))

    def test_age_where_the_broker_tells(self, queue: Queue) -> None:
        put(queue, "a", "1")
        time.sleep(0.05)
        put(queue, "a", "2")
        age = status(queue, "a").oldest_seconds
        assert age is None or 0.05 <= age < 10
        queue.acknowledge(take(queue, "a"))
        assert status(queue, "a").oldest_seconds is None

    def test_consumers_where_the_broker_tells(self, broker: Broker, queue: Queue) -> None:
        queue.declare(["a"])
        assert status(queue, "a").consumers in (0, None)
        with broker.connect() as other:
            take(other, "a")
            assert status(queue, "a").consumers in (1, None)
        assert status(queue, "a").consumers in (0, None)

    def test_some_queues_only(self, queue: Queue) -> None:
        queue.declare(["a", "b"])
        assert [each.name for each in queue.status(["b", "nowhere"])] == ["b"]


class TestConnection:
    def test_nothing_works_after_close(self, broker: Broker) -> None:
        queue = broker.connect()
        queue.declare(["a"])
        queue.close()
        queue.close()
        with pytest.raises(QueueUnavailableError):
            queue.publish([("a", envelope("1"))])
        with pytest.raises(QueueUnavailableError):
            take(queue, "a")

    def test_large_messages(self, queue: Queue) -> None:
        body = bytes(range(256)) * 4096 * 8
        queue.declare(["a"])
        queue.publish([("a", envelope("1", body))])
        assert take(queue, "a")[0].envelope.body == body

    def test_many_messages_stay_in_order(self, queue: Queue) -> None:
        put(queue, "a", *(f"{n:05}" for n in range(1000)))
        seen: list[str] = []
        while got := take(queue, "a", limit=64):
            seen += ids(got)
            queue.acknowledge(got)
        assert len(seen) == 1000
        assert all(before < after for before, after in pairwise(seen))
