"""What failed, as a list asks for it: no more is read than is shown, and all is counted."""

from __future__ import annotations

import pytest

from gateway.contracts.failures import FailureFilter
from gateway.contracts.records import InboundMessage
from gateway.contracts.states import InboundState, SendingState
from gateway.journal.rows import Row, inbound_message
from gateway.journal.sql_journal import SqlJournal
from tests.journal.stores import add, at, note, outgoing


@pytest.fixture
def failed(journal: SqlJournal) -> SqlJournal:
    """Six sendings of three messages, and four messages that could not be worked on, one after the other."""
    for number in range(3):
        add(journal, note(f"n{number}", received_at=at(0)))
        with journal.transaction() as transaction:
            for which in range(2):
                transaction.add_sending(
                    outgoing(
                        f"n{number}",
                        f"s{number}{which}",
                        state=SendingState.FAILED,
                        settled_at=at(20 * number + 10 * which),
                    )
                )
    for number in range(4):
        add(journal, note(f"m{number}", state=InboundState.FAILED, received_at=at(20 * number + 5)))
    return journal


def test_the_newest_are_found_and_no_more_is_read(
    failed: SqlJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = failed.failed.find(FailureFilter())
    assert [each.id for each in everything] == [
        *("s00", "m0", "s01", "s10", "m1", "s11", "s20", "m2", "s21", "m3"),
    ]
    read: list[Row] = []

    def decode(row: Row, vault: None) -> InboundMessage:
        read.append(row)
        return inbound_message(row, vault)

    monkeypatch.setattr("gateway.journal.rows.inbound_message", decode)
    for newest in range(1, 12):
        read.clear()
        assert failed.failed.find(FailureFilter(), newest=newest) == everything[-newest:]
        assert len(read) <= 2 * newest


def test_all_are_counted(failed: SqlJournal) -> None:
    assert failed.failed.count(FailureFilter()) == (10, 7)
    assert failed.failed.count(FailureFilter(ids=("n1", "m1"))) == (3, 2)
    assert failed.failed.count(FailureFilter(sendings=("s00",))) == (1, 1)
    assert failed.failed.count(FailureFilter(errors=("nothing",))) == (0, 0)
