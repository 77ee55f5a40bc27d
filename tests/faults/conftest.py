"""The worlds that faults happen in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.world import World
from tests.postgres_server import PostgresServer
from tests.servers import frail_rabbit_server, rabbit_server, rabbitmq

__all__ = ["frail_rabbit_server", "rabbit_server", "rabbitmq"]

at_length = pytest.mark.skipif(not os.environ.get("FAULTS"), reason="takes minutes: make faults")


@pytest.fixture(params=["sqlite", "postgresql"])
def journal(request: pytest.FixtureRequest) -> Iterator[str]:
    """URL of a database, or `sqlite`."""
    if request.param == "sqlite":
        yield "sqlite"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database() as url:
        yield url


@pytest.fixture
def world(config: Path, rabbitmq: str, journal: str) -> World:
    """On a broker that stays, with each journal."""
    return World(config=config, broker=rabbitmq, journal=journal)
