"""The audit log on both databases: what was done is there with it, and nothing in it changes unseen."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import Connection, TextClause, delete, insert, select, text, update

from gateway.contracts.audit import (
    AuditAction,
    AuditAnchor,
    AuditEntry,
    AuditFault,
    AuditFilter,
    AuditVerdict,
)
from gateway.contracts.errors import LocalError
from gateway.journal import audit_chain, audit_check
from gateway.journal.session import Session
from gateway.journal.sql_journal import SqlJournal
from gateway.journal.tables import audit, audit_head, content
from tests.journal.stores import KEY, OTHER_KEY, Store, at, note, vault
from tests.journal.test_migrations import with_connection

F = AuditFault
PATIENT = "ab" * 32


def done(number: int = 0, **fields: Any) -> AuditEntry:
    values: dict[str, Any] = {
        "at": at(number),
        "who": "kari",
        "action": AuditAction.REVEAL,
        "inbound_id": f"i{number}",
        "patient_reference": PATIENT,
        "reason": f"ringt avdelingen {number}",
        "detail": {"number": number},
    }
    return AuditEntry(**(values | fields))


def write(journal: SqlJournal, *entries: AuditEntry) -> None:
    with journal.transaction() as transaction:
        for entry in entries:
            transaction.record(entry)


def entries(journal: SqlJournal, criteria: AuditFilter | None = None) -> list[AuditEntry]:
    return [record.entry for record in journal.audit_log(criteria or AuditFilter())]


@dataclass
class Log:
    """A log of eight rows, tampered with in a transaction that is undone."""

    journal: SqlJournal

    def after(
        self, *steps: Callable[[Connection], object], anchor: AuditAnchor | None = None
    ) -> AuditVerdict:
        store, statements = self.journal._store, self.journal._statements.audit
        with store.writer.connect() as connection:
            transaction = connection.begin()
            try:
                for step in (unguarded, *steps):
                    step(connection)
                session = Session(connection, store.meaning)
                return audit_check.verify(session, statements, self.journal._vault, anchor)
            finally:
                transaction.rollback()


ROWS = 8


@pytest.fixture
def log(journal: SqlJournal) -> Log:
    write(journal, *(done(n, sudo_user="ola" if n % 2 else None) for n in range(ROWS)))
    return Log(journal)


def unguarded(connection: Connection) -> None:
    """As who may change the database can do: without the triggers."""
    if connection.dialect.name == "sqlite":
        connection.execute(text("DROP TRIGGER audit_no_update"))
        connection.execute(text("DROP TRIGGER audit_no_delete"))
    else:
        connection.execute(text("DROP TRIGGER audit_unchanged ON audit"))


def change(row: int, **values: Any) -> Callable[[Connection], object]:
    return lambda c: c.execute(update(audit).where(audit.c.sequence == row).values(**values))


def remove(*sequences: int) -> Callable[[Connection], object]:
    return lambda c: c.execute(delete(audit).where(audit.c.sequence.in_(sequences)))


def swap(one: int, other: int) -> Callable[[Connection], object]:
    def swapped(connection: Connection) -> None:
        for before, after in ((one, 1000), (other, one), (1000, other)):
            change(before, sequence=after)(connection)

    return swapped


def renumber(first: int, by: int) -> Callable[[Connection], object]:
    """Move every row from one on, as who closes or makes a gap."""

    def renumbered(connection: Connection) -> None:
        last = 1000
        change_all = update(audit).where(audit.c.sequence >= first, audit.c.sequence < last)
        connection.execute(change_all.values(sequence=audit.c.sequence + last))
        moved = update(audit).where(audit.c.sequence >= last)
        connection.execute(moved.values(sequence=audit.c.sequence - last + by))

    return renumbered


def copy(sequence: int, to: int, **values: Any) -> Callable[[Connection], object]:
    def copied(connection: Connection) -> None:
        row = connection.execute(select(audit).where(audit.c.sequence == sequence)).mappings().one()
        connection.execute(insert(audit).values(dict(row) | {"sequence": to} | values))

    return copied


def head(**values: Any) -> Callable[[Connection], object]:
    return lambda c: c.execute(update(audit_head).values(**values))


def head_at(sequence: int) -> Callable[[Connection], object]:
    """Move the head to a row, with the seal that it has."""

    def moved(connection: Connection) -> None:
        row = connection.execute(select(audit).where(audit.c.sequence == sequence)).mappings().one()
        head(sequence=sequence, hash=row["hash"])(connection)

    return moved


def places(verdict: AuditVerdict) -> list[tuple[AuditFault, int, int | None]]:
    return [(problem.fault, problem.sequence, problem.last) for problem in verdict.problems]


def test_what_is_recorded_is_read_back_and_is_durable(store: Store) -> None:
    journal = store.open()
    full = done(1, sudo_user="ola", sending_id="s", outcome="begun", reason="Kåre spør: «hvorfor?»")
    bare = AuditEntry(at=at(2), who="root", action=AuditAction.DB_BACKUP)
    write(journal, full, bare)
    journal.close()
    again = store.open()
    first, second = again.audit_log(AuditFilter())
    assert (first.sequence, first.entry) == (1, full)
    assert (second.sequence, second.entry) == (2, bare)
    assert again.verify_audit() == AuditVerdict(rows=2, head=AuditAnchor(sequence=2, hash=second.hash))
    again.close()


def test_an_entry_stands_or_falls_with_what_was_done(journal: SqlJournal) -> None:
    write(journal, done(1))
    with contextlib.suppress(ZeroDivisionError), journal.transaction() as transaction:
        transaction.add_inbound(note("lost"))
        transaction.record(done(2))
        raise ZeroDivisionError
    with journal.transaction() as transaction:
        with contextlib.suppress(ZeroDivisionError), transaction.savepoint():
            transaction.record(done(3))
            raise ZeroDivisionError
        transaction.record(done(4))
    assert [entry.inbound_id for entry in entries(journal)] == ["i1", "i4"]
    assert journal.verify_audit().problems == ()


def test_no_word_of_the_operator_and_no_hash_key_stands_in_the_database(store: Store) -> None:
    journal = store.open()
    write(journal, done(1, reason="Kari Normann ringte"))
    journal.close()
    for table in ("audit", "audit_head", "content"):
        query = text(f"SELECT * FROM {table}")  # noqa: S608 - names of ours
        rows = with_connection(store, _all(query))
        assert rows
        assert "Normann" not in repr(
            [[bytes(v) if isinstance(v, memoryview) else v for v in r] for r in rows]
        )


def _all(query: TextClause) -> Callable[[Connection], Any]:
    return lambda connection: connection.execute(query).all()


def test_filters(journal: SqlJournal) -> None:
    write(
        journal,
        done(1),
        done(2, who="root", sudo_user="ola", action=AuditAction.DB_PURGE),
        done(3, who="per"),
    )

    def found(**criteria: Any) -> list[str | None]:
        return [entry.inbound_id for entry in entries(journal, AuditFilter(**criteria))]

    assert found() == ["i1", "i2", "i3"]
    assert found(since=at(2)) == ["i2", "i3"]
    assert found(until=at(2)) == ["i1"]
    assert found(who=("ola", "per")) == ["i2", "i3"]
    assert found(actions=("db-purge",), who=("root",)) == ["i2"]
    assert found(who=("' OR 1=1 --",)) == []


def test_many_rows_are_read_and_checked_in_batches(journal: SqlJournal) -> None:
    write(journal, *(done(n) for n in range(1203)))
    assert [entry.detail for entry in entries(journal)] == [{"number": n} for n in range(1203)]
    assert journal.verify_audit().rows == 1203
    assert journal.verify_audit().problems == ()


def test_rows_are_only_ever_added(journal: SqlJournal) -> None:
    write(journal, done(1))
    for statement in ("UPDATE audit SET who = 'x'", "DELETE FROM audit"):
        with pytest.raises(LocalError), journal._store.writer.begin() as connection:
            connection.execute(text(statement))
    assert len(entries(journal)) == 1


def test_writers_beside_each_other_make_one_chain(store: Store) -> None:
    journals = [store.open() for _ in range(4)]

    def work(number: int) -> None:
        for n in range(25):
            write(journals[number], done(100 * number + n))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    verdict = journals[0].verify_audit()
    assert (verdict.rows, verdict.problems) == (100, ())
    found = entries(journals[0])
    for number in range(4):
        theirs = [done(100 * number + n) for n in range(25)]
        assert [entry for entry in found if entry in theirs] == theirs
    for journal in journals:
        journal.close()


class TestTampering:
    def test_the_untouched_log_is_whole(self, log: Log) -> None:
        verdict = log.after()
        assert (verdict.rows, verdict.problems) == (ROWS, ())
        assert log.after(anchor=verdict.head).problems == ()

    @pytest.mark.parametrize(
        "values",
        [
            {"at": 1},
            {"who": "ola"},
            {"sudo_user": None},
            {"sudo_user": "per"},
            {"action": "audit-export"},
            {"inbound_id": "i1"},
            {"inbound_id": None},
            {"sending_id": "s"},
            {"patient_reference": "cd" * 32},
            {"outcome": "begun"},
            {"detail": '{"number":2}'},
            {"detail": None},
            {"reason_hash": "00" * 32},
            {"previous": "00" * 32},
            {"hash": "00" * 32},
            {"id": "another"},
        ],
        ids=lambda values: "-".join(f"{k}={str(v)[:8]}" for k, v in values.items()),
    )
    def test_a_changed_field(self, log: Log, values: dict[str, Any]) -> None:
        found = places(log.after(change(4, **values)))
        assert (F.CHANGED, 4, None) in found
        assert {sequence for _, sequence, _ in found} <= {4, 5}

    @pytest.mark.parametrize(
        ("gone", "expected"),
        [
            ((1,), [(F.MISSING, 1, None)]),
            ((4,), [(F.MISSING, 4, None)]),
            ((4, 5, 6), [(F.MISSING, 4, 6)]),
            ((2, 5), [(F.MISSING, 2, None), (F.MISSING, 5, None)]),
            ((8,), [(F.CUT, 8, None)]),
            ((6, 7, 8), [(F.CUT, 6, 8)]),
            (range(1, 9), [(F.CUT, 1, 8)]),
        ],
        ids=str,
    )
    def test_removed_rows(self, log: Log, gone: tuple[int, ...], expected: list[Any]) -> None:
        assert places(log.after(remove(*gone))) == expected

    def test_a_removed_row_whose_gap_was_closed(self, log: Log) -> None:
        found = places(log.after(remove(4), renumber(5, by=-1)))
        assert (F.CHANGED, 4, None) in found

    def test_a_row_put_in(self, log: Log) -> None:
        found = places(log.after(renumber(4, by=1), copy(3, 4, id="new")))
        assert (F.CHANGED, 4, None) in found
        after_the_end = places(log.after(copy(8, 9, id="new")))
        assert (F.CHANGED, 9, None) in after_the_end
        assert (F.BEYOND_HEAD, 9, None) in after_the_end
        before_the_first = places(log.after(copy(1, 0, id="new")))
        assert (F.CHANGED, 0, None) in before_the_first

    def test_rows_in_another_order(self, log: Log) -> None:
        assert {(F.CHANGED, 3, None), (F.CHANGED, 6, None)} <= set(places(log.after(swap(3, 6))))

    def test_a_cut_end_with_a_head_that_was_set_back(self, log: Log) -> None:
        assert places(log.after(remove(7, 8), head_at(6))) == [(F.HEAD, 6, None)]

    def test_a_head_that_is_gone(self, log: Log) -> None:
        assert places(log.after(lambda c: c.execute(delete(audit_head)))) == [(F.HEAD, 8, None)]

    def test_everything_gone(self, log: Log) -> None:
        gone = log.after(remove(*range(1, 9)), lambda c: c.execute(delete(audit_head)))
        assert places(gone) == [(F.HEAD, 0, None)]

    def test_a_row_of_another_history(self, log: Log) -> None:
        """Who has a backup of the journal can let it grow another way: its rows are genuine."""
        taken: list[dict[str, Any]] = []
        forged = done(7, who="mallory")

        def grow(connection: Connection) -> None:
            remove(8)(connection)
            row = connection.execute(select(audit).where(audit.c.sequence == 7)).mappings().one()
            seventh = AuditAnchor(sequence=7, hash=row["hash"])
            statements = log.journal._statements.audit
            session = Session(connection, log.journal._store.meaning)
            audit_chain._put_head(session, statements, vault(), seventh)
            audit_chain.append(session, statements, vault(), forged)
            audit_chain.append(session, statements, vault(), forged)
            ninth = connection.execute(select(audit).where(audit.c.sequence == 9)).mappings()
            taken.extend(map(dict, ninth))

        log.after(grow)
        write(log.journal, done(8))
        assert taken

        def exchange(connection: Connection) -> None:
            remove(9)(connection)
            connection.execute(insert(audit).values(taken))

        found = places(log.after(exchange))
        assert (F.NOT_LINKED, 9, None) in found

    def test_rows_hashed_with_another_key(self, log: Log) -> None:
        def forge(connection: Connection) -> None:
            row = connection.execute(select(audit).where(audit.c.sequence == 8)).mappings().one()
            changed = dict(row) | {"who": "mallory"}
            other = type(vault())((KEY,), b"x" * 32)
            forged = audit_chain.row_hash(changed, other)
            anchor = AuditAnchor(sequence=8, hash=forged)
            change(8, who="mallory", hash=forged)(connection)
            head(hash=forged, seal=audit_chain.head_seal(anchor, other))(connection)

        assert places(log.after(forge)) == [(F.CHANGED, 8, None), (F.HEAD, 8, None)]

    def test_only_an_anchor_shows_that_an_older_state_was_put_back(self, store: Store, log: Log) -> None:
        """Rows, head and seal as they once were: as a restored backup has them."""
        kept = with_connection(store, lambda c: dict(c.execute(select(audit_head)).mappings().one()))
        write(log.journal, done(8), done(9))
        anchor = log.journal.verify_audit().head
        back = (remove(9, 10), head(**kept))
        assert log.after(*back).problems == ()
        assert places(log.after(*back, anchor=anchor)) == [(F.ANCHOR, 10, None)]
        assert places(log.after(anchor=replace(anchor, hash="00" * 32))) == [(F.ANCHOR, 10, None)]
        assert log.after(anchor=AuditAnchor(sequence=8, hash=kept["hash"])).problems == ()

    def test_reasons(self, log: Log) -> None:
        mine = audit.c.sequence == 3
        row_id = select(audit.c.id).where(mine).scalar_subquery()
        other = select(audit.c.id).where(audit.c.sequence == 5).scalar_subquery()
        of_another = select(content.c.sealed).where(content.c.row_id == other).scalar_subquery()
        here = update(content).where(content.c.row_id == row_id)

        def found(statement: Any) -> list[Any]:
            return places(log.after(lambda c: c.execute(statement)))

        assert found(here.values(sealed=None)) == [(F.REASON_MISSING, 3, None)]
        assert found(delete(content).where(content.c.row_id == row_id)) == [(F.REASON_MISSING, 3, None)]
        assert found(here.values(sealed=of_another)) == [(F.REASON_CHANGED, 3, None)]
        assert found(here.values(sealed=b"x")) == [(F.REASON_CHANGED, 3, None)]

    def test_nothing_is_chained_to_a_forged_end(self, store: Store, log: Log) -> None:
        with_connection(store, lambda c: [step(c) for step in (unguarded, remove(8), head_at(7))])
        with pytest.raises(LocalError, match="tampered"):
            write(log.journal, done(9))
        assert len(entries(log.journal)) == 7

    def test_a_row_that_can_not_be_read_is_named(self, store: Store, log: Log) -> None:
        with_connection(store, lambda c: [step(c) for step in (unguarded, change(5, detail="{"))])
        with pytest.raises(LocalError, match="Row 5 of the audit log"):
            entries(log.journal)

    def test_the_chain_outlives_a_change_of_keys(self, store: Store, log: Log) -> None:
        log.journal.close()
        rotated = store.open(vault(OTHER_KEY, KEY))
        rotated.reseal()
        rotated.close()
        new = store.open(vault(OTHER_KEY))
        assert new.verify_audit().problems == ()
        assert [entry.reason for entry in entries(new)] == [f"ringt avdelingen {n}" for n in range(ROWS)]
        new.close()


sequences = st.integers(1, ROWS)
texts = st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)
NULLABLE = ("sudo_user", "inbound_id", "sending_id", "patient_reference", "detail", "reason_hash")
NEEDED = ("id", "who", "action", "outcome", "previous", "hash")
steps = st.one_of(
    st.builds(lambda s, c, v: ("change", s, c, v), sequences, st.sampled_from(NULLABLE), texts),
    st.builds(lambda s, c, v: ("change", s, c, v or ""), sequences, st.sampled_from(NEEDED), texts),
    st.builds(lambda s, v: ("change", s, "at", v), sequences, st.integers(-(2**62), 2**62)),
    st.builds(lambda s: ("remove", s), sequences),
    st.builds(lambda a, b: ("swap", a, b), sequences, sequences),
    st.builds(lambda s, by: ("renumber", s, by), sequences, st.integers(-1, 3)),
    st.builds(lambda s, to: ("copy", s, to), sequences, st.integers(-3, 20)),
    st.builds(lambda s: ("head", s), sequences),
)


def taken_step(connection: Connection, step: tuple[Any, ...]) -> None:
    """One step of a forger; what the database refuses is not done."""
    kind, sequence, *rest = step
    there = {row[0] for row in connection.execute(select(audit.c.sequence))}
    match kind:
        case "change":
            change(sequence, **{rest[0]: rest[1]})(connection)
        case "remove":
            remove(sequence)(connection)
        case "swap" if {sequence, rest[0]} <= there and sequence != rest[0]:
            swap(sequence, rest[0])(connection)
        case "renumber" if rest[0] > 0 or sequence - 1 not in there:
            renumber(sequence, rest[0])(connection)
        case "copy" if sequence in there and rest[0] not in there:
            copy(sequence, rest[0])(connection)
        case "head" if sequence in there:
            head_at(sequence)(connection)


def whole(connection: Connection) -> tuple[Any, ...]:
    rows = connection.execute(select(audit).order_by(audit.c.sequence)).all()
    return (*map(tuple, rows), *map(tuple, connection.execute(select(audit_head)).all()))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(steps, min_size=1, max_size=4))
def test_a_log_is_whole_exactly_as_long_as_nothing_in_it_differs(log: Log, forged: list[Any]) -> None:
    seen: list[tuple[Any, ...]] = []

    def all_of_them(connection: Connection) -> None:
        seen.append(whole(connection))
        for step in forged:
            taken_step(connection, step)
        seen.append(whole(connection))

    verdict = log.after(all_of_them)
    before, after = seen
    assert (verdict.problems == ()) == (before == after)
    assert log.after().problems == ()


class Chain(RuleBasedStateMachine):
    """Any sequence of transactions, whole, broken off or undone in part, of purges and restarts."""

    store: Store

    def __init__(self) -> None:
        super().__init__()
        self.journal = self.store.open()
        self.number = sum(1 for _ in self.journal.audit_log(AuditFilter()))
        self.expected = entries(self.journal)
        self.anchors = [self.journal.verify_audit().head]

    def made(self, how_many: int) -> list[AuditEntry]:
        self.number += how_many
        numbers = range(self.number - how_many, self.number)
        return [done(n, reason=f"fordi {n}" if n % 3 else None) for n in numbers]

    @rule(how_many=st.integers(1, 4))
    def commit(self, how_many: int) -> None:
        made = self.made(how_many)
        write(self.journal, *made)
        self.expected += made

    @rule(kept=st.integers(0, 2), undone=st.integers(1, 2))
    def undo_in_part(self, kept: int, undone: int) -> None:
        first = self.made(kept)
        with self.journal.transaction() as transaction:
            for entry in first:
                transaction.record(entry)
            with contextlib.suppress(ZeroDivisionError), transaction.savepoint():
                for number in range(undone):
                    transaction.record(done(number, who="nobody"))
                raise ZeroDivisionError
        self.expected += first

    @rule()
    def break_off(self) -> None:
        with contextlib.suppress(ZeroDivisionError), self.journal.transaction() as transaction:
            transaction.record(done(0, who="nobody"))
            raise ZeroDivisionError

    @rule(before=st.integers(0, 12))
    def purge(self, before: int) -> None:
        count = self.journal.purge_reasons(at(before), done(0, action=AuditAction.DB_PURGE, reason=None))
        older = [entry for entry in self.expected if entry.at < at(before)]
        assert count == sum(entry.reason is not None for entry in older)
        self.expected = [replace(e, reason=None) if e.at < at(before) else e for e in self.expected]
        if count:
            self.expected += entries(self.journal)[-1:]

    @rule()
    def restart(self) -> None:
        self.journal.close()
        self.journal = self.store.open()

    @rule()
    def remember(self) -> None:
        self.anchors.append(self.journal.verify_audit().head)

    @invariant()
    def is_whole(self) -> None:
        assert entries(self.journal) == self.expected
        for anchor in self.anchors[-3:]:
            assert self.journal.verify_audit(anchor).problems == ()

    def teardown(self) -> None:
        self.journal.close()


def test_any_sequence_of_transactions_makes_one_chain(store: Store) -> None:
    machine = type("Chain", (Chain,), {"store": store})
    run_state_machine_as_test(
        machine, settings=settings(max_examples=6, stateful_step_count=12, deadline=None)
    )


WRITER = """
import sys
from gateway.contracts.audit import AuditEntry
from tests.journal.stores import NOW, open_journal, vault
journal = open_journal(sys.argv[1], vault())
for number in range(100_000):
    with journal.transaction() as transaction:
        transaction.record(AuditEntry(at=NOW, who="svc", action="reveal", reason=str(number)))
    print(number, flush=True)
"""


def test_kill_9_loses_no_entry_and_breaks_no_chain(store: Store) -> None:
    """Two that write at once, killed in the middle of it."""
    store.open().close()
    told: list[int] = []
    with contextlib.ExitStack() as running:
        command = [sys.executable, "-c", WRITER, store.url]
        writers = [
            running.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
            for _ in range(2)
        ]
        for writer, enough in zip(writers, (20, 40), strict=True):
            assert writer.stdout is not None
            while int(writer.stdout.readline()) < enough:
                pass
            writer.kill()
            told.append(int((writer.stdout.read().split() or [str(enough)])[-1]) + 1)
    journal = store.open()
    verdict = journal.verify_audit()
    assert verdict.problems == ()
    assert sum(told) <= verdict.rows <= sum(told) + 2
    write(journal, done(1))
    assert journal.verify_audit().problems == ()
    journal.close()
