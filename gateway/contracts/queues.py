"""The queue port: what the flow asks of RabbitMQ and of the embedded queue alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, Self

from gateway.contracts.values import value


@value
class Envelope:
    """A message as it travels: bytes with the properties and headers of the health network."""

    body: bytes
    message_id: str
    """AMQP message_id"""
    headers: Mapping[str, str] = field(default_factory=dict)
    """`fromHerId`, `toHerId`, `X-MessageInfo-Type`, … (docs/architecture.md)"""
    content_type: str = "text/plain"
    correlation_id: str | None = None
    reply_to: str | None = None


@value
class Delivery:
    """A message taken from a queue, not yet acknowledged."""

    queue: str
    envelope: Envelope
    tag: int
    """Handle for `acknowledge` and `requeue`; dies with the connection"""
    redelivered: bool
    """True where an earlier taker did not acknowledge it"""
    abandoned: int = 0
    """How many takers before were gone without a word, as far as the broker tells: one of them may have ended
    over it. What this connection itself has given back does not count"""


class PublishOutcome(StrEnum):
    """What the broker said of a message."""

    CONFIRMED = "confirmed"
    """Durably on its queue"""
    UNROUTABLE = "unroutable"
    """There is no such queue; nothing was stored"""
    NOT_CONFIRMED = "not_confirmed"
    """Refused, or the answer is not known: send the same message again"""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStatus:
    """A look at a queue."""

    name: str
    ready: int
    unacknowledged: int | None
    """Taken and not acknowledged, where the broker tells"""
    consumers: int | None
    oldest_seconds: float | None
    """Age of the oldest message, where the broker tells"""


class Queue(Protocol):
    """A connection to a message broker. Not for use by several threads."""

    def declare(self, names: Iterable[str]) -> None:
        """Make the durable queues that are not there yet."""

    def publish(self, messages: Sequence[tuple[str, Envelope]]) -> list[PublishOutcome]:
        """Put messages on queues (name, envelope), durably; an outcome for each, in their order.

        Raises:
            QueueUnavailableError: the broker can not be reached; none is known to be stored.
        """

    def take(self, names: Sequence[str], *, limit: int, wait_seconds: float) -> list[Delivery]:
        """Take what is there, up to `limit`, waiting up to `wait_seconds` for the first.

        Order within a queue is kept. What is not acknowledged when the connection (or its process)
        dies comes again, marked `redelivered`.
        """

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """These are done with: they never come again."""

    def requeue(self, deliveries: Sequence[Delivery]) -> None:
        """Give these back, for another attempt."""

    def status(self, names: Sequence[str] | None = None) -> list[QueueStatus]:
        """How full the queues are (all known ones by default)."""

    def close(self) -> None:
        """Give back what is not acknowledged, and disconnect."""

    def __enter__(self) -> Self:
        """The connection itself."""

    def __exit__(self, *exc: object) -> None:
        """Close."""
