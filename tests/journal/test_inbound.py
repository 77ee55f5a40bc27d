"""The inbox, as every implementation of the journal port keeps it."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from typing import Any

import pytest

from gateway.contracts.findings import finding
from gateway.contracts.records import InboundFilter, InboundMessage
from gateway.contracts.states import TRANSITIONS, InboundKind, InboundState
from gateway.contracts.summary import Action
from gateway.journal.errors import DuplicateInboundError, RowRefusedError, TransitionError, UnknownRowError
from gateway.journal.sql_journal import SqlJournal
from tests.journal.stores import FULL, add, at, happened, note

S = InboundState


class TestInbound:
    @pytest.mark.parametrize("message", [FULL, note("bare"), note("empty", body=b"", summary=b"", sender="")])
    def test_a_row_comes_back_as_it_was(self, journal: SqlJournal, message: InboundMessage) -> None:
        add(journal, message)
        with journal.reader() as reader:
            found = reader.inbound(message.id)
        assert found == message
        assert found.received_at.utcoffset() == timedelta(0)

    def test_sender_and_message_id_are_unique_together(self, journal: SqlJournal) -> None:
        first, other = note(sender="1", msg_id="m"), note(sender="2", msg_id="m")
        with journal.transaction() as transaction:
            transaction.add_inbound(first)
            transaction.add_inbound(other)
            with pytest.raises(DuplicateInboundError):
                transaction.add_inbound(note(sender="1", msg_id="m", kind=InboundKind.RECEIPT))
            assert transaction.find_inbound(sender="1", msg_id="m") == first
            assert transaction.find_inbound(sender="2", msg_id="m") == other
            assert transaction.find_inbound(sender="3", msg_id="m") is None
        assert len(journal.list_inbound(InboundFilter(kinds=()))) == 2

    def test_a_duplicate_spoils_nothing(self, journal: SqlJournal) -> None:
        add(journal, note("a", sender="1", msg_id="m"))
        with journal.transaction() as transaction:
            transaction.add_inbound(note("b"))

            def duplicate() -> None:
                with transaction.savepoint():
                    transaction.add_event(happened("b"))
                    transaction.add_inbound(note("c", sender="1", msg_id="m"))

            with pytest.raises(DuplicateInboundError):
                duplicate()
            transaction.add_event(happened("b", "kept"))
        with journal.reader() as reader:
            assert reader.inbound("b") is not None
            assert reader.inbound("c") is None
        assert [each.name for each in journal.events("b")] == ["kept"]

    def test_an_id_of_ours_is_unique(self, journal: SqlJournal) -> None:
        add(journal, note("a"))
        with pytest.raises(RowRefusedError), journal.transaction() as transaction:
            transaction.add_inbound(note("a"))

    def test_changes_by_name(self, journal: SqlJournal) -> None:
        add(journal, FULL)
        changes: dict[str, Any] = {
            "state": S.SENDING,
            "municipality": None,
            "summary": b"{}",
            "body": b"anew",
            "findings": (finding("PH001"),),
            "named_receivers": (),
            "sent_at": None,
            "interaction_point": 3,
            "reason": None,
        }
        with journal.transaction() as transaction:
            transaction.update_inbound("full", **changes)
            transaction.update_inbound("full")
        with journal.reader() as reader:
            assert reader.inbound("full") == dataclasses.replace(FULL, **changes)
        with journal.transaction() as transaction:
            transaction.update_inbound("full", summary=None)
            found = transaction.inbound("full")
        assert found is not None
        assert found.summary is None

    @pytest.mark.parametrize("before", list(S))
    def test_transitions(self, journal: SqlJournal, before: S) -> None:
        for after in S:
            add(journal, note(after.value, state=before, reason="old"))
            with journal.transaction() as transaction:
                if after in TRANSITIONS[before] or after is before:
                    transaction.update_inbound(after.value, state=after, reason="new")
                    expected = (after, "new")
                else:
                    with pytest.raises(TransitionError, match=f"{before.value} can not become {after.value}"):
                        transaction.update_inbound(after.value, state=after, reason="new", summary=b"new")
                    expected = (before, "old")
                found = transaction.inbound(after.value)
            assert found is not None
            assert (found.state, found.reason, found.summary) == (*expected, None)

    def test_what_is_no_field_can_not_be_changed(self, journal: SqlJournal) -> None:
        add(journal, note("a"))
        for name in ("id", "sequence", "nonsense"):
            with pytest.raises(TypeError, match=name), journal.transaction() as transaction:
                transaction.update_inbound("a", **{name: "x"})

    def test_a_row_that_is_not_there(self, journal: SqlJournal) -> None:
        for changes in ({"state": S.HELD}, {"reason": "x"}, {"summary": b"x"}, {}):
            with pytest.raises(UnknownRowError), journal.transaction() as transaction:
                transaction.update_inbound("nowhere", **changes)
        with journal.reader() as reader:
            assert reader.inbound("nowhere") is None

    def test_a_time_without_zone_is_refused(self, journal: SqlJournal) -> None:
        naive = datetime(2026, 1, 1)  # noqa: DTZ001 - that is the fault
        with pytest.raises(TypeError, match="offset"):
            add(journal, note(received_at=naive))


class TestFind:
    def test_note_by_message_id(self, journal: SqlJournal) -> None:
        add(
            journal,
            note("old", sender="1", msg_id="m", hospital="100", received_at=at(1)),
            note("new", sender="2", msg_id="m", hospital="200", received_at=at(2)),
            note("reply", sender="3", msg_id="m", kind=InboundKind.REPLY, hospital="100", received_at=at(3)),
        )
        with journal.reader() as reader:

            def found(hospital: str | None = None) -> str | None:
                message = reader.find_inbound_by_msg_id("m", hospital=hospital)
                return message.id if message else None

            assert found() == "new"
            assert found("100") == "old"
            assert found("300") is None
            assert reader.find_inbound_by_msg_id("x") is None

    def test_notes_by_document_id(self, journal: SqlJournal) -> None:
        add(
            journal,
            note("b", document_id="d", hospital="100", received_at=at(2)),
            note("a", document_id="d", hospital="100", received_at=at(1)),
            note("c", document_id="d", hospital="200", received_at=at(3)),
            note("x", document_id="e", hospital="100"),
            note("y", document_id="d", hospital="100", kind=InboundKind.RECEIPT),
        )
        with journal.reader() as reader:
            ids = [each.id for each in reader.find_inbound_by_document_id("d", hospital="100")]
            assert ids == ["a", "b"]
            ids = [each.id for each in reader.find_inbound_by_document_id("d", hospital=None)]
            assert ids == ["a", "b", "c"]

    def test_followers(self, journal: SqlJournal) -> None:
        add(
            journal,
            note("b", conversation_parent="m1", conversation_root="m0", hospital="100", received_at=at(2)),
            note("a", conversation_parent="m0", conversation_root="m0", hospital="200", received_at=at(1)),
            note("c", conversation_parent="m9", conversation_root="m2", hospital="100", received_at=at(3)),
            note("x", conversation_parent="m0", kind=InboundKind.REPLY, hospital="100"),
            note("y"),
        )
        with journal.reader() as reader:
            assert [each.id for each in reader.followers(["m0"])] == ["a", "b"]
            assert [each.id for each in reader.followers(["m2", "m1"])] == ["b", "c"]
            assert [each.id for each in reader.followers(["m0", "m2"], hospital="100")] == ["b", "c"]
            assert reader.followers([]) == []

    def test_recent_notes(self, journal: SqlJournal) -> None:
        def same(inbound_id: str, **fields: object) -> InboundMessage:
            values = {"patient_reference": "p", "interaction_point": 2, "state": S.DELIVERED}
            return note(inbound_id, **(values | {"received_at": at(10)} | fields))

        sent_on = {S.SENDING, S.DELIVERED, S.ACKNOWLEDGED, S.REFUSED, S.FAILED, S.HELD}
        add(
            journal,
            *(same(state.value, state=state, received_at=at(100 + n)) for n, state in enumerate(S)),
            same("change", action=Action.CHANGE, received_at=at(200)),
            same("cancel", action=Action.CANCEL),
            same("reply", kind=InboundKind.REPLY),
            same("other patient", patient_reference="q"),
            same("other point", interaction_point=1),
            same("no point", interaction_point=None),
            same("old", received_at=at(9.999999)),
            same("just", received_at=at(10)),
        )
        with journal.reader() as reader:
            found = reader.recent_notes(patient_reference="p", interaction_point=2, since=at(10))
        assert [each.id for each in found] == [
            "change",
            *(state.value for state in reversed(S) if state in sent_on),
            "just",
        ]
