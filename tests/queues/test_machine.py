"""Any sequence of what connections do, beside a model in memory."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from gateway.contracts.queues import Delivery, Queue
from tests.queues.brokers import BROKERS, Broker, envelope

NAMES = ("a", "b", "c")
names = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True)


@dataclass
class Message:
    number: int
    redelivered: bool = False


@dataclass
class Connection:
    queue: Queue
    taken: dict[int, tuple[str, Message, Delivery]] = field(default_factory=dict)


class QueueMachine(RuleBasedStateMachine):
    make_broker: Any

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.broker: Broker = self.make_broker(self.folder)
        self.ready: dict[str, list[Message]] = {}
        self.connections = [Connection(self.broker.connect())]
        self.published = 0

    def teardown(self) -> None:
        for each in self.connections:
            each.queue.close()
        shutil.rmtree(self.folder)

    def pick(self, data: st.DataObject) -> Connection:
        return self.connections[data.draw(st.integers(0, len(self.connections) - 1), label="connection")]

    def give_back(self, connection: Connection) -> None:
        for name, message, _ in connection.taken.values():
            message.redelivered = True
            self.ready[name] = sorted([*self.ready[name], message], key=lambda each: each.number)
        connection.taken.clear()

    @rule(data=st.data(), declared=names)
    def declare(self, data: st.DataObject, declared: list[str]) -> None:
        self.pick(data).queue.declare(declared)
        for name in declared:
            self.ready.setdefault(name, [])

    @rule(data=st.data(), where=st.lists(st.sampled_from(NAMES), max_size=6))
    def publish(self, data: st.DataObject, where: list[str]) -> None:
        numbers = range(self.published, self.published + len(where))
        self.published += len(where)
        outcomes = self.pick(data).queue.publish(
            [(name, envelope(str(number))) for name, number in zip(where, numbers, strict=True)]
        )
        assert outcomes == ["confirmed" if name in self.ready else "unroutable" for name in where]
        for name, number in zip(where, numbers, strict=True):
            if name in self.ready:
                self.ready[name].append(Message(number))

    @precondition(lambda self: self.ready)
    @rule(data=st.data(), limit=st.integers(1, 5))
    def take(self, data: st.DataObject, limit: int) -> None:
        connection = self.pick(data)
        sources = data.draw(
            st.permutations(sorted(self.ready)).flatmap(lambda p: st.sampled_from([p, p[:1]]))
        )
        there = sum(len(self.ready[name]) for name in sources)
        deliveries = connection.queue.take(sources, limit=limit, wait_seconds=0)
        assert len(deliveries) == min(limit, there)
        for each in deliveries:
            expected = self.ready[each.queue].pop(0)
            assert each.envelope == envelope(str(expected.number))
            assert each.redelivered == expected.redelivered
            connection.taken[each.tag] = (each.queue, expected, each)

    @rule(data=st.data(), back=st.booleans())
    def settle(self, data: st.DataObject, *, back: bool) -> None:
        connection = self.pick(data)
        if not connection.taken:
            return
        tags = data.draw(st.lists(st.sampled_from(sorted(connection.taken)), unique=True))
        deliveries = [connection.taken[tag][2] for tag in tags]
        settled = Connection(connection.queue, {tag: connection.taken.pop(tag) for tag in tags})
        if back:
            connection.queue.requeue(deliveries)
            self.give_back(settled)
        else:
            connection.queue.acknowledge(deliveries)

    @precondition(lambda self: len(self.connections) < 3)
    @rule()
    def connect(self) -> None:
        self.connections.append(Connection(self.broker.connect()))

    @precondition(lambda self: len(self.connections) > 1)
    @rule(data=st.data(), crash=st.booleans())
    def disconnect(self, data: st.DataObject, *, crash: bool) -> None:
        connection = self.pick(data)
        self.connections.remove(connection)
        if crash:
            self.broker.crash(connection.queue)
        else:
            connection.queue.close()
        self.give_back(connection)

    @invariant()
    def counts_agree(self) -> None:
        held = [name for each in self.connections for name, _, _ in each.taken.values()]
        found = {each.name: (each.ready, each.unacknowledged) for each in self.connections[0].queue.status()}
        assert found == {name: (len(there), held.count(name)) for name, there in self.ready.items()}


@pytest.mark.parametrize("kind", sorted(BROKERS))
def test_any_sequence(kind: str) -> None:
    machine = type("Machine", (QueueMachine,), {"make_broker": BROKERS[kind]})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=40,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
