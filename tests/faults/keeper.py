"""Keeps `pakkehjem run` alive as an init system does, and notes each death and when work went on after it."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

from tests.faults.processes import Begin, Process, started

_PAUSE_SECONDS = 0.1
_END_SECONDS = 180.0


class Keeper:
    """Runs the gateway until the block ends; a gateway that dies is started again."""

    def __init__(
        self,
        config: Path,
        log: Path,
        *,
        environment: Mapping[str, str],
        workers: int = 1,
        lives: Iterable[Mapping[str, str]] = (),
        begin: Begin = started,
    ) -> None:
        """`lives`: what each has in its environment besides, in their order; nothing in those that follow."""
        self._words = ["run", "-c", str(config)]
        if workers > 1:
            self._words += ["--workers", str(workers)]
        self._begin = begin
        self._log = log
        self._environment: dict[str, str] = {
            k: v for k, v in os.environ.items() if not k.startswith("PAKKEHJEM")
        }
        self._environment |= environment
        self._lives = iter(lives)
        self._ending = False
        self._process: Process | None = None
        self._thread = threading.Thread(target=self._keep)
        self.deaths: list[tuple[float, int]] = []
        """When (monotonic) a life ended that should not have, and its exit code"""
        self.code: int | None = None
        """Exit code of the last life, which was asked to end"""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.end()

    @property
    def lines(self) -> str:
        """What the lives have logged."""
        return self._log.read_text() if self._log.exists() else ""

    def kills(self) -> list[float]:
        """When (monotonic) lives ended by SIGKILL."""
        return [at for at, code in self.deaths if code == -signal.SIGKILL]

    def workers(self) -> list[int]:
        """The processes of the supervisor that are at work, by what the log says."""
        started = re.findall(r'"worker-started","worker":(\d+)', self.lines)
        ended = set(re.findall(r'"worker-ended","worker":(\d+)', self.lines))
        return [int(each) for each in started if each not in ended]

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the life at hand."""
        with suppress(ProcessLookupError):
            if self._process is not None and self._process.poll() is None:
                self._process.send_signal(number)

    def ready(self, lives: int = 1) -> None:
        """Wait until so many have said that they are ready."""
        wait_until(lambda: self.lines.count('"event":"ready"') >= lives, "the gateway is not ready", 600)

    def end(self) -> int | None:
        """Ask it to finish what is at hand, and wait for that; its exit code."""
        self._ending = True
        self.signal(signal.SIGTERM)
        self._thread.join(_END_SECONDS)
        if self._thread.is_alive():
            self.signal(signal.SIGKILL)
            self._thread.join()
        return self.code

    def _keep(self) -> None:
        while True:
            environment = self._environment | dict(next(self._lives, {}))
            output = self._log.with_suffix(".out")
            self._process = self._begin(self._words, environment, output, self._log)
            if self._ending:
                # The wish came between two lives.
                self._process.send_signal(signal.SIGTERM)
            code = self._process.wait()
            if self._ending:
                self.code = code
                return
            self.deaths.append((time.monotonic(), code))
            time.sleep(_PAUSE_SECONDS)


def wait_until(condition: Callable[[], object], what: str, seconds: float = 300.0) -> None:
    """Wait for a condition.

    Raises:
        AssertionError: it did not come in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
