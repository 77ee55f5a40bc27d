"""What the service counts, for Prometheus. No label comes from a message's content.

Counters follow the events of the journal, once for each transaction that was committed, and the calls to the
queue, once for each group; nothing is counted message by message on a lock that several wait for. What can be
asked for (depths, states, certificates) is asked when somebody looks.
"""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections.abc import Iterable, Sequence
from typing import Final, Self

from prometheus_client import CollectorRegistry, Counter, Histogram

from gateway.contracts.findings import FINDINGS
from gateway.contracts.queues import Delivery, Envelope, PublishOutcome, Queue, QueueStatus
from gateway.contracts.receipts import ERROR_TEXTS
from gateway.contracts.records import Event
from gateway.contracts.states import SendingKind

_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
_ANSWER_SECONDS: Final = (1, 10, 60, 300, 1800, 3600, 4 * 3600, 24 * 3600, 48 * 3600, 96 * 3600)
_STEP_SECONDS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_OTHER: Final = "other"

EVENTS: Final = frozenset(
    {
        *(
            "received",
            "duplicate",
            "accepted",
            "rejected",
            "held",
            "withheld",
            "failed",
            "discarded",
            "replaced",
        ),
        *("not-answered", "same-id-other-content", "alert", "receipt", "receipt-late", "receipt-repeated"),
        *("receipt-contradicts", "receipt-after-end", "receipt-unmatched", "overdue", "delivered"),
        *(
            "delivered-late",
            "attempt-failed",
            "given-up",
            "closed",
            "resent",
            "released",
            "claimed",
            "sent-on",
        ),
        *(f"{kind.value}-created" for kind in SendingKind),
    }
)
"""Names of events that are counted under their own name; others are `other`"""

_OUTCOMES: Final = ("delivered", "attempt-failed", "given-up")
_ANSWERS: Final = ("receipt", "receipt-late")


class Metrics:
    """Counters and histograms of one service."""

    def __init__(self) -> None:
        """Made once in a process, before its workers are forked."""
        self.registry = registry = CollectorRegistry()
        self.events = Counter(
            "pakkehjem_events", "What happened to messages, by name of event", ["event"], registry=registry
        )
        self.findings = Counter("pakkehjem_findings", "Findings of notes", ["code"], registry=registry)
        self.sendings = Counter(
            "pakkehjem_sendings",
            "Attempts to put something on a receiver's queue",
            ["kind", "outcome"],
            registry=registry,
        )
        self.apprecs = Counter(
            "pakkehjem_apprecs", "AppRecs of receivers, by error code (8221)", ["code"], registry=registry
        )
        self.delivery_seconds = Histogram(
            "pakkehjem_delivery_seconds",
            "From when a message was taken until what follows from it is on its receiver's queue",
            ["kind"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.apprec_seconds = Histogram(
            "pakkehjem_apprec_seconds",
            "From when a note was taken until its receiver's AppRec",
            buckets=_ANSWER_SECONDS,
            registry=registry,
        )
        self.step_seconds = Histogram(
            "pakkehjem_step_seconds",
            "Time of a group of messages: to work on it and keep it (work), to publish it (publish)",
            ["step"],
            buckets=_STEP_SECONDS,
            registry=registry,
        )
        self.step_messages = Counter(
            "pakkehjem_step_messages", "Messages of those groups", ["step"], registry=registry
        )
        # What has not happened yet is there with 0: an alert on an increase needs the first one, too.
        for code in (*FINDINGS, _OTHER):
            self.findings.labels(code)
        for name in (*EVENTS, _OTHER):
            self.events.labels(name)
        for kind in SendingKind:
            for outcome in _OUTCOMES:
                self.sendings.labels(kind.value, outcome)
        self.apprecs.labels("none")

    def observe(self, events: Sequence[Event]) -> None:
        """Count the events of a transaction."""
        names: Tally[str] = Tally()
        for event in events:
            names[event.name if event.name in EVENTS else _OTHER] += 1
            detail = event.detail or {}
            if found := detail.get("findings"):
                self._count_findings(str(found))
            kind = detail.get("kind")
            if event.name in _OUTCOMES and kind is not None:
                self.sendings.labels(str(kind), event.name).inc()
                if event.seconds is not None and event.name == "delivered":
                    self.delivery_seconds.labels(str(kind)).observe(max(event.seconds, 0.0))
            elif event.name in _ANSWERS:
                self._count_answer(str(detail.get("apprec") or ""), event.seconds)
        for name, count in names.items():
            self.events.labels(name).inc(count)

    def _count_findings(self, codes: str) -> None:
        for code in codes.split(","):
            self.findings.labels(code if code in FINDINGS else _OTHER).inc()

    def _count_answer(self, apprec: str, seconds: float | None) -> None:
        codes = apprec.split()[1:] or ["none"]
        for code in codes:
            self.apprecs.labels(code if code in ERROR_TEXTS or code == "none" else _OTHER).inc()
        if seconds is not None:
            self.apprec_seconds.observe(max(seconds, 0.0))


class MeasuredQueue:
    """A queue whose groups are counted; see `gateway.contracts.queues.Queue`."""

    def __init__(self, queue: Queue, metrics: Metrics) -> None:
        """Passes everything on to a queue."""
        self._queue = queue
        self._working = metrics.step_seconds.labels("work")
        self._worked_on = metrics.step_messages.labels("work")
        self._publishing = metrics.step_seconds.labels("publish")
        self._published = metrics.step_messages.labels("publish")
        self._taken_at = 0.0

    def declare(self, names: Iterable[str]) -> None:
        """Make the durable queues that are not there yet."""
        self._queue.declare(names)

    def publish(self, messages: Sequence[tuple[str, Envelope]]) -> list[PublishOutcome]:
        """Put messages on queues."""
        begun = time.perf_counter()
        outcomes = self._queue.publish(messages)
        self._publishing.observe(time.perf_counter() - begun)
        self._published.inc(len(messages))
        return outcomes

    def take(self, names: Sequence[str], *, limit: int, wait_seconds: float) -> list[Delivery]:
        """Take what is there."""
        deliveries = self._queue.take(names, limit=limit, wait_seconds=wait_seconds)
        self._taken_at = time.perf_counter()
        return deliveries

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """These are done with."""
        if deliveries:
            now = time.perf_counter()
            self._working.observe(now - self._taken_at)
            self._worked_on.inc(len(deliveries))
            self._taken_at = now
        self._queue.acknowledge(deliveries)

    def requeue(self, deliveries: Sequence[Delivery]) -> None:
        """Give these back."""
        self._queue.requeue(deliveries)

    def status(self, names: Sequence[str] | None = None) -> list[QueueStatus]:
        """How full the queues are."""
        return self._queue.status(names)

    def close(self) -> None:
        """Disconnect."""
        self._queue.close()

    def __enter__(self) -> Self:
        """The connection itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close."""
        self.close()
