"""The service: takes groups, works on them, publishes what follows; stops when it is told to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import structlog

from gateway.contracts.errors import TransientError
from gateway.contracts.fail_points import FailPoint, reached
from gateway.contracts.queues import Queue
from gateway.pipeline.flow import Flow
from gateway.pipeline.outbox import Outbox

log = structlog.get_logger()

_IDLE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0


class NotTriedNowError(TransientError):
    """What is on the queue can not be judged now, and waits there."""

    code = "not-tried-now"


class Service:
    """One worker: one connection, one loop."""

    def __init__(
        self,
        queue: Queue,
        flow: Flow,
        outbox: Outbox,
        *,
        names: Sequence[str],
        group_size: int,
        periodically: Callable[[], object],
    ) -> None:
        """`names`: the queues that are read; `periodically`: called each turn, decides itself when to act."""
        self._queue = queue
        self._flow = flow
        self._outbox = outbox
        self.names = list(names)
        self._group_size = group_size
        self._periodically = periodically
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Finish the group at hand, publish what is due, and return from `run`."""
        self._stopping.set()

    def run(self) -> None:
        """Work until `stop`. What is transient is tried again with growing pauses."""
        failures = 0
        while not self._stopping.is_set():
            try:
                self.step(wait_seconds=_IDLE_SECONDS)
                failures = 0
            except TransientError as error:
                pause = min(0.5 * 2**failures, _LONGEST_PAUSE_SECONDS)
                failures = min(failures + 1, 10)
                log.warning("not-reachable", error=error.code, retry_in_seconds=pause)
                self._stopping.wait(pause)
        self._drain()

    def step(self, *, wait_seconds: float) -> int:
        """One turn: what is due goes out, a group comes in, what follows goes out. How much was done.

        Raises:
            TransientError: queue or journal can not be reached, or nothing could be tried now; what was
                taken comes again.
        """
        self._periodically()
        reached(FailPoint.DEADLINES_CHECKED)
        done = self._outbox.publish_due()
        deliveries = self._queue.take(
            self.names, limit=self._group_size, wait_seconds=0.0 if done else wait_seconds
        )
        if deliveries:
            reached(FailPoint.TAKEN)
            try:
                later = self._flow.process(deliveries)
            except TransientError:
                self._queue.requeue(deliveries)
                raise
            again = {delivery.tag for delivery in later}
            taken = [delivery for delivery in deliveries if delivery.tag not in again]
            self._queue.acknowledge(taken)
            reached(FailPoint.ACKNOWLEDGED)
            self._queue.requeue(later)
            done += len(taken) + self._outbox.publish_due()
            if not done:
                raise NotTriedNowError
        return done

    def _drain(self) -> None:
        """What is in the outbox and due goes out before the end."""
        reached(FailPoint.DRAINING)
        deadline = time.monotonic() + _LONGEST_PAUSE_SECONDS
        try:
            while self._outbox.publish_due() and time.monotonic() < deadline:
                pass
        except TransientError as error:
            log.warning("not-reachable", error=error.code)
