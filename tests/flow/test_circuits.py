"""A receiver that is down is left alone and probed, and the others do not notice; a pause lasts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise

import pytest
from structlog.testing import capture_logs

from gateway.contracts.queues import Envelope, PublishOutcome
from gateway.contracts.records import Sending
from gateway.contracts.states import InboundState, SendingKind, SendingState
from gateway.contracts.traffic import EVERY_RECEIVER, INTAKE, Pause
from gateway.pipeline.outbox import Outbox
from tests.flow.conftest import Start
from tests.flow.harness import Gateway, note

CONFIRMED, UNROUTABLE = PublishOutcome.CONFIRMED, PublishOutcome.UNROUTABLE
NOTE = "dips/01"
DOWN, UP = "8910031", "8920031"
"""Its municipality and its GP"""


_numbers = count()


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **span: float) -> None:
        self.now += timedelta(**span)


class World:
    """A gateway whose broker refuses what goes to some queues, and an outbox full of sendings."""

    def __init__(self, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
        self.gateway = gateway
        self.refused: dict[str, PublishOutcome] = {}
        self.tried: list[str] = []
        gateway.put(gateway.configuration.queues.inbound, note(NOTE))
        with monkeypatch.context() as patched:
            patched.setattr(self.outbox, "publish_due", lambda: 0)
            gateway.settle()
        (self.row,) = gateway.rows()
        self.clock = Clock()
        self._publish = gateway.worker.queue.publish
        self.attach(monkeypatch)

    @property
    def outbox(self) -> Outbox:
        return self.gateway.worker.service._outbox

    def attach(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._publish = self.gateway.worker.queue.publish
        monkeypatch.setattr(self.gateway.worker.queue, "publish", self.publish)
        monkeypatch.setattr(self.outbox, "_clock", self.clock)

    def publish(self, messages: Sequence[tuple[str, Envelope]]) -> list[PublishOutcome]:
        self.tried += [queue for queue, _ in messages]
        refused = [self.refused.get(queue) for queue, _ in messages]
        good = [m for m, r in zip(messages, refused, strict=True) if r is None]
        done = iter(self._publish(good))
        return [r or next(done) for r in refused]

    def add(self, number: int, receiver: str = DOWN) -> list[str]:
        """More sendings to a receiver, each of a conversation of its own."""
        template = next(
            s for s in self.gateway.sendings(self.row.id, SendingKind.NOTE) if s.receiver == receiver
        )
        made = [f"{receiver}-{next(_numbers)}" for _ in range(number)]
        with self.gateway.worker.journal.transaction() as transaction:
            for name in made:
                transaction.add_sending(_copy(template, name, self.clock.now))
        return made

    def turns(
        self, condition: Callable[[], bool] | None = None, *, step: float = 1.0, most: int = 500
    ) -> int:
        """Publish again and again while time passes, until a condition holds; how many turns it took."""
        for turn in range(most):
            while self.outbox.publish_due():
                pass
            if condition is not None and condition():
                return turn
            self.clock.move(seconds=step)
        assert condition is None, "it never came about"
        return most

    def sending_to(self, receiver: str) -> list[Sending]:
        found = self.gateway.sendings(self.row.id, SendingKind.NOTE)
        return [s for s in found if s.receiver == receiver]


def _copy(template: Sending, name: str, at: datetime) -> Sending:
    return Sending(
        id=name,
        inbound_id=template.inbound_id,
        kind=SendingKind.NOTE,
        state=SendingState.PENDING,
        receiver=template.receiver,
        receiver_role=template.receiver_role,
        queue=template.queue,
        msg_id=name,
        conversation_root=name,
        body=b"<xml/>",
        headers=template.headers,
        next_attempt_at=at,
        created_at=at,
    )


@pytest.fixture
def world(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(gateway, monkeypatch)


def paused(gateway: Gateway, scope: str, reason: str = "stans") -> bool:
    with gateway.worker.journal.transaction() as transaction:
        return transaction.pause(Pause(scope=scope, at=datetime.now(UTC), by="kari", reason=reason))


def events(logs: Sequence[object], *names: str) -> list[object]:
    return [each["event"] for each in logs if isinstance(each, dict) and each["event"] in names]


def test_it_opens_after_so_many_faults_in_a_row_and_probes_with_growing_pauses(world: World) -> None:
    world.add(200)
    world.refused[f"{DOWN}_async"] = UNROUTABLE
    with capture_logs() as logs:
        world.outbox.publish_due()
        (circuit,) = world.gateway.worker.journal.circuits()
        assert (circuit.receiver, circuit.error, circuit.opened_at) == (DOWN, "unroutable", world.clock.now)
        before = world.tried.count(f"{DOWN}_async")
        when: list[datetime] = []
        for _ in range(600):
            seen = world.tried.count(f"{DOWN}_async")
            while world.outbox.publish_due():
                pass
            probes = world.tried.count(f"{DOWN}_async") - seen
            assert probes <= 1, "one at a time"
            when += [world.clock.now] * probes
            world.clock.move(seconds=1)
    pauses = [(later - earlier).total_seconds() for earlier, later in pairwise(when)]
    assert pauses[:5] == [4, 8, 16, 32, 60]
    assert set(pauses[5:]) == {60}
    assert events(logs, "circuit-opened", "circuit-closed") == ["circuit-opened"], "told once"
    attempts = sum(s.attempts for s in world.sending_to(DOWN))
    assert attempts == before + len(when), "what waits burns no attempts"


def test_the_others_go_on_and_what_waited_goes_out_when_it_is_up_again(world: World) -> None:
    world.refused[f"{DOWN}_async"] = UNROUTABLE
    world.add(500)
    world.outbox.publish_due()
    world.turns(most=30)
    # More than a group of those that wait would hold all others up.
    names = world.add(3, UP)
    world.turns(lambda: all(s.state is SendingState.DELIVERED for s in world.sending_to(UP)), most=2)
    assert {s.id for s in world.sending_to(UP)} >= set(names)

    del world.refused[f"{DOWN}_async"]
    with capture_logs() as logs:
        turns = world.turns(lambda: all(s.state is SendingState.DELIVERED for s in world.sending_to(DOWN)))
    assert turns <= 60, "a probe finds out within the longest pause"
    assert events(logs, "circuit-opened", "circuit-closed") == ["circuit-closed"]
    assert world.gateway.worker.journal.circuits() == []


def test_it_survives_a_restart(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.refused[f"{DOWN}_async"] = UNROUTABLE
    world.add(20)
    world.outbox.publish_due()
    before = world.gateway.worker.journal.circuits()
    world.gateway.restart()
    world.attach(monkeypatch)
    assert world.gateway.worker.journal.circuits() == before
    world.tried.clear()
    assert world.outbox.publish_due() == 0
    world.clock.move(seconds=2)
    assert world.outbox.publish_due() == 1
    assert world.tried == [f"{DOWN}_async"]


def test_a_fault_now_and_then_does_not_open_it(world: World) -> None:
    world.turns(most=2)
    for _ in range(20):
        world.add(4)
        world.refused[f"{DOWN}_async"] = UNROUTABLE
        world.outbox.publish_due()
        del world.refused[f"{DOWN}_async"]
        world.add(1)
        world.turns(most=2)
        assert world.gateway.worker.journal.circuits() == []


def test_a_broker_that_confirms_nothing_is_one_fault_for_a_group(world: World) -> None:
    world.refused[f"{DOWN}_async"] = PublishOutcome.NOT_CONFIRMED
    world.add(50)
    world.outbox.publish_due()
    (circuit,) = world.gateway.worker.journal.circuits()
    assert (circuit.faults, circuit.opened_at) == (1, None)
    world.turns(lambda: world.gateway.worker.journal.circuits()[0].opened_at is not None, most=60)


def test_one_message_that_is_never_taken_does_not_keep_the_receiver_down(world: World) -> None:
    """Another one is what the next probe tries."""
    queue = world.gateway.worker.queue
    through, bad = queue.publish, set(world.add(1))

    def refuse(messages: Sequence[tuple[str, Envelope]]) -> list[PublishOutcome]:
        return [
            UNROUTABLE if e.message_id in bad else o
            for (_, e), o in zip(messages, through(messages), strict=True)
        ]

    queue.publish = refuse  # type: ignore[method-assign]
    bad |= {s.msg_id for s in world.sending_to(DOWN)}
    world.turns(lambda: any(c.opened_at for c in world.gateway.worker.journal.circuits()), most=100)
    names = world.add(1)
    world.turns(
        lambda: any(s.id in names and s.state is SendingState.DELIVERED for s in world.sending_to(DOWN)),
        most=62,
    )


def test_what_waits_too_long_for_a_receiver_is_given_up(world: World) -> None:
    world.refused[f"{DOWN}_async"] = UNROUTABLE
    world.add(20)
    world.outbox.publish_due()
    world.clock.move(hours=73)
    world.turns(most=3)
    assert {s.state for s in world.sending_to(DOWN)} == {SendingState.FAILED}
    assert world.gateway.rows()[0].state is InboundState.FAILED


def test_a_pause_holds_one_receiver_until_it_is_lifted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert paused(world.gateway, DOWN, "bytter server")
    assert not paused(world.gateway, DOWN, "igjen")
    world.turns(most=3)
    assert {s.state for s in world.sending_to(UP)} == {SendingState.DELIVERED}
    assert {(s.state, s.attempts) for s in world.sending_to(DOWN)} == {(SendingState.PENDING, 0)}
    world.gateway.restart()
    world.attach(monkeypatch)
    world.clock.move(hours=100)
    world.turns(most=3)
    assert {(s.state, s.attempts) for s in world.sending_to(DOWN)} == {(SendingState.PENDING, 0)}
    journal = world.gateway.worker.journal
    assert [p.reason for p in journal.pauses()] == ["bytter server"]
    with journal.transaction() as transaction:
        assert transaction.resume(DOWN)
        assert not transaction.resume(DOWN)
    world.turns(most=2)
    assert {s.state for s in world.sending_to(DOWN)} == {SendingState.DELIVERED}


def test_a_pause_of_all_holds_probes_too(world: World) -> None:
    world.refused[f"{DOWN}_async"] = UNROUTABLE
    world.add(10)
    world.outbox.publish_due()
    paused(world.gateway, EVERY_RECEIVER)
    world.add(3, UP)
    world.tried.clear()
    world.turns(most=20, step=60)
    assert world.tried == []


def test_a_paused_intake_leaves_messages_on_their_queue(start: Start) -> None:
    gateway = start()
    paused(gateway, INTAKE)
    gateway.restart()
    gateway.note(note(NOTE))
    assert gateway.rows() == []
    (status,) = gateway.worker.queue.status([gateway.configuration.queues.inbound])
    assert (status.ready, status.unacknowledged) == (1, 0)
    with gateway.worker.journal.transaction() as transaction:
        transaction.resume(INTAKE)
    gateway.restart()
    gateway.settle()
    assert [r.state for r in gateway.rows()] == [InboundState.DELIVERED]


@pytest.mark.parametrize("restarted", [False, True])
def test_a_clock_that_is_set_back_holds_nothing_up(
    world: World, monkeypatch: pytest.MonkeyPatch, *, restarted: bool
) -> None:
    """An hour forth and back: retries and probes stay within their longest pauses."""
    world.refused = {f"{DOWN}_async": UNROUTABLE, f"{UP}_async": UNROUTABLE}
    world.add(10)
    world.clock.move(hours=1)
    world.turns(most=120)
    world.clock.move(hours=-1)
    if restarted:
        world.gateway.restart()
        world.attach(monkeypatch)
    world.refused = {}
    world.turns(
        lambda: all(s.state is SendingState.DELIVERED for r in (DOWN, UP) for s in world.sending_to(r)),
        step=1,
        most=62,
    )


@pytest.mark.parametrize("back", [{"minutes": 4}, {"seconds": 30}, {"hours": 1}], ids=str)
def test_a_clock_that_is_set_back_while_it_works_puts_nothing_off(world: World, back: dict[str, int]) -> None:
    """However far: what waited for the time that was is tried at once."""
    world.refused = {f"{DOWN}_async": UNROUTABLE, f"{UP}_async": UNROUTABLE}
    world.add(10)
    world.turns(most=120)
    world.clock.move(**{unit: -value for unit, value in back.items()})
    world.refused = {}
    world.turns(
        lambda: all(s.state is SendingState.DELIVERED for r in (DOWN, UP) for s in world.sending_to(r)),
        step=1,
        most=2,
    )


def test_a_clock_that_is_put_right_by_a_little_makes_nothing_due(world: World) -> None:
    world.refused = {f"{DOWN}_async": UNROUTABLE, f"{UP}_async": UNROUTABLE}
    world.add(10)
    world.turns(most=60)
    tried = len(world.tried)
    for _ in range(5):
        world.clock.move(seconds=-0.1)
        assert world.outbox.publish_due() == 0
    assert len(world.tried) == tried


def test_a_clock_that_is_set_forth_gives_nothing_up_too_soon(world: World) -> None:
    world.refused = {f"{DOWN}_async": UNROUTABLE}
    world.add(10)
    world.turns(most=60)
    world.clock.move(hours=1)
    world.turns(most=60)
    assert {s.state for s in world.sending_to(DOWN)} == {SendingState.PENDING}
