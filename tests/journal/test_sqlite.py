"""What is particular to the journal in SQLite: contents at rest, errors of the file, settings, plans."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from gateway.contracts.errors import ConfigurationError, GatewayError, JournalUnavailableError, LocalError
from gateway.contracts.records import InboundFilter
from gateway.contracts.states import InboundState
from gateway.journal import sqlite as sqlite_store
from gateway.journal.opening import open_journal
from gateway.journal.sql_journal import SqlJournal
from gateway.journal.statement import Statement
from tests.journal.stores import KEY, NOW, OTHER_KEY, SqliteStore, add, happened, note, outgoing, vault

CANARY = b"Kari Nordmann 01017012345"


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path)


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())


def driver(transaction: Any) -> sqlite3.Connection:
    connection = transaction._session.connection.connection.driver_connection
    assert isinstance(connection, sqlite3.Connection)
    return connection


class TestAtRest:
    def test_no_payload_can_be_read_in_the_files(self, store: SqliteStore, tmp_path: Path) -> None:
        journal = store.open()
        with journal.transaction() as transaction:
            transaction.add_inbound(note("a", body=CANARY * 500, summary=CANARY, reason="visible"))
            transaction.add_sending(outgoing("a", "s", body=CANARY * 3))
            transaction.update_inbound("a", summary=CANARY * 2)
            transaction.update_sending("s", body=CANARY * 4)
            assert transaction.inbound("a") is not None
        files = on_disk(tmp_path)
        assert b"visible" in files
        assert CANARY not in files
        assert CANARY[:13] not in files
        journal.close()
        assert CANARY[:13] not in on_disk(tmp_path)

    def test_another_key_opens_nothing(self, store: SqliteStore) -> None:
        store.open().close()
        with pytest.raises(LocalError, match="another key"):
            store.open(vault(OTHER_KEY))

    def test_a_key_can_be_changed_and_the_old_one_dropped(self, store: SqliteStore) -> None:
        journal = store.open(vault(KEY))
        add(journal, note("old"))
        journal.close()
        journal = store.open(vault(OTHER_KEY, KEY))
        with journal.reader() as reader:
            assert reader.inbound("old") is not None
        journal.acquire_exclusive("gateway")
        add(journal, note("new"))
        journal.close()
        journal = store.open(vault(OTHER_KEY))
        with journal.reader() as reader:
            assert reader.inbound("new") is not None
            with pytest.raises(LocalError):
                reader.inbound("old")
        journal.close()

    def test_a_payload_can_not_stand_in_for_another(self, store: SqliteStore) -> None:
        journal = store.open()
        add(journal, note("a", body=b"a"), note("b", body=b"b"))
        with journal.transaction() as transaction:
            driver(transaction).execute(
                "UPDATE content SET sealed = other.sealed FROM content AS other "
                "WHERE content.row_id = 'b' AND other.row_id = 'a'"
            )
        with journal.reader() as reader:
            assert reader.inbound("a") is not None
            with pytest.raises(LocalError):
                reader.inbound("b")
        journal.close()

    def test_only_the_owner_can_read(self, store: SqliteStore, tmp_path: Path) -> None:
        journal = store.open()
        add(journal, note())
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        assert modes == dict.fromkeys(("journal.db", "journal.db-wal", "journal.db-shm"), 0o600)
        journal.close()

    @pytest.mark.parametrize("change", ["UPDATE event SET name = 'x'", "DELETE FROM event"])
    def test_events_can_not_be_changed(self, store: SqliteStore, change: str) -> None:
        journal = store.open()
        add(journal, note("a"))
        with journal.transaction() as transaction:
            transaction.add_event(happened("a"))
        with (
            journal.transaction() as transaction,
            pytest.raises(sqlite3.IntegrityError, match="only ever added"),
        ):
            driver(transaction).execute(change)
        assert [each.name for each in journal.events("a")] == ["received"]
        journal.close()


class TestFile:
    @pytest.mark.parametrize(
        "script",
        [
            "CREATE TABLE something (x)",
            "CREATE TABLE content (x); CREATE TABLE event (x)",
            "CREATE TABLE content (x); CREATE TABLE meta AS SELECT 'schema_version' AS name, '99' AS value",
        ],
    )
    def test_a_database_that_is_no_journal_of_ours(self, store: SqliteStore, script: str) -> None:
        with sqlite3.connect(store.path) as db:
            db.executescript(script)
        db.close()
        with pytest.raises(LocalError, match=r"other tables|schema version 99; this program works with 1"):
            store.open()

    def test_a_file_that_is_no_database(self, store: SqliteStore) -> None:
        store.path.write_bytes(b"no database" * 1000)
        with pytest.raises(LocalError, match="SQLITE_NOTADB"):
            store.open()
        assert store.path.read_bytes() == b"no database" * 1000

    def test_a_damaged_file(self, store: SqliteStore) -> None:
        journal = store.open()
        add(journal, *(note(body=b"x" * 5000) for _ in range(50)))
        journal.close()
        content = bytearray(store.path.read_bytes())
        content[8192 * 2 :] = b"\xff" * (len(content) - 8192 * 2)
        store.path.write_bytes(content)
        with pytest.raises(LocalError, match="damaged"):
            store.open().list_inbound(InboundFilter())

    def test_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(JournalUnavailableError, match="No such file or directory"):
            open_journal(f"sqlite:///{tmp_path}/nowhere/journal.db", vault())

    @pytest.mark.parametrize(
        "url",
        ["", "journal.db", "sqlite://", "sqlite:///:memory:", "mysql://user:secret@host/x", "nonsense://x"],
    )
    def test_a_url_that_can_not_be_used(self, url: str) -> None:
        with pytest.raises(ConfigurationError) as raised:
            open_journal(url, vault())
        assert "secret" not in str(raised.value)

    def test_a_path_relative_to_the_working_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        open_journal("sqlite:///here.db", vault()).close()
        assert (tmp_path / "here.db").is_file()


class TestErrors:
    def test_a_lock_that_lasts(self, store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sqlite_store, "BUSY_SECONDS", 0.05)
        journal = store.open()
        other = sqlite3.connect(store.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalUnavailableError, match="locked by another process"):
            add(journal, note("a"))
        assert journal.list_inbound(InboundFilter()) == [], "readers go on"
        other.execute("ROLLBACK")
        other.close()
        add(journal, note("a"))
        journal.close()

    def test_a_transaction_in_a_transaction(
        self, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sqlite_store, "BUSY_SECONDS", 0.05)
        journal = store.open()
        with journal.transaction(), pytest.raises(JournalUnavailableError, match="another transaction"):
            add(journal, note("a"))
        journal.close()

    def test_a_full_disk_commits_nothing(self, store: SqliteStore) -> None:
        """SQLite undoes the whole transaction: what is written after must not stand alone."""
        journal = store.open()
        add(journal, note("before"))

        def fill(*, swallow: bool) -> None:
            with journal.transaction() as transaction:
                (pages,) = driver(transaction).execute("PRAGMA page_count").fetchone()
                driver(transaction).execute(f"PRAGMA max_page_count = {pages + 5}")
                transaction.add_inbound(note("first"))
                try:
                    with transaction.savepoint():
                        for _ in range(20):
                            transaction.add_inbound(note(body=b"x" * 9000))
                            transaction.write_gathered()
                except GatewayError:
                    if not swallow:
                        raise
                transaction.add_inbound(note("last"))

        with pytest.raises(JournalUnavailableError, match="disk of the journal is full"):
            fill(swallow=False)
        with pytest.raises(GatewayError):
            fill(swallow=True)
        assert [each.id for each in journal.list_inbound(InboundFilter())] == ["before"]
        journal.close()

    def test_no_value_stands_in_an_error(self, store: SqliteStore) -> None:
        journal = store.open()
        secret = "Kari-Nordmann"  # noqa: S105 - a stand-in for a patient's name
        add(journal, note(secret, reason=secret))

        def fail(action: Callable[[Any], object]) -> None:
            with journal.transaction() as transaction:
                action(transaction)

        for action in (
            lambda t: t.add_inbound(note(secret, reason=secret)),
            lambda t: t.add_sending(outgoing(secret + "x", secret)),
            lambda t: t.add_inbound(note("b", reason=secret, interaction_point=object())),
            lambda t: t.followers([secret, object()]),
            lambda t: t.update_inbound(secret, state=InboundState.ACKNOWLEDGED),
        ):
            with pytest.raises(GatewayError) as raised:
                fail(action)
            error: BaseException | None = raised.value
            while error is not None:
                assert secret not in f"{error!s} {error!r}"
                error = None if error.__suppress_context__ else error.__context__
        journal.close()

    def test_a_closed_journal_can_be_opened_again(self, store: SqliteStore) -> None:
        journal = store.open()
        journal.close()
        journal.close()
        journal = store.open()
        kept = note()
        add(journal, kept)
        journal.close()
        journal = store.open()
        assert [row.msg_id for row in journal.list_inbound(InboundFilter())] == [kept.msg_id]
        journal.close()


class TestSettings:
    def test_commits_are_on_the_disk(self, store: SqliteStore) -> None:
        journal = store.open()
        with journal.transaction() as transaction:
            db = driver(transaction)
            found = {
                name: db.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("journal_mode", "synchronous", "foreign_keys")
            }
            assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
            assert db.in_transaction
            other = sqlite3.connect(store.path, timeout=0, isolation_level=None)
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")
            other.close()
        journal.close()

    def test_every_query_finds_its_rows_by_the_right_index(self, store: SqliteStore) -> None:
        journal = store.open()
        db = sqlite3.connect(store.path)
        right = {
            "inbound_state": "ix_inbound_id (id=?)",
            "inbound": "ix_inbound_id (id=?)",
            "inbound_alone": "ix_inbound_id (id=?)",
            "find_inbound": "ix_inbound_msg_id (msg_id=? AND sender=?)",
            "find_inbound_alone": "ix_inbound_msg_id (msg_id=? AND sender=?)",
            "notes_by_msg_id": "ix_inbound_msg_id (msg_id=?)",
            "notes_by_msg_id_of_hospital": "ix_inbound_msg_id (msg_id=?)",
            "notes_by_document": "ix_inbound_document_id (document_id=?)",
            "notes_by_document_of_hospital": "ix_inbound_document_id (document_id=?)",
            "recent_notes": "ix_inbound_patient_reference "
            "(patient_reference=? AND interaction_point=? AND received_at>?)",
            "sendings": "ix_sending_inbound_id (inbound_id=?)",
            "sendings_alone": "ix_sending_inbound_id (inbound_id=?)",
            "find_sendings": "MULTI-INDEX OR",
            "find_sendings_alone": "MULTI-INDEX OR",
            "followers": "MULTI-INDEX OR",
            "followers_of_hospital": "MULTI-INDEX OR",
            "due": "ix_sending_due (next_attempt_at<?)",
            "probe": "ix_sending_waiting (receiver=?)",
            "waiting": "ix_sending_waiting (receiver=?)",
            "next_due": "ix_sending_due",
            "unanswered_inside": "ix_sending_unanswered (created_at<?)",
            "unanswered_outside": "ix_sending_unanswered (created_at<?)",
            "events": "ix_event_inbound_id (inbound_id=?)",
            "receipts": "ix_receipt_sending_id (sending_id=?)",
            "count_by_state": "COVERING INDEX ix_inbound_state",
        }
        statements = {
            name: each for name, each in vars(journal._statements).items() if isinstance(each, Statement)
        }
        queries = {name for name, each in statements.items() if each.sql.startswith("SELECT")}
        assert queries == set(right)
        for name in queries:
            plan = _plan(db, statements[name].sql, len(statements[name]._order or ()))
            assert right[name] in plan, (name, plan)
        db.close()
        journal.close()

    @pytest.mark.parametrize(
        ("criteria", "index"),
        [
            (InboundFilter(), "SCAN inbound USING INDEX ix_inbound_received_at"),
            (InboundFilter(kinds=()), "SCAN inbound USING INDEX ix_inbound_received_at"),
            (InboundFilter(states=(InboundState.HELD,)), "ix_inbound_state (state=?)"),
            (InboundFilter(since=NOW), "ix_inbound_received_at (received_at>?)"),
            (InboundFilter(patient_reference="p"), "ix_inbound_patient_reference (patient_reference=?)"),
        ],
    )
    def test_lists_find_their_rows_by_an_index(
        self, store: SqliteStore, criteria: InboundFilter, index: str
    ) -> None:
        journal = store.open()
        (query,) = _queries(journal, lambda: journal.list_inbound(criteria))
        db = sqlite3.connect(store.path)
        assert index in _plan(db, query)
        db.close()
        journal.close()

    def test_followers_are_found_by_indexes(self, store: SqliteStore) -> None:
        journal = store.open()

        def look() -> None:
            with journal.reader() as reader:
                reader.followers(["a", "b"], hospital="100")

        (query,) = _queries(journal, look)
        db = sqlite3.connect(store.path)
        plan = _plan(db, query)
        assert "ix_inbound_conversation_parent (conversation_parent=?)" in plan
        assert "ix_inbound_conversation_root (conversation_root=?)" in plan
        db.close()
        journal.close()


def _queries(journal: SqlJournal, look: Callable[[], object]) -> list[str]:
    """The queries of a look at the journal, with their values."""
    seen: list[str] = []
    with journal.reader() as reader:
        connection = driver(reader)
    connection.set_trace_callback(seen.append)  # the pool gives the same connection again
    look()
    connection.set_trace_callback(None)
    return [each for each in seen if each.startswith("SELECT")]


def _plan(db: sqlite3.Connection, sql: str, values: int = 0) -> str:
    rows = db.execute(f"EXPLAIN QUERY PLAN {sql}", [1] * values).fetchall()
    return "\n".join(row[3] for row in rows)


def test_several_threads_write_in_turn(store: SqliteStore) -> None:
    journal = store.open()

    def work(thread: int) -> None:
        for number in range(10):
            add(journal, note(msg_id=f"{thread}-{number}"))
            journal.count_by_state()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert journal.count_by_state()["received"] == 40
    journal.close()
