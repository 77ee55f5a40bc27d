"""The brokers that the queue tests run on: they give connections, and lose them as dead processes do."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Protocol

from gateway.contracts.queues import Envelope, Queue
from queues import connect
from queues.embedded import EmbeddedQueue
from queues.rabbitmq import RabbitQueue


class Broker(Protocol):
    """A broker with no queues yet."""

    @property
    def url(self) -> str:
        """What `queues.connect` takes."""

    @property
    def atomic(self) -> bool:
        """Whether the messages of one call are stored as a whole or not at all."""

    def connect(self) -> Queue:
        """A new connection."""

    def crash(self, queue: Queue) -> None:
        """Lose a connection without a word, and wait until the broker knows."""


class EmbeddedBroker:
    atomic = True

    def __init__(self, folder: Path) -> None:
        self.path = folder / "queue.db"
        self.url = f"embedded://{self.path}"

    def connect(self) -> Queue:
        return connect(self.url)

    def crash(self, queue: Queue) -> None:
        assert isinstance(queue, EmbeddedQueue)
        assert queue._open is not None
        queue._open.close()
        queue._open = None
        queue._presence.let_go()
        # A look at the status finds those that are gone.
        with self.connect() as other:
            other.status()


class RabbitBroker:
    atomic = False

    def __init__(self, url: str) -> None:
        self.url = url

    def connect(self) -> Queue:
        return connect(self.url)

    def crash(self, queue: Queue) -> None:
        assert isinstance(queue, RabbitQueue)
        assert queue._taking is not None
        link = queue._taking[0]
        link.abort()
        link._thread.join(10)
        # The broker learns of it by itself, some milliseconds later.
        time.sleep(0.2)


BROKERS = {"embedded": EmbeddedBroker}
"""Those that are made in a moment, for tests that want a new one for every example"""


def envelope(message_id: str, body: bytes = b"<xml/>") -> Envelope:
    return Envelope(body=body, message_id=message_id, headers={"fromHerId": "8095225", "toHerId": "8141253"})
