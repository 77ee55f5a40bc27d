from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.contracts.queues import Queue
from tests.queues.brokers import BROKERS, Broker


@pytest.fixture(params=sorted(BROKERS))
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Broker:
    """Every broker in turn."""
    made: Broker = BROKERS[request.param](tmp_path)
    return made


@pytest.fixture
def queue(broker: Broker) -> Iterator[Queue]:
    with broker.connect() as connection:
        yield connection
