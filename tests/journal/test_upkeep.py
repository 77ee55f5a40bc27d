"""Backup, purge and change of keys, on both databases, while the journal is in use."""

from __future__ import annotations

import stat
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.contracts.audit import AuditAction, AuditEntry, AuditFault, AuditFilter
from gateway.contracts.errors import LocalError
from gateway.contracts.records import InboundFilter
from gateway.contracts.retention import DataClass, kinds_of
from gateway.contracts.states import InboundKind, InboundState, SendingKind, SendingState
from gateway.journal import upkeep
from gateway.journal.opening import open_journal
from gateway.journal.session import Session
from gateway.journal.sql_journal import SqlJournal
from gateway.pipeline.retention import Retention
from tests.journal.stores import (
    FULL,
    KEY,
    NOW,
    OTHER_KEY,
    PostgresStore,
    Store,
    add,
    at,
    happened,
    note,
    outgoing,
    vault,
)
from tests.postgres_server import PostgresServer, restore_dump

S = InboundState
LATER = NOW + timedelta(days=100)


def test_a_backup_is_of_one_moment_and_opens(
    store: Store, journal: SqlJournal, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    add(journal, note("before", body=b"a" * 20_000))
    file = tmp_path / "backup"
    with journal.transaction() as transaction:
        transaction.add_inbound(note("under way"))
        transaction.add_event(happened("under way"))
        transaction.write_gathered()
        journal.backup(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["backup"]
    with pytest.raises(LocalError, match="exists already"):
        journal.backup(file)
    with pytest.raises(LocalError, match="No such file"):
        journal.backup(tmp_path / "nowhere" / "backup")
    if not isinstance(store, PostgresStore):
        restored = open_journal(f"sqlite:///{file}", vault())
        check_restored(restored)
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database() as url:
        restore_dump(url, file)
        check_restored(open_journal(url, vault()))


def check_restored(restored: SqlJournal) -> None:
    with restored.reader() as reader:
        found = reader.inbound("before")
    assert found is not None
    assert found.body == b"a" * 20_000
    assert [each.id for each in restored.list_inbound(InboundFilter())] == ["before"]
    add(restored, note("after"))
    restored.close()


def test_payloads_of_what_has_ended_are_purged_and_nothing_else(journal: SqlJournal) -> None:
    ended = {S.REJECTED, S.WITHHELD, S.ACCEPTED, S.ACKNOWLEDGED, S.DISCARDED}
    for state in S:
        add(journal, note(state.value, state=state, received_at=at(0), body=b"b", summary=b"{}"))
    add(
        journal,
        note("recent", state=S.ACKNOWLEDGED, received_at=LATER, body=b"b"),
        note("waits", state=S.REJECTED, received_at=at(0), body=b"b"),
        *(note(f"many{n}", state=S.ACCEPTED, received_at=at(0), body=b"b") for n in range(450)),
    )
    with journal.transaction() as transaction:
        done = SendingState.ACKNOWLEDGED
        transaction.add_sending(outgoing("acknowledged", "done", state=done, body=b"b"))
        transaction.add_sending(outgoing("waits", "pending", body=b"b"))
    assert journal.purge(LATER - timedelta(days=90), at=LATER) == len(ended) + 450
    assert journal.purge(LATER - timedelta(days=90), at=LATER) == 0
    with journal.reader() as reader:
        for state in S:
            found = reader.inbound(state.value)
            assert found is not None
            assert (found.body, found.summary) == ((b"", None) if state in ended else (b"b", b"{}"))
            names = [each.name for each in journal.events(state.value)]
            assert names == (["purged"] if state in ended else [])
        for kept in ("recent", "waits"):
            found = reader.inbound(kept)
            assert found is not None
            assert found.body == b"b"
        assert [each.body for each in reader.sendings("acknowledged")] == [b""]
        assert [each.body for each in reader.sendings("waits")] == [b"b"]
    assert {each.at for each in journal.events("rejected")} == {LATER}


def bodies(journal: SqlJournal, *ids: str) -> dict[str, bytes]:
    with journal.reader() as reader:
        return {each: found.body for each in ids if (found := reader.inbound(each)) is not None}


def test_each_class_of_data_is_purged_alone(journal: SqlJournal) -> None:
    for kind in InboundKind:
        add(journal, note(kind.value, kind=kind, state=S.ACCEPTED, received_at=at(0), body=b"b"))
    assert sorted(k for data in DataClass for k in kinds_of(data)) == sorted(InboundKind)
    gone: set[str] = set()
    for data in DataClass:
        kinds = kinds_of(data)
        count = journal.purge(LATER, at=LATER, kinds=kinds) if kinds else 0
        assert count == len(kinds)
        gone |= set(kinds)
        found = bodies(journal, *InboundKind)
        assert {kind for kind, body in found.items() if not body} == gone


@pytest.mark.parametrize("kind", [SendingKind.NOTE, SendingKind.REPLY, SendingKind.DEVIATION])
def test_what_waits_for_an_answer_is_kept(journal: SqlJournal, kind: SendingKind) -> None:
    """A note that was cancelled has ended; its receiver may still answer, which is told by its content."""
    add(journal, note("cancelled", state=S.DISCARDED, received_at=at(0), body=b"b"))
    with journal.transaction() as transaction:
        transaction.add_sending(
            outgoing("cancelled", "waits", kind=kind, state=SendingState.DELIVERED, body=b"b")
        )
    assert journal.purge(LATER, at=LATER) == 0
    with journal.transaction() as transaction:
        transaction.update_sending("waits", state=SendingState.ACKNOWLEDGED)
    assert journal.purge(LATER, at=LATER) == 1
    assert bodies(journal, "cancelled") == {"cancelled": b""}


@pytest.mark.parametrize("kind", [SendingKind.RECEIPT, SendingKind.FAULT])
def test_what_nobody_answers_waits_for_nothing(journal: SqlJournal, kind: SendingKind) -> None:
    add(journal, note("rejected", state=S.REJECTED, received_at=at(0), body=b"b"))
    with journal.transaction() as transaction:
        transaction.add_sending(
            outgoing("rejected", "answer", kind=kind, state=SendingState.DELIVERED, body=b"b")
        )
    assert journal.purge(LATER, at=LATER) == 1


def test_the_time_counts_from_the_last_that_happened(journal: SqlJournal) -> None:
    add(journal, note("old", state=S.ACKNOWLEDGED, received_at=at(0), body=b"b"))
    with journal.transaction() as transaction:
        transaction.add_event(happened("old", "receipt", at=LATER))
    assert journal.purge(LATER, at=LATER) == 0
    assert journal.purge(LATER + timedelta(seconds=1), at=LATER) == 1


def test_what_is_purged_leaves_its_evidence(journal: SqlJournal) -> None:
    before = replace(FULL, state=S.ACKNOWLEDGED)
    add(journal, before)
    with journal.transaction() as transaction:
        transaction.add_event(happened("full"))
    journal.purge(LATER, at=LATER)
    with journal.reader() as reader:
        after = reader.inbound("full")
    assert after == replace(before, body=b"", summary=None)
    assert [event.name for event in journal.events("full")] == ["received", "purged"]


def reason(number: int) -> AuditEntry:
    return AuditEntry(at=at(number), who="kari", action=AuditAction.REVEAL, reason=f"fordi {number}")


def test_the_words_of_operators_go_and_the_chain_stays_whole(journal: SqlJournal) -> None:
    with journal.transaction() as transaction:
        for number in range(4):
            transaction.record(reason(number))
    purge = AuditEntry(at=at(9), who="root", action=AuditAction.DB_PURGE)
    assert journal.purge_reasons(at(2), purge) == 2
    assert journal.purge_reasons(at(2), purge) == 0
    found = [record.entry for record in journal.audit_log(AuditFilter())]
    assert [entry.reason for entry in found] == [None, None, "fordi 2", "fordi 3", None]
    assert [entry.who for entry in found] == ["kari"] * 4 + ["root"]
    assert found[-1].detail is not None
    assert found[-1].detail["reasons"] == 2
    assert journal.verify_audit().problems == ()
    # One more, by a hand that leaves no entry.
    with journal._store.writer.begin() as connection:
        upkeep.purge_reasons(Session(connection, journal._store.meaning), at(3))
    (problem,) = journal.verify_audit().problems
    assert (problem.fault, problem.sequence) == (AuditFault.REASON_MISSING, 3)


def test_the_service_purges_by_itself_and_says_so(journal: SqlJournal) -> None:
    add(
        journal,
        *(note(f"n{n}", state=S.ACCEPTED, received_at=at(0), body=b"b") for n in range(450)),
        note("r", kind=InboundKind.RECEIPT, state=S.ACCEPTED, received_at=at(0), body=b"b"),
        note("held", state=S.HELD, received_at=at(0), body=b"b"),
    )
    with journal.transaction() as transaction:
        transaction.record(reason(0))
    moment = [NOW + timedelta(days=30)]
    retention = Retention(
        journal,
        {DataClass.NOTES: timedelta(days=10), DataClass.AUDIT: timedelta(days=20)},
        lambda done: AuditEntry(at=moment[0], who="svc", action=AuditAction.DB_PURGE, detail=dict(done)),
        lambda: moment[0],
    )
    for _ in range(20):
        retention.check()
    assert {bodies(journal, f"n{n}")[f"n{n}"] for n in range(450)} == {b""}
    assert bodies(journal, "r", "held") == {"r": b"b", "held": b"b"}
    entries = [record.entry for record in journal.audit_log(AuditFilter(actions=("db-purge",)))]
    assert [dict(entry.detail or {}).get("notes") for entry in entries] == [None, 450]
    assert journal.verify_audit().problems == ()
    add(journal, note("later", state=S.ACCEPTED, received_at=at(0), body=b"b"))
    retention.check()
    assert bodies(journal, "later") == {"later": b"b"}
    moment[0] += timedelta(hours=1)
    for _ in range(20):
        retention.check()
    assert bodies(journal, "later") == {"later": b""}


def test_without_periods_nothing_is_purged(journal: SqlJournal) -> None:
    add(journal, note("n", state=S.ACCEPTED, received_at=at(0), body=b"b"))
    retention = Retention(journal, {}, lambda _: reason(0), lambda: LATER)
    retention.check()
    assert bodies(journal, "n") == {"n": b"b"}


def test_keys_are_changed_while_rows_of_both_are_there(store: Store) -> None:
    journal = store.open(vault(KEY))
    add(journal, *(note(f"old{n}", body=b"old", summary=b"{}") for n in range(250)))
    with journal.transaction() as transaction:
        transaction.add_sending(outgoing("old0", "s", body=b"sent"))
    journal.close()
    rotated = store.open(vault(OTHER_KEY, KEY))
    add(rotated, note("new", body=b"new"))
    with rotated.reader() as reader:
        assert reader.inbound("old7") is not None
    assert rotated.reseal() == 250 * 2 + 1 + 1
    rotated.close()
    with pytest.raises(LocalError, match="another key"):
        store.open(vault(KEY))
    only_new = store.open(vault(OTHER_KEY))
    with only_new.reader() as reader:
        found = [reader.inbound(name) for name in ("old0", "old249", "new")]
        assert [each.body for each in found if each is not None] == [b"old", b"old", b"new"]
        assert [each.body for each in reader.sendings("old0")] == [b"sent"]
    only_new.close()
