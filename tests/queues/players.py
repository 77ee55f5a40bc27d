"""Processes of the crash tests: each says on stdout what it knows to be done, until it is killed.

Run as `python -m tests.queues.players PLAY URL`.
"""

from __future__ import annotations

import os
import sys
import time
from itertools import count

from gateway.contracts.queues import PublishOutcome, Queue
from queues import connect
from tests.queues.brokers import envelope

NAME = "8095225_async"
BATCH = 5


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def publish(queue: Queue) -> None:
    """Batches of messages `<process>-<batch>-<place>`; a line when one is confirmed."""
    for batch in count():
        messages = [(NAME, envelope(f"{os.getpid()}-{batch}-{place}", b"x" * 5000)) for place in range(BATCH)]
        assert queue.publish(messages) == [PublishOutcome.CONFIRMED] * BATCH
        say("confirmed", f"{os.getpid()}-{batch}")


def consume(queue: Queue) -> None:
    """Everything that comes: a line when it is taken, and one when it is acknowledged."""
    say("ready")
    while True:
        for each in (taken := queue.take([NAME], limit=7, wait_seconds=0.2)):
            say("taken", each.envelope.message_id, int(each.redelivered))
        queue.acknowledge(taken)
        for each in taken:
            say("acknowledged", each.envelope.message_id)


def drain(queue: Queue) -> None:
    """As `consume`, and ends when nothing has come for half a second."""
    say("ready")
    while taken := queue.take([NAME], limit=3, wait_seconds=0.5):
        time.sleep(0.001)
        queue.acknowledge(taken)
        for each in taken:
            say("acknowledged", each.envelope.message_id)


def hold_and_fork(queue: Queue) -> None:
    """Takes one message, and has a child that lives on."""
    queue.take([NAME], limit=1, wait_seconds=1)
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    say("child", child)
    time.sleep(60)


if __name__ == "__main__":
    with connect(sys.argv[2]) as connection:
        {"publish": publish, "consume": consume, "drain": drain, "hold_and_fork": hold_and_fork}[sys.argv[1]](
            connection
        )
