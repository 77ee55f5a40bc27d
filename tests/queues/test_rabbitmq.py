"""What is particular to RabbitMQ, on a real one."""

from __future__ import annotations

import math
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pika
import pika.data
import pytest

from gateway.contracts.errors import GatewayError, LocalError, QueueUnavailableError
from gateway.contracts.queues import Delivery, Envelope, PublishOutcome
from queues import connect
from queues.rabbitmq import RabbitQueue
from queues.rabbitmq_values import text
from tests.queues.brokers import envelope
from tests.queues.proxy import Proxy

QUORUM = {"x-queue-type": "quorum"}


@contextmanager
def raw(url: str) -> Iterator[Any]:
    """A channel without our code."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    try:
        yield connection.channel()
    finally:
        connection.close()


@contextmanager
def rabbit(url: str, **settings: object) -> Iterator[RabbitQueue]:
    query = "&".join(f"{key}={value}" for key, value in settings.items())
    with connect(urlunsplit(urlsplit(url)._replace(query=query))) as queue:
        assert isinstance(queue, RabbitQueue)
        yield queue


def ids(deliveries: list[Delivery]) -> list[str]:
    return [each.envelope.message_id for each in deliveries]


def take(queue: RabbitQueue, *names: str, limit: int = 100, wait: float = 5) -> list[Delivery]:
    return queue.take(names, limit=limit, wait_seconds=wait)


class TestPublish:
    def test_what_others_see(self, rabbitmq: str) -> None:
        with rabbit(rabbitmq) as queue, raw(rabbitmq) as channel:
            queue.declare(["a"])
            sent = Envelope(
                body=b"<xml/>",
                message_id="m",
                headers={"fromHerId": "8095225", "applicationTimeStamp": "2026-01-01T00:00:00+01:00"},
                correlation_id="c",
                reply_to="8095225_async",
            )
            queue.publish([("a", sent)])
            _, properties, body = channel.basic_get("a", auto_ack=True)
        assert body == sent.body
        assert {name: properties.headers[name] for name in sent.headers} == sent.headers
        assert properties.delivery_mode == 2, "on the disk"
        assert abs(properties.timestamp - time.time()) < 60
        assert (properties.message_id, properties.correlation_id) == ("m", "c")
        assert (properties.reply_to, properties.content_type) == ("8095225_async", "text/plain")

    def test_a_full_queue_refuses(self, rabbitmq: str) -> None:
        arguments = {**QUORUM, "x-max-length": 2, "x-overflow": "reject-publish"}
        with rabbit(rabbitmq) as queue, raw(rabbitmq) as channel:
            channel.queue_declare("full", durable=True, arguments=arguments)
            queue.declare(["a"])
            # The broker looks at the length some messages late.
            outcomes = []
            for number in range(40):
                outcomes += queue.publish([("full", envelope(f"f{number}")), ("a", envelope(f"a{number}"))])
            stored = [f"f{n}" for n in range(40) if outcomes[2 * n] is PublishOutcome.CONFIRMED]
            assert PublishOutcome.NOT_CONFIRMED in outcomes[::2]
            assert set(outcomes[1::2]) == {PublishOutcome.CONFIRMED}, "another queue is not concerned"
            assert ids(take(queue, "full")) == stored

    def test_same_id_known_and_unknown_queue(self, rabbitmq: str) -> None:
        with rabbit(rabbitmq) as queue:
            queue.declare(["a"])
            outcomes = queue.publish([(name, envelope("same")) for name in ("a", "no", "a", "no", "never")])
            assert outcomes == ["confirmed", "unroutable", "confirmed", "unroutable", "unroutable"]

    def test_many_unroutable_among_many(self, rabbitmq: str) -> None:
        names = ["a" if number % 3 else "nowhere" for number in range(900)]
        with rabbit(rabbitmq) as queue:
            queue.declare(["a"])
            outcomes = queue.publish([(name, envelope(str(n % 7))) for n, name in enumerate(names)])
            assert outcomes == ["confirmed" if name == "a" else "unroutable" for name in names]

    def test_what_amqp_has_no_room_for_does_not_hold_up_the_others(self, rabbitmq: str) -> None:
        long = Envelope(body=b"", message_id="2", correlation_id="x" * 256)
        with rabbit(rabbitmq) as queue:
            queue.declare(["a"])
            outcomes = queue.publish([("a", envelope("1")), ("a", long), ("a", envelope("3"))])
            assert outcomes == ["confirmed", "not_confirmed", "confirmed"]
            assert ids(take(queue, "a")) == ["1", "3"]

    def test_a_message_that_is_too_large_does_not_hold_up_the_others(self, rabbitmq: str) -> None:
        large = envelope("large", b"x" * (17 * 1024 * 1024))
        with rabbit(rabbitmq) as queue:
            queue.declare(["a"])
            assert queue.publish([("a", large)]) == ["not_confirmed"]
            outcomes = queue.publish([("a", envelope("1")), ("a", large), ("a", large), ("a", envelope("2"))])
            assert outcomes == ["confirmed", "not_confirmed", "not_confirmed", "confirmed"]
            assert ids(take(queue, "a")) == ["1", "2"]


class TestTake:
    def test_what_peers_write(self, rabbitmq: str) -> None:
        with rabbit(rabbitmq) as queue, raw(rabbitmq) as channel:
            queue.declare(["a"])
            channel.basic_publish("", "a", b"bare")
            headers = {"n": 8095225, "yes": True, "raw": b"\xff", "none": None, "list": [1], "ø": "å"}
            channel.basic_publish("", "a", b"odd", pika.BasicProperties(headers=headers))
            bare, odd = take(queue, "a", limit=2)
        assert bare.envelope == Envelope(body=b"bare", message_id="")
        assert odd.envelope.headers == {
            "n": "8095225", "yes": "true", "raw": "\N{REPLACEMENT CHARACTER}", "list": "[1]", "ø": "å"
        }  # fmt: skip

    def test_text_that_is_no_utf_8(self, rabbitmq: str) -> None:
        properties = pika.BasicProperties(message_id=b"\xe6-1", reply_to=b"\xff", headers={b"\xf8": b"\xe5"})
        with rabbit(rabbitmq) as queue, raw(rabbitmq) as channel:
            queue.declare(["a"])
            channel.basic_publish("", "a", b"", properties)
            (got,) = take(queue, "a")
        odd = "\N{REPLACEMENT CHARACTER}"
        assert got.envelope == Envelope(body=b"", message_id=f"{odd}-1", reply_to=odd, headers={odd: odd})

    def test_times_and_numbers_that_pika_can_not_read(self) -> None:
        """One such message would cost connection after connection."""
        table = b"\x01t" + b"T" + struct.pack(">Q", 1_760_000_000_000)
        table += b"\x01f" + b"f" + struct.pack(">f", math.nan)
        table += b"\x01l" + b"A" + struct.pack(">I", 9) + b"d" + struct.pack(">d", math.inf)
        table += b"\x01s" + b"S" + struct.pack(">I", 2) + b"ok"
        found, end = pika.data.decode_table(struct.pack(">I", len(table)) + table, 0)
        assert end == len(table) + 4
        assert {name: text(value) for name, value in found.items()} == {
            "t": "1760000000000", "f": "nan", "l": "[inf]", "s": "ok"
        }  # fmt: skip

    def test_what_is_given_back_does_not_count_at_the_broker(self, rabbitmq: str) -> None:
        """RabbitMQ 4 drops a message that came back 20 times, where the queue does not say otherwise."""
        with rabbit(rabbitmq) as queue, raw(rabbitmq) as channel:
            channel.queue_declare("a", durable=True, arguments={**QUORUM, "x-delivery-limit": 1})
            queue.publish([("a", envelope("1"))])
            for number in range(30):
                (got,) = take(queue, "a")
                assert got.redelivered == (number > 0)
                queue.requeue([got])

    def test_a_queue_that_is_made_later(self, rabbitmq: str) -> None:
        with rabbit(rabbitmq) as queue, rabbit(rabbitmq) as other:
            assert take(queue, "late", wait=0) == []
            other.declare(["late"])
            other.publish([("late", envelope("1"))])
            assert ids(take(queue, "late")) == ["1"]

    def test_a_queue_that_is_deleted_under_us(self, rabbitmq: str) -> None:
        with rabbit(rabbitmq) as queue, raw(rabbitmq) as channel:
            queue.declare(["a", "b"])
            queue.publish([("a", envelope("1"))])
            held = take(queue, "a", "b")
            channel.queue_delete("a")
            assert queue.publish([("a", envelope("2"))]) == ["unroutable"]
            queue.acknowledge(held)
            queue.publish([("b", envelope("3"))])
            assert ids(take(queue, "a", "b")) == ["3"]
            queue.declare(["a"])
            queue.publish([("a", envelope("4"))])
            assert ids(take(queue, "a", "b")) == ["4"]

    def test_acknowledged_in_any_order(self, rabbitmq: str) -> None:
        with rabbit(rabbitmq) as queue:
            queue.declare(["a", "b"])
            queue.publish([(name, envelope(f"{name}{n}")) for n in range(10) for name in "ab"])
            got = {each.envelope.message_id: each for each in take(queue, "a", "b", limit=20)}
            assert len(got) == 20
            queue.acknowledge([got[each] for each in ("b3", "a0", "b0", "a1", "a9")])
        with rabbit(rabbitmq) as queue:
            again = ids(take(queue, "a", "b", limit=20))
            assert [each for each in again if each[0] == "a"] == [f"a{n}" for n in range(2, 9)]
            assert [each for each in again if each[0] == "b"] == [f"b{n}" for n in (1, 2, *range(4, 10))]

    def test_a_caller_that_works_long_keeps_its_connection(self, rabbitmq: str) -> None:
        with Proxy(rabbitmq) as proxy, rabbit(proxy.url, heartbeat=1) as queue:
            queue.declare(["a"])
            queue.publish([("a", envelope("1"))])
            got = take(queue, "a")
            time.sleep(4)
            assert proxy.connections == 2
            queue.acknowledge(got)
            assert queue.publish([("a", envelope("2"))]) == ["confirmed"]
            assert proxy.connections == 2
            assert [(each.envelope.message_id, each.redelivered) for each in take(queue, "a")] == [
                ("2", False)
            ]


class TestConnectionLost:
    def test_what_was_taken_comes_again_and_late_words_are_no_error(self, rabbitmq: str) -> None:
        with Proxy(rabbitmq) as proxy, rabbit(proxy.url) as queue:
            queue.declare(["a"])
            queue.publish([("a", envelope(each)) for each in "123"])
            got = take(queue, "a", limit=2)
            proxy.cut()
            queue.acknowledge(got[:1])
            queue.requeue(got[1:])
            again = take(queue, "a")
            while len(again) < 3:
                again += take(queue, "a")
            assert ids(again) == ["1", "2", "3"]
            assert [each.redelivered for each in again[:2]] == [True, True]
            queue.acknowledge(again)
            assert take(queue, "a", wait=0.1) == []

    @pytest.mark.parametrize("size", [1, 500, 20_000, 400_000])
    def test_cut_in_the_middle_of_publishing(self, rabbitmq: str, size: int) -> None:
        with Proxy(rabbitmq) as proxy, rabbit(proxy.url) as queue, rabbit(rabbitmq) as other:
            queue.declare(["a"])
            queue.publish([("a", envelope("first"))])
            messages = [("a", envelope(str(number), b"x" * 8000)) for number in range(100)]
            proxy.cut_after(size)
            try:
                outcomes = queue.publish(messages)
            except QueueUnavailableError:
                outcomes = [PublishOutcome.NOT_CONFIRMED] * 100
            assert PublishOutcome.NOT_CONFIRMED in outcomes
            assert PublishOutcome.UNROUTABLE not in outcomes
            confirmed = {str(n) for n, outcome in enumerate(outcomes) if outcome is PublishOutcome.CONFIRMED}
            assert queue.publish([("a", envelope("last"))]) == ["confirmed"]
            there = ids(take(other, "a", limit=200))
            assert confirmed <= set(there)
            assert (there[0], there[-1]) == ("first", "last")

    def test_a_broker_that_says_nothing(self, rabbitmq: str) -> None:
        with Proxy(rabbitmq) as proxy, rabbit(proxy.url, confirm_seconds=0.3, heartbeat=60) as queue:
            queue.declare(["a"])
            assert queue.publish([("a", envelope("1"))]) == ["confirmed"]
            proxy.silent = True
            try:
                assert queue.publish([("a", envelope("2"))]) == ["not_confirmed"]
            finally:
                proxy.silent = False
            assert queue.publish([("a", envelope("2"))]) == ["confirmed"]

    def test_a_silent_connection_is_given_up(self, rabbitmq: str) -> None:
        with Proxy(rabbitmq) as proxy, rabbit(proxy.url, heartbeat=1) as queue:
            queue.declare(["a"])
            proxy.silent = True
            lost = queue._taking
            assert lost is not None
            deadline = time.monotonic() + 10
            while not lost[0].lost and time.monotonic() < deadline:
                time.sleep(0.05)
            assert lost[0].lost
            proxy.silent = False
            queue.publish([("a", envelope("1"))])
            assert ids(take(queue, "a")) == ["1"]

    def test_waiting_goes_on_over_a_lost_connection(self, rabbitmq: str) -> None:
        with Proxy(rabbitmq) as proxy, rabbit(proxy.url) as queue, rabbit(rabbitmq) as other:
            queue.declare(["a"])
            assert take(queue, "a", wait=0) == []
            proxy.cut()
            other.publish([("a", envelope("1"))])
            assert ids(take(queue, "a")) == ["1"]

    def test_no_broker_at_all(self, rabbitmq: str) -> None:
        with Proxy(rabbitmq) as proxy, rabbit(proxy.url) as queue:
            queue.declare(["a"])
            proxy.close()
            begun = time.monotonic()
            with pytest.raises(QueueUnavailableError):
                take(queue, "a", wait=0)
            with pytest.raises(QueueUnavailableError):
                queue.publish([("a", envelope("1"))])
            assert time.monotonic() - begun < 10

    def test_pauses_grow_to_a_cap_and_differ(self, rabbitmq: str, monkeypatch: pytest.MonkeyPatch) -> None:
        pauses: list[float] = []
        with Proxy(rabbitmq) as proxy, rabbit(proxy.url) as queue:
            queue.declare(["a"])
            proxy.close()
            monkeypatch.setattr(time, "sleep", pauses.append)
            for _ in range(6):
                with pytest.raises(QueueUnavailableError):
                    queue.status(["a"])
        assert len(pauses) >= 10
        assert max(pauses[:2]) < 1 <= min(pauses[6:]) <= max(pauses) <= 2, "capped"
        assert len(set(pauses)) == len(pauses), "no two clients at the same moments"


class TestConnect:
    def test_the_next_node_of_a_cluster(self, rabbitmq: str) -> None:
        parts = urlsplit(rabbitmq)
        user, _, host = parts.netloc.rpartition("@")
        nodes = f"{user}@127.0.0.1:1,{host}"
        for _ in range(4):
            with rabbit(urlunsplit(parts._replace(netloc=nodes))) as queue:
                queue.declare(["a"])
                assert queue.publish([("a", envelope("1"))]) == ["confirmed"]

    @pytest.mark.parametrize(
        ("user", "vhost"), [("pakkehjem:secret-word", None), ("nobody:secret-word", None), (None, "/nowhere")]
    )
    def test_refused(self, rabbitmq: str, user: str | None, vhost: str | None) -> None:
        parts = urlsplit(rabbitmq)
        was, _, host = parts.netloc.rpartition("@")
        url = urlunsplit(parts._replace(netloc=f"{user or was}@{host}", path=vhost or parts.path))
        with pytest.raises(LocalError, match="The broker refuses") as raised:
            connect(url)
        assert "secret-word" not in str(raised.value)

    def test_nobody_there(self) -> None:
        with pytest.raises(QueueUnavailableError, match="can not be reached"):
            connect("amqp://guest:guest@127.0.0.1:1/")

    def test_no_thread_is_left_behind(self, rabbitmq: str) -> None:
        with rabbit(rabbitmq) as queue:
            queue.declare(["a"])
            queue.publish([("a", envelope("1"))])
            assert queue._taking is not None
            assert queue._publishing is not None
            threads = [queue._taking[0]._thread, queue._publishing[0]._thread]
            assert all(each.is_alive() for each in threads)
        assert not any(each.is_alive() for each in threads)


class TestTopology:
    @pytest.mark.parametrize("arguments", [{}, QUORUM, {**QUORUM, "x-max-length": 5}], ids=str)
    def test_other_properties_are_told_with_the_name(self, rabbitmq: str, arguments: dict[str, Any]) -> None:
        with rabbit(rabbitmq) as queue, raw(rabbitmq) as channel:
            channel.queue_declare("mine", durable=True, arguments=arguments)
            with pytest.raises(LocalError, match="The queue mine is there with other properties") as raised:
                queue.declare(["a", "mine", "b"])
            assert raised.value.hint is not None
            queue.declare(["b"])
            assert queue.publish([("mine", envelope("1"))]) == ["confirmed"]
            assert ids(take(queue, "mine")) == ["1"], "it can be used all the same"

    def test_only_looked_for(self, rabbitmq: str) -> None:
        with rabbit(rabbitmq) as maker, rabbit(rabbitmq, declare="false") as queue:
            maker.declare(["a"])
            queue.declare(["a"])
            with pytest.raises(LocalError, match="no queue missing"):
                queue.declare(["a", "missing"])
            assert [each.name for each in queue.status(["a", "missing"])] == ["a"]
            assert queue.publish([("missing", envelope("1"))]) == ["unroutable"]

    def test_errors_are_ours(self, rabbitmq: str) -> None:
        with rabbit(rabbitmq) as queue, pytest.raises(GatewayError):
            queue.declare(["amq.reserved"])
