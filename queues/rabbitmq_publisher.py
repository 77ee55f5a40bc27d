"""Publishing with confirms: many messages are under way at once, and each has its answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

from pika.channel import Channel
from pika.exceptions import ShortStringTooLong
from pika.frame import Method
from pika.spec import Basic, BasicProperties

from gateway.contracts.errors import QueueUnavailableError
from gateway.contracts.fail_points import FailPoint, reached
from gateway.contracts.queues import Envelope, PublishOutcome
from queues.rabbitmq_link import Link

_MOST_UNDER_WAY = 256
_MOST_BYTES_UNDER_WAY = 16 * 1024 * 1024
_PERSISTENT = 2


class Group:
    """The messages of one call, and what is known of each."""

    def __init__(self, messages: Sequence[tuple[str, Envelope]]) -> None:
        """Nothing is known yet."""
        self.messages = messages
        self.outcomes: list[PublishOutcome | None] = [None] * len(messages)
        self.next = 0
        self.answered = 0
        self.abandoned = False
        self.done = threading.Event()

    def answer(self, place: int, outcome: PublishOutcome) -> None:
        """Note what became of a message."""
        self.outcomes[place] = outcome
        self.answered += 1
        if self.answered == len(self.messages):
            self.done.set()


class Publisher:
    """The publishing side of a link. All but `publish` runs on the link's thread."""

    def __init__(self) -> None:
        """For one link."""
        self._channel: Any = None
        self._group: Group | None = None
        self._tag = 0
        self._under_way: dict[int, tuple[Group, int, int]] = {}
        """By delivery tag, in order: group, place in it, bytes"""
        self._bytes = 0
        self._returned: set[int] = set()

    def publish(
        self, link: Link, messages: Sequence[tuple[str, Envelope]], seconds: float
    ) -> list[PublishOutcome]:
        """Put messages on queues; an outcome for each.

        Args:
            link: the one whose thread this publisher runs on.
            messages: queue and envelope.
            seconds: how long no answer may come.

        Raises:
            QueueUnavailableError: the connection was lost, and none is known to be stored.
        """
        if not messages:
            return []
        group = self._group = Group(messages)
        link.tell(self._begin)
        if link.lost:
            group.done.set()
        answered = -1
        while not group.done.wait(seconds) and group.answered > answered:
            answered = group.answered
        if not group.done.is_set():
            group.abandoned = True
            if not link.blocked:
                # A broker that neither blocks us nor answers: another connection, perhaps another node.
                link.abort()
        elif not group.answered and not link.refused:
            raise QueueUnavailableError("The connection to the broker was lost.")
        # What was not answered may be stored or not.
        return [outcome or PublishOutcome.NOT_CONFIRMED for outcome in group.outcomes]

    def opened(self, channel: Channel) -> None:
        """Ask for confirms, before the first message."""
        self._channel = channel
        channel.confirm_delivery(self._confirmed, callback=lambda _frame: None)
        channel.add_on_return_callback(self._came_back)

    def unblocked(self) -> None:
        """Go on where the broker had stopped us."""
        self._send()

    def lost(self) -> None:
        """Let the caller see what is known."""
        self._under_way.clear()
        if self._group is not None:
            self._group.done.set()

    def _begin(self) -> None:
        if self._channel.is_open:
            self._send()
        else:
            self.lost()

    def _send(self) -> None:
        group = self._group
        if group is None:
            return
        while (
            group.next < len(group.messages)
            and not group.abandoned
            and len(self._under_way) < _MOST_UNDER_WAY
            and self._bytes < _MOST_BYTES_UNDER_WAY
        ):
            place, group.next = group.next, group.next + 1
            name, envelope = group.messages[place]
            try:
                self._channel.basic_publish("", name, envelope.body, _properties(envelope), mandatory=True)
            except (ValueError, TypeError, ShortStringTooLong):
                # AMQP has no room for it (a property of more than 255 bytes): the others go on.
                group.answer(place, PublishOutcome.NOT_CONFIRMED)
                continue
            self._tag += 1
            self._under_way[self._tag] = (group, place, len(envelope.body))
            self._bytes += len(envelope.body)
            reached(FailPoint.HANDED_OVER)

    def _came_back(
        self, _channel: Channel, method: Basic.Return, properties: BasicProperties, _body: bytes
    ) -> None:
        """No such queue; the confirm of the same message follows.

        What comes back does so in the order of publishing, so the first that looks like it is it.
        """
        for tag, (group, place, _) in self._under_way.items():
            name, envelope = group.messages[place]
            if (
                tag not in self._returned
                and name == method.routing_key
                and envelope.message_id == (properties.message_id or "")
            ):
                self._returned.add(tag)
                return

    def _confirmed(self, frame: Method) -> None:
        last, stored = frame.method.delivery_tag, isinstance(frame.method, Basic.Ack)
        tags = [last]
        if frame.method.multiple:
            tags = []
            for tag in self._under_way:
                if tag > last:
                    break
                tags.append(tag)
        for tag in tags:
            group, place, size = self._under_way.pop(tag)
            self._bytes -= size
            if tag in self._returned:
                self._returned.remove(tag)
                outcome = PublishOutcome.UNROUTABLE
            else:
                outcome = PublishOutcome.CONFIRMED if stored else PublishOutcome.NOT_CONFIRMED
            group.answer(place, outcome)
        reached(FailPoint.CONFIRMED)
        self._send()


def _properties(envelope: Envelope) -> BasicProperties:
    return BasicProperties(
        message_id=envelope.message_id,
        headers=dict(envelope.headers),
        content_type=envelope.content_type,
        correlation_id=envelope.correlation_id,
        reply_to=envelope.reply_to,
        delivery_mode=_PERSISTENT,
        timestamp=int(time.time()),
    )
