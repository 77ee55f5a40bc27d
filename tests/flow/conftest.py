"""A fresh gateway for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.flow.harness import Gateway

Start = Callable[[], Gateway]
"""Starts a gateway on the configuration as a test has changed it"""


@pytest.fixture
def gateway(start: Start) -> Gateway:
    return start()


@pytest.fixture
def start(config: Path) -> Iterator[Start]:
    running: list[Gateway] = []

    def make() -> Gateway:
        running.append(Gateway(config))
        return running[-1]

    yield make
    for each in running:
        each.close()
