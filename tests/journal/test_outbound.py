"""Outbox and history, as every implementation of the journal port keeps them."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from gateway.contracts.states import InboundKind, InboundState, SendingKind, SendingState
from gateway.journal.errors import RowRefusedError, UnknownRowError
from gateway.journal.sql_journal import SqlJournal
from tests.journal.stores import NOW, add, answer, at, happened, note, outgoing

S = InboundState


class TestSendings:
    def test_a_row_comes_back_as_it_was(self, journal: SqlJournal) -> None:
        full = outgoing(
            "i",
            state=SendingState.REFUSED,
            receiver_role="gp",
            queue="1_async",
            format="dialogmelding-1.1",
            document_id="d",
            conversation_root="r",
            body=b"x" * 9000,
            headers={"toHerId": "1", "navn": "Ø"},
            answers=0,
            attempts=3,
            next_attempt_at=at(1),
            created_at=at(2),
            delivered_at=at(3),
            settled_at=at(4),
            apprec="2 E21",
            error="queue-unavailable",
        )
        bare = outgoing("i", body=b"", msg_id="", next_attempt_at=None, headers={})
        add(journal, note("i"))
        with journal.transaction() as transaction:
            transaction.add_sending(full)
            transaction.add_sending(bare)
            assert transaction.sendings("i") == [full, bare]
        with journal.reader() as reader:
            assert reader.sendings("i") == [full, bare]

    def test_oldest_first_and_by_kind(self, journal: SqlJournal) -> None:
        add(journal, note("i"), note("j"))
        with journal.transaction() as transaction:
            transaction.add_sending(outgoing("i", "z"))
            transaction.add_sending(outgoing("i", "a", kind=SendingKind.RECEIPT))
            transaction.add_sending(outgoing("j", "b"))
            transaction.add_sending(outgoing("i", "c", kind=SendingKind.FAULT))
        with journal.reader() as reader:
            assert [each.id for each in reader.sendings("i")] == ["z", "a", "c"]
            kinds = [SendingKind.NOTE, SendingKind.FAULT]
            assert [each.id for each in reader.sendings("i", kinds=kinds)] == ["z", "c"]

    def test_by_reference(self, journal: SqlJournal) -> None:
        add(journal, note("i"))
        with journal.transaction() as transaction:
            transaction.add_sending(outgoing("i", "a", msg_id="m"))
            transaction.add_sending(outgoing("i", "b", msg_id="x", document_id="m"))
            transaction.add_sending(outgoing("i", "c", msg_id="", document_id="other"))
            assert [each.id for each in transaction.find_sendings("m")] == ["b", "a"]
            assert transaction.find_sendings("nowhere") == []
            assert transaction.find_sendings("") == []

    def test_what_is_due(self, journal: SqlJournal) -> None:
        add(journal, note("i"))
        assert journal.next_due() is None
        with journal.transaction() as transaction:
            for sending_id, seconds in (("later", 60), ("second", -1), ("first", -2), ("now", 0)):
                transaction.add_sending(outgoing("i", sending_id, next_attempt_at=at(seconds)))
            done = outgoing("i", "done", state=SendingState.DELIVERED, next_attempt_at=at(-9))
            transaction.add_sending(done)
            assert [each.id for each in transaction.due(NOW, limit=10)] == ["first", "second", "now"]
            assert [each.id for each in transaction.due(NOW, limit=2)] == ["first", "second"]
            transaction.update_sending("first", state=SendingState.DELIVERED)
            transaction.update_sending("second", next_attempt_at=at(30), attempts=1)
            assert [each.id for each in transaction.due(NOW, limit=10)] == ["now"]
            transaction.update_sending("now", state=SendingState.FAILED)
        assert journal.next_due() == at(30)

    def test_pending_without_a_time_is_due_at_once(self, journal: SqlJournal) -> None:
        add(journal, note("i"))
        with journal.transaction() as transaction:
            transaction.add_sending(outgoing("i", "a", next_attempt_at=None))
            (due,) = transaction.due(NOW, limit=10)
        assert due.next_attempt_at is None
        found = journal.next_due()
        assert found is not None
        assert found <= NOW

    def test_changes_by_name(self, journal: SqlJournal) -> None:
        add(journal, note("i"))
        sending = outgoing("i", "a")
        changes: dict[str, Any] = {
            "state": SendingState.ACKNOWLEDGED,
            "body": b"anew",
            "headers": {"a": "b"},
            "settled_at": at(5),
            "apprec": "1",
            "attempts": 2,
        }
        with journal.transaction() as transaction:
            transaction.add_sending(sending)
            transaction.update_sending("a", **changes)
            assert transaction.sendings("i") == [dataclasses.replace(sending, **changes)]
            with pytest.raises(UnknownRowError):
                transaction.update_sending("nowhere", attempts=1)
            with pytest.raises(TypeError, match="nonsense"):
                transaction.update_sending("a", nonsense=1)

    def test_a_sending_belongs_to_an_inbound_message(self, journal: SqlJournal) -> None:
        with pytest.raises(RowRefusedError), journal.transaction() as transaction:
            transaction.add_sending(outgoing("nowhere"))

    def test_the_same_sending_twice_is_refused_within_its_savepoint(self, journal: SqlJournal) -> None:
        add(journal, note("i"))
        with journal.transaction() as transaction:
            transaction.add_sending(outgoing("i", "a"))

            def again() -> None:
                with transaction.savepoint():
                    transaction.add_sending(outgoing("i", "b"))
                    transaction.add_sending(outgoing("i", "a"))

            with pytest.raises(RowRefusedError):
                again()
            transaction.add_sending(outgoing("i", "c"))
        with journal.reader() as reader:
            assert [each.id for each in reader.sendings("i")] == ["a", "c"]


class TestHistory:
    def test_events(self, journal: SqlJournal) -> None:
        add(journal, note("i"), note("j"))
        events = [
            happened("i", "received", detail={"queue": "q", "bytes": 12, "nothing": None}),
            happened("i", "sending-created", sending_id="s", at=at(-5)),
            happened("i", "delivered", detail={}),
        ]
        with journal.transaction() as transaction:
            transaction.add_event(events[0])
            transaction.add_event(happened("j"))
            transaction.add_event(events[1])
        with journal.transaction() as transaction:
            transaction.add_event(events[2])
        found = journal.events("i")
        assert [dataclasses.replace(each, sequence=0) for each in found] == events
        numbers = [each.sequence for each in found]
        assert numbers == sorted(set(numbers))
        assert numbers[0] > 0

    def test_receipts_are_kept_and_the_first_counts(self, journal: SqlJournal) -> None:
        add(journal, note("i"), note("r1", kind=InboundKind.RECEIPT), note("r2", kind=InboundKind.RECEIPT))
        first, second = answer("s", "r1", status="2", codes=("E21", "T10")), answer("s", "r2")
        with journal.transaction() as transaction:
            transaction.add_sending(outgoing("i", "s"))
            transaction.add_sending(outgoing("i", "t"))
            assert transaction.add_receipt(first) is True
            assert transaction.add_receipt(second) is False
            assert transaction.add_receipt(answer("t", "r2")) is True
        assert journal.receipts("s") == [first, second]
        assert journal.receipts("nowhere") == []
