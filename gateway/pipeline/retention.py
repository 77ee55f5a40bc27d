"""Content is taken away when its time is over: `db purge`, and the service by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import structlog

from gateway.contracts.audit import AuditEntry
from gateway.contracts.journal import Journal
from gateway.contracts.retention import DataClass, kinds_of

log = structlog.get_logger()

Record = Callable[[Mapping[str, int]], AuditEntry]
"""Makes the entry of the audit log that says how many messages of each class were purged"""


class Retention:
    """Purges now and then, a batch at a time, so that messages do not wait for it."""

    def __init__(
        self,
        journal: Journal,
        periods: Mapping[DataClass, timedelta],
        entry: Record,
        clock: Callable[[], datetime],
        *,
        every: timedelta = timedelta(hours=1),
    ) -> None:
        """A class that has no period is kept for ever."""
        self._journal = journal
        self._periods = periods
        self._entry = entry
        self._clock = clock
        self._every = every
        self._next: datetime | None = None
        self._left: list[tuple[DataClass, int]] = []
        self._done: dict[str, int] = {}

    def check(self) -> None:
        """Purge one batch, where it is time to.

        Raises:
            TransientError: the journal can not be reached.
        """
        now = self._clock()
        if not self._left:
            if not self._periods or (self._next is not None and now < self._next):
                return
            self._left = [(data, 0) for data in self._periods]
            self._next = now + self._every
        self._batch(now)
        if not self._left:
            self._end()

    def _batch(self, now: datetime) -> None:
        data, after = self._left[0]
        before = now - self._periods[data]
        last: int | None = None
        if data is DataClass.AUDIT:
            self._journal.purge_reasons(before, self._entry({}))
        else:
            last, count = self._journal.purge_batch(before, at=now, kinds=kinds_of(data), after=after)
            self._done[data.value] = self._done.get(data.value, 0) + count
        self._left = [(data, last), *self._left[1:]] if last is not None else self._left[1:]

    def _end(self) -> None:
        done = {data: count for data, count in self._done.items() if count}
        self._done = {}
        if done:
            with self._journal.transaction() as transaction:
                transaction.record(self._entry(done))
            log.info("purged", count=sum(done.values()))
