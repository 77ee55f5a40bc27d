"""Receivers that answer as none should: twice, too late, in contradictions, about what nobody sent them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self
from uuid import uuid4

import pytest

from gateway.contracts.queues import Envelope, PublishOutcome, Queue
from gateway.ops import stores
from gateway.ops.configuration import load
from gateway.ops.simulation import assemble
from gateway.ops.simulation.behaviour import Behaviour, Shares
from gateway.ops.simulation.simulation import Orders
from tests.conftest import NOTES
from tests.faults.conftest import at_length
from tests.faults.keeper import Keeper
from tests.faults.results import Result, record
from tests.faults.world import Progress, World
from tests.postgres_server import PostgresServer

pytestmark = [pytest.mark.crash, pytest.mark.timeout(900)]

ALL = 20
"""Cards in a deck"""
_OTHERS = Shares(negative=0, late=0, twice=0, contradicts=0, never=0)
_UNMATCHED = "receipt-unmatched"
_REFERS = re.compile(rb"(<(?:\w+:)?OriginalMsgId>.*?<(?:\w+:)?Id>)[^<]+", re.DOTALL)
_OWN_ID = re.compile(rb"(<(?:\w+:)?AppRec\b(?:(?!OriginalMsgId).)*?<(?:\w+:)?Id>)[^<]+", re.DOTALL)


class Inventing:
    """A connection that puts an AppRec about an unknown message beside each that it carries."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self.take, self.acknowledge, self.requeue = queue.take, queue.acknowledge, queue.requeue
        self.declare, self.status, self.close = queue.declare, queue.status, queue.close

    def publish(self, messages: Sequence[tuple[str, Envelope]]) -> list[PublishOutcome]:
        invented = [(name, _about_nothing(each)) for name, each in messages if b"OriginalMsgId>" in each.body]
        return self._queue.publish([*messages, *invented])[: len(messages)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _about_nothing(envelope: Envelope) -> Envelope:
    ours, theirs = str(uuid4()), str(uuid4())
    body = _OWN_ID.sub(rb"\g<1>" + ours.encode(), envelope.body, count=1)
    body, found = _REFERS.subn(rb"\g<1>" + theirs.encode(), body, count=1)
    assert found, "it refers to nothing"
    headers = {**envelope.headers, "msgId": ours, "originalMsgId": theirs}
    return replace(envelope, body=body, message_id=ours, headers=headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How everybody answers."""

    name: str
    """For the table"""
    shares: Shares
    told: str
    """The event that it leaves in the history of each sending"""
    notes: int = 20
    deadline_hours: float = 96.0


MANNERS = {
    "twice": Manner(name="twice", shares=replace(_OTHERS, twice=ALL), told="receipt-repeated"),
    "contradicting": Manner(
        name="in contradictions",
        shares=replace(_OTHERS, contradicts=ALL, late_seconds=(0.1, 0.5)),
        told="receipt-contradicts",
    ),
    "unknown": Manner(name="about unknown messages", shares=_OTHERS, told=_UNMATCHED),
    # The gateway looks once a minute for what is overdue.
    "late": Manner(
        name="too late",
        shares=replace(_OTHERS, late=ALL, late_seconds=(62.0, 80.0)),
        told="receipt-late",
        notes=60,
        deadline_hours=5 / 3600,
    ),
}


@pytest.mark.parametrize(
    "manner",
    [
        pytest.param(manner, id=name, marks=at_length if name == "late" else ())
        for name, manner in MANNERS.items()
    ],
)
def test_apprecs(
    config: Path,
    rabbitmq: str,
    postgres: PostgresServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    manner: Manner,
) -> None:
    with postgres.database() as url:
        world = World(
            config=config,
            broker=rabbitmq,
            journal=url,
            settings={"PAKKEHJEM__FLOW__RECEIPT_DEADLINE_HOURS": str(manner.deadline_hours)},
        )
        for name, value in world.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(assemble, "Behaviour", lambda seed: Behaviour(seed, manner.shares))
        configuration = load(config)
        with closing(stores.open_journal(configuration)) as journal:
            simulation, _ = assemble.assemble(configuration, journal, NOTES, 1)
            if manner.told == _UNMATCHED:
                honest = simulation._connect
                simulation._connect = lambda: Inventing(honest())
            keeper = Keeper(config, tmp_path / "log", environment=world.environment, workers=2)
            with keeper, Progress(world):
                keeper.ready(2)
                account = simulation.run(Orders(count=manner.notes, timeout_seconds=300)).account
                assert keeper.end() == 0
        found = {name: account.count(name) for name in ("lost", "duplicated", "invalid")}
        record(
            Result(
                fault=f"receivers answer {manner.name}, 2 workers",
                on=world.name,
                times=account.delivered["municipality"] + account.delivered["gp"],
                notes=manner.notes,
                lost=found["lost"],
                doubled=found["duplicated"],
                invalid=found["invalid"],
                recovery=[],
            )
        )
        assert found == {"lost": 0, "duplicated": 0, "invalid": 0}, account.problems
        assert account.settled
        delivered = account.delivered["municipality"] + account.delivered["gp"]
        assert delivered > 0
        assert world.count(f"SELECT count(*) FROM event WHERE name = '{manner.told}'") >= delivered  # noqa: S608 - a constant
        if manner.told == _UNMATCHED:
            stray = "state = 'failed' AND reason = 'receipt-for-unknown-message'"
            assert world.count(f"SELECT count(*) FROM inbound WHERE {stray}") >= delivered  # noqa: S608 - as above
