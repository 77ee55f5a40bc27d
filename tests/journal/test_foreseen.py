"""What a transaction has read ahead answers as the store would, whatever was written since."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from gateway.contracts.addresses import AddressFault, FaultOutcome
from gateway.contracts.journal import Ahead
from gateway.contracts.states import InboundState, SendingState
from gateway.journal.errors import DuplicateInboundError, TransitionError
from gateway.journal.session import Session
from gateway.journal.sql_journal import SqlJournal
from tests.journal.stores import NOW, add, answer, happened, note, outgoing


def _sent(journal: SqlJournal, *names: str) -> None:
    add(journal, *(note(name, msg_id=f"m-{name}") for name in names))
    with journal.transaction() as transaction:
        for name in names:
            transaction.add_sending(outgoing(name, f"s-{name}", msg_id=f"out-{name}"))


def test_a_message_that_was_not_there_is_there_once_it_is_added(journal: SqlJournal) -> None:
    with journal.transaction() as transaction:
        transaction.foresee(Ahead(keys=[("8095225", "m-a")], notes=["root"], patients=["p"]))
        assert transaction.find_inbound(sender="8095225", msg_id="m-a", content=False) is None
        assert transaction.followers(["root"]) == []
        assert transaction.recent_notes(patient_reference="p", interaction_point=1, since=NOW) == []
        new = note(
            "a",
            msg_id="m-a",
            state=InboundState.SENDING,
            patient_reference="p",
            interaction_point=1,
            conversation_parent="root",
        )
        transaction.add_inbound(new)
        assert transaction.find_inbound(sender="8095225", msg_id="m-a") == new
        assert transaction.followers(["root"]) == [new]
        assert transaction.recent_notes(patient_reference="p", interaction_point=1, since=NOW) == [new]
        with pytest.raises(DuplicateInboundError):
            transaction.add_inbound(note("b", msg_id="m-a"))


def test_a_sending_that_was_not_there_is_found_once_it_is_added(journal: SqlJournal) -> None:
    _sent(journal, "a")
    with journal.transaction() as transaction:
        transaction.foresee(Ahead(answered=["out-a", "later", "document"]))
        assert transaction.find_sendings("later", content=False) == []
        transaction.add_sending(outgoing("a", "s-2", msg_id="later", document_id="document"))
        assert [s.id for s in transaction.find_sendings("later", content=False)] == ["s-2"]
        assert [s.id for s in transaction.find_sendings("document", content=False)] == ["s-2"]
        assert [s.id for s in transaction.sendings("a", content=False)] == ["s-a", "s-2"]
        transaction.update_sending("s-2", msg_id="other")
        assert transaction.find_sendings("later", content=False) == []
        assert [s.id for s in transaction.find_sendings("other", content=False)] == ["s-2"]


def test_the_first_receipt_counts_once(journal: SqlJournal) -> None:
    _sent(journal, "a")
    add(journal, note("r1"), note("r2"))
    with journal.transaction() as transaction:
        transaction.foresee(Ahead(answered=["out-a"]))
        assert transaction.add_receipt(answer("s-a", "r1"))
        assert not transaction.add_receipt(answer("s-a", "r2"))
    with journal.transaction() as transaction:
        transaction.foresee(Ahead(answered=["out-a"]))
        assert not transaction.add_receipt(answer("s-a", "r2"))
    assert len(journal.receipts("s-a")) == 3


def test_a_flagged_entry_is_answered_also_where_it_was_flagged_after_the_look(journal: SqlJournal) -> None:
    _sent(journal, "a")
    fault = AddressFault(
        sending_id="s-a", inbound_id="a", receiver="8141253", address="queue", codes="E21", at=NOW
    )
    with journal.transaction() as transaction:
        transaction.foresee(Ahead(answered=["out-a"]))
        transaction.add_address_fault(fault)
        later = NOW + timedelta(hours=1)
        transaction.answer_address_faults("8141253", sent_at=later, at=later)
        (found,) = transaction.address_faults("a")
    assert found.outcome is FaultOutcome.ANSWERED


def test_a_state_that_does_not_lead_there_is_refused_without_a_statement(journal: SqlJournal) -> None:
    _sent(journal, "a")
    with journal.transaction() as transaction:
        transaction.foresee(Ahead(messages=["a"]))
        transaction.update_inbound("a", state=InboundState.REJECTED)
        with pytest.raises(TransitionError):
            transaction.update_inbound("a", state=InboundState.SENDING)
        transaction.update_sending("s-a", state=SendingState.DELIVERED)
        (sending,) = transaction.sendings("a", content=False)
        assert not transaction.update_claimed(sending, state=SendingState.DELIVERED)
    with journal.reader() as view:
        assert [s.state for s in view.sendings("a")] == [SendingState.DELIVERED]
        row = view.inbound("a")
    assert row is not None
    assert row.state is InboundState.REJECTED


def test_what_a_savepoint_undoes_is_not_remembered(journal: SqlJournal) -> None:
    def undone() -> None:
        with transaction.savepoint(gather=True):
            transaction.update_inbound("a", state=InboundState.SENDING)
            transaction.add_sending(outgoing("a", "s-2", msg_id="out-2"))
            raise ZeroDivisionError

    _sent(journal, "a")
    with journal.transaction() as transaction:
        transaction.foresee(Ahead(messages=["a"]))
        with pytest.raises(ZeroDivisionError):
            undone()
        row = transaction.inbound("a", content=False)
        assert row is not None
        assert row.state is InboundState.RECEIVED
        assert [s.id for s in transaction.sendings("a", content=False)] == ["s-a"]


def _group(journal: SqlJournal, names: list[str]) -> None:
    with journal.transaction() as transaction:
        transaction.foresee(
            Ahead(
                keys=[("8095225", f"m-{name}") for name in names],
                answered=[f"out-{name}" for name in names],
                notes=[f"m-{name}" for name in names],
            )
        )
        for name in names:
            with transaction.savepoint(gather=True):
                (sending,) = transaction.find_sendings(f"out-{name}", content=False)
                transaction.add_receipt(answer(sending.id, name))
                transaction.update_sending(sending.id, state=SendingState.ACKNOWLEDGED)
                transaction.update_inbound(name, state=InboundState.SENDING)
                transaction.update_inbound(name, reason="seen")
                transaction.add_event(happened(name))


def test_a_larger_group_takes_no_more_statements(
    journal: SqlJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 0

    def counted(run: Callable[..., object]) -> Callable[..., object]:
        def one_more(*args: object, **kwargs: object) -> object:
            nonlocal count
            count += 1
            return run(*args, **kwargs)

        return one_more

    few, many = [f"a{n}" for n in range(3)], [f"b{n}" for n in range(30)]
    _sent(journal, *few, *many)
    for name in ("_run", "change_many"):
        monkeypatch.setattr(Session, name, counted(getattr(Session, name)))
    _group(journal, few)
    for_few, count = count, 0
    _group(journal, many)
    assert count == for_few
    with journal.reader() as view:
        assert {view.sendings(name)[0].state for name in many} == {SendingState.ACKNOWLEDGED}
