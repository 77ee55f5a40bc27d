"""The service: takes groups, works on them, publishes what follows; stops when it is told to."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import structlog

from gateway.contracts.errors import TransientError
from gateway.contracts.fail_points import FailPoint, reached
from gateway.contracts.journal import Journal
from gateway.contracts.queues import Delivery, Queue
from gateway.contracts.traffic import INTAKE
from gateway.pipeline.flow import Flow
from gateway.pipeline.outbox import Outbox
from gateway.pipeline.quarantine import Quarantine
from gateway.pipeline.reachability import Reachability

log = structlog.get_logger()

_IDLE_SECONDS = 0.5
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 5.0
"""How long is waited at most until a queue or journal that was away is looked for again: it costs little"""
_SLICE_SECONDS = 0.1
"""How soon a pause ends when the service is to stop"""
_PAUSE_LOOK_SECONDS = 1.0
"""How often is looked whether the intake is paused"""


class NotTriedNowError(TransientError):
    """What is on the queue can not be judged now, and waits there."""

    code = "not-tried-now"


class IntakeGate:
    """Whether deliveries are taken, or an operator has paused that."""

    def __init__(self, journal: Journal) -> None:
        """The pause is in the journal, for all processes."""
        self._journal = journal
        self._paused = False
        self._next_look = 0.0

    def paused(self) -> bool:
        """As of a second ago at most; the log says when it changes.

        Raises:
            TransientError: the journal can not be reached.
        """
        if time.monotonic() >= self._next_look:
            found = any(pause.scope == INTAKE for pause in self._journal.pauses())
            if found is not self._paused:
                log.warning("intake-paused" if found else "intake-resumed")
            self._paused = found
            self._next_look = time.monotonic() + _PAUSE_LOOK_SECONDS
        return self._paused


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """What a deployment sets."""

    names: Sequence[str]
    """The queues that are read"""
    group_size: int
    drain_seconds: float = 24.0
    """For how long what is due still goes out after `stop`"""


class Service:
    """One worker: one connection, one loop."""

    def __init__(
        self,
        queue: Queue,
        flow: Flow,
        outbox: Outbox,
        *,
        intake: IntakeGate,
        quarantine: Quarantine,
        settings: ServiceSettings,
        periodically: Callable[[], object],
    ) -> None:
        """Everything by port; `periodically` is called each turn, and decides itself when to act."""
        self._queue = queue
        self._flow = flow
        self._outbox = outbox
        self._intake = intake
        self._quarantine = quarantine
        self.names = list(settings.names)
        self._settings = settings
        self._periodically = periodically
        self._reachability = Reachability()
        self._stopped_at: float | None = None

    def stop(self) -> None:
        """Finish the group at hand, publish what is due, and return from `run`. For signal handlers, too."""
        if self._stopped_at is None:
            self._stopped_at = time.monotonic()

    def run(self) -> None:
        """Work until `stop`. What is transient is tried again with growing pauses."""
        failures = 0
        while self._stopped_at is None:
            try:
                self.step(wait_seconds=_IDLE_SECONDS)
                failures = 0
                self._reachability.back()
            except TransientError as error:
                pause = min(_FIRST_PAUSE_SECONDS * 2**failures, _LONGEST_PAUSE_SECONDS)
                pause = round(pause * random.uniform(0.5, 1), 2)  # noqa: S311 - not all at the same moment
                failures = min(failures + 1, 10)
                self._reachability.lost(error, retry_in_seconds=pause)
                self._rest(pause)
        self._drain(self._stopped_at + self._settings.drain_seconds)

    def step(self, *, wait_seconds: float) -> int:
        """One turn: what is due goes out, a group comes in, what follows goes out. How much was done.

        Raises:
            TransientError: queue or journal can not be reached, or nothing could be tried now; what was
                taken comes again.
        """
        self._periodically()
        reached(FailPoint.DEADLINES_CHECKED)
        done = self._outbox.publish_due()
        wait_seconds = 0.0 if done else wait_seconds
        if self._intake.paused():
            self._rest(wait_seconds)
            return done
        deliveries = self._queue.take(self.names, limit=self._settings.group_size, wait_seconds=wait_seconds)
        if deliveries:
            reached(FailPoint.TAKEN)
            done += self._work_on(deliveries)
            done += self._outbox.publish_due()
            if not done:
                raise NotTriedNowError
        return done

    def _work_on(self, deliveries: Sequence[Delivery]) -> int:
        """Work on what was taken, in its order; how much of it was done.

        What a taker before was gone with goes by itself: should it end this process too, it is known.
        """
        left, done = list(deliveries), 0
        try:
            for group in _groups(deliveries):
                if self._stopped_at is not None and done:
                    break
                alone = group[0].abandoned
                later = (
                    self._quarantine.alone(group[0], self._flow.process)
                    if alone
                    else self._flow.process(group)
                )
                again = {delivery.tag for delivery in later}
                taken = [delivery for delivery in group if delivery.tag not in again]
                left = left[len(group) :]
                self._queue.acknowledge(taken)
                reached(FailPoint.ACKNOWLEDGED)
                self._queue.requeue(later)
                done += len(taken)
        finally:
            if left:
                self._queue.requeue(left)
        return done

    def _drain(self, deadline: float) -> None:
        """What is in the outbox and due goes out before the end."""
        reached(FailPoint.DRAINING)
        try:
            while self._outbox.publish_due() and time.monotonic() < deadline:
                pass
        except TransientError as error:
            self._reachability.lost(error)

    def _rest(self, seconds: float) -> None:
        """Wait, unless the service is to stop."""
        until = time.monotonic() + seconds
        while self._stopped_at is None and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _SLICE_SECONDS))


def _groups(deliveries: Sequence[Delivery]) -> Iterator[list[Delivery]]:
    """What was taken, in its order: each abandoned one by itself, the others together."""
    for abandoned, found in itertools.groupby(deliveries, key=lambda each: each.abandoned > 0):
        if abandoned:
            yield from ([each] for each in found)
        else:
            yield list(found)
