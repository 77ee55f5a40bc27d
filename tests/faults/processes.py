"""`pakkehjem` at work: the command itself, or a process forked from one that has loaded it.

Loading is most of a short life. What is forked has the environment, the files and the death of the command.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NoReturn, Protocol

from gateway.ops.cli import exit_code

COMMAND = [sys.executable, "-m", "gateway.ops.cli"]

_forking = multiprocessing.get_context("forkserver")
# What the command loads on its way, too.
_forking.set_forkserver_preload(
    [
        __name__,
        "alembic.command",
        "gateway.journal.postgresql",
        "gateway.journal.sqlite",
        "gateway.ops.cli.run",
        "queues.embedded",
        "queues.rabbitmq",
    ]
)


class Process(Protocol):
    """What `subprocess.Popen` can, as far as it is needed."""

    @property
    def returncode(self) -> int | None:
        """Exit code, or minus the signal; None: not known to have ended."""

    def poll(self) -> int | None:
        """Look whether it has ended."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has.

        Raises:
            subprocess.TimeoutExpired: it has not.
        """

    def send_signal(self, sig: int) -> None:
        """Where it has not ended."""


Begin = Callable[[Sequence[str], Mapping[str, str], Path, Path], Process]
"""Begins a command: its words, its whole environment, where to write standard output and error"""


def started(words: Sequence[str], environment: Mapping[str, str], output: Path, log: Path) -> Process:
    """The command itself."""
    with output.open("ab") as said, log.open("ab") as logged:
        return subprocess.Popen([*COMMAND, *words], stdout=said, stderr=logged, env=dict(environment))


class _Forked:
    """A process that a fork server watches."""

    def __init__(self, process: BaseProcess, words: Sequence[str]) -> None:
        self._process = process
        self._words = words

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired(list(self._words), timeout or 0.0)
        return code

    def send_signal(self, sig: int) -> None:
        if self.poll() is None and self._process.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, sig)


def forked(words: Sequence[str], environment: Mapping[str, str], output: Path, log: Path) -> Process:
    """The command in a process that has loaded it already."""
    process = _forking.Process(
        target=_live, args=(list(words), dict(environment), str(output), str(log)), daemon=True
    )
    process.start()
    return _Forked(process, words)


def _live(words: list[str], environment: dict[str, str], output: str, log: str) -> NoReturn:
    os.environ.clear()
    os.environ.update(environment)
    for descriptor, file in enumerate((output, log), start=1):
        opened = os.open(file, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.exit(exit_code(words))
