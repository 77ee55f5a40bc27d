"""Hospitals, municipalities and GPs of a benchmark, in a process of their own and as lean as can be.

They send notes that lie ready, answer each sending with a positive AppRec from a template, and take the
AppRecs that are passed on. What they are asked to do stands on standard input, what they saw on standard
output: one JSON document a line.
"""

from __future__ import annotations

import re
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from gateway.contracts.queues import Delivery, Envelope, Queue
from gateway.formats import read_message
from gateway.ops.bench.notes import Note
from gateway.ops.bench.recording import envelope, sending_id
from gateway.ops.bench.setup import Setup
from gateway.ops.bench.world import hospital_queue, inbound_queue, record_system_queue
from gateway.ops.simulation.traffic import receipt
from gateway.security.gate import parse
from queues import connect

_GENERATED = re.compile(rb"<GenDate(?: V=\"|>)([^<\"]*)")
_WAIT_SECONDS = 0.05
_PATIENCE_SECONDS = 60.0
"""How long nothing may happen"""
_AT_ONCE = 100
_STILL = 2
"""Turns in which nothing moves, at the end"""


@dataclass(slots=True)
class _Watch:
    """What is known of a note that is under way."""

    sent: float
    sendings: int = 0
    receipts: int = 0


@dataclass(slots=True)
class _Round:
    """One measurement."""

    under_way: dict[str, _Watch] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)
    """Seconds from a note's sending until both of its receivers had theirs"""
    done: int = 0
    done_at: list[float] = field(default_factory=list)
    """When each note was done"""


class Side:
    """Everybody around one gateway."""

    def __init__(self, name: str, broker: str, notes: list[Note]) -> None:
        """`name`: of the gateway; its queues begin with it."""
        self._name = name
        self._queue: Queue = connect(broker)
        self._notes = notes
        self._next = 0
        hospitals = sorted({note.sender for note in notes})
        self._receivers = {f"{name}.{her_id}": her_id for note in notes[:2] for her_id in note.receivers}
        self._record_systems = {record_system_queue(name, her_id) for her_id in hospitals}
        self._names = [*self._receivers, *self._record_systems]
        self._notes_of = {
            sending_id(note.sender, note.msg_id, receiver): note
            for note in notes
            for receiver in note.receivers
        }
        self._templates: dict[str, tuple[bytes, dict[str, str]]] = {}
        self._queue.declare(
            [*self._names, inbound_queue(name), *(hospital_queue(name, h) for h in hospitals)]
        )

    @property
    def left(self) -> int:
        """Notes that were not sent yet."""
        return len(self._notes) - self._next

    def flood(self, count: int, window: int) -> tuple[float, _Round]:
        """Keep so many notes under way until so many are done; the seconds that it took."""
        seen = _Round()
        begun = time.perf_counter()
        sent = 0
        moved = begun
        while seen.done < count:
            free = min(count - sent, window - (sent - seen.done))
            if free >= min(window // 4, count - sent) and free > 0:
                self._send(seen, free)
                sent += free
            if self._turn(seen, _WAIT_SECONDS):
                moved = time.perf_counter()
            elif time.perf_counter() - moved > _PATIENCE_SECONDS:
                raise TimeoutError(f"{self._name}: {count - seen.done} of {count} notes are not done")
        return time.perf_counter() - begun, seen

    def trickle(self, count: int, rate: float) -> tuple[float, _Round]:
        """Send so many notes one by one, so many a second."""
        seen = _Round()
        begun = moved = time.perf_counter()
        sent = 0
        while seen.done < count:
            now = time.perf_counter()
            if sent < count and now >= begun + sent / rate:
                self._send(seen, 1)
                sent += 1
            due = begun + sent / rate - time.perf_counter() if sent < count else _WAIT_SECONDS
            if self._turn(seen, min(max(due, 0.0), _WAIT_SECONDS)):
                moved = time.perf_counter()
            elif time.perf_counter() - moved > _PATIENCE_SECONDS:
                raise TimeoutError(f"{self._name}: {count - seen.done} of {count} notes are not done")
        return time.perf_counter() - begun, seen

    @property
    def receivers(self) -> list[str]:
        """The queues of the municipalities and GPs."""
        return list(self._receivers)

    def drive(self, count: int, step: Callable[[], tuple[int, float]]) -> float:
        """Send so many notes and let a gateway in this process work until nothing moves.

        Args:
            count: of notes.
            step: has the gateway work once; how much it did, and the seconds that count.

        Returns:
            The seconds of all steps.
        """
        seen = _Round()
        self._send(seen, count)
        used, still = 0.0, 0
        while still < _STILL:
            done, seconds = step()
            used += seconds
            still = 0 if self._turn(seen, 0.0) or done else still + 1
        return used

    def close(self) -> None:
        """Disconnect."""
        self._queue.close()

    def _send(self, seen: _Round, count: int) -> None:
        notes = self._notes[self._next : self._next + count]
        if len(notes) < count:
            raise IndexError(f"{self._name}: there are no notes left")
        self._next += count
        now = time.perf_counter()
        for note in notes:
            seen.under_way[note.msg_id] = _Watch(now)
        self._queue.publish([(inbound_queue(self._name), envelope(note)) for note in notes])

    def _turn(self, seen: _Round, wait_seconds: float) -> bool:
        taken = self._queue.take(self._names, limit=_AT_ONCE, wait_seconds=wait_seconds)
        if not taken:
            return False
        now = time.perf_counter()
        answers = []
        for delivery in taken:
            if delivery.queue in self._record_systems:
                self._receipt(seen, delivery)
            elif (answer := self._sending(seen, delivery, now)) is not None:
                answers.append(answer)
        if answers:
            self._queue.publish(answers)
        self._queue.acknowledge(taken)
        return True

    def _sending(self, seen: _Round, delivery: Delivery, now: float) -> tuple[str, Envelope] | None:
        note = self._notes_of[delivery.envelope.message_id]
        watch = seen.under_way.get(note.msg_id)
        if watch is None:
            return None
        watch.sendings += 1
        if watch.sendings == len(note.receivers):
            seen.latencies.append(now - watch.sent)
        apprec_id = str(uuid.uuid4())
        template, headers = self._template(delivery, note)
        generated = _GENERATED.search(delivery.envelope.body)
        body = template
        for mark, value in (
            (b"@APPREC@", apprec_id.encode()),
            (b"@MSGID@", delivery.envelope.message_id.encode()),
            (b"@DATE@", generated.group(1) if generated else b""),
        ):
            body = body.replace(mark, value)
        return hospital_queue(self._name, note.sender), Envelope(
            body=body, message_id=apprec_id, headers=headers, correlation_id=apprec_id
        )

    def _template(self, delivery: Delivery, note: Note) -> tuple[bytes, dict[str, str]]:
        """An AppRec of this receiver: made by the simulation's own means, once."""
        known = self._templates.get(delivery.queue)
        if known is None:
            message = read_message(parse(delivery.envelope.body))
            made = receipt(
                message.head, message.format, queue="", to_her_id=note.unit, apprec_id="@APPREC@"
            ).envelope
            generated = _GENERATED.search(delivery.envelope.body)
            body = made.body.replace(message.head.msg_id.encode(), b"@MSGID@")
            if generated is not None:
                body = body.replace(generated.group(1), b"@DATE@")
            headers = {name: value for name, value in made.headers.items() if "MsgId" not in name}
            known = self._templates[delivery.queue] = (body, headers)
        return known

    def _receipt(self, seen: _Round, delivery: Delivery) -> None:
        original = delivery.envelope.headers.get("X-MessageInfo-OriginalMsgId", "")
        watch = seen.under_way.get(original)
        if watch is None:
            return
        watch.receipts += 1
        if watch.receipts == 2:
            del seen.under_way[original]
            seen.done += 1
            seen.done_at.append(time.perf_counter())


def _orders() -> Iterator[dict[str, Any]]:
    for line in sys.stdin.buffer:
        yield orjson.loads(line)


def main() -> None:
    """Do what is asked until standard input ends."""
    sides: dict[str, Side] = {}
    setup = Setup.read(Path(sys.argv[1]))
    for order in _orders():
        name = order["name"]
        if order["do"] == "open":
            sides[name] = Side(name, order["broker"], setup.notes)
            answer: dict[str, Any] = {}
        elif order["do"] == "flood":
            seconds, seen = sides[name].flood(order["count"], order["window"])
            answer = {"seconds": seconds, "latencies": seen.latencies}
            if every := order.get("every"):
                begun = seen.done_at[-1] - seconds
                answer["done_after"] = [at - begun for at in seen.done_at[every - 1 :: every]]
        else:
            seconds, seen = sides[name].trickle(order["count"], order["rate"])
            answer = {"seconds": seconds, "latencies": seen.latencies}
        if name in sides:
            answer["left"] = sides[name].left
        sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")
        sys.stdout.buffer.flush()
    for side in sides.values():
        side.close()


if __name__ == "__main__":
    main()
