"""Everything that can happen to notes, in any order, with a crash at any fail-point and a clock that jumps.

Hospitals send, repeat, and reuse a MsgId; receivers read, answer, answer again and contradict; the gateway
works, dies, is started again, its old payloads are purged, and its journal goes back to a backup. In the end
each note has reached each of its receivers under one MsgId and with one content, and its hospital has one
AppRec for each.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from lxml import etree

from gateway.contracts.fail_points import FailPoint, watch
from gateway.contracts.queues import Delivery
from gateway.contracts.receipts import ErrorCode, ReceiptStatus
from gateway.contracts.states import SendingKind, SendingState
from gateway.formats import read_apprec, read_message
from gateway.ops.initialise import initialise
from gateway.security.gate import parse
from queues.embedded import EmbeddedQueue
from tests.flow.harness import ALL_KINDS, Gateway, receipt
from tests.ops.simulated_world import sample_book

pytestmark = [pytest.mark.crash, pytest.mark.timeout(3000)]

SAMPLES = ("dips/01", "helseplattformen/01", "doculive/01")
MOST_NOTES = 5
_ELSEWHERE = ["STARTED", "DRAINING", "ARRIVED", "ACKNOWLEDGEMENT_SENT", "HANDED_OVER", "CONFIRMED", "LEASED"]
POINTS = [each for each in FailPoint if each.name not in _ELSEWHERE]
"""Those that a note passes on the embedded queue and SQLite"""


_SETTLED = {ReceiptStatus.OK: SendingState.ACKNOWLEDGED, ReceiptStatus.REJECTED: SendingState.REFUSED}


class Crash(BaseException):
    """The process is gone."""


@cache
def made() -> tuple[tempfile.TemporaryDirectory[str], Path]:
    """A configuration with its keys, made once."""
    folder = tempfile.TemporaryDirectory()
    return folder, initialise(Path(folder.name) / "made").parent


@contextlib.contextmanager
def fresh() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(made()[1], Path(folder) / "gateway")
        yield Path(folder) / "gateway" / "gateway.toml"


def sample(beginning: str, round_number: int) -> bytes:
    """A note with a person and ids of its own."""
    book = sample_book()
    index = next(i for i, each in enumerate(book.samples) if each.name.startswith(beginning))
    return book.note(index, round_number).body


def msg_id_of(body: bytes) -> str:
    return read_message(parse(body)).head.msg_id


@cache
def receivers() -> dict[str, frozenset[str]]:
    """Who gets each sample where nothing goes wrong: the queues."""
    with fresh() as config:
        gateway = Gateway(config)
        gateway.note(*(sample(each, 0) for each in SAMPLES))
        found = {
            row.msg_id: frozenset(s.queue for s in gateway.sendings(row.id, SendingKind.NOTE))
            for row in gateway.rows()
        }
        gateway.close()
    return {each: found[msg_id_of(sample(each, 0))] for each in SAMPLES}


class Flow(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self._opened = contextlib.ExitStack()
        self.offset = timedelta()
        self.gateway = Gateway(self._opened.enter_context(fresh()), clock=self._clock)
        self.notes: dict[str, tuple[bytes, frozenset[str]]] = {}
        """By MsgId: bytes, and the queues of its receivers"""
        self.others: list[bytes] = []
        """Bytes that came under the MsgId of a note"""
        self.read: dict[tuple[str, str], bytes] = {}
        """What came to a queue under a MsgId"""
        self.passed_on: dict[str, str] = {}
        """By the id of an AppRec that came to a hospital: the MsgId that it is about"""
        self.answered: dict[tuple[str, str], list[ReceiptStatus]] = {}
        """By queue and MsgId"""
        self.history = 0
        self.backup: Path | None = None
        self.restored = False

    def teardown(self) -> None:
        try:
            self.everything_ends_well()
        finally:
            watch(None)
            with contextlib.suppress(Exception):
                self.gateway.close()
            self._opened.close()

    # --- what may happen ---------------------------------------------------------------------------

    @precondition(lambda self: len(self.notes) < MOST_NOTES)
    @rule(which=st.sampled_from(SAMPLES))
    def a_note_is_sent(self, which: str) -> None:
        body = sample(which, len(self.notes))
        self.notes[msg_id_of(body)] = (body, receivers()[which])
        self._put("pakkehjem_in", body)

    @precondition(lambda self: self.notes)
    @rule(data=st.data(), copies=st.sampled_from([1, 1, 2, 100]))
    def a_note_is_sent_again(self, data: st.DataObject, copies: int) -> None:
        body, _ = self.notes[data.draw(st.sampled_from(sorted(self.notes)))]
        self._put("pakkehjem_in", *[body] * copies)

    @precondition(lambda self: self.notes and len(self.others) < 2)
    @rule(data=st.data())
    def other_bytes_come_under_its_id(self, data: st.DataObject) -> None:
        msg_id = data.draw(st.sampled_from(sorted(self.notes)))
        if not any(row.msg_id == msg_id for row in self.gateway.rows()):
            return
        body, _ = self.notes[msg_id]
        other = body.replace(b"</", b" </", 1)
        if other not in self.others:
            self.others.append(other)
        self._put("pakkehjem_in", other)

    @rule()
    def the_gateway_works(self) -> None:
        self.gateway.settle()

    @rule(point=st.sampled_from(POINTS), passing=st.integers(1, 4))
    def the_gateway_works_and_dies(self, point: FailPoint, passing: int) -> None:
        left = passing

        def die(at: FailPoint) -> None:
            nonlocal left
            left -= at is point
            if left == 0:
                raise Crash

        watch(die)
        try:
            self.gateway.settle()
        except Crash:
            watch(None)
            self._start_again()
        finally:
            watch(None)

    @rule(hours=st.sampled_from([-1, 1]))
    def the_clock_is_set(self, hours: int) -> None:
        self.offset += timedelta(hours=hours)

    @rule(data=st.data())
    def a_receiver_reads(self, data: st.DataObject) -> None:
        self._read(data.draw(st.sampled_from(sorted(set().union(*receivers().values())))))

    @precondition(lambda self: self.read)
    @rule(
        data=st.data(),
        status=st.sampled_from([ReceiptStatus.OK, ReceiptStatus.OK, ReceiptStatus.REJECTED]),
        copies=st.sampled_from([1, 1, 2]),
    )
    def a_receiver_answers(self, data: st.DataObject, status: ReceiptStatus, copies: int) -> None:
        """Perhaps once more, perhaps otherwise than before."""
        self._answer(data.draw(st.sampled_from(sorted(self.read))), status, copies)

    @rule()
    def somebody_answers_what_was_never_sent(self) -> None:
        if self.read:
            body = next(iter(self.read.values()))
            made = receipt(read_message(parse(body)))
            original = read_message(parse(body)).head.msg_id.encode()
            self._put("8900010_async", made.replace(original, b"00000000-0000-4000-8000-000000000000"))

    @rule()
    def what_has_ended_is_purged(self) -> None:
        before = self._clock() + timedelta(hours=3)
        self.gateway.worker.journal.purge(before, at=self._clock())

    @rule()
    def a_backup_is_made(self) -> None:
        self.backup = self.gateway.config.with_name(f"backup-{uuid4()}")
        self.gateway.worker.journal.backup(self.backup)

    @precondition(lambda self: self.backup is not None)
    @rule()
    def the_journal_goes_back_to_the_backup(self) -> None:
        """And the hospitals send again what they have sent."""
        assert self.backup is not None
        self.gateway.settle()
        self.gateway.close()
        for leftover in self.gateway.config.parent.glob("journal.sqlite*"):
            leftover.unlink()
        shutil.copy(self.backup, self.gateway.config.with_name("journal.sqlite"))
        self.gateway.start()
        self.history, self.restored = 0, True
        self._put("pakkehjem_in", *(body for body, _ in self.notes.values()), *self.others)

    # --- what must hold ----------------------------------------------------------------------------

    @invariant()
    def history_only_grows(self) -> None:
        events = sum(len(self.gateway.worker.journal.events(row.id)) for row in self.gateway.rows(ALL_KINDS))
        assert events >= self.history
        self.history = events

    @invariant()
    def a_note_has_one_row_and_its_own_bytes(self) -> None:
        rows = [row for row in self.gateway.rows() if row.msg_id in self.notes]
        assert len({row.msg_id for row in rows}) == len(rows)
        for row in rows:
            sendings = self.gateway.sendings(row.id, SendingKind.NOTE)
            assert len({s.receiver for s in sendings}) == len(sendings), "one sending to each receiver"

    def everything_ends_well(self) -> None:
        """Nobody dies any more, everybody reads and answers."""
        for _ in range(3):
            self.gateway.settle()
            for queue in set().union(*receivers().values()):
                self._read(queue)
            for key in sorted(self.read):
                if key not in self.answered or self.restored:
                    self._answer(key, self.answered.get(key, [ReceiptStatus.OK])[0], 1)
        self.gateway.settle()
        self._hospitals_read()
        by_queue = defaultdict(set)
        for queue, msg_id in self.read:
            by_queue[queue].add(msg_id)
        rows = {row.msg_id: row for row in self.gateway.rows()}
        expected: defaultdict[str, set[str]] = defaultdict(set)
        for msg_id, (_, queues) in self.notes.items():
            sendings = self.gateway.sendings(rows[msg_id].id, SendingKind.NOTE)
            assert {s.queue for s in sendings} == queues, "nothing is lost"
            for sending in sendings:
                expected[sending.queue].add(sending.msg_id)
                answers = self.answered[sending.queue, sending.msg_id]
                # A journal that went back has forgotten which answer was the first.
                counting = answers if self.restored else answers[:1]
                assert sending.state in {_SETTLED[each] for each in counting}
            told = [about for about in self.passed_on.values() if about == msg_id]
            named = [s for s in sendings if s.answers is not None]
            assert len(told) >= len(named), "the hospital hears of each receiver"
            assert self.restored or len(told) == len(named), "once"
        assert by_queue == expected, "nothing comes under a second MsgId"
        assert not [s for s in self.gateway.worker.queue.status() if s.unacknowledged], "nothing is held"
        apart = [row for row in self.gateway.rows() if row.reason == "same-id-other-content"]
        assert len(apart) == len(self.others), "kept apart, never merged"
        assert not any(self.gateway.sendings(row.id, SendingKind.NOTE) for row in apart)

    # --- how ---------------------------------------------------------------------------------------

    def _clock(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def _put(self, queue: str, *bodies: bytes) -> None:
        self.gateway.put(queue, *bodies)

    def _start_again(self) -> None:
        """As after kill -9: nobody says goodbye."""
        dead = self.gateway.worker
        assert isinstance(dead.queue, EmbeddedQueue)
        assert dead.queue._open is not None
        dead.queue._open.close()
        dead.queue._open = None
        dead.queue._presence.let_go()
        dead.journal.close()
        self.gateway.start()

    def _deliveries(self, queue: str) -> list[Delivery]:
        return self.gateway.take(queue)

    def _read(self, queue: str) -> None:
        for delivery in self._deliveries(queue):
            root = parse(delivery.envelope.body)
            if etree.QName(root).localname == "AppRec":
                continue
            msg_id = read_message(root).head.msg_id
            before = self.read.setdefault((queue, msg_id), delivery.envelope.body)
            # A journal that went back makes it anew, under the same MsgId and with the time of then.
            assert self.restored or before == delivery.envelope.body, "what comes again is the same bytes"

    def _hospitals_read(self) -> None:
        for hospital in self.gateway.registry.hospitals:
            for delivery in self._deliveries(hospital.record_system_queue):
                root = parse(delivery.envelope.body)
                if etree.QName(root).localname != "AppRec":
                    continue
                apprec = read_apprec(root)
                about = apprec.original.id.strip()
                assert self.passed_on.setdefault(apprec.id, about) == about

    def _answer(self, key: tuple[str, str], status: ReceiptStatus, copies: int) -> None:
        code = ErrorCode.OTHER if status is ReceiptStatus.REJECTED else None
        message = read_message(parse(self.read[key]))
        made = receipt(message, status, code)
        self.answered.setdefault(key, []).append(status)
        sender = message.head.sender
        assert sender is not None
        hospital = next(h for h in self.gateway.registry.hospitals if h.her_id in sender.her_ids)
        self._put(hospital.queue, *[made] * copies)


def test_any_order_of_anything() -> None:
    long = bool(os.environ.get("FAULTS"))
    run_state_machine_as_test(
        Flow,
        settings=settings(
            max_examples=150 if long else 8,
            stateful_step_count=40 if long else 20,
            deadline=None,
            # Shrinking a failure would take longer than any run may.
            phases=(Phase.reuse, Phase.generate),
            suppress_health_check=list(HealthCheck),
        ),
    )
