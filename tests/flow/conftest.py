"""A fresh gateway for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flow.harness import Gateway


@pytest.fixture
def gateway(config: Path) -> Iterator[Gateway]:
    running = Gateway(config)
    yield running
    running.close()
