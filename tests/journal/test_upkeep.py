"""Backup, purge and change of keys, on both databases, while the journal is in use."""

from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.contracts.errors import LocalError
from gateway.contracts.journal import InboundFilter, InboundState, SendingState
from gateway.journal.sql_journal import SqlJournal, open_journal
from tests.journal.stores import (
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
