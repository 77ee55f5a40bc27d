"""Any sequence of transactions, whole, broken off and lost, beside a model in memory."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from gateway.contracts.errors import GatewayError
from gateway.contracts.findings import FINDINGS, finding
from gateway.contracts.journal import Ahead
from gateway.contracts.records import Event, InboundFilter, InboundMessage, NamedReceiver, Receipt, Sending
from gateway.contracts.states import TRANSITIONS, InboundKind, InboundState, SendingKind, SendingState
from gateway.contracts.summary import Action
from gateway.journal.errors import DuplicateInboundError, TransitionError
from gateway.journal.sql_journal import SqlJournal
from gateway.journal.transaction import SqlTransaction
from tests.journal.stores import NOW, STORES

S = InboundState

times = st.builds(
    lambda seconds, micros, hours: (NOW + timedelta(seconds=seconds, microseconds=micros)).astimezone(
        timezone(timedelta(hours=hours))
    ),
    st.integers(0, 3),
    st.integers(0, 1),
    st.integers(-2, 2),
)
msg_ids = st.sampled_from(["m1", "m2", "m3", "m4"])
hospitals = st.sampled_from([None, "100", "200"])
documents = st.sampled_from([None, "d1", "d2"])
texts = st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)

fields = {
    "kind": st.sampled_from([InboundKind.NOTE, InboundKind.NOTE, InboundKind.REPLY]),
    "state": st.sampled_from(S),
    "queue": st.just("pakkehjem_in"),
    "received_at": times,
    "sender": st.sampled_from(["", "1", "2"]),
    "msg_id": msg_ids,
    "content_hash": st.just("0" * 64),
    "body": st.binary(max_size=40),
    "format": texts,
    "system": st.sampled_from([None, "dips", "doculive"]),
    "action": st.sampled_from(Action),
    "sent_at": st.none() | times,
    "hospital": hospitals,
    "unit_name": texts,
    "patient_reference": st.sampled_from([None, "p", "q"]),
    "interaction_point": st.sampled_from([None, 1, 2]),
    "document_id": documents,
    "conversation_parent": st.none() | msg_ids,
    "conversation_root": st.none() | msg_ids,
    "summary": st.none() | st.binary(max_size=40),
    "findings": st.lists(st.sampled_from(sorted(FINDINGS)).map(finding), max_size=3).map(tuple),
    "named_receivers": st.lists(
        st.builds(NamedReceiver, her_id=texts, copy=st.booleans(), index=st.integers(0, 3)), max_size=2
    ).map(tuple),
    "reason": texts,
}
messages = st.fixed_dictionaries(fields)
changes = st.fixed_dictionaries(
    {},
    optional={name: fields[name] for name in ("state", "summary", "body", "findings", "sent_at", "reason")},
)
sendings = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(SendingKind),
        "state": st.sampled_from([SendingState.PENDING, SendingState.PENDING, SendingState.DELIVERED]),
        "receiver": st.sampled_from(["8141253", "8141254"]),
        "conversation_root": st.sampled_from([None, "r1", "r2"]),
        "msg_id": st.just("") | msg_ids,
        "document_id": documents,
        "body": st.binary(max_size=40),
        "headers": st.none() | st.dictionaries(st.text("ab", max_size=2), st.text(max_size=3), max_size=2),
        "answers": st.none() | st.integers(0, 2),
        "next_attempt_at": st.none() | times,
    }
)
sending_changes = st.fixed_dictionaries(
    {},
    optional={
        "state": st.sampled_from(SendingState),
        "next_attempt_at": st.none() | times,
        "attempts": st.integers(0, 9),
        "body": st.binary(max_size=9),
    },
)
criteria = st.builds(
    InboundFilter,
    states=st.lists(st.sampled_from(S), max_size=3).map(tuple),
    kinds=st.sampled_from([(), (InboundKind.NOTE,), (InboundKind.REPLY,)]),
    systems=st.sampled_from([(), ("dips",), ("dips", "doculive")]),
    findings=st.lists(st.sampled_from(sorted(FINDINGS)), max_size=3).map(tuple),
    since=st.none() | times,
    until=st.none() | times,
    patient_reference=st.sampled_from([None, "p"]),
    id_prefix=st.sampled_from([None, "i", "i1"]),
    limit=st.integers(1, 8),
)


@dataclass
class Model:
    """What should be there, in the order in which it was added."""

    inbound: dict[str, InboundMessage] = field(default_factory=dict)
    sendings: dict[str, Sending] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)

    def notes(self, condition: Callable[[InboundMessage], bool], *, newest: bool) -> list[InboundMessage]:
        found = [m for m in self.inbound.values() if m.kind is InboundKind.NOTE and condition(m)]
        return self.ordered(found, newest=newest)

    def recent(self, patient_reference: str, interaction_point: int, since: datetime) -> list[InboundMessage]:
        stands = (S.SENDING, S.DELIVERED, S.ACKNOWLEDGED, S.REFUSED, S.FAILED, S.HELD)
        return self.notes(
            lambda m: (
                (m.patient_reference, m.interaction_point) == (patient_reference, interaction_point)
                and m.received_at >= since
                and m.action is not Action.CANCEL
                and m.state in stands
            ),
            newest=True,
        )

    def followers(self, reference: str) -> list[InboundMessage]:
        return self.notes(lambda m: reference in (m.conversation_parent, m.conversation_root), newest=False)

    @staticmethod
    def ordered(found: Iterable[InboundMessage], *, newest: bool) -> list[InboundMessage]:
        oldest_first = sorted(found, key=lambda m: m.received_at)
        return oldest_first[::-1] if newest else oldest_first

    def listed(self, c: InboundFilter) -> list[InboundMessage]:
        found = [
            dataclasses.replace(m, body=b"", summary=None)
            for m in self.inbound.values()
            if (not c.states or m.state in c.states)
            and (not c.kinds or m.kind in c.kinds)
            and (not c.systems or m.system in c.systems)
            and (not c.findings or {f.code for f in m.findings} & set(c.findings))
            and (c.since is None or m.received_at >= c.since)
            and (c.until is None or m.received_at < c.until)
            and (c.patient_reference is None or m.patient_reference == c.patient_reference)
            and (c.id_prefix is None or m.id.startswith(c.id_prefix))
        ]
        return self.ordered(found, newest=True)[: c.limit]

    def due(self, now: datetime) -> list[Sending]:
        pending = [s for s in self.sendings.values() if s.state is SendingState.PENDING]
        # Of each conversation with a receiver only the first may go: no change overtakes its note.
        first = {(s.conversation_root, s.receiver): s for s in reversed(pending)}
        free = [
            s for s in pending if s.conversation_root is None or s is first[s.conversation_root, s.receiver]
        ]
        waiting = [s for s in free if s.next_attempt_at is None or s.next_attempt_at <= now]
        return sorted(waiting, key=lambda s: (s.next_attempt_at is not None, s.next_attempt_at or NOW))


def _alone(sending: Sending) -> Sending:
    return dataclasses.replace(sending, body=b"")


class JournalMachine(RuleBasedStateMachine):
    make_store: Any

    def __init__(self) -> None:
        super().__init__()
        self.opened = contextlib.ExitStack()
        self.store = self.opened.enter_context(self.make_store())
        self.journal: SqlJournal = self.store.open()
        self.model = Model()
        self.made = 0

    def teardown(self) -> None:
        self.journal.close()
        self.opened.close()

    def new_id(self, letter: str) -> str:
        self.made += 1
        return f"{letter}{self.made}"

    def write(self, transaction: SqlTransaction, model: Model, data: st.DataObject) -> None:
        """One step of a transaction, and the same in the model."""
        possible = [self.write_message, self.write_message]
        possible += [self.write_change, self.write_sending, self.write_event] if model.inbound else []
        possible += (
            [self.write_sending_change, self.write_claimed_change, self.write_receipt]
            if model.sendings
            else []
        )
        data.draw(st.sampled_from(possible))(transaction, model, data)

    def write_message(self, transaction: SqlTransaction, model: Model, data: st.DataObject) -> None:
        message = InboundMessage(id=self.new_id("i"), **data.draw(messages))
        if any((m.sender, m.msg_id) == (message.sender, message.msg_id) for m in model.inbound.values()):
            with pytest.raises(DuplicateInboundError):
                transaction.add_inbound(message)
        else:
            transaction.add_inbound(message)
            model.inbound[message.id] = message

    def write_change(self, transaction: SqlTransaction, model: Model, data: st.DataObject) -> None:
        before = model.inbound[data.draw(st.sampled_from(sorted(model.inbound)))]
        change = data.draw(changes)
        state = change.get("state", before.state)
        if state is before.state or state in TRANSITIONS[before.state]:
            transaction.update_inbound(before.id, **change)
            model.inbound[before.id] = dataclasses.replace(before, **change)
        else:
            with pytest.raises(TransitionError):
                transaction.update_inbound(before.id, **change)

    def write_sending(self, transaction: SqlTransaction, model: Model, data: st.DataObject) -> None:
        inbound_id = data.draw(st.sampled_from(sorted(model.inbound)))
        sending = Sending(id=self.new_id("s"), inbound_id=inbound_id, **data.draw(sendings))
        transaction.add_sending(sending)
        model.sendings[sending.id] = sending

    def write_sending_change(self, transaction: SqlTransaction, model: Model, data: st.DataObject) -> None:
        sending_id = data.draw(st.sampled_from(sorted(model.sendings)))
        change = data.draw(sending_changes)
        transaction.update_sending(sending_id, **change)
        model.sendings[sending_id] = dataclasses.replace(model.sendings[sending_id], **change)

    def write_claimed_change(self, transaction: SqlTransaction, model: Model, data: st.DataObject) -> None:
        before = model.sendings[data.draw(st.sampled_from(sorted(model.sendings)))]
        change = data.draw(sending_changes)
        claimed = dataclasses.replace(before, fence=data.draw(st.sampled_from([0, 0, 0, 1])))
        pending = before.state is SendingState.PENDING and claimed.fence == before.fence
        assert transaction.update_claimed(claimed, **change) == pending
        if pending:
            model.sendings[before.id] = dataclasses.replace(before, **change)

    def write_event(self, transaction: SqlTransaction, model: Model, data: st.DataObject) -> None:
        inbound_id = data.draw(st.sampled_from(sorted(model.inbound)))
        event = Event(inbound_id=inbound_id, at=data.draw(times), name=self.new_id("e"))
        transaction.add_event(event)
        model.events.append(event)

    def write_receipt(self, transaction: SqlTransaction, model: Model, data: st.DataObject) -> None:
        sending_id = data.draw(st.sampled_from(sorted(model.sendings)))
        receipt = Receipt(
            sending_id=sending_id,
            inbound_id=model.sendings[sending_id].inbound_id,
            apprec_id=self.new_id("a"),
            status="2",
            codes=data.draw(st.sampled_from([(), ("E21",), ("E21", "T10")])),
            received_at=data.draw(times),
        )
        first = transaction.add_receipt(receipt)
        assert first == all(r.sending_id != sending_id for r in model.receipts)
        model.receipts.append(receipt)

    def steps(self, transaction: SqlTransaction, model: Model, data: st.DataObject) -> Model:
        """Some steps, some of them in savepoints that hold or are undone."""
        for _ in range(data.draw(st.integers(1, 5), label="steps")):
            how = data.draw(st.sampled_from(["plain", "plain", "savepoint", "undone", "foresee", "foresee"]))
            if how == "plain":
                self.write(transaction, model, data)
            elif how == "foresee":
                self.foresee(transaction, model, data)
            else:
                inside = copy.deepcopy(model)
                gather = data.draw(st.booleans(), label="gather")
                with contextlib.suppress(ZeroDivisionError), transaction.savepoint(gather=gather):
                    self.write(transaction, inside, data)
                    self.write(transaction, inside, data)
                    if how == "undone":
                        raise ZeroDivisionError
                    model = inside
            if data.draw(st.booleans(), label="look"):
                self.look(transaction, model)
        return model

    def foresee(self, transaction: SqlTransaction, model: Model, data: st.DataObject) -> None:
        """Read ahead what may be asked for, there or not."""

        def some(there: Iterable[str]) -> list[str]:
            return data.draw(st.lists(st.sampled_from([*sorted(there), "nowhere", "\0"]), max_size=4))

        keys = st.tuples(fields["sender"], msg_ids | st.just("nowhere"))
        transaction.foresee(
            Ahead(
                keys=data.draw(st.lists(keys, max_size=4)),
                answered=some(["m1", "m2", "m3", "m4", "d1", "d2", ""]),
                notes=some(["m1", "m2", "m3", "m4"]),
                patients=data.draw(st.lists(st.sampled_from(["p", "q", "r"]), max_size=2)),
                messages=some(model.inbound),
            )
        )

    @staticmethod
    def look(transaction: SqlTransaction, model: Model) -> None:
        """What is read without payloads, foreseen or not, is as it is in the model."""
        for message in model.inbound.values():
            alone = dataclasses.replace(message, body=b"", summary=None)
            assert transaction.inbound(message.id, content=False) == alone
            found = transaction.find_inbound(sender=message.sender, msg_id=message.msg_id, content=False)
            assert found == alone
            sent = [_alone(s) for s in model.sendings.values() if s.inbound_id == message.id]
            assert transaction.sendings(message.id, content=False) == sent
        assert transaction.find_inbound(sender="1", msg_id="nowhere", content=False) is None
        for reference in ("m1", "m2", "m3", "m4", "d1", "d2", "nowhere"):
            sent = [_alone(s) for s in model.sendings.values() if reference in (s.msg_id, s.document_id)]
            assert transaction.find_sendings(reference, content=False) == sent[::-1]
            followers = model.followers(reference)
            assert transaction.followers([reference]) == followers
        for patient in ("p", "q", "r"):
            recent = model.recent(patient, 1, NOW)
            assert (
                transaction.recent_notes(patient_reference=patient, interaction_point=1, since=NOW) == recent
            )

    @rule(data=st.data())
    def commit(self, data: st.DataObject) -> None:
        with self.journal.transaction() as transaction:
            model = self.steps(transaction, copy.deepcopy(self.model), data)
            assert transaction.due(NOW, limit=100) == model.due(NOW)
        self.model = model

    @rule(data=st.data())
    def roll_back(self, data: st.DataObject) -> None:
        with contextlib.suppress(ZeroDivisionError), self.journal.transaction() as transaction:
            self.steps(transaction, copy.deepcopy(self.model), data)
            raise ZeroDivisionError

    @rule(data=st.data())
    def crash(self, data: st.DataObject) -> None:
        """The connection is lost with a transaction open, and another process opens the journal."""
        with contextlib.suppress(GatewayError), self.journal.transaction() as transaction:
            self.steps(transaction, copy.deepcopy(self.model), data)
            transaction.write_gathered()
            driver: Any = transaction._session.connection.connection.driver_connection
            driver.close()
        self.journal.close()
        self.journal = self.store.open()

    @rule(wanted=criteria)
    def lists_agree(self, wanted: InboundFilter) -> None:
        assert self.journal.list_inbound(wanted) == self.model.listed(wanted)

    @rule(msg_id=msg_ids, hospital=hospitals, document=st.sampled_from(["d1", "d2"]), now=times)
    def searches_agree(self, msg_id: str, hospital: str | None, document: str, now: datetime) -> None:
        model = self.model

        def of(m: InboundMessage) -> bool:
            return hospital is None or m.hospital == hospital

        with self.journal.reader() as reader:
            by_msg_id = model.notes(lambda m: m.msg_id == msg_id and of(m), newest=True)
            assert reader.find_inbound_by_msg_id(msg_id, hospital=hospital) == next(iter(by_msg_id), None)
            by_document = model.notes(lambda m: m.document_id == document and of(m), newest=False)
            assert reader.find_inbound_by_document_id(document, hospital=hospital) == by_document
            ids = {msg_id, "m1"}
            followers = model.notes(
                lambda m: (m.conversation_parent in ids or m.conversation_root in ids) and of(m), newest=False
            )
            assert reader.followers(sorted(ids), hospital=hospital) == followers
            recent = model.recent("p", 1, now)
            assert reader.recent_notes(patient_reference="p", interaction_point=1, since=now) == recent
            sent = [s for s in model.sendings.values() if msg_id in (s.msg_id, s.document_id)]
            assert reader.find_sendings(msg_id) == sent[::-1]
            assert reader.due(now, limit=2) == model.due(now)[:2]

    @invariant()
    def rows_agree(self) -> None:
        model = self.model
        with self.journal.reader() as reader:
            for message in model.inbound.values():
                assert reader.inbound(message.id) == message
                assert reader.find_inbound(sender=message.sender, msg_id=message.msg_id) == message
                sent = [s for s in model.sendings.values() if s.inbound_id == message.id]
                assert reader.sendings(message.id) == sent
        names = [e.name for inbound_id in model.inbound for e in self.journal.events(inbound_id)]
        assert sorted(names) == sorted(e.name for e in model.events)
        for sending_id in model.sendings:
            expected = [r for r in model.receipts if r.sending_id == sending_id]
            assert self.journal.receipts(sending_id) == expected
        states = [m.state for m in model.inbound.values() if m.kind is InboundKind.NOTE]
        assert self.journal.count_by_state() == {state.value: states.count(state) for state in S}
        pending = [s.next_attempt_at for s in model.sendings.values() if s.state is SendingState.PENDING]
        next_due = self.journal.next_due()
        if None in pending:
            assert next_due is not None
            assert next_due < NOW
        else:
            assert next_due == min((at for at in pending if at is not None), default=None)


@pytest.mark.parametrize("kind", sorted(STORES))
def test_any_sequence(kind: str, request: pytest.FixtureRequest) -> None:
    make_store = staticmethod(lambda: STORES[kind](request))
    machine = type("Machine", (JournalMachine,), {"make_store": make_store})
    run_state_machine_as_test(
        machine,
        settings=settings(
            # A server is asked over a connection: fewer, for the same rules.
            max_examples=20 if kind == "sqlite" else 6,
            stateful_step_count=10,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
