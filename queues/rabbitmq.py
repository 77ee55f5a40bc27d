"""RabbitMQ: durable quorum queues, publisher confirms, messages sent ahead in groups.

Works the same on RabbitMQ 3.10 and 4. Publishing and taking have a connection each: a broker that blocks
publishers (memory or disk alarm) goes on reading our acknowledgements.
"""

from __future__ import annotations

import contextlib
import itertools
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Self, TypeVar

from gateway.contracts.errors import GatewayError, LocalError, QueueUnavailableError
from gateway.contracts.queues import Delivery, Envelope, PublishOutcome, QueueStatus
from queues.rabbitmq_address import Address
from queues.rabbitmq_consumer import Consumer
from queues.rabbitmq_desk import Desk
from queues.rabbitmq_link import Link, Side
from queues.rabbitmq_publisher import Publisher
from queues.rabbitmq_watch import Watch

S = TypeVar("S", bound=Side)

_ROUNDS = 3
"""How often all nodes are tried before a call gives up"""
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0
_LARGE = 4 * 1024 * 1024
"""Bytes"""
_SECONDS_BETWEEN_LOOKS = 1.0
"""Between two looks whether a queue that was not there is there now"""


class RabbitQueue:
    """Connections to a RabbitMQ broker; see `gateway.contracts.queues.Queue`.

    A connection that is lost is made anew by the next call, on the next node of the cluster, with growing
    pauses; what was taken and not acknowledged comes again then, and acknowledging it late is no error.
    """

    def __init__(self, address: Address) -> None:
        """Connect.

        Raises:
            QueueUnavailableError: no node can be reached.
            LocalError: the broker refuses us.
        """
        self._address = address
        self._closed = False
        self._node = random.randrange(len(address.nodes))  # noqa: S311 - spreads the load, no secret
        self._failures = 0
        self._welcome = False
        self._known: dict[str, None] = {}
        self._next_look: dict[str, float] = {}
        self._watch = Watch()
        self._publishing: tuple[Link, Publisher] | None = None
        self._taking: tuple[Link, Consumer, Desk] | None = None
        self._taker()

    def declare(self, names: Iterable[str]) -> None:
        """Make the durable queues that are not there yet; where others manage the broker, look for them.

        Raises:
            QueueUnavailableError: the broker can not be reached.
            LocalError: a queue has other properties or, where others manage them, is not there.
        """
        for name in dict.fromkeys(names):
            _, _, desk = self._taker()
            if self._address.declare:
                desk.declare(name)
            elif desk.look(name) is None:
                raise LocalError(
                    f"The broker has no queue {name}.",
                    hint="queues.declare is false: those who manage the broker make it",
                )
            self._known[name] = None
            self._next_look.pop(name, None)

    def publish(self, messages: Sequence[tuple[str, Envelope]]) -> list[PublishOutcome]:
        """Put messages on queues (name, envelope), with confirms; an outcome for each.

        Raises:
            QueueUnavailableError: the broker can not be reached; none is known to be stored.
            LocalError: the broker refuses us.
        """
        outcomes: list[PublishOutcome] = []
        try:
            for part in _parts(messages):
                link, publisher = self._publisher()
                outcomes += publisher.publish(link, part, self._address.confirm_seconds)
        except QueueUnavailableError:
            if not outcomes:
                raise
            outcomes += [PublishOutcome.NOT_CONFIRMED] * (len(messages) - len(outcomes))
        if self._taking is not None:
            self._taking[1].expect([name for name, _ in messages])
        return outcomes

    def take(self, names: Sequence[str], *, limit: int, wait_seconds: float) -> list[Delivery]:
        """Take what is there, up to `limit`, waiting up to `wait_seconds` for the first.

        From each queue up to `limit` messages are sent ahead; other consumers do not see them. Each queue
        has its share of the limit; what one leaves the others fill. Queues that are not there are empty.

        Raises:
            QueueUnavailableError: the broker can not be reached, after some attempts.
            LocalError: the broker refuses us.
        """
        deadline = time.monotonic() + wait_seconds
        names = list(dict.fromkeys(names))
        while True:
            link, consumer, desk = self._taker()
            try:
                self._subscribe(link, consumer, desk, names, limit)
                consumer.fill(link, names, limit)
                self._watch_over(link, consumer, desk)
            except QueueUnavailableError:
                if time.monotonic() >= deadline:
                    raise
                continue
            left = max(0.0, deadline - time.monotonic())
            # Now and then it is seen whether a queue that is missing is there.
            if self._next_look.keys() & set(names):
                left = min(left, _SECONDS_BETWEEN_LOOKS)
            if consumer.wait(names, left):
                return consumer.choose(names, limit)
            if time.monotonic() >= deadline:
                return []

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """These are done with: they never come again.

        Deliveries of a connection that is lost are left alone: they come again, and that is no error here.
        """
        if self._taking is not None:
            link, consumer, _ = self._taking
            with contextlib.suppress(QueueUnavailableError):
                consumer.acknowledge(link, deliveries)

    def requeue(self, deliveries: Sequence[Delivery]) -> None:
        """Give these back to their places in their queues, for another attempt on this connection."""
        if self._taking is not None:
            self._taking[1].requeue(deliveries)

    def status(self, names: Sequence[str] | None = None) -> list[QueueStatus]:
        """How full the queues are, by name; those that are not there are left out.

        By default those that this connection has declared, published to or taken from: AMQP has no list of
        queues. It does not tell, either, what others have taken, nor the age of messages.
        """
        found = []
        for name in sorted(set(self._known if names is None else names)):
            _, _, desk = self._taker()
            if (seen := desk.look(name)) is not None:
                found.append(
                    QueueStatus(
                        name=name, ready=seen[0], unacknowledged=None, consumers=seen[1], oldest_seconds=None
                    )
                )
        return found

    def close(self) -> None:
        """Give back what is not acknowledged, and disconnect."""
        self._closed = True
        if self._taking is not None:
            link, consumer, _ = self._taking
            # Where this fails the broker sees that the connection is gone, and does it.
            with contextlib.suppress(GatewayError):
                consumer.give_back(link)
            link.close()
            self._taking = None
        if self._publishing is not None:
            self._publishing[0].close()
            self._publishing = None

    def __enter__(self) -> Self:
        """The connection itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close."""
        self.close()

    def _subscribe(
        self, link: Link, consumer: Consumer, desk: Desk, names: Sequence[str], limit: int
    ) -> None:
        """Consume the queues that are there."""
        now = time.monotonic()
        there = consumer.queues
        for name in names:
            if name not in there:
                if now < self._next_look.get(name, 0.0):
                    continue
                if desk.look(name) is None:
                    self._next_look[name] = now + _SECONDS_BETWEEN_LOOKS
                    continue
                self._next_look.pop(name, None)
                self._known[name] = None
            consumer.subscribe(link, name, limit)

    def _watch_over(self, link: Link, consumer: Consumer, desk: Desk) -> None:
        """Give the connection up where the broker has forgotten a consumer of ours.

        Raises:
            QueueUnavailableError: it was given up, or lost.
        """

        def ready(name: str) -> int:
            found = desk.look(name)
            return found[0] if found is not None else 0

        if self._watch.forgotten(consumer.arrivals, ready):
            link.abort()
            raise QueueUnavailableError("The broker has forgotten a consumer.")

    def _taker(self) -> tuple[Link, Consumer, Desk]:
        """The connection that takes; a new one where it is lost."""
        if self._taking is None or self._taking[0].lost:
            if self._taking is not None:
                self._taking[0].close()
                self._taking = None
            link, consumer = self._connected(Consumer, "taking")
            self._taking = (link, consumer, Desk(link))
        return self._taking

    def _publisher(self) -> tuple[Link, Publisher]:
        """The connection that publishes; a new one where it is lost."""
        if self._publishing is None or self._publishing[0].lost:
            if self._publishing is not None:
                self._publishing[0].close()
                self._publishing = None
            self._publishing = self._connected(Publisher, "publishing")
        return self._publishing

    def _connected(self, make: Callable[[], S], role: str) -> tuple[Link, S]:
        """A new connection: every node in turn, some rounds, with pauses that grow from call to call."""
        if self._closed:
            raise QueueUnavailableError("The connection to the broker is closed.")
        attempts = _ROUNDS * len(self._address.nodes)
        for attempt in range(1, attempts + 1):
            node = self._address.nodes[self._node % len(self._address.nodes)]
            side = make()
            try:
                link = Link(
                    self._address.parameters(node, role), side, seconds=3 * self._address.connect_seconds
                )
            except (QueueUnavailableError, LocalError) as error:
                if isinstance(error, LocalError) and not self._welcome:
                    raise
                # A broker that has taken us before and refuses us now is one that is just starting.
                self._node += 1
                self._failures += 1
                if attempt == attempts:
                    raise QueueUnavailableError(error.message, hint=error.hint) from None
                if attempt % len(self._address.nodes) == 0:
                    pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(self._failures, 10))
                    time.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - not all at the same moment
            else:
                self._failures = 0
                self._welcome = True
                return link, side
        raise AssertionError  # pragma: no cover - the last attempt returns or raises


def _parts(messages: Sequence[tuple[str, Envelope]]) -> Iterator[list[tuple[str, Envelope]]]:
    """The messages in their order, each large one by itself.

    A broker that does not take one for its size (RabbitMQ 4 draws the line at 16 MiB) closes the channel, and
    the others are not to suffer for it.
    """
    for large, part in itertools.groupby(messages, lambda each: len(each[1].body) > _LARGE):
        if large:
            yield from ([each] for each in part)
        else:
            yield list(part)
