"""The floor: a process that does with the primitives what a gateway must do, in groups, and nothing else."""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pika

from gateway.contracts.queues import Queue
from gateway.ops.bench.primitives import Made, Taken, Work
from gateway.ops.bench.rows import INBOX, MARK, OUTBOX, Rows, open_rows
from gateway.ops.bench.setup import Setup
from gateway.ops.bench.world import hospital_queue, inbound_queue
from queues import connect

GROUP = 50
PREFETCH = 200
_PAUSE_SECONDS = 0.002
"""How long a group may wait for more"""


class Groups:
    """Works on groups of bodies, and keeps what it must."""

    def __init__(self, work: Work, rows: Rows) -> None:
        """`rows`: durable."""
        self._work = work
        self._rows = rows
        self._published: list[tuple[str, str]] = []

    def done(self, group: Sequence[tuple[bool, bytes]]) -> list[Made]:
        """One group (whether it is a note, and its bytes), one transaction; what goes out."""
        taken: list[Taken] = []
        receipts: list[tuple[bytes, str, Made]] = []
        for is_note, body in group:
            if is_note:
                taken.append(self._work.note(body))
            else:
                receipts.append((body, *self._work.apprec(body)))
        out = [(note.id, made) for note in taken for made in note.out]
        out += [(made.id, made) for _, _, made in receipts]
        marks, self._published = self._published, []
        self._rows.commit(
            [
                (INBOX, [(n.id, n.msg_id, n.sender, "taken", n.body) for n in taken]),
                (INBOX, [(m.id, m.id, o, "taken", body) for body, o, m in receipts]),
                (OUTBOX, [(m.id, owner, m.queue, "due", m.envelope.body) for owner, m in out]),
                (MARK, [*marks, *(("answered", original) for _, original, _ in receipts)]),
            ]
        )
        return [made for _, made in out]

    def confirmed(self, made: Made) -> None:
        """It is marked with the next group."""
        self._published.append(("published", made.id))


class RabbitFloor:
    """On RabbitMQ: one connection, one thread, everything by callbacks."""

    def __init__(self, url: str, name: str, groups: Groups, hospitals: Sequence[str]) -> None:
        """Connect; `run` works."""
        self._groups = groups
        self._inbound = inbound_queue(name)
        self._names = [self._inbound, *(hospital_queue(name, her_id) for her_id in hospitals)]
        self._arrived: list[tuple[int, bool, bytes]] = []
        self._waits: object | None = None
        self._tag = 0
        self._under_way: dict[int, Made] = {}
        self._channel: Any = None
        self._connection = pika.SelectConnection(
            pika.URLParameters(url), on_open_callback=lambda c: c.channel(on_open_callback=self._opened)
        )

    def run(self) -> None:
        """Until the process is ended."""
        self._connection.ioloop.start()

    def _opened(self, channel: Any) -> None:  # noqa: ANN401 - pika has no types
        self._channel = channel
        channel.confirm_delivery(self._confirmed)
        channel.basic_qos(prefetch_count=PREFETCH)
        for queue in self._names:
            channel.basic_consume(queue, functools.partial(self._came, queue == self._inbound))
        _say_ready()

    def _came(self, is_note: bool, _channel: Any, method: Any, _properties: Any, body: bytes) -> None:  # noqa: ANN401, FBT001 - pika has no types
        self._arrived.append((method.delivery_tag, is_note, body))
        if self._waits is None:
            self._waits = self._connection.ioloop.call_later(_PAUSE_SECONDS, self._turn)

    def _turn(self) -> None:
        self._waits = None
        while self._arrived:
            group, self._arrived = self._arrived[:GROUP], self._arrived[GROUP:]
            out = self._groups.done([(is_note, body) for _, is_note, body in group])
            self._channel.basic_ack(max(tag for tag, _, _ in group), multiple=True)
            for made in out:
                envelope = made.envelope
                self._channel.basic_publish(
                    "",
                    made.queue,
                    envelope.body,
                    pika.BasicProperties(
                        message_id=envelope.message_id, headers=dict(envelope.headers), delivery_mode=2
                    ),
                    mandatory=True,
                )
                self._tag += 1
                self._under_way[self._tag] = made

    def _confirmed(self, frame: Any) -> None:  # noqa: ANN401 - pika has no types
        last = frame.method.delivery_tag
        tags = [t for t in self._under_way if t <= last] if frame.method.multiple else [last]
        for tag in tags:
            self._groups.confirmed(self._under_way.pop(tag))


def serve(queue: Queue, name: str, groups: Groups, hospitals: Sequence[str]) -> None:
    """On any queue, by its port."""
    inbound = inbound_queue(name)
    names = [inbound, *(hospital_queue(name, her_id) for her_id in hospitals)]
    _say_ready()
    while True:
        taken = queue.take(names, limit=GROUP, wait_seconds=1.0)
        if not taken:
            continue
        out = groups.done([(each.queue == inbound, each.envelope.body) for each in taken])
        queue.acknowledge(taken)
        queue.publish([(made.queue, made.envelope) for made in out])
        for made in out:
            groups.confirmed(made)


def _say_ready() -> None:
    sys.stdout.write('{"event":"ready"}\n')
    sys.stdout.flush()


def main() -> None:
    """`floor SETUP NAME BROKER JOURNAL`."""
    file, name, broker, journal = sys.argv[1:5]
    setup = Setup.read(Path(file))
    work = Work(name, setup)
    for her_id, number in setup.hospitals.items():
        work.load_key(her_id, number)
    groups = Groups(work, open_rows(journal, name))
    hospitals = list(setup.hospitals)
    if broker.startswith("amqp"):
        RabbitFloor(broker, name, groups, hospitals).run()
    else:
        serve(connect(broker), name, groups, hospitals)


if __name__ == "__main__":
    main()
