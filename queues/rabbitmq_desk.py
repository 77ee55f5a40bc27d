"""Questions about queues, on a channel of their own: the broker closes the channel that it refuses."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

from pika.channel import Channel
from pika.spec import Queue

from gateway.contracts.errors import LocalError
from queues.rabbitmq_link import Link, explain, fail, finish

_REFUSED = 403
_NOT_FOUND = 404
_LOCKED = 405
_OTHER_PROPERTIES = 406

# Quorum queues are on the disks of most nodes before a message is confirmed. RabbitMQ 4 drops a message that
# was given back 20 times unless the queue says otherwise; the word for "never" differs between 3.10 and 4,
# and this number means it on both.
ARGUMENTS = {"x-queue-type": "quorum", "x-delivery-limit": 2**31 - 1}


class Desk:
    """Makes queues, and looks at them; one question at a time."""

    def __init__(self, link: Link) -> None:
        """The channel is opened with the first question."""
        self._link = link
        self._channel: Any = None
        self._asked: tuple[str, Future[Any]] | None = None

    def declare(self, name: str) -> None:
        """Make a durable quorum queue, where it is not there yet.

        Raises:
            QueueUnavailableError: the connection is lost.
            LocalError: the queue is there with other properties, or we have no right.
        """
        self._ask(name, passive=False)

    def look(self, name: str) -> tuple[int, int] | None:
        """How many messages are ready and how many consumers there are; None where there is no such queue.

        Raises:
            QueueUnavailableError: the connection is lost.
            LocalError: we have no right.
        """
        found = self._ask(name, passive=True)
        return None if found is None else (found.message_count, found.consumer_count)

    def _ask(self, name: str, *, passive: bool) -> Queue.DeclareOk | None:
        def work(future: Future[Any]) -> None:
            self._asked = (name, future)
            if self._channel is not None and self._channel.is_open:
                use(self._channel)
            else:
                self._channel = self._link.connection.channel(on_open_callback=use)
                self._channel.add_on_close_callback(self._closed)

        def use(channel: Channel) -> None:
            channel.queue_declare(
                name,
                passive=passive,
                durable=True,
                arguments=None if passive else ARGUMENTS,
                callback=lambda frame: finish(self._asked[1], frame.method) if self._asked else None,
            )

        return self._link.ask(work)

    def _closed(self, channel: Channel, reason: Exception) -> None:
        if self._channel is channel:
            self._channel = None
        if self._asked is None:
            return
        name, future = self._asked
        code, text = getattr(reason, "reply_code", None), getattr(reason, "reply_text", "")
        if code == _NOT_FOUND:
            finish(future, None)
        elif code == _OTHER_PROPERTIES:
            fail(
                future,
                LocalError(
                    f"The queue {name} is there with other properties: {text}",
                    hint="delete it when it is empty, or set queues.declare = false where others manage it",
                ),
            )
        elif code in (_REFUSED, _LOCKED):
            fail(future, LocalError(f"The broker refuses the queue {name}: {text}"))
        else:
            fail(future, explain(reason))
