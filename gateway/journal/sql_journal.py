"""The journal in an SQL database: SQLite or PostgreSQL, with the same tables and statements."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine, select

from gateway.contracts.audit import AuditAnchor, AuditEntry, AuditFilter, AuditRecord, AuditVerdict
from gateway.contracts.fail_points import FailPoint, reached
from gateway.contracts.ports import Vault
from gateway.contracts.records import Event, InboundFilter, InboundMessage, Receipt, Sending
from gateway.contracts.states import InboundKind, InboundState, SendingKind
from gateway.contracts.traffic import Circuit, Pause
from gateway.journal import audit_check, audit_log, listing, rows, schema, state, upkeep
from gateway.journal.answer_reader import AnswerReader, answers_of
from gateway.journal.beside import beside
from gateway.journal.exclusive import Hold
from gateway.journal.failures import FailureLog
from gateway.journal.figure_reader import FigureReader
from gateway.journal.figures import Figures, Month, NoteFigures
from gateway.journal.rows import Row
from gateway.journal.session import Session, session_of
from gateway.journal.state import JournalState
from gateway.journal.statement import DATABASE_CLOCK, Statement
from gateway.journal.statements import Statements
from gateway.journal.store import Store
from gateway.journal.transaction import SqlTransaction

LEASE = timedelta(seconds=30)
"""How long a process has to publish what it took, where several do"""

MANY = 100_000
"""Messages in a journal whose report is counted by two processes: starting one takes a second"""


class SqlJournal:
    """The durable memory of the gateway; see `gateway.contracts.journal.Journal`.

    Several threads may use it; those that write wait for each other.
    """

    def __init__(self, store: Store, vault: Vault, *, lease: timedelta = LEASE) -> None:
        """In a store; `opening.open_journal` opens one."""
        self._store = store
        self._vault = vault
        self._lease = lease
        self._owner = uuid4().hex
        self._holds: list[Hold] = []
        self._after_crash = False
        self._statements = Statements(store.writer.dialect)
        self.observe: Callable[[Sequence[Event]], None] | None = None
        """Told the events of each transaction that was committed; must not raise"""
        self.failed = FailureLog(partial(self._session, store.reader), partial(self._session, store.writer))
        """What failed, and the runs that replay it"""

    @contextmanager
    def transaction(self) -> Iterator[SqlTransaction]:
        """Begin; commit at the end of the block, or roll back if it raises.

        Raises:
            JournalUnavailableError: the store can not be reached.
            LocalError: the store can not be used.
        """
        with self._session(self._store.writer) as session:
            transaction = SqlTransaction(session, self._statements, self._vault)
            reached(FailPoint.TRANSACTION_BEGUN)
            yield transaction
            transaction.write_gathered()
            reached(FailPoint.BEFORE_COMMIT)
        reached(FailPoint.COMMITTED)
        if self.observe is not None and transaction.told:
            self.observe(transaction.told)

    @contextmanager
    def reader(self) -> Iterator[SqlTransaction]:
        """A view for reading only, of one moment. What is written in it is refused with a LocalError."""
        with self._session(self._store.reader) as session:
            view = SqlTransaction(session, self._statements, self._vault)
            yield view
            view.write_gathered()

    def claim_due(self, now: datetime, *, limit: int) -> list[Sending]:
        """What is due (see `JournalTransaction.due`), to be sent by this process alone.

        On SQLite no other process sends, and nothing is marked: after one that did not end in good order what
        is due first is to be sent alone. On PostgreSQL each row is leased, by the database's clock; what
        another process has not come to an end with is to be sent alone. What this process itself has leased
        it may take again.

        Raises:
            JournalUnavailableError: the store can not be reached.
        """
        shared = self._store.shared
        with self.reader() as view:
            due = view.due(now, limit=1 if shared else limit)
            probing = bool(view.to_probe(now))
        if shared:
            return self._leased(now, limit) if due or probing else []
        if due and self._after_crash:
            # What ended the process before this one is among the first that are due.
            self._after_crash = False
            due = [replace(each, alone=True) for each in due]
        if probing:
            with self.transaction() as transaction:
                due += transaction.probes(now, until=now + self._lease)
        return due

    def _leased(self, now: datetime, limit: int) -> list[Sending]:
        """What is due, held for this process."""
        with self.transaction() as transaction:
            claimed = transaction.claim(now, limit=limit, owner=self._owner, lease=self._lease)
            transaction.write_gathered()
            reached(FailPoint.LEASED)
        return claimed

    def list_inbound(self, criteria: InboundFilter) -> list[InboundMessage]:
        """Inbox rows, newest first; `body` and `summary` are left out (empty, None).

        Of several values for one criterion any will do; `since` is included, `until` is not.
        """
        with self._session(self._store.reader) as session:
            return [rows.inbound_message(row, None) for row in listing.found(session, criteria)]

    def sendings_of(
        self, inbound_ids: Sequence[str], kinds: Sequence[SendingKind]
    ) -> dict[str, list[Sending]]:
        """What was made of each of these messages, oldest first; without payloads."""
        with self._session(self._store.reader) as session:
            return listing.sendings_of(session, inbound_ids, kinds)

    def events(self, inbound_id: str) -> list[Event]:
        """The history of a message, oldest first."""
        return [rows.event(row) for row in self._read(self._statements.events, inbound_id=inbound_id)]

    def receipts(self, sending_id: str) -> list[Receipt]:
        """The receipts for a sending, oldest first."""
        return [rows.receipt(row) for row in self._read(self._statements.receipts, sending_id=sending_id)]

    def audit_log(self, criteria: AuditFilter) -> Iterator[AuditRecord]:
        """Entries of the audit log, oldest first; read as they are asked for.

        Raises:
            LocalError: a row can not be read: it was changed.
        """
        last: int | None = None
        while found := self._audit_batch(criteria, last):
            yield from (rows.audit_record(row, self._vault) for row in found)
            last = found[-1]["sequence"]

    def verify_audit(self, anchor: AuditAnchor | None = None) -> AuditVerdict:
        """Check the whole audit log, as it is at one moment, and that it holds what an anchor remembers."""
        with self._session(self._store.reader) as session:
            return audit_check.verify(session, self._statements.audit, self._vault, anchor)

    def count_by_state(self) -> Mapping[str, int]:
        """How many notes stand in each state; states without any are there with 0."""
        found = {row[0]: row[1] for row in self._read(self._statements.count_by_state)}
        return {state.value: found.get(state.value, 0) for state in InboundState}

    def next_due(self) -> datetime | None:
        """When the next pending sending is due (1970 for one that is due at once)."""
        (found,) = self._read(self._statements.next_due)
        return None if found[0] is None else rows.from_time(found[0])

    def figures(self, counted: Sequence[Month], *, facts_from: str, deadline: timedelta) -> Figures:
        """What the report is made of; see `FigureReader.read`.

        In a large journal notes and answers are counted side by side, each as they stand at the beginning.

        Args:
            counted: the months.
            facts_from: the first month whose facts are wanted.
            deadline: how long a receiver has to answer.
        """
        url = self._store.reader.url.render_as_string(hide_password=False)
        with self._session(self._store.reader) as session:
            reader = FigureReader(session, self._vault)
            if state.messages(session) < MANY:
                found = reader.read(counted, facts_from=facts_from)
                answers = AnswerReader(session, deadline=deadline).read(counted)
            else:
                with beside(answers_of, url, counted, deadline) as counted_beside:
                    found = reader.read(counted, facts_from=facts_from)
                    answers = counted_beside()
        for cell, figures in answers.items():
            found.cells.setdefault(cell, NoteFigures()).add(figures)
        return found

    def circuits(self) -> list[Circuit]:
        """What is known of receivers that sendings did not reach, by receiver."""
        with self.reader() as view:
            return view.circuits()

    def pauses(self) -> list[Pause]:
        """What is stopped, by scope."""
        with self.reader() as view:
            return view.pauses()

    def state(self) -> JournalState:
        """How it stands; see `JournalState`."""
        with self._session(self._store.reader) as session:
            waiting, oldest = state.outbox(session)
            unanswered, size = state.unanswered(session), state.size_bytes(session)
        return JournalState(
            notes=self.count_by_state(),
            waiting=waiting,
            oldest_waiting=oldest,
            unanswered=unanswered,
            size_bytes=size,
            circuits=self.circuits(),
            pauses=[pause.scope for pause in self.pauses()],
        )

    def acquire_exclusive(self, name: str) -> Hold:
        """Work on the journal under a name (`gateway`), until closed or dead.

        On SQLite only one process of a name may; on PostgreSQL several do, and leases keep them apart. The
        check value of the key is sealed anew, so that a key that was changed can be dropped when the last row
        that it sealed is gone.

        Raises:
            LocalError: another does; its process id is in the text.
        """
        hold = self._store.hold(name)
        self._holds.append(hold)
        self._after_crash = hold.after_crash
        with self._session(self._store.writer) as session:
            schema.seal_key_check(session, self._statements, self._vault)
        return hold

    def backup(self, file: Path) -> None:
        """Write all that is committed now to a file, while gateways work on.

        On SQLite the file is a journal as it stands; on PostgreSQL it is for `pg_restore`.

        Raises:
            LocalError: the file exists, or can not be written, or the tool for it is missing.
            JournalUnavailableError: the store can not be reached.
        """
        self._store.backup(file)

    def purge(
        self, before: datetime, *, at: datetime, kinds: Sequence[InboundKind] = tuple(InboundKind)
    ) -> int:
        """Take away the payloads of messages that have ended before a time; how many messages.

        Their rows and their history stay, with an event `purged` at the time given. What has not ended, waits
        for an answer, is refused or has failed keeps its payloads: a person may still need them.
        """
        last: int | None = 0
        count = 0
        while last is not None:
            last, done = self.purge_batch(before, at=at, kinds=kinds, after=last)
            count += done
        return count

    def purge_batch(
        self, before: datetime, *, at: datetime, kinds: Sequence[InboundKind], after: int
    ) -> tuple[int | None, int]:
        """`purge` of some messages, in one transaction.

        Args:
            before: when they came, and anything happened to them, at the latest.
            at: the time of the events.
            kinds: of which kinds.
            after: what the batch before returned; 0 at first.

        Returns:
            Where the next batch begins (None: there is none), and how many messages it were.
        """
        purge = upkeep.Purge(kinds=kinds, before=before, at=at)
        with self._session(self._store.writer) as session:
            return upkeep.purge_batch(session, self._statements, self._vault, purge, after)

    def purge_reasons(self, before: datetime, entry: AuditEntry) -> int:
        """Take away what operators wrote to the audit log before a time; how many reasons it were.

        Args:
            before: when they wrote it, at the latest.
            entry: what the audit log says of this, where there was any: without it they would be missed.
        """
        with self._session(self._store.writer) as session:
            count = upkeep.purge_reasons(session, before)
            if count:
                detail = dict(entry.detail or {}) | {
                    audit_check.PURGED_UNTIL: rows.to_time(before),
                    "reasons": count,
                }
                told = replace(entry, detail=detail)
                transaction = SqlTransaction(session, self._statements, self._vault)
                transaction.record(told)
                transaction.write_gathered()
            return count

    def reseal(self) -> int:
        """Seal every payload with the key that writes now, so that older ones can be dropped; how many.

        Every gateway on the journal must have the new key by then.

        Raises:
            LocalError: no key opens one of them; what was sealed before it stays so.
        """
        last: tuple[str, str] | None = ("", "")
        count = 0
        while last is not None:
            with self._session(self._store.writer) as session:
                last, done = upkeep.reseal_batch(session, self._vault, last)
                schema.seal_key_check(session, self._statements, self._vault)
            count += done
        return count

    def close(self) -> None:
        """Give the store back, and what is held exclusively."""
        self._store.reader.dispose()
        self._store.writer.dispose()
        while self._holds:
            self._holds.pop().release()

    def prepare(self, *, upgrade: bool = False) -> str:
        """Make the tables in a new store; check one that is there; see `schema.prepare`."""
        return schema.prepare(self._store, self._vault, self._statements, upgrade=upgrade)

    def version(self) -> str:
        """The version of the tables that are there; see `schema.version`."""
        return schema.version(self._store, self._vault)

    def database_time(self) -> datetime | None:
        """What the database's own clock says; None where it has ours (SQLite)."""
        if not self._store.shared:
            return None
        with self._session(self._store.reader) as session:
            return rows.from_time(session.select(select(DATABASE_CLOCK))[0][0])

    def _audit_batch(self, criteria: AuditFilter, after: int | None) -> list[Mapping[str, Any]]:
        with self._session(self._store.reader) as session:
            return audit_log.batch(session, criteria, after)

    def _read(self, statement: Statement, **values: object) -> Sequence[Row]:
        with self._session(self._store.reader) as session:
            return session.rows(statement, values)

    def _session(self, engine: Engine) -> AbstractContextManager[Session]:
        return session_of(engine, self._store.meaning)
