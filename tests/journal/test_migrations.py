"""Journals of other versions: upgraded on request with all that they hold, refused otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, make_url, text

from gateway.contracts.audit import AuditEntry
from gateway.contracts.errors import LocalError
from gateway.journal import migrate, schema
from gateway.journal.indexes import metadata
from gateway.journal.opening import upgrade_journal
from gateway.journal.session import session_of
from gateway.journal.sql_journal import SqlJournal
from gateway.journal.tables import SCHEMA_VERSION
from tests.journal.stores import FULL, OTHER_KEY, Store, add, happened, outgoing, vault


def with_connection(store: Store, work: Callable[[Connection], Any]) -> Any:
    url = make_url(store.url)
    engine: Engine = create_engine(
        url.set(drivername="postgresql+psycopg") if url.get_backend_name() == "postgresql" else url
    )
    try:
        with engine.begin() as connection:
            return work(connection)
    finally:
        engine.dispose()


def outbox(connection: Connection) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(text("SELECT * FROM sending"))]


LISTS = tuple(f"ix_inbound_{name}" for name in ("system", "unit", "municipality", "others"))
PREFIXES = ("ix_sending_receiver", "ix_inbound_id_prefix", "ix_inbound_msg_id_prefix")
ASIDE = tuple(f"ix_inbound_{name}" for name in ("failed", "unreadable", "discarded"))
FAILURES = ("ix_sending_failed", *ASIDE, *LISTS, *PREFIXES)


def first_version(store: Store) -> list[tuple[Any, ...]]:
    """A journal as the first version left it, with a row in every table; what is in the outbox."""
    journal = store.open()
    add(journal, FULL)
    with journal.transaction() as transaction:
        transaction.add_sending(outgoing("full", "s", body=b"what is sent"))
        transaction.add_event(happened("full"))
    journal.close()

    def go_back(connection: Connection) -> list[tuple[Any, ...]]:
        for table in ("audit", "audit_head", "inbound_finding", "replay", "replay_run", "address_fault"):
            connection.execute(text(f"DROP TABLE {table}"))
        if connection.dialect.name == "postgresql":
            connection.execute(text("DROP FUNCTION audit_unchanged"))
        for index in ("ix_sending_waiting", "ix_sending_unanswered", "ix_inbound_replaces", *FAILURES):
            connection.execute(text(f"DROP INDEX IF EXISTS {index}"))
        for column in ("lease_owner", "lease_until", "fence"):
            connection.execute(text(f"ALTER TABLE sending DROP COLUMN {column}"))
        for table in ("circuit", "pause", "attempt"):
            connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text("UPDATE alembic_version SET version_num = '1'"))
        return outbox(connection)

    rows: list[tuple[Any, ...]] = with_connection(store, go_back)
    return rows


def test_an_older_journal_is_refused_and_upgraded_with_its_rows(store: Store) -> None:
    before = first_version(store)
    with pytest.raises(
        LocalError, match=f"schema version 1; this program works with {SCHEMA_VERSION}"
    ) as refused:
        store.open()
    assert "pakkehjem db upgrade" in str(refused.value.hint)
    with pytest.raises(LocalError, match="another key"):
        upgrade_journal(store.url, vault(OTHER_KEY))
    assert upgrade_journal(store.url, vault()) == ("1", SCHEMA_VERSION)
    assert upgrade_journal(store.url, vault()) == (SCHEMA_VERSION, SCHEMA_VERSION)
    journal = store.open()
    with journal.reader() as reader:
        assert reader.inbound("full") == FULL
        (sending,) = reader.sendings("full")
    assert (sending.id, sending.body, sending.fence) == ("s", b"what is sent", 0)
    assert [each.name for each in journal.events("full")] == ["received"]
    (claimed,) = journal.claim_due(FULL.received_at, limit=1)
    assert claimed.id == "s"
    with journal.transaction() as transaction:
        transaction.record(AuditEntry(at=FULL.received_at, who="kari", action="reveal"))
    verdict = journal.verify_audit()
    assert (verdict.rows, verdict.problems) == (1, ())
    journal.close()
    width = len(before[0])
    after = with_connection(
        store, lambda c: [tuple(r)[:width] for r in c.execute(text("SELECT * FROM sending"))]
    )
    assert [row[:2] for row in after] == [row[:2] for row in before]


def test_a_newer_journal_is_refused(store: Store, journal: SqlJournal) -> None:
    journal.close()
    with_connection(store, lambda c: c.execute(text("UPDATE alembic_version SET version_num = '99'")))
    for action in (store.open, lambda: upgrade_journal(store.url, vault())):
        with pytest.raises(
            LocalError, match=f"schema version 99; this program works with {SCHEMA_VERSION}"
        ) as refused:
            action()
        assert "newer" in str(refused.value.hint)


def test_the_revisions_make_the_tables_that_the_program_works_with(store: Store, journal: SqlJournal) -> None:
    journal.close()
    found = with_connection(store, lambda c: compare_metadata(MigrationContext.configure(c), metadata))
    # SQLite keeps the unique index, and not the constraint that it stands for; PostgreSQL has indexes
    # for what begins so, which SQLite needs not.
    others = [each for each in found if each[0] != "add_constraint"]
    assert [each for each in others if getattr(each[1], "name", None) not in PREFIXES] == []


def test_the_last_revision_is_the_version_of_the_program() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate._FOLDER))
    script = ScriptDirectory.from_config(config)
    revisions = [each.revision for each in script.walk_revisions()]
    assert script.get_current_head() == SCHEMA_VERSION
    assert sorted(revisions) == sorted([*migrate.OLDER, SCHEMA_VERSION])


def test_what_an_upgrade_needs_is_loaded_before_others_wait_for_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It loads slowly, and who makes the same journal at the same moment waits for the transaction."""
    order: list[str] = []

    def told(name: str, done: Callable[..., Any]) -> Callable[..., Any]:
        def work(*of: Any) -> Any:
            order.append(name)
            return done(*of)

        return work

    monkeypatch.setattr(migrate, "load", told("loaded", migrate.load))
    monkeypatch.setattr(schema, "session_of", told("begun", session_of))
    store.open().close()
    assert order[:2] == ["loaded", "begun"]
