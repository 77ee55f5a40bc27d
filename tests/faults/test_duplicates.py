"""Every message twice, and a hundred times, at once on two workers; an AppRec that overtakes our own mark."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import pytest

from gateway.contracts.fail_points import FailPoint, watch
from gateway.contracts.messages import Message
from gateway.contracts.queues import Delivery, Envelope, PublishOutcome, Queue
from gateway.contracts.receipts import ErrorCode, ReceiptStatus
from gateway.contracts.states import InboundState, SendingKind, SendingState
from gateway.formats import read_message
from gateway.ops import stores
from gateway.ops.configuration import load
from gateway.ops.simulation.assemble import assemble
from gateway.ops.simulation.simulation import Orders
from gateway.security.gate import parse
from tests.conftest import NOTES
from tests.faults.conftest import at_length
from tests.faults.keeper import Keeper
from tests.faults.results import Result, record
from tests.faults.world import Progress, World
from tests.flow.harness import Gateway, note, receipt
from tests.postgres_server import PostgresServer

pytestmark = [pytest.mark.crash, pytest.mark.timeout(1500)]


class Repeating:
    """A connection that puts everything on its queue so many times."""

    def __init__(self, queue: Queue, times: int) -> None:
        self._queue, self._times = queue, times
        self.take, self.acknowledge, self.requeue = queue.take, queue.acknowledge, queue.requeue
        self.declare, self.status, self.close = queue.declare, queue.status, queue.close

    def publish(self, messages: Sequence[tuple[str, Envelope]]) -> list[PublishOutcome]:
        outcomes = self._queue.publish([each for each in messages for _ in range(self._times)])
        confirmed = PublishOutcome.CONFIRMED
        groups = [outcomes[i : i + self._times] for i in range(0, len(outcomes), self._times)]
        # One copy is enough: then it is on its way.
        return [confirmed if confirmed in group else group[0] for group in groups]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


@pytest.mark.parametrize(("times", "notes"), [pytest.param(2, 60, marks=at_length), (100, 2)])
def test_everything_comes_again_and_again(
    config: Path,
    rabbitmq: str,
    postgres: PostgresServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    times: int,
    notes: int,
) -> None:
    with postgres.database() as url:
        world = World(config=config, broker=rabbitmq, journal=url)
        for name, value in world.environment.items():
            monkeypatch.setenv(name, value)
        configuration = load(config)
        journal = stores.open_journal(configuration)
        simulation, _ = assemble(configuration, journal, NOTES, 1)
        honest = simulation._connect
        simulation._connect = lambda: Repeating(honest(), times)
        keeper = Keeper(config, tmp_path / "log", environment=world.environment, workers=2)
        try:
            with keeper, Progress(world):
                keeper.ready(2)
                account = simulation.run(Orders(count=notes, timeout_seconds=300)).account
                assert keeper.end() == 0
        finally:
            journal.close()
        found = {name: account.count(name) for name in ("lost", "duplicated", "invalid")}
        record(
            Result(
                fault=f"every message {times} times at once, 2 workers",
                on=world.name,
                times=1,
                notes=notes,
                lost=found["lost"],
                doubled=found["duplicated"],
                invalid=found["invalid"],
                recovery=[],
            )
        )
        assert found == {"lost": 0, "duplicated": 0, "invalid": 0}
        assert account.settled
        assert account.delivered["municipality"] > 0
        duplicates = world.count("SELECT count(*) FROM event WHERE name = 'duplicate'")
        assert duplicates >= notes * (times - 1)
        assert world.count("SELECT count(*) FROM inbound WHERE kind IN ('note', 'unreadable')") == notes


@pytest.mark.parametrize(
    ("statuses", "state", "names"),
    [
        ([ReceiptStatus.OK], SendingState.ACKNOWLEDGED, ["receipt", "delivered-late"]),
        ([ReceiptStatus.REJECTED], SendingState.REFUSED, ["receipt", "remedy-temporary", "delivered-late"]),
        (
            [ReceiptStatus.OK, ReceiptStatus.OK, ReceiptStatus.REJECTED],
            SendingState.ACKNOWLEDGED,
            ["receipt", "receipt-repeated", "receipt-contradicts", "delivered-late"],
        ),
    ],
    ids=["yes", "no", "yes twice, then no"],
)
def test_an_apprec_that_comes_before_our_mark(
    config: Path,
    rabbitmq: str,
    postgres: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
    statuses: list[ReceiptStatus],
    state: SendingState,
    names: list[str],
) -> None:
    """The other worker takes it while this one has not written that it has sent anything."""
    monkeypatch.setenv("PAKKEHJEM__QUEUES__URL", rabbitmq)
    with postgres.database() as url:
        monkeypatch.setenv("PAKKEHJEM__JOURNAL__URL", url)
        sender, other = Gateway(config), Gateway(config)
        answered: list[Message] = []

        def answer(point: FailPoint) -> None:
            if point is not FailPoint.PUBLISHED or answered:
                return
            (delivery,) = other.worker.queue.take(["8910031_async"], limit=1, wait_seconds=10)
            answered.append(read_message(parse(delivery.envelope.body)))
            # Handed over as the broker might: which of the two it chooses is not for us to say.
            came = [
                receipt(answered[0], status, ErrorCode.OTHER if status is ReceiptStatus.REJECTED else None)
                for status in statuses
            ]
            deliveries = [
                Delivery(
                    queue="8900100_async",
                    envelope=Envelope(body=body, message_id=str(tag)),
                    tag=tag,
                    redelivered=False,
                )
                for tag, body in enumerate(came)
            ]
            assert other.worker.service._flow.process(deliveries) == []

        watch(answer)
        try:
            sender.note(note("dips/01"))
            sender.settle()
            (row,) = sender.rows()
            (first,) = [s for s in sender.sendings(row.id, SendingKind.NOTE) if s.receiver == "8910031"]
            assert first.state is state
            assert (row.state is InboundState.REFUSED) == (state is SendingState.REFUSED)
            told = [e.name for e in sender.worker.journal.events(row.id) if e.sending_id == first.id]
            assert told == ["note-created", *names]
            receipts = sender.sendings(row.id, SendingKind.RECEIPT)
            assert len(receipts) == 1, "the hospital is told once"
        finally:
            watch(None)
            sender.close()
            other.close()
