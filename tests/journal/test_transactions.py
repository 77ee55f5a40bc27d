"""Transactions and lists, as every implementation of the journal port has them."""

from __future__ import annotations

import dataclasses

import pytest

from gateway.contracts.errors import LocalError
from gateway.contracts.findings import finding
from gateway.contracts.records import InboundFilter
from gateway.contracts.states import InboundKind, InboundState
from gateway.journal.errors import RowRefusedError
from gateway.journal.sql_journal import SqlJournal
from gateway.journal.transaction import SqlTransaction
from tests.journal.stores import FULL, NOW, Store, add, at, happened, note, outgoing

S = InboundState


class TestTransaction:
    def test_all_or_nothing(self, journal: SqlJournal) -> None:
        def breaks_off() -> None:
            with journal.transaction() as transaction:
                transaction.add_inbound(note("a"))
                transaction.add_sending(outgoing("a"))
                transaction.add_event(happened("a"))
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            breaks_off()
        assert journal.list_inbound(InboundFilter()) == []
        assert journal.events("a") == []
        add(journal, note("a"))

    def test_sees_what_it_writes_and_others_do_not(self, store: Store, journal: SqlJournal) -> None:
        add(journal, note("before"))
        elsewhere = store.open()
        with journal.transaction() as transaction:
            transaction.add_inbound(note("a"))
            transaction.add_sending(outgoing("a", "s"))
            assert transaction.inbound("a") is not None
            assert len(transaction.sendings("a")) == 1
            for other in (journal, elsewhere):
                assert [each.id for each in other.list_inbound(InboundFilter())] == ["before"]
                with other.reader() as reader:
                    assert reader.sendings("a") == []
        assert [each.id for each in elsewhere.list_inbound(InboundFilter())] == ["a", "before"]
        elsewhere.close()

    def test_a_view_is_of_one_moment(self, journal: SqlJournal) -> None:
        add(journal, note("a"))
        with journal.reader() as reader:
            assert reader.inbound("b") is None
            add(journal, note("b"))
            assert reader.inbound("b") is None
        with journal.reader() as reader:
            assert reader.inbound("b") is not None

    def test_a_view_can_not_write(self, journal: SqlJournal) -> None:
        add(journal, note("a"))
        with pytest.raises(LocalError), journal.reader() as reader:
            reader.add_inbound(note("b"))
        with pytest.raises(LocalError), journal.reader() as reader:
            reader.add_event(happened("a"))
        with pytest.raises(LocalError), journal.reader() as reader:
            reader.update_inbound("a", state=S.HELD)
        assert journal.events("a") == []
        assert journal.count_by_state()["received"] == 1

    def test_savepoints_nest(self, journal: SqlJournal) -> None:
        def inner(transaction: SqlTransaction) -> None:
            with transaction.savepoint():
                transaction.add_event(happened("a", "3"))
                assert len(transaction.sendings("a")) == 0
                transaction.add_event(happened("a", "4"))
                transaction.update_inbound("a", state=S.HELD)
                raise ZeroDivisionError

        def outer(transaction: SqlTransaction) -> None:
            with transaction.savepoint():
                with transaction.savepoint():
                    transaction.add_event(happened("a", "6"))
                raise ZeroDivisionError

        with journal.transaction() as transaction:
            transaction.add_inbound(note("a"))
            transaction.add_event(happened("a", "1"))
            with transaction.savepoint():
                transaction.add_event(happened("a", "2"))
                with pytest.raises(ZeroDivisionError):
                    inner(transaction)
                transaction.add_event(happened("a", "5"))
            with pytest.raises(ZeroDivisionError):
                outer(transaction)
            transaction.add_event(happened("a", "7"))
        assert [each.name for each in journal.events("a")] == ["1", "2", "5", "7"]
        assert journal.count_by_state()["received"] == 1

    def test_an_error_that_is_swallowed_is_not_committed(self, journal: SqlJournal) -> None:
        def swallows() -> None:
            with journal.transaction() as transaction:
                transaction.add_inbound(note("a"))
                transaction.add_sending(outgoing("nowhere"))
                with pytest.raises(RowRefusedError):
                    transaction.due(NOW, limit=1)
                with pytest.raises(RowRefusedError):
                    transaction.inbound("a")

        with pytest.raises(RowRefusedError):
            swallows()
        assert journal.list_inbound(InboundFilter()) == []


class TestList:
    def test_newest_first_without_payloads(self, journal: SqlJournal) -> None:
        bare = note("bare", received_at=at(-1000))
        add(journal, FULL, bare)
        assert journal.list_inbound(InboundFilter()) == [
            dataclasses.replace(FULL, body=b"", summary=None),
            dataclasses.replace(bare, body=b""),
        ]
        assert [each.id for each in journal.list_inbound(InboundFilter(limit=1))] == ["full"]

    @pytest.mark.parametrize(
        ("criteria", "expected"),
        [
            (InboundFilter(), "abcd"),
            (InboundFilter(kinds=()), "abcde"),
            (InboundFilter(kinds=(InboundKind.REPLY, InboundKind.RECEIPT)), "e"),
            (InboundFilter(states=(S.HELD,)), "bc"),
            (InboundFilter(states=(S.HELD, S.FAILED)), "bcd"),
            (InboundFilter(systems=("dips",)), "ac"),
            (InboundFilter(systems=("dips",), states=(S.HELD,)), "c"),
            (InboundFilter(units=("101", "102")), "ab"),
            (InboundFilter(municipalities=("0301",)), "cd"),
            (InboundFilter(findings=("PH030",)), "ab"),
            (InboundFilter(findings=("PH030", "PH012")), "abc"),
            (InboundFilter(findings=("PH03",)), ""),
            (InboundFilter(findings=("PH0%",)), ""),
            (InboundFilter(findings=("warning",)), ""),
            (InboundFilter(since=at(2)), "bcd"),
            (InboundFilter(until=at(2)), "a"),
            (InboundFilter(since=at(2), until=at(3.000001)), "bc"),
            (InboundFilter(patient_reference="p"), "bd"),
            (InboundFilter(patient_reference="p", findings=("PH030",), units=("101", "102")), "b"),
            (InboundFilter(id_prefix="id-"), "abcd"),
            (InboundFilter(id_prefix="id-b"), "b"),
            (InboundFilter(id_prefix="id_b"), ""),
            (InboundFilter(id_prefix="d-b"), ""),
            (InboundFilter(limit=2), "cd"),
        ],
    )
    def test_everything_given_must_hold(
        self, journal: SqlJournal, criteria: InboundFilter, expected: str
    ) -> None:
        phone, status = finding("PH030"), finding("PH012")
        add(
            journal,
            note("id-a", received_at=at(1), system="dips", unit="101", findings=(phone,)),
            note(
                "id-b",
                received_at=at(2),
                unit="102",
                state=S.HELD,
                patient_reference="p",
                findings=(status, phone),
            ),
            note(
                "id-c",
                received_at=at(3),
                system="dips",
                state=S.HELD,
                municipality="0301",
                findings=(status,),
            ),
            note("id-d", received_at=at(4), state=S.FAILED, municipality="0301", patient_reference="p"),
            note("id-e", received_at=at(5), kind=InboundKind.REPLY),
        )
        found = [each.id.removeprefix("id-") for each in journal.list_inbound(criteria)]
        assert "".join(found) == expected[::-1]

    def test_count_by_state(self, journal: SqlJournal) -> None:
        add(
            journal,
            note(state=S.HELD),
            note(state=S.HELD),
            note(),
            note(kind=InboundKind.REPLY, state=S.HELD),
        )
        counts = journal.count_by_state()
        assert {state: count for state, count in counts.items() if count} == {"held": 2, "received": 1}
        assert set(counts) == {state.value for state in S}
