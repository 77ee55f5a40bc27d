"""The processes of a benchmark: what is measured, and the counterparties."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from gateway.contracts.errors import LocalError

_READY = b'"event":"ready"'
_PATIENCE_SECONDS = 60.0
_POLL_SECONDS = 0.02


class NotMeasuredError(LocalError):
    """A process of the benchmark has failed."""

    code = "not-measured"


class Process:
    """A command that says on its log that it is ready."""

    def __init__(self, command: list[str], log: Path) -> None:
        """Start it."""
        self._log = log
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PAKKEHJEM")}
        with log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )

    def wait_until_ready(self, count: int = 1) -> None:
        """Return when so many workers have said that they are ready.

        Raises:
            NotMeasuredError: they have not.
        """
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if self._log.read_bytes().count(_READY) >= count:
                return
            if self._process.poll() is not None:
                break
            time.sleep(_POLL_SECONDS)
        raise NotMeasuredError("A process of the benchmark did not get ready.", hint=self.last_lines())

    def last_lines(self) -> str:
        """The end of its log."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n  ".join(lines[-8:])

    def peak_mebibytes(self) -> float:
        """The most memory that one of its processes has held."""
        return max((_peak(pid) for pid in self._pids()), default=0.0)

    def cpu_seconds(self) -> float:
        """What all of its processes have used of the processors."""
        return sum(map(_cpu, self._pids()))

    def _pids(self) -> list[int]:
        own = self._process.pid
        children = Path(f"/proc/{own}/task/{own}/children")
        return [own, *map(int, children.read_text().split() if children.exists() else ())]

    def stop(self) -> None:
        """End it; what is at hand is of no use to anybody."""
        try:
            os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        except ProcessLookupError:
            pass


def _cpu(pid: int) -> float:
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0.0
    user, system = stat.read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _peak(pid: int) -> float:
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return 0.0
    for line in status.read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


class Counterparties:
    """Everybody around the gateways, by `gateway.ops.bench.counterparties`."""

    def __init__(self, setup: Path) -> None:
        """Start them."""
        self._process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "gateway.ops.bench.counterparties", str(setup)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def ask(self, order: Mapping[str, object]) -> dict[str, Any]:
        """Have something done; what they saw.

        Raises:
            NotMeasuredError: it was not.
        """
        if self._process.stdin is None or self._process.stdout is None:
            raise NotMeasuredError
        self._process.stdin.write(orjson.dumps(order) + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise NotMeasuredError("The counterparties have stopped.")
        answer: dict[str, Any] = orjson.loads(line)
        return answer

    def stop(self) -> None:
        """End them."""
        with self._process:
            self._process.terminate()
