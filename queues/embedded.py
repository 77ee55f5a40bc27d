"""The embedded queue: one SQLite file that several processes share, and no server.

It keeps messages as a broker does: in clear, in a file that its owner alone can read. What needs more puts
the file on an encrypted disk, or encrypts the messages (CMS).
"""

from __future__ import annotations

import contextlib
import itertools
import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from gateway.contracts.errors import GatewayError, QueueUnavailableError
from gateway.contracts.queues import Delivery, Envelope, PublishOutcome, QueueStatus
from queues.presence import Presence
from queues.store import begin, connect, guarded

# At these pauses an idle taker uses one or two per cent of a core, and a message waits for 5 ms in the mean.
_FIRST_PAUSE = 0.001
_LONGEST_PAUSE = 0.010
_SECONDS_BETWEEN_ROLL_CALLS = 0.1

_READY = """
SELECT sequence FROM message WHERE queue = ? AND lease IS NULL AND sequence > ? ORDER BY sequence LIMIT ?
"""
_ENVELOPE = """
SELECT q.name, m.redelivered, m.abandoned,
    e.body, e.message_id, e.headers, e.content_type, e.correlation_id, e.reply_to
FROM message m JOIN queue q ON q.id = m.queue JOIN envelope e USING (sequence) WHERE m.sequence = ?
"""
_STATUS = """
SELECT q.id, q.name, count(m.sequence), count(m.lease), min(m.published_at)
FROM queue q LEFT JOIN message m ON m.queue = q.id GROUP BY q.id ORDER BY q.name
"""


class EmbeddedQueue:
    """A connection to an embedded queue; see `gateway.contracts.queues.Queue`.

    Beside the file lies a folder `<file>.connections`, where a locked file stands for each connection. What
    a dead one had taken goes back to its place in the queue when the next one takes, within 0.1 s.
    """

    def __init__(self, path: Path) -> None:
        """Connect to the queue in a file, which is made if it is new.

        Raises:
            QueueUnavailableError: the file can not be opened.
            LocalError: it is no embedded queue, or one of another version.
        """
        self._deliveries: dict[int, int] = {}
        self._queues: dict[str, int] = {}
        self._consuming: set[int] = set()
        self._turn = 0
        self._next_roll_call = 0.0
        self._durable: bool | None = None
        self._id: int | None = None
        self._open: sqlite3.Connection | None = None
        self._presence = Presence(path.with_name(f"{path.name}.connections"))
        try:
            with self._presence.alone():
                self._open = connect(path)
            with self._transaction(durable=False) as db:
                entered = db.execute("INSERT INTO connection (token) VALUES (?)", (self._presence.token,))
                self._id = entered.lastrowid
            self._roll_call(everyone=True)
        except BaseException:
            self.close()
            raise
        # Tags tell connections apart: one of another connection is never mistaken for one of this.
        self._tags = itertools.count((self._id or 0) << 32)

    def declare(self, names: Iterable[str]) -> None:
        """Make the durable queues that are not there yet."""
        with self._transaction() as db:
            db.executemany("INSERT OR IGNORE INTO queue (name) VALUES (?)", [(name,) for name in names])

    def publish(self, messages: Sequence[tuple[str, Envelope]]) -> list[PublishOutcome]:
        """Put messages on queues (name, envelope), all in one transaction; an outcome for each.

        Raises:
            QueueUnavailableError: the file can not be written; nothing was stored.
        """
        outcomes = []
        now = time.time()
        with self._transaction() as db:
            for name, envelope in messages:
                queue = self._queue(name)
                if queue is None:
                    outcomes.append(PublishOutcome.UNROUTABLE)
                    continue
                added = db.execute("INSERT INTO message (queue, published_at) VALUES (?, ?)", (queue, now))
                db.execute(
                    "INSERT INTO envelope VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (
                        added.lastrowid,
                        envelope.message_id,
                        json.dumps(dict(envelope.headers), ensure_ascii=False),
                        envelope.content_type,
                        envelope.correlation_id,
                        envelope.reply_to,
                        envelope.body,
                    ),
                )
                outcomes.append(PublishOutcome.CONFIRMED)
        return outcomes

    def take(self, names: Sequence[str], *, limit: int, wait_seconds: float) -> list[Delivery]:
        """Take what is there, up to `limit`, waiting up to `wait_seconds` for the first.

        Each queue has its share of the limit; what one leaves the others fill. Queues that are not
        declared (yet) are empty.
        """
        deadline = time.monotonic() + wait_seconds
        pause = _FIRST_PAUSE
        seen: object = None
        while True:
            if self._roll_call():
                seen = None
            # Changes only when another connection has written: the cheapest way to see that nothing is new.
            with guarded():
                version = self._db.execute("PRAGMA data_version").fetchone()
            if version != seen:
                seen = version
                taken = self._take_ready(names, limit)
                if taken:
                    return taken
            left = deadline - time.monotonic()
            if left <= 0:
                return []
            time.sleep(min(pause, left))
            pause = min(pause * 2, _LONGEST_PAUSE)

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """These are done with: they never come again. Deliveries of another connection are left alone."""
        self._settle("DELETE FROM message WHERE sequence = ? AND lease = ?", deliveries)

    def requeue(self, deliveries: Sequence[Delivery]) -> None:
        """Give these back to their places in their queues, for another attempt."""
        self._settle(
            "UPDATE message SET lease = NULL, redelivered = 1 WHERE sequence = ? AND lease = ?", deliveries
        )

    def status(self, names: Sequence[str] | None = None) -> list[QueueStatus]:
        """How full the queues are (all by default), by name; those that are not declared are left out."""
        self._roll_call(everyone=True)
        now = time.time()
        with guarded():
            consumers = dict(self._db.execute("SELECT queue, count(*) FROM consumer GROUP BY queue"))
            rows = self._db.execute(_STATUS).fetchall()
        return [
            QueueStatus(
                name=name,
                ready=count - leased,
                unacknowledged=leased,
                consumers=consumers.get(queue, 0),
                oldest_seconds=None if oldest is None else max(0.0, now - oldest),
            )
            for queue, name, count, leased, oldest in rows
            if names is None or name in names
        ]

    def close(self) -> None:
        """Give back what is not acknowledged, and disconnect."""
        if self._open is not None:
            # Where this fails the others see that the connection is gone, and do it.
            with contextlib.suppress(GatewayError), self._transaction(durable=False):
                self._release(self._id)
            self._open.close()
            self._open = None
        self._presence.leave()

    def __enter__(self) -> Self:
        """The connection itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close."""
        self.close()

    @property
    def _db(self) -> sqlite3.Connection:
        if self._open is None:
            raise QueueUnavailableError("The connection to the embedded queue is closed.")
        return self._open

    @contextmanager
    def _transaction(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """Write; on the disk at the end where `durable`.

        Leases need not be: after a loss of power no taker is left that could hold one.
        """
        db = self._db
        with guarded():
            if durable is not self._durable:
                db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
                self._durable = durable
            begin(db)
            try:
                yield db
                db.execute("COMMIT")
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")

    def _queue(self, name: str) -> int | None:
        """The id of a queue."""
        if name not in self._queues:
            row = self._db.execute("SELECT id FROM queue WHERE name = ?", (name,)).fetchone()
            if row is None:
                return None
            self._queues[name] = row[0]
        return self._queues[name]

    def _take_ready(self, names: Sequence[str], limit: int) -> list[Delivery]:
        with guarded():
            queues = [queue for queue in map(self._queue, names) if queue is not None]
            self._consume(queues)
            # Looked at without the lock that writers share: most looks find nothing.
            if not self._choose(queues, min(1, limit)):
                return []
        with self._transaction(durable=False) as db:
            chosen = self._choose(queues, limit)
            db.executemany(
                "UPDATE message SET lease = ? WHERE sequence = ?", [(self._id, each) for each in chosen]
            )
        self._turn += 1
        with guarded():
            return [self._delivery(each) for each in chosen]

    def _consume(self, queues: Sequence[int]) -> None:
        """Be known as a consumer of the queues."""
        new = set(queues) - self._consuming
        if new:
            with self._transaction(durable=False) as db:
                db.executemany(
                    "INSERT OR IGNORE INTO consumer VALUES (?, ?)", [(self._id, queue) for queue in new]
                )
            self._consuming |= new

    def _choose(self, queues: Sequence[int], limit: int) -> list[int]:
        """Ready messages, oldest first in each queue: a share from each, then more from those that have more.

        The first queue is another one each time, so that a small limit serves all in turn.
        """
        chosen: list[int] = []
        start = self._turn % max(1, len(queues))
        more = [(queue, 0) for queue in (*queues[start:], *queues[:start])]
        share = max(1, limit // max(1, len(queues)))
        while more and len(chosen) < limit:
            round_, more = more, []
            for queue, last in round_:
                amount = min(share, limit - len(chosen))
                found = [row[0] for row in self._db.execute(_READY, (queue, last, amount))]
                chosen += found
                if found and len(found) == amount:
                    more.append((queue, found[-1]))
        return chosen

    def _delivery(self, sequence: int) -> Delivery:
        row = self._db.execute(_ENVELOPE, (sequence,)).fetchone()
        queue, redelivered, abandoned, body, message_id, headers, content_type, correlation_id, reply_to = row
        tag = next(self._tags)
        self._deliveries[tag] = sequence
        envelope = Envelope(
            body=body,
            message_id=message_id,
            headers=json.loads(headers),
            content_type=content_type,
            correlation_id=correlation_id,
            reply_to=reply_to,
        )
        return Delivery(
            queue=queue, envelope=envelope, tag=tag, redelivered=bool(redelivered), abandoned=abandoned
        )

    def _settle(self, statement: str, deliveries: Sequence[Delivery]) -> None:
        tags = [each.tag for each in deliveries if each.tag in self._deliveries]
        with self._transaction() as db:
            db.executemany(statement, [(self._deliveries[tag], self._id) for tag in tags])
        for tag in tags:
            del self._deliveries[tag]

    def _roll_call(self, *, everyone: bool = False) -> bool:
        """Give back what the dead have taken; whether there were any.

        Looks, from time to time, at those who hold messages; at everyone where asked.
        """
        if not everyone and time.monotonic() < self._next_roll_call:
            return False
        self._next_roll_call = time.monotonic() + _SECONDS_BETWEEN_ROLL_CALLS
        holding = "" if everyone else "AND EXISTS (SELECT 1 FROM message WHERE lease = connection.id)"
        with guarded():
            others = self._db.execute(
                f"SELECT id, token FROM connection WHERE id <> ? {holding}",  # noqa: S608 - words of ours
                (self._id,),
            ).fetchall()
        dead = [(each, token) for each, token in others if not self._presence.alive(token)]
        if dead:
            with self._transaction(durable=False):
                for each, _token in dead:
                    self._release(each, abandoned=True)
            for _each, token in dead:
                self._presence.forget(token)
        return bool(dead)

    def _release(self, connection: int | None, *, abandoned: bool = False) -> None:
        """Give back what a connection has taken, and forget the connection."""
        self._db.execute(
            "UPDATE message SET lease = NULL, redelivered = 1, abandoned = abandoned + ? WHERE lease = ?",
            (int(abandoned), connection),
        )
        self._db.execute("DELETE FROM connection WHERE id = ?", (connection,))
