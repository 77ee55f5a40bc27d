"""The transition table of a sending, and every order in which its events can arrive."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import product
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.contracts.messages import Message
from gateway.contracts.receipts import ErrorCode, ReceiptStatus
from gateway.contracts.records import InboundMessage, Sending
from gateway.contracts.states import TRANSITIONS, InboundKind, InboundState, SendingKind, SendingState
from gateway.ops.initialise import initialise
from gateway.receipts.states import STEPS, SendingEvent, overall
from tests.flow.harness import Gateway, note, receipt, with_new_id

S, E = SendingState, SendingEvent
SETTLED = {S.ACKNOWLEDGED, S.REFUSED, S.DISCARDED}
UNSETTLED = {S.PENDING, S.DELIVERED, S.OVERDUE, S.FAILED}


def test_the_table_has_every_pair() -> None:
    assert set(STEPS) == set(product(SendingState, SendingEvent))


@pytest.mark.parametrize(("state", "event"), list(product(SendingState, SendingEvent)))
def test_every_pair_of_the_table_keeps_the_rules(state: SendingState, event: SendingEvent) -> None:
    step = STEPS[state, event]
    receipts = {E.POSITIVE: S.ACKNOWLEDGED, E.NEGATIVE: S.REFUSED}
    if event in receipts:
        assert step.told is not None, "no receipt leaves no trace"
        assert step.state is (receipts[event] if state in UNSETTLED else state)
    if state in SETTLED and (state, event) != (S.REFUSED, E.CLOSED):
        assert step.state is state, "what is settled does not move"
    if step.state is not state:
        assert step.told is not None, "nothing moves without a trace"
    if event is E.DEADLINE:
        assert (step.state is S.OVERDUE) == (state in {S.DELIVERED, S.OVERDUE})
        assert (step.told is not None) == (state is S.DELIVERED), "an alert is given once"
    if event is E.TRANSPORTED:
        assert (step.state is S.DELIVERED) == (state in {S.PENDING, S.DELIVERED})
    if (state, event) in {(S.ACKNOWLEDGED, E.NEGATIVE), (S.REFUSED, E.POSITIVE)}:
        assert step.told == "receipt-contradicts"


@pytest.mark.parametrize(("one", "other"), list(product(SendingState, SendingState)))
def test_the_state_of_a_message_is_that_of_its_worst_sending(one: SendingState, other: SendingState) -> None:
    both = overall({one, other})
    assert both is overall({other, one})
    assert both in {overall({one}), overall({other})}
    if S.FAILED in (one, other):
        assert both is InboundState.FAILED
    elif S.REFUSED in (one, other):
        assert both is InboundState.REFUSED
    assert both not in {InboundState.HELD, InboundState.REJECTED}


def test_every_state_of_a_message_that_sendings_make_can_be_reached() -> None:
    reachable = {overall({state}) for state in SendingState}
    for state in reachable - {InboundState.DISCARDED, InboundState.SENDING}:
        assert state in TRANSITIONS[InboundState.SENDING]


@cache
def _made() -> tuple[tempfile.TemporaryDirectory[str], Path]:
    """A configuration with its keys, made once."""
    folder = tempfile.TemporaryDirectory()
    return folder, initialise(Path(folder.name) / "made").parent


@contextlib.contextmanager
def fresh() -> Iterator[Gateway]:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(_made()[1], Path(folder) / "gateway")
        running = Gateway(Path(folder) / "gateway" / "gateway.toml")
        yield running
        running.close()


class Arrivals(RuleBasedStateMachine):
    """A note with two receivers: their receipts, the clock and a crash, in every order."""

    def __init__(self) -> None:
        super().__init__()
        self._opened = contextlib.ExitStack()
        self.gateway = self._opened.enter_context(fresh())
        self.gateway.note(with_new_id(note("dips/01")))
        (self.row,) = self.gateway.rows()
        self.messages: dict[str, Message] = {}
        for sending in self._sendings():
            (self.messages[sending.receiver],) = self.gateway.messages(sending.queue)
        assert len(self.messages) == 2
        self.expected = dict.fromkeys(self.messages, S.DELIVERED)
        self.firsts: dict[str, str] = {}
        self.alerts = dict.fromkeys(self.messages, 0)
        self.hours = 0
        self.receipts = 0
        self.deviated: set[str] = set()

    def teardown(self) -> None:
        self._opened.close()

    def _sendings(self) -> list[Sending]:
        return self.gateway.sendings(self.row.id, SendingKind.NOTE)

    def _one(self, first: bool) -> str:  # noqa: FBT001 - what hypothesis draws
        return sorted(self.messages)[first]

    @rule(first=st.booleans(), positive=st.booleans(), copies=st.integers(1, 2))
    def a_receipt(self, *, first: bool, positive: bool, copies: int) -> None:
        receiver = self._one(first)
        status, code = (
            (ReceiptStatus.OK, None) if positive else (ReceiptStatus.REJECTED, ErrorCode.PATIENT_INSUFFICIENT)
        )
        data = receipt(self.messages[receiver], status, code)
        self.gateway.outside("8900100", *[data] * copies)
        self.receipts += 1
        event = E.POSITIVE if positive else E.NEGATIVE
        if self.expected[receiver] not in SETTLED:
            self.firsts[receiver] = status.value
            if not positive and receiver == "8910031":
                self.deviated.add(receiver)
        elif self.expected[receiver] is S.ACKNOWLEDGED and not positive:
            self.deviated.add(receiver)
        self.expected[receiver] = STEPS[self.expected[receiver], event].state

    @rule(first=st.booleans())
    def our_mark_comes_late(self, *, first: bool) -> None:
        """A crash between publishing and the mark: published again, marked after the receipt or before."""
        receiver = self._one(first)
        sending = next(s for s in self._sendings() if s.receiver == receiver)
        with self.gateway.worker.journal.transaction() as transaction:
            marked = transaction.update_claimed(sending, state=S.DELIVERED)
        assert not marked

    @precondition(lambda self: self.hours < 200)
    @rule(hours=st.sampled_from([50, 60]))
    def time_goes_by(self, hours: int) -> None:
        self.hours += hours
        deadlines = self.gateway.worker.deadlines
        deadlines._clock = lambda: datetime.now(UTC) + timedelta(hours=self.hours)
        deadlines.check()
        self.gateway.settle()
        if self.hours < 96:
            return
        for receiver, state in self.expected.items():
            if state is S.DELIVERED:
                self.expected[receiver] = S.OVERDUE
                self.alerts[receiver] += 1
                if receiver == "8910031":
                    self.deviated.add(receiver)

    @rule()
    def a_crash(self) -> None:
        self.gateway.restart()

    @rule(first=st.booleans())
    def a_receipt_for_what_was_never_sent(self, *, first: bool) -> None:
        message = self.messages[self._one(first)]
        data = receipt(message).replace(message.head.msg_id.encode(), b"00000000-0000-4000-8000-000000000000")
        self.gateway.outside("8900100", data)
        self.receipts += 1

    @invariant()
    def every_sending_is_where_the_table_says(self) -> None:
        assert {s.receiver: s.state for s in self._sendings()} == self.expected

    @invariant()
    def the_message_shows_it(self) -> None:
        (row,) = self.gateway.rows()
        assert row.state is overall(set(self.expected.values()))
        overdue = S.OVERDUE in self.expected.values()
        assert row.reason == ("receipt-overdue" if overdue else None)

    @invariant()
    def the_hospital_has_the_first_receipt_of_each_and_no_other(self) -> None:
        passed_on = self.gateway.sendings(self.row.id, SendingKind.RECEIPT)
        by_index = {s.answers: (s.apprec or "").split()[0] for s in passed_on}
        assert len(by_index) == len(passed_on)
        expected = {s.answers: self.firsts[s.receiver] for s in self._sendings() if s.receiver in self.firsts}
        assert by_index == expected

    @invariant()
    def the_department_is_told_once(self) -> None:
        told = self.gateway.sendings(self.row.id, SendingKind.DEVIATION)
        assert len(told) == len(self.deviated)

    @invariant()
    def nothing_is_lost_and_each_alert_is_given_once(self) -> None:
        kept: list[InboundMessage] = self.gateway.rows([InboundKind.RECEIPT])
        assert len(kept) == self.receipts
        events = self.gateway.worker.journal.events(self.row.id)
        alerts = [e.detail["receiver"] for e in events if e.name == "overdue" and e.detail is not None]
        assert {r: alerts.count(r) for r in self.messages} == self.alerts
        recovered = [e for e in events if e.name == "receipt-late"]
        assert len(recovered) <= sum(self.alerts.values())


Arrivals.TestCase.settings = settings(
    max_examples=8, stateful_step_count=10, deadline=None, suppress_health_check=list(HealthCheck)
)
TestArrivals = Arrivals.TestCase
