"""Queues: the embedded one, and RabbitMQ."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from gateway.contracts.errors import ConfigurationError
from gateway.contracts.queues import Queue
from queues.embedded import EmbeddedQueue


def _embedded(url: SplitResult) -> Queue:
    path = unquote(url.path)
    if url.netloc or not path.strip("/"):
        raise ConfigurationError("The URL of an embedded queue names a file: embedded:///path/to/file.")
    return EmbeddedQueue(Path("/" + path.lstrip("/")))


def _rabbitmq(url: SplitResult) -> Queue:
    # Not on top: only those that use a broker pay for the library.
    from queues.rabbitmq import RabbitQueue  # noqa: PLC0415
    from queues.rabbitmq_address import Address  # noqa: PLC0415

    return RabbitQueue(Address.of(url))


SCHEMES: dict[str, Callable[[SplitResult], Queue]] = {
    "embedded": _embedded,
    "amqp": _rabbitmq,
    "amqps": _rabbitmq,
}
"""What opens a connection, by the scheme of the URL."""


def connect(url: str) -> Queue:
    """A connection to a message broker: `embedded:///path/to/file`, `amqps://user:password@host/vhost`.

    Raises:
        ConfigurationError: the URL can not be used. Its text does not show it: it may hold a password.
        QueueUnavailableError: the broker can not be reached.
        LocalError: the broker refuses us.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ConfigurationError("The queue's URL can not be read.") from None
    if parts.scheme not in SCHEMES:
        known = ", ".join(f"{scheme}://" for scheme in sorted(SCHEMES))
        raise ConfigurationError(f"No queue is known for {parts.scheme or 'no scheme'!r}; known: {known}.")
    return SCHEMES[parts.scheme](parts)
