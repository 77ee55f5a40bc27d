"""Taking messages: the broker sends ahead, up to a limit for each queue, and here they wait to be taken.

What the owner gives back waits here too, in its place; the broker is not told. RabbitMQ 4 counts what is
given back and drops a message after so many times, and the order of a queue is kept.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from pika.channel import Channel
from pika.frame import Method
from pika.spec import Basic, BasicProperties

from gateway.contracts.fail_points import FailPoint, reached
from gateway.contracts.queues import Delivery, Envelope
from queues.rabbitmq_link import ANSWER_SECONDS, Link, finish
from queues.rabbitmq_values import text

_STEP_SECONDS = 0.002
"""How long the broker may pause within a burst"""
_BURST_SECONDS = 0.25
"""How long is waited for what the broker counts as ready: another consumer may be its taker"""

_CLOSING_SECONDS = 5.0
"""How long the broker may take for an answer when we leave"""

_tags = itertools.count(1)
"""Of deliveries: one of another connection is never mistaken for one of this"""


@dataclass(slots=True)
class _Subscription:
    """A consumer of ours on a queue."""

    queue: str
    limit: int
    """How many messages may be sent ahead"""
    unsettled: int = 0
    arrivals: int = 0
    more: bool = True
    """Whether there may be messages that the broker has not sent yet"""


@dataclass(slots=True)
class _Arrived:
    """A message that the broker has sent and that is not acknowledged."""

    tag: int
    """The channel's"""
    subscription: _Subscription
    envelope: Envelope
    redelivered: bool
    abandoned: int


class Consumer:
    """The taking side of a link."""

    def __init__(self) -> None:
        """For one link."""
        self._changed = threading.Condition()
        self._channel: Any = None
        self._ended = False
        self._subscriptions: dict[str, tuple[str, _Subscription]] = {}
        """By queue, with the consumer tag"""
        self._waiting: dict[str, deque[_Arrived]] = {}
        self._taken: dict[int, _Arrived] = {}
        """By the tag of the delivery"""
        self._unsettled: dict[int, _Arrived] = {}
        """By the channel's tag, in order"""
        self._turn = 0
        self._wanted = 0
        """How many messages more the owner sleeps for: waking it for each one would cost more than they do"""

    @property
    def queues(self) -> frozenset[str]:
        """Those that are consumed."""
        with self._changed:
            return frozenset(self._subscriptions)

    @property
    def arrivals(self) -> dict[str, int]:
        """Of queues from which more may come: how many messages have."""
        with self._changed:
            return {
                name: each.arrivals
                for name, (_, each) in self._subscriptions.items()
                if each.unsettled < each.limit
            }

    def subscribe(self, link: Link, name: str, limit: int) -> bool:
        """Have the broker send up to `limit` messages ahead; whether that is new.

        Raises:
            QueueUnavailableError: the connection is lost.
            LocalError: the broker refuses it.
        """
        with self._changed:
            tag, current = self._subscriptions.get(name, ("", None))
            if current is not None:
                waiting = len(self._waiting.get(name, ()))
                if current.limit - current.unsettled + waiting >= limit:
                    return False
                del self._subscriptions[name]
        subscription = _Subscription(name, limit)

        def begin(future: Future[str]) -> None:
            self._channel.basic_qos(prefetch_count=limit)
            self._channel.basic_consume(
                name,
                lambda _channel, method, properties, body: self._arrive(
                    subscription, method, properties, body
                ),
                callback=lambda frame: finish(future, frame.method.consumer_tag),
            )

        if tag:
            self._cancel(link, tag)
        tag = link.ask(begin)
        with self._changed:
            self._subscriptions[name] = (tag, subscription)
        return True

    def expect(self, names: Sequence[str]) -> None:
        """There is something on these queues that has not come yet."""
        with self._changed:
            for name in names:
                if name in self._subscriptions:
                    self._subscriptions[name][1].more = True

    def wait(self, names: Sequence[str], seconds: float) -> bool:
        """Wait until something is here, or the link is lost; whether something is."""
        with self._changed:
            self._wanted = 1
            self._changed.wait_for(lambda: self._ended or self._count(names) > 0, seconds)
            return self._count(names) > 0

    def fill(self, link: Link, names: Sequence[str], limit: int) -> None:
        """Have here what the broker has ready for us, up to `limit`.

        Raises:
            QueueUnavailableError: the connection is lost.
        """
        for name in names:
            with self._changed:
                _, subscription = self._subscriptions.get(name, ("", None))
            if subscription is not None and subscription.more:
                self._fill_from(link, subscription, limit)

    def choose(self, names: Sequence[str], limit: int) -> list[Delivery]:
        """Take what is here: a share from each queue, then more from those that have more.

        The first queue is another one each time, so that a small limit serves all in turn.
        """
        with self._changed:
            there = [name for name in names if self._waiting.get(name)]
            start = self._turn % max(1, len(there))
            self._turn += 1
            chosen: list[tuple[str, _Arrived]] = []
            share = max(1, limit // max(1, len(there)))
            while there and len(chosen) < limit:
                for name in (*there[start:], *there[:start]):
                    waiting = self._waiting[name]
                    amount = min(share, limit - len(chosen), len(waiting))
                    chosen += [(name, waiting.popleft()) for _ in range(amount)]
                there, start = [name for name in there if self._waiting[name]], 0
            return [self._delivery(name, arrived) for name, arrived in chosen]

    def acknowledge(self, link: Link, deliveries: Sequence[Delivery]) -> None:
        """These are done with. When this returns the broker has read it.

        Raises:
            QueueUnavailableError: the connection is lost; they may come again.
        """
        with self._changed:
            tags = {a.tag for d in deliveries if (a := self._taken.pop(d.tag, None)) is not None}
            if not tags:
                return
            # Up to here nothing else is unsettled: one word for all of them.
            whole = 0
            for tag in self._unsettled:
                if tag not in tags:
                    break
                whole = tag
            for tag in tags:
                self._unsettled.pop(tag).subscription.unsettled -= 1

        def work(future: Future[None]) -> None:
            if whole:
                self._channel.basic_ack(whole, multiple=True)
            for tag in sorted(tag for tag in tags if tag > whole):
                self._channel.basic_ack(tag)
            reached(FailPoint.ACKNOWLEDGEMENT_SENT)
            self._flush(future)

        link.ask(work)

    def requeue(self, deliveries: Sequence[Delivery]) -> None:
        """Give these back to their places."""
        with self._changed:
            for delivery in deliveries:
                if (arrived := self._taken.pop(delivery.tag, None)) is not None:
                    arrived.redelivered = True
                    waiting = self._waiting[delivery.queue]
                    self._waiting[delivery.queue] = deque(
                        sorted((arrived, *waiting), key=lambda each: each.tag)
                    )

    def give_back(self, link: Link) -> None:
        """Everything goes back to the broker, in order, before the connection ends.

        Raises:
            QueueUnavailableError: the connection is lost: then it goes back by itself.
        """
        with self._changed:
            consumers = [tag for tag, _ in self._subscriptions.values()]
            self._subscriptions.clear()
        for tag in consumers:
            self._cancel(link, tag, _CLOSING_SECONDS)

        def work(future: Future[None]) -> None:
            if self._unsettled:
                self._channel.basic_nack(0, multiple=True, requeue=True)
            self._flush(future)

        link.ask(work, _CLOSING_SECONDS)

    # What follows runs on the link's thread.

    def unblocked(self) -> None:
        """Nothing waits for that here."""

    def opened(self, channel: Channel) -> None:
        """Learn the channel."""
        self._channel = channel
        channel.add_on_cancel_callback(self._cancelled)

    def lost(self) -> None:
        """All tags are dead; what was not acknowledged comes again, to somebody."""
        with self._changed:
            self._ended = True
            self._subscriptions.clear()
            self._waiting.clear()
            self._taken.clear()
            self._unsettled.clear()
            self._changed.notify_all()

    def _flush(self, future: Future[None]) -> None:
        """Set the future when the broker has read everything so far: it answers in order."""
        self._channel.basic_qos(prefetch_count=0, callback=lambda _frame: finish(future, None))

    def _arrive(
        self, subscription: _Subscription, method: Basic.Deliver, properties: BasicProperties, body: bytes
    ) -> None:
        arrived = _Arrived(
            method.delivery_tag,
            subscription,
            _envelope(properties, body),
            bool(method.redelivered),
            _abandoned(method, properties),
        )
        with self._changed:
            subscription.unsettled += 1
            subscription.arrivals += 1
            if subscription.unsettled >= subscription.limit:
                subscription.more = True
            self._unsettled[arrived.tag] = arrived
            self._waiting.setdefault(subscription.queue, deque()).append(arrived)
            self._wanted -= 1
            if self._wanted <= 0 or subscription.unsettled >= subscription.limit:
                self._changed.notify_all()
        reached(FailPoint.ARRIVED)

    def _cancelled(self, frame: Method) -> None:
        """The broker has ended a consumer: the queue was deleted, or moved."""
        gone = frame.method.consumer_tag
        with self._changed:
            for name, (tag, _) in list(self._subscriptions.items()):
                if tag == gone:
                    del self._subscriptions[name]
            self._changed.notify_all()

    # What follows runs on the owner's thread.

    def _cancel(self, link: Link, tag: str, seconds: float = ANSWER_SECONDS) -> None:
        def work(future: Future[None]) -> None:
            self._channel.basic_cancel(tag, lambda _frame: finish(future, None))

        link.ask(work, seconds)

    def _count(self, names: Sequence[str]) -> int:
        return sum(len(self._waiting.get(name, ())) for name in names)

    def _fill_from(self, link: Link, subscription: _Subscription, limit: int) -> None:
        name = subscription.queue
        until = time.monotonic() + _BURST_SECONDS
        empty = 0

        def count(future: Future[int]) -> None:
            self._channel.queue_declare(
                name, passive=True, callback=lambda frame: finish(future, frame.method.message_count)
            )

        def complete() -> bool:
            return self._ended or self._count([name]) >= limit or subscription.unsettled >= subscription.limit

        while time.monotonic() < until:
            with self._changed:
                self._wanted = limit - self._count([name])
                if self._changed.wait_for(complete, 0 if empty else _STEP_SECONDS):
                    return
            # What left the queue before an answer is here before the next answer.
            empty = 0 if link.ask(count) else empty + 1
            if empty == 2:
                subscription.more = False
                return

    def _delivery(self, name: str, arrived: _Arrived) -> Delivery:
        tag = next(_tags)
        self._taken[tag] = arrived
        return Delivery(
            queue=name,
            envelope=arrived.envelope,
            tag=tag,
            redelivered=arrived.redelivered,
            abandoned=arrived.abandoned,
        )


_BROKERS_OWN = frozenset({"x-delivery-count", "x-acquired-count", "x-opt-rabbitmq-received-time"})
"""RabbitMQ's counters are no part of the message"""


def _abandoned(method: Basic.Deliver, properties: BasicProperties) -> int:
    """How many takers before are gone.

    RabbitMQ 3.10 counts every return; 4 counts some kinds of return apart, or not at all, and then the mark
    alone says that there was one. Both count what was given back in good order, too.
    """
    count = (properties.headers or {}).get("x-delivery-count")
    known = count if isinstance(count, int) else 0
    return max(known, int(bool(method.redelivered)))


def _envelope(properties: BasicProperties, body: bytes) -> Envelope:
    headers = {
        text(name): text(value) for name, value in (properties.headers or {}).items() if value is not None
    }
    return Envelope(
        body=body,
        message_id=text(properties.message_id),
        headers={name: value for name, value in headers.items() if name not in _BROKERS_OWN},
        content_type=text(properties.content_type) or "text/plain",
        correlation_id=text(properties.correlation_id) or None,
        reply_to=text(properties.reply_to) or None,
    )
