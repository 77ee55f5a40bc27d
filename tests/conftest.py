"""What tests share: where the fixtures are, and what stands outside the project."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from gateway.ops.initialise import initialise

pytest_plugins = ["tests.postgres_server"]

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "fixtures"
NOTES = FIXTURES / "notes"
REGISTRY = FIXTURES / "registry.toml"
STANDARDS = ROOT.parent / "shared" / "standards"


def require(condition: object, reason: str) -> None:
    """Skip where something outside the project is missing; fail where CI is set."""
    if condition:
        return
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def _log_as_before() -> Iterator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)


log_of_a_module = pytest.fixture(scope="module", autouse=True)(_log_as_before)
"""What a module sets for its log ends with it: the next one of the process hears every level again"""

log_of_a_test = pytest.fixture(autouse=True)(_log_as_before)
"""And what a test sets, a command for example, ends with the test"""


@pytest.fixture(scope="session")
def standards() -> Path:
    """The official schemas and examples, which are not part of the project."""
    require(STANDARDS.is_dir(), "the official schemas and examples are not beside the project")
    return STANDARDS


@pytest.fixture(scope="session")
def registry_file() -> Path:
    return REGISTRY


@pytest.fixture(scope="session")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as `pakkehjem init` makes it; its keys are made once."""
    return initialise(tmp_path_factory.mktemp("gateway") / "made").parent


@pytest.fixture
def config(initialised: Path, tmp_path: Path) -> Path:
    """A configuration of a test's own."""
    shutil.copytree(initialised, tmp_path / "gateway")
    return tmp_path / "gateway" / "gateway.toml"
