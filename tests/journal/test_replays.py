"""Replays: each is there once, whoever asks first."""

from __future__ import annotations

import threading
from dataclasses import replace

from gateway.contracts.replays import Replay, ReplayMode
from gateway.journal.sql_journal import SqlJournal
from tests.journal.stores import NOW, Store, add, at, note, outgoing

FIRST = Replay(
    subject="s",
    generation=1,
    inbound_id="i",
    mode=ReplayMode.NEW,
    made="t",
    first="s",
    error="2 E21",
    by="kari",
    at=NOW,
    run="run",
)


def test_they_are_kept_in_order(journal: SqlJournal) -> None:
    add(journal, note("i"))
    second = replace(FIRST, generation=2, mode=ReplayMode.SAME, made="s", error=None, run=None, at=at(5))
    with journal.transaction() as transaction:
        transaction.add_sending(outgoing("i", "s"))
        assert transaction.add_replay(FIRST)
        assert transaction.add_replay(second)
    with journal.reader() as view:
        assert view.replays("s") == [FIRST, second]
        assert view.replays("t") == []
        assert view.replays_that_made("t") == [FIRST]


def test_the_second_of_a_generation_is_not_written(journal: SqlJournal) -> None:
    add(journal, note("i"))
    with journal.transaction() as transaction:
        assert transaction.add_replay(FIRST)
        assert not transaction.add_replay(replace(FIRST, by="ola"))
    with journal.transaction() as transaction:
        assert not transaction.add_replay(replace(FIRST, by="ola"))
        assert transaction.add_replay(replace(FIRST, subject="other"))
    with journal.reader() as view:
        assert view.replays("s") == [FIRST]


def test_of_many_at_once_one_is_first(store: Store) -> None:
    journals = [store.open() for _ in range(4)]
    add(journals[0], note("i"))
    start, said = threading.Barrier(len(journals)), []

    def press(journal: SqlJournal, by: str) -> None:
        start.wait()
        with journal.transaction() as transaction:
            said.append(transaction.add_replay(replace(FIRST, by=by)))

    people = [threading.Thread(target=press, args=(j, f"p{n}")) for n, j in enumerate(journals)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert sorted(said) == [False, False, False, True]
    with journals[0].reader() as view:
        assert len(view.replays("s")) == 1
    for journal in journals:
        journal.close()
