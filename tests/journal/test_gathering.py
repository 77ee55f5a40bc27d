"""Savepoints whose rows are written together: each is undone alone, and nothing else goes with it."""

from __future__ import annotations

import pytest

from gateway.journal.errors import RowRefusedError
from gateway.journal.sql_journal import SqlJournal
from gateway.journal.transaction import SqlTransaction
from tests.journal.stores import happened, note, outgoing


def _take(transaction: SqlTransaction, name: str, *, asks: bool = False, fails: bool = False) -> None:
    with transaction.savepoint(gather=True):
        transaction.add_inbound(note(name))
        transaction.add_sending(outgoing(name, f"s-{name}"))
        transaction.add_event(happened(name))
        if asks:
            # Writes what waits, that of the savepoints before as well.
            assert len(transaction.sendings(name)) == 1
        if fails:
            raise ZeroDivisionError


def _whole(journal: SqlJournal, name: str) -> bool:
    with journal.reader() as view:
        return bool(view.inbound(name) and view.sendings(name) and journal.events(name))


@pytest.mark.parametrize("asks", [False, True])
def test_one_that_fails_takes_no_row_of_the_others_along(journal: SqlJournal, *, asks: bool) -> None:
    with journal.transaction() as transaction:
        _take(transaction, "a")
        with pytest.raises(ZeroDivisionError):
            _take(transaction, "b", asks=asks, fails=True)
        _take(transaction, "c")
    assert [_whole(journal, name) for name in "abc"] == [True, False, True]


def test_savepoints_within_each_other(journal: SqlJournal) -> None:
    def outer(transaction: SqlTransaction) -> None:
        with transaction.savepoint(gather=True):
            transaction.add_inbound(note("b"))
            transaction.add_event(happened("b"))
            with pytest.raises(ZeroDivisionError):
                _take(transaction, "c", asks=True, fails=True)
            _take(transaction, "d")
            raise ZeroDivisionError

    with journal.transaction() as transaction:
        _take(transaction, "a")
        with pytest.raises(ZeroDivisionError):
            outer(transaction)
        _take(transaction, "e", asks=True)
    assert [_whole(journal, name) for name in "abcde"] == [True, False, False, False, True]


def test_without_contents_rows_are_the_same_but_for_them(journal: SqlJournal) -> None:
    with journal.transaction() as transaction:
        _take(transaction, "a")
        row, alone = transaction.inbound("a"), transaction.inbound("a", content=False)
        (sending,), (light,) = transaction.sendings("a"), transaction.sendings("a", content=False)
    assert row is not None
    assert alone is not None
    assert row.body
    assert sending.body
    assert (alone.body, alone.summary, light.body) == (b"", None, b"")
    assert (alone.id, alone.state, alone.content_hash) == (row.id, row.state, row.content_hash)
    assert (light.id, light.state, light.headers) == (sending.id, sending.state, sending.headers)


def test_a_row_that_is_refused_at_the_end_fails_the_transaction(journal: SqlJournal) -> None:
    def twice() -> None:
        with journal.transaction() as transaction:
            _take(transaction, "a")
            with transaction.savepoint(gather=True):
                transaction.add_sending(outgoing("a", "s-a"))

    with pytest.raises(RowRefusedError):
        twice()
    assert not _whole(journal, "a")
