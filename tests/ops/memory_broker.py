"""A broker in memory: the queue port without a file, and a place to do mischief."""

from __future__ import annotations

import itertools
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Self

from gateway.contracts.errors import QueueUnavailableError
from gateway.contracts.queues import Delivery, Envelope, PublishOutcome, QueueStatus

Mischief = Callable[[str, Envelope], Iterable[Envelope]]
"""What becomes of an envelope that is put on a queue"""


def honest(name: str, envelope: Envelope) -> Iterator[Envelope]:
    del name
    yield envelope


class MemoryBroker:
    def __init__(self) -> None:
        self.queues: dict[str, deque[tuple[Envelope, bool]]] = {}
        self.published: dict[str, int] = defaultdict(int)

    def connect(
        self, *, mischief: Mischief = honest, before_take: Callable[[], object] = lambda: None
    ) -> MemoryQueue:
        return MemoryQueue(self, mischief, before_take)


class MemoryQueue:
    """A connection; see `gateway.contracts.queues.Queue`."""

    def __init__(self, broker: MemoryBroker, mischief: Mischief, before_take: Callable[[], object]) -> None:
        self._broker = broker
        self._mischief = mischief
        self._before_take = before_take
        self._tags = itertools.count()
        self._taken: dict[int, Delivery] = {}
        self.fail_next: int = 0

    def declare(self, names: Iterable[str]) -> None:
        for name in names:
            self._broker.queues.setdefault(name, deque())

    def publish(self, messages: Sequence[tuple[str, Envelope]]) -> list[PublishOutcome]:
        self._fail()
        outcomes = []
        for name, envelope in messages:
            if name not in self._broker.queues:
                outcomes.append(PublishOutcome.UNROUTABLE)
                continue
            self._broker.published[name] += 1
            self._broker.queues[name].extend((e, False) for e in self._mischief(name, envelope))
            outcomes.append(PublishOutcome.CONFIRMED)
        return outcomes

    def take(self, names: Sequence[str], *, limit: int, wait_seconds: float) -> list[Delivery]:
        self._fail()
        self._before_take()
        deliveries: list[Delivery] = []
        for name in names:
            queue = self._broker.queues.get(name, deque())
            while queue and len(deliveries) < limit:
                envelope, redelivered = queue.popleft()
                delivery = Delivery(
                    queue=name, envelope=envelope, tag=next(self._tags), redelivered=redelivered
                )
                self._taken[delivery.tag] = delivery
                deliveries.append(delivery)
        if not deliveries:
            time.sleep(min(wait_seconds, 0.01))
        return deliveries

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            del self._taken[delivery.tag]

    def requeue(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in reversed(deliveries):
            del self._taken[delivery.tag]
            self._broker.queues[delivery.queue].appendleft((delivery.envelope, True))

    def status(self, names: Sequence[str] | None = None) -> list[QueueStatus]:
        return [
            QueueStatus(name=n, ready=len(q), unacknowledged=0, consumers=None, oldest_seconds=None)
            for n, q in self._broker.queues.items()
            if names is None or n in names
        ]

    def close(self) -> None:
        self.requeue(list(self._taken.values()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _fail(self) -> None:
        if self.fail_next:
            self.fail_next -= 1
            raise QueueUnavailableError
