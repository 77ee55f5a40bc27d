"""The loop: notes go in, everybody reads and answers, until all is accounted for or the time is up."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway.contracts.errors import ConfigurationError, JournalUnavailableError, QueueUnavailableError
from gateway.contracts.journal import Journal
from gateway.contracts.queues import Delivery, PublishOutcome, Queue
from gateway.contracts.records import InboundFilter
from gateway.contracts.states import InboundKind, InboundState, SendingKind
from gateway.ops.simulation.behaviour import Behaviour
from gateway.ops.simulation.expectations import Expectations
from gateway.ops.simulation.hospital import Hospitals, Written
from gateway.ops.simulation.ledger import Ledger
from gateway.ops.simulation.notes import Note, NoteBook
from gateway.ops.simulation.person import Decider
from gateway.ops.simulation.receivers import Receivers
from gateway.ops.simulation.settlement import Account, Settlement
from gateway.ops.simulation.traffic import Outgoing

_GROUP = 50
_TAKE = 200
_PREPARED = 2000
"""How many notes are made and signed before the first one is sent: hospitals do that in their own time"""
_WAIT_SECONDS = 0.2
_SECONDS_BETWEEN_LOOKS = 0.5
_QUIET_SECONDS = 1.0
"""How long nothing may come before the books are closed: what is doubled comes late"""
_RECONNECT_SECONDS = 0.5
_KINDS = (InboundKind.NOTE, InboundKind.UNREADABLE)
_MOST_ROWS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What a run is to do."""

    count: int
    rate: float | None = None
    """Notes a second; None: as fast as they can be signed"""
    timeout_seconds: float = 120.0
    patience_seconds: float | None = None
    """Ends sooner when nothing has happened for so long; None: not before the time is up"""
    first_round: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How it went."""

    account: Account
    seconds: float
    """From the first note to the last thing that happened"""
    timed_out: bool

    def document(self) -> dict[str, object]:
        """The ledger as JSON (CLI.md)."""
        account = self.account
        return {
            "sent": account.sent,
            **{key: account.decided[key] for key in ("accepted", "rejected", "held", "withheld")},
            "delivered": {key: account.delivered[key] for key in ("municipality", "gp")},
            "acknowledged": {key: account.acknowledged[key] for key in ("positive", "negative", "missing")},
            "replies": {"sent": account.replies_sent, "delivered": account.replies_delivered},
            **{key: account.count(key) for key in ("lost", "duplicated", "invalid")},
            "seconds": round(self.seconds, 3),
            "messages_per_second": round(account.sent / self.seconds, 1) if self.seconds else 0.0,
        }


def first_free_round(book: NoteBook, journal: Journal) -> int:
    """The first round of which the journal knows no note: a second run must not look like repeats."""
    with journal.reader() as reader:
        for round_number in itertools.count():
            ids = (book.note(i, round_number).facts.msg_id for i in range(len(book.samples)))
            if not any(reader.find_inbound_by_msg_id(msg_id) for msg_id in ids if msg_id):
                return round_number
    raise AssertionError  # pragma: no cover - the count has no end


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Everybody who takes part, and who keeps the books."""

    book: NoteBook
    hospitals: Hospitals
    receivers: Receivers
    behaviour: Behaviour
    expectations: Expectations
    ledger: Ledger
    settlement: Settlement
    decider: Decider | None = None
    """Who decides on held notes; None: they wait"""


class Simulation:
    """One run."""

    def __init__(
        self,
        cast: Cast,
        connect: Callable[[], Queue],
        journal: Journal,
        observer: Callable[[Account], None] | None = None,
    ) -> None:
        """`observer` is shown the account as it grows."""
        self._cast = cast
        self._connect = connect
        self._journal = journal
        self._observer = observer
        self._names = [*cast.hospitals.queues, *cast.receivers.queues]
        self._inside = frozenset(cast.hospitals.queues)
        self._outbox: deque[Outgoing] = deque()
        self._later: list[tuple[float, int, Outgoing]] = []
        self._numbers = itertools.count()
        self._last_event = 0.0

    def run(self, orders: Orders) -> Result:
        """Send, receive, answer, and settle.

        Raises:
            ConfigurationError: a queue was taken away.
            QueueUnavailableError: the broker can not be reached, at the start or for good.
            JournalUnavailableError: the journal can not be reached at the end.
        """
        since = datetime.now(UTC) - timedelta(minutes=1)
        notes = self._cast.book.notes(orders.count, first_round=orders.first_round)
        ready = deque(self._prepared(note) for note in itertools.islice(notes, _PREPARED))
        queue = self._connect()
        begin = self._last_event = time.monotonic()
        deadline = begin + orders.timeout_seconds
        next_look = begin + _SECONDS_BETWEEN_LOOKS
        pause = _WAIT_SECONDS if orders.rate is None else min(_WAIT_SECONDS, 1 / orders.rate)
        account = Account()
        settled = False
        try:
            # Those that the gateway reads too: it may start after us.
            queue.declare([*self._names, *self._cast.hospitals.answered_at])
            while not settled and time.monotonic() < deadline and not self._is_tired(orders):
                due = self._due(orders, time.monotonic() - begin)
                for _ in range(min(due, _GROUP)):
                    self._send(ready.popleft() if ready else self._prepared(next(notes)))
                try:
                    self._exchange(queue, wait_seconds=0.0 if due > _GROUP else pause)
                except QueueUnavailableError:
                    queue = self._reconnected(queue, deadline)
                now = time.monotonic()
                if now >= next_look:
                    # A journal that is away for a moment is the gateway's trouble; we look again.
                    with contextlib.suppress(JournalUnavailableError):
                        account = self._look(since)
                    looked = time.monotonic()
                    # A look costs more the more notes there are: never more than a tenth of the time.
                    next_look = looked + max(_SECONDS_BETWEEN_LOOKS, 9 * (looked - now))
                    settled = (
                        account.settled
                        and account.sent == orders.count
                        and not (self._outbox or self._later)
                        and looked - self._last_event >= _QUIET_SECONDS
                    )
            if not settled:
                account = self._look(since)
        finally:
            with contextlib.suppress(QueueUnavailableError):
                queue.close()
        return Result(account=account, seconds=self._last_event - begin, timed_out=not settled)

    def _is_tired(self, orders: Orders) -> bool:
        quiet = time.monotonic() - self._last_event
        return orders.patience_seconds is not None and quiet >= orders.patience_seconds

    def _prepared(self, note: Note) -> Written:
        for receiver in self._cast.expectations.likely_receivers(note):
            self._cast.behaviour.plan(receiver, note.facts.patient)
        return self._cast.hospitals.written(note)

    def _send(self, written: Written) -> None:
        outgoing = self._cast.hospitals.sent(written)
        self._outbox.extend([outgoing, outgoing] if self._cast.behaviour.repeats() else [outgoing])

    def _due(self, orders: Orders, elapsed: float) -> int:
        allowed = orders.count if orders.rate is None else min(orders.count, int(elapsed * orders.rate) + 1)
        return allowed - len(self._cast.ledger.entries)

    def _exchange(self, queue: Queue, *, wait_seconds: float) -> None:
        """What is due goes out, a group comes in, what it is answered with goes out."""
        now = time.monotonic()
        while self._later and self._later[0][0] <= now:
            self._outbox.append(heapq.heappop(self._later)[2])
        self._publish(queue)
        wait = min([wait_seconds, *(due - now for due, _, _ in self._later[:1])])
        deliveries = queue.take(self._names, limit=_TAKE, wait_seconds=max(0.0, wait))
        if not deliveries:
            return
        self._last_event = time.monotonic()
        for outgoing in (o for d in deliveries for o in self._read(d)):
            if outgoing.delay_seconds:
                due = self._last_event + outgoing.delay_seconds
                heapq.heappush(self._later, (due, next(self._numbers), outgoing))
            else:
                self._outbox.append(outgoing)
        self._publish(queue)
        queue.acknowledge(deliveries)

    def _read(self, delivery: Delivery) -> Sequence[Outgoing]:
        if delivery.queue in self._inside:
            return self._cast.hospitals.take(delivery)
        return self._cast.receivers.take(delivery)

    def _publish(self, queue: Queue) -> None:
        """Everything in the outbox; what the broker did not confirm stays there."""
        while self._outbox:
            group = list(itertools.islice(self._outbox, _TAKE))
            outcomes = queue.publish([(o.queue, o.envelope) for o in group])
            for outgoing, outcome in zip(group, outcomes, strict=True):
                self._outbox.popleft()
                if outcome is PublishOutcome.CONFIRMED:
                    outgoing.published()
                elif outcome is PublishOutcome.UNROUTABLE:
                    raise ConfigurationError(f"there is no queue {outgoing.queue}")
                else:
                    self._outbox.append(outgoing)
            self._last_event = time.monotonic()
            if any(outcome is PublishOutcome.NOT_CONFIRMED for outcome in outcomes):
                return

    def _reconnected(self, queue: Queue, deadline: float) -> Queue:
        """Another connection; what was taken and not acknowledged comes again."""
        with contextlib.suppress(QueueUnavailableError):
            queue.close()
        while True:
            time.sleep(_RECONNECT_SECONDS)
            try:
                return self._connect()
            except QueueUnavailableError:
                if time.monotonic() >= deadline:
                    raise

    def _look(self, since: datetime) -> Account:
        """What the journal says of the notes, and what the books say to that."""
        self._cast.ledger.decided(
            self._journal.list_inbound(InboundFilter(kinds=_KINDS, since=since, limit=_MOST_ROWS))
        )
        unplaced = InboundFilter(
            kinds=(InboundKind.REPLY,), states=(InboundState.HELD,), since=since, limit=_MOST_ROWS
        )
        self._cast.ledger.unplaced(self._journal.list_inbound(unplaced))
        if self._cast.decider is not None and self._cast.decider.decide():
            self._last_event = time.monotonic()
        account = self._cast.settlement.account()
        if self._observer is not None:
            self._observer(account)
        return account


def journal_receivers(journal: Journal) -> Callable[[str], tuple[str, ...]]:
    """Who the journal has sent a note to, by its id of the note."""

    def receivers(inbound_id: str) -> tuple[str, ...]:
        with journal.reader() as reader:
            return tuple(s.receiver for s in reader.sendings(inbound_id, kinds=(SendingKind.NOTE,)))

    return receivers
