"""What is particular to the journal in PostgreSQL: several processes, leases, connections that are lost."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from gateway.contracts.errors import ConfigurationError, GatewayError, JournalUnavailableError, LocalError
from gateway.contracts.records import InboundFilter
from gateway.contracts.states import SendingState
from gateway.journal import postgresql
from gateway.journal.errors import DuplicateInboundError
from gateway.journal.opening import open_journal
from gateway.journal.sql_journal import SqlJournal
from gateway.journal.statement import Statement
from tests.journal.stores import NOW, PostgresStore, add, at, happened, note, outgoing, vault
from tests.postgres_server import PostgresServer


@pytest.fixture
def store(postgres: PostgresServer) -> Iterator[PostgresStore]:
    with postgres.database() as url:
        yield PostgresStore(url)


@pytest.fixture
def journal(store: PostgresStore) -> Iterator[SqlJournal]:
    opened = store.open()
    yield opened
    opened.close()


@pytest.fixture
def other(store: PostgresStore, journal: SqlJournal) -> Iterator[SqlJournal]:
    """Another process on the same journal, as good as."""
    del journal
    opened = store.open()
    yield opened
    opened.close()


def claimed(journal: SqlJournal, *, limit: int = 100) -> list[str]:
    return [each.id for each in journal.claim_due(at(10), limit=limit)]


class TestLeases:
    def test_what_is_due_is_given_to_one(self, journal: SqlJournal, other: SqlJournal) -> None:
        add(journal, note("a"))
        with journal.transaction() as transaction:
            for number in range(40):
                transaction.add_sending(outgoing("a", f"s{number:02}", next_attempt_at=at(number / 10)))
        with ThreadPoolExecutor(2) as pool:
            takers = [pool.submit(claimed, each, limit=20) for each in (journal, other)]
            groups = [taker.result() for taker in takers]
        assert [len(group) for group in groups] == [20, 20]
        assert len({*groups[0], *groups[1]}) == 40

    def test_a_dead_process_is_succeeded_and_changes_nothing_when_it_comes_back(
        self, store: PostgresStore, other: SqlJournal
    ) -> None:
        late = open_journal(store.url, vault(), lease=timedelta(seconds=0.3))
        add(late, note("a"))
        with late.transaction() as transaction:
            transaction.add_sending(outgoing("a", "s"))
        (before,) = late.claim_due(at(10), limit=10)
        assert claimed(other) == []
        time.sleep(0.35)
        (after,) = other.claim_due(at(10), limit=10)
        assert (before.id, after.id) == ("s", "s")
        assert after.fence > before.fence
        with late.transaction() as transaction:
            assert not transaction.update_claimed(before, state=SendingState.FAILED, attempts=9)
        with other.transaction() as transaction:
            assert transaction.update_claimed(after, state=SendingState.DELIVERED, attempts=1)
            (row,) = transaction.sendings("a")
        assert (row.state, row.attempts) == (SendingState.DELIVERED, 1)
        with late.transaction() as transaction:
            assert not transaction.update_claimed(before, state=SendingState.FAILED)
        late.close()

    def test_one_may_take_its_own_again(self, journal: SqlJournal, other: SqlJournal) -> None:
        add(journal, note("a"))
        with journal.transaction() as transaction:
            transaction.add_sending(outgoing("a", "s"))
        assert claimed(journal) == claimed(journal) == ["s"]
        assert claimed(other) == []

    def test_a_failed_attempt_ends_the_lease(self, journal: SqlJournal, other: SqlJournal) -> None:
        add(journal, note("a"))
        with journal.transaction() as transaction:
            transaction.add_sending(outgoing("a", "s"))
        (sending,) = journal.claim_due(at(10), limit=1)
        with journal.transaction() as transaction:
            assert transaction.update_claimed(sending, attempts=1, next_attempt_at=at(5))
        assert claimed(other) == ["s"]

    def test_a_receipt_that_is_quicker_than_the_mark_counts(self, journal: SqlJournal) -> None:
        add(journal, note("a"))
        with journal.transaction() as transaction:
            transaction.add_sending(outgoing("a", "s"))
        (sending,) = journal.claim_due(at(10), limit=1)
        with journal.transaction() as transaction:
            transaction.update_sending("s", state=SendingState.ACKNOWLEDGED)
        with journal.transaction() as transaction:
            assert not transaction.update_claimed(sending, state=SendingState.DELIVERED)
            assert transaction.sendings("a")[0].state is SendingState.ACKNOWLEDGED

    def test_a_change_waits_for_its_note_wherever_that_is(
        self, journal: SqlJournal, other: SqlJournal
    ) -> None:
        add(journal, note("a"), note("b"))
        with journal.transaction() as transaction:
            transaction.add_sending(outgoing("a", "first", conversation_root="r", next_attempt_at=at(3)))
            transaction.add_sending(outgoing("b", "change", conversation_root="r", next_attempt_at=at(1)))
            transaction.add_sending(
                outgoing("b", "elsewhere", conversation_root="r", receiver="2", next_attempt_at=at(2))
            )
        assert [each.id for each in journal.claim_due(at(2), limit=9)] == ["elsewhere"]
        (first,) = journal.claim_due(at(3), limit=1)
        assert first.id == "elsewhere"
        found = {each.id: each for each in journal.claim_due(at(3), limit=9)}
        assert set(found) == {"first", "elsewhere"}
        assert claimed(other) == []
        with journal.transaction() as transaction:
            assert transaction.update_claimed(found["first"], state=SendingState.DELIVERED)
        assert claimed(other) == ["change"]


class TestSeveral:
    def test_of_two_that_get_the_same_message_at_once_one_acts(
        self, journal: SqlJournal, other: SqlJournal
    ) -> None:
        start = threading.Barrier(2)

        def receive(gateway: SqlJournal, name: str) -> list[str]:
            acted = []
            for number in range(20):
                msg_id = f"m{number}"
                start.wait(timeout=20)
                with gateway.transaction() as transaction:
                    known = transaction.find_inbound(sender="1", msg_id=msg_id)
                    if known is not None:
                        transaction.add_event(happened(known.id, "duplicate"))
                        continue
                    with transaction.savepoint():
                        transaction.add_inbound(note(f"{name}{number}", sender="1", msg_id=msg_id))
                    acted.append(msg_id)
            return acted

        with ThreadPoolExecutor(2) as pool:
            one, two = pool.submit(receive, journal, "a"), pool.submit(receive, other, "b")
            acted = one.result() + two.result()
        assert sorted(acted) == sorted(f"m{number}" for number in range(20))
        rows = journal.list_inbound(InboundFilter())
        assert len(rows) == 20
        assert all([e.name for e in journal.events(row.id)] == ["duplicate"] for row in rows)

    def test_the_database_itself_refuses_a_second_row(
        self, store: PostgresStore, journal: SqlJournal
    ) -> None:
        add(journal, note("a", sender="1", msg_id="m"))
        columns = "kind, state, queue, received_at, sender, msg_id, content_hash, action"
        again = f"INSERT INTO inbound (id, {columns}) SELECT 'other', {columns} FROM inbound"  # noqa: S608 - constants
        with (
            psycopg.connect(store.url) as connection,
            pytest.raises(psycopg.errors.UniqueViolation, match="ix_inbound_msg_id"),
        ):
            connection.execute(again)
        with pytest.raises(DuplicateInboundError):
            add(journal, note("b", sender="1", msg_id="m"))

    def test_writers_wait_for_each_other_and_give_up(
        self, journal: SqlJournal, other: SqlJournal, store: PostgresStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(postgresql._SETTINGS, "lock_timeout", "200ms")
        impatient = store.open()
        with journal.transaction() as transaction:
            transaction.add_inbound(note("a"))
            with pytest.raises(JournalUnavailableError, match="another process's transaction"):
                add(impatient, note("b"))
            assert other.list_inbound(InboundFilter()) == [], "readers go on"
        add(impatient, note("b"))
        impatient.close()


class TestConnections:
    @staticmethod
    def cut(store: PostgresStore) -> None:
        with psycopg.connect(store.url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        time.sleep(0.05)

    def test_cut_inside_a_transaction(self, store: PostgresStore, journal: SqlJournal) -> None:
        def broken_off() -> None:
            with journal.transaction() as transaction:
                transaction.add_inbound(note("a"))
                self.cut(store)
                transaction.add_inbound(note("b"))

        with pytest.raises(JournalUnavailableError):
            broken_off()
        add(journal, note("c"))
        assert [each.id for each in journal.list_inbound(InboundFilter())] == ["c"]

    def test_cut_before_the_commit(self, store: PostgresStore, journal: SqlJournal) -> None:
        def broken_off() -> None:
            with journal.transaction() as transaction:
                transaction.add_inbound(note("a"))
                self.cut(store)

        with pytest.raises(JournalUnavailableError):
            broken_off()
        assert journal.list_inbound(InboundFilter()) == []

    def test_cut_between_transactions_is_not_noticed(self, store: PostgresStore, journal: SqlJournal) -> None:
        add(journal, note("a"))
        assert journal.count_by_state()["received"] == 1
        self.cut(store)
        add(journal, note("b"))
        self.cut(store)
        assert journal.count_by_state()["received"] == 2

    @pytest.mark.crash
    def test_a_server_that_crashes_and_comes_back(self, own_postgres: PostgresServer) -> None:
        with own_postgres.database() as url:
            journal = open_journal(url, vault())
            add(journal, note("a"))
            own_postgres.crash()
            for action in (lambda: add(journal, note("b")), lambda: journal.claim_due(NOW, limit=1)):
                with pytest.raises(JournalUnavailableError):
                    action()
            own_postgres.start()
            add(journal, note("c"))
            assert {each.id for each in journal.list_inbound(InboundFilter())} == {"a", "c"}
            journal.close()


class TestDatabase:
    @pytest.mark.parametrize(
        "change", ["UPDATE event SET name = 'x'", "DELETE FROM event", "TRUNCATE event CASCADE"]
    )
    def test_events_can_not_be_changed(self, store: PostgresStore, journal: SqlJournal, change: str) -> None:
        add(journal, note("a"))
        with journal.transaction() as transaction:
            transaction.add_event(happened("a"))
        with (
            psycopg.connect(store.url) as connection,
            pytest.raises(psycopg.errors.RestrictViolation, match="only ever added"),
        ):
            connection.execute(change)
        assert [each.name for each in journal.events("a")] == ["received"]

    def test_commits_are_on_the_disk_whatever_the_server_says(
        self, store: PostgresStore, journal: SqlJournal
    ) -> None:
        with psycopg.connect(store.url, autocommit=True) as connection:
            name = connection.info.dbname
            connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
            again = store.open()
            with again.transaction() as transaction:
                cursor = transaction._session._cursor
                cursor.execute("SHOW synchronous_commit")
                assert cursor.fetchone() == ("on",)
            again.close()
            connection.execute(f"ALTER DATABASE {name} RESET synchronous_commit")
        del journal

    def test_what_goes_out_is_found_by_an_index(self, store: PostgresStore, journal: SqlJournal) -> None:
        statements = journal._statements
        right = {
            statements.due: "ix_sending_due",
            statements.find_inbound: "ix_inbound_msg_id",
            statements.sendings: "ix_sending_inbound_id",
            statements.events: "ix_event_inbound_id",
        }
        with psycopg.connect(store.url) as connection:
            connection.execute("SET enable_seqscan = off")
            for statement, index in right.items():
                assert index in _plan(connection, statement)

    def test_what_is_overdue_is_found_without_reading_what_is_answered(
        self, store: PostgresStore, journal: SqlJournal
    ) -> None:
        """The cost of looking does not grow with the journal, and little with what is not overdue yet."""
        add(journal, note("n"))
        statements = journal._statements
        looks = (statements.unanswered_inside, statements.unanswered_outside)
        touched = []
        with psycopg.connect(store.url, autocommit=True) as connection:
            for rows in (2_000, 20_000):
                connection.execute(_FILL, {"rows": rows})
                connection.execute("ANALYZE sending")
                plans = [_plan(connection, each, "EXPLAIN (ANALYZE, BUFFERS) ") for each in looks]
                assert all("ix_sending_unanswered" in plan and "Seq Scan" not in plan for plan in plans)
                others = [_plan(connection, each) for each in (statements.probe, statements.waiting)]
                assert not any("Seq Scan on sending" in plan for plan in others)
                touched.append(sum(_blocks(plan) for plan in plans))
        assert touched[1] <= touched[0] + 50, touched

    def test_no_value_stands_in_an_error(self, journal: SqlJournal) -> None:
        secret = "Kari-Nordmann"  # noqa: S105 - a stand-in for a patient's name
        add(journal, note(secret, reason=secret))
        actions: list[Any] = [
            lambda t: t.add_sending(outgoing(secret + "x", secret)),
            lambda t: t.add_inbound(note(secret, msg_id="other")),
            lambda t: t.add_inbound(note("b", reason=secret + "\0")),
            lambda t: t.followers([secret, object()]),
        ]
        for action in actions:
            with pytest.raises(GatewayError) as raised, journal.transaction() as transaction:
                action(transaction)
            error: BaseException | None = raised.value
            while error is not None:
                assert secret not in f"{error!s} {error!r}"
                error = None if error.__suppress_context__ else error.__context__

    def test_other_tables_are_not_touched(self, store: PostgresStore) -> None:
        with psycopg.connect(store.url) as connection:
            connection.execute("CREATE TABLE something (x int)")
        with pytest.raises(LocalError, match="other tables"):
            store.open()

    def test_urls_and_passwords(self, store: PostgresStore) -> None:
        for url in ("postgresql://u:secret@h", "postgresql://u:secret@h/d?options=x"):
            with pytest.raises(ConfigurationError) as refused:
                open_journal(url, vault())
            assert "secret" not in str(refused.value)
        wrong = store.url.replace("pakkehjem:", "pakkehjem:secret")
        with pytest.raises(JournalUnavailableError) as raised:
            open_journal(wrong, vault())
        assert "secret" not in f"{raised.value} {raised.value.hint}"


_FILL = """
INSERT INTO sending (id, inbound_id, kind, state, receiver, receiver_role, queue, msg_id, attempts,
    next_attempt_at, created_at)
SELECT gen_random_uuid()::text, 'n', 'note', CASE n %% 20 WHEN 0 THEN 'delivered' ELSE 'acknowledged' END,
    '1', CASE n %% 2 WHEN 0 THEN 'municipality' ELSE 'hospital' END, 'q', 'm' || n, 1, 0, 1000 + n
FROM generate_series(1, %(rows)s) AS n
"""
"""Answered sendings, and one in twenty that waits and is not overdue"""


def _blocks(plan: str) -> int:
    """Pages that a plan has touched."""
    found = re.search(r"Buffers: shared hit=(\d+)(?: read=(\d+))?", plan)
    assert found is not None, plan
    return int(found[1]) + int(found[2] or 0)


def _plan(connection: psycopg.Connection[Any], statement: Statement, explain: str = "EXPLAIN ") -> str:
    values = {
        "now": 1,
        "limit": 10,
        "sender": "1",
        "msg_id": "m",
        "inbound_id": "a",
        "receiver": "1",
        "before": 1,
    }
    rows = connection.execute(explain + statement.sql, statement.bind(values)).fetchall()
    return "\n".join(row[0] for row in rows)


def test_encrypted_payloads_are_not_compressed(store: PostgresStore, journal: SqlJournal) -> None:
    del journal
    with psycopg.connect(store.url) as connection:
        found = connection.execute(
            "SELECT attstorage FROM pg_attribute WHERE attrelid = 'content'::regclass AND attname = 'sealed'"
        )
        assert found.fetchall() == [("e",)]
