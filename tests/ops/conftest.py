"""The command in this process, and a gateway with its folder."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.ops.cli import exit_code
from gateway.ops.configuration import CONFIG_VARIABLE
from gateway.ops.environment import PREFIX
from tests.flow.harness import Gateway


@dataclass(frozen=True)
class Outcome:
    """What a command left."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """The one document on standard output."""
        return json.loads(self.out)


Pakkehjem = Callable[..., Outcome]


@pytest.fixture
def pakkehjem(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> Pakkehjem:
    """Run a command: no variable and no schemas of the machine have a part in it."""
    for name in [n for n in os.environ if n.startswith((CONFIG_VARIABLE, PREFIX))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PAKKEHJEM_SCHEMAS", str(tmp_path_factory.mktemp("schemas") / "official"))

    def call(*arguments: object) -> Outcome:
        capsys.readouterr()
        code = exit_code([str(a) for a in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture
def gateway(config: Path) -> Iterator[Gateway]:
    running = Gateway(config)
    yield running
    running.close()
