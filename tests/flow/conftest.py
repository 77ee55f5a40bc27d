"""A fresh gateway for each test; its keys are made once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.ops.initialise import initialise
from tests.flow.harness import Gateway


@pytest.fixture(scope="session")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return initialise(tmp_path_factory.mktemp("gateway") / "made").parent


@pytest.fixture
def config(initialised: Path, tmp_path: Path) -> Path:
    shutil.copytree(initialised, tmp_path / "gateway")
    return tmp_path / "gateway" / "gateway.toml"


@pytest.fixture
def gateway(config: Path) -> Iterator[Gateway]:
    running = Gateway(config)
    yield running
    running.close()
