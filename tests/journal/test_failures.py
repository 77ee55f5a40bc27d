"""What failed, as a list asks for it: no more is read than is shown, and all is counted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.contracts.failures import Cause, Failure, FailureFilter, FailureGrouping
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


def test_what_is_counted_by_the_database_is_what_the_list_has(failed: SqlJournal) -> None:
    add(failed, note("r", municipality="5001"))
    add(failed, note("gone", state=InboundState.DISCARDED))
    sendings = (
        ("r", "a", SendingState.REFUSED, "2 E21 E20", "1"),
        ("r", "b", SendingState.REFUSED, None, "2"),
        ("r", "c", SendingState.OVERDUE, None, "2"),
        ("r", "fine", SendingState.ACKNOWLEDGED, "1", "2"),
        ("gone", "d", SendingState.FAILED, None, "1"),
    )
    with failed.transaction() as transaction:
        for of, name, state, apprec, receiver in sendings:
            transaction.add_sending(
                outgoing(
                    of,
                    name,
                    state=state,
                    apprec=apprec,
                    receiver=receiver,
                    settled_at=None,
                    created_at=None if name == "b" else at(3),
                )
            )
        transaction.update_inbound("m0", reason="poison")
    keys: dict[FailureGrouping, Callable[[Failure], str | None]] = {
        FailureGrouping.ERROR: lambda each: each.cause.code,
        FailureGrouping.RECEIVER: lambda each: each.sending.receiver if each.sending else None,
        FailureGrouping.MUNICIPALITY: lambda each: each.message.municipality,
    }
    for criteria in (
        FailureFilter(),
        FailureFilter(errors=("E20",)),
        FailureFilter(errors=("poison", "overdue")),
        FailureFilter(receivers=("2",)),
        FailureFilter(ids=("n0", "m0")),
        FailureFilter(municipalities=("5001",)),
        FailureFilter(since=at(3), until=at(30)),
    ):
        listed = failed.failed.find(criteria)
        assert listed
        assert {each.id for each in listed}.isdisjoint({"fine", "d"})
        assert failed.failed.count(criteria) == (len(listed), len({each.message.id for each in listed}))
        for by, key in keys.items():
            expected: dict[tuple[str | None, Cause], list[Failure]] = {}
            for each in listed:
                expected.setdefault((key(each), each.cause), []).append(each)
            counted = failed.failed.counts(criteria, by)
            assert {(each.key, each.cause): each.count for each in counted} == {
                which: len(those) for which, those in expected.items()
            }
            assert {(each.key, each.cause): (each.oldest, each.newest) for each in counted} == {
                which: (those[0].failed_at, those[-1].failed_at) for which, those in expected.items()
            }
