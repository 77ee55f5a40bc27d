from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.contracts.queues import Queue
from tests.queues.brokers import BROKERS, Broker, EmbeddedBroker, RabbitBroker
from tests.servers import frail_rabbit_server, rabbit_server, rabbitmq

__all__ = ["frail_rabbit_server", "rabbit_server", "rabbitmq"]


@pytest.fixture(params=[*sorted(BROKERS), "rabbitmq"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Broker:
    """Every broker in turn."""
    if request.param == "rabbitmq":
        return RabbitBroker(request.getfixturevalue("rabbitmq"))
    made: EmbeddedBroker = BROKERS[request.param](tmp_path)
    return made


@pytest.fixture
def queue(broker: Broker) -> Iterator[Queue]:
    with broker.connect() as connection:
        yield connection
