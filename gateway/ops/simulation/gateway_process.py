"""A gateway in a process of its own, for the time of a demonstration."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from gateway.contracts.errors import TransientError

_READY = '"event":"ready"'
_POLL_SECONDS = 0.05
_DRAIN_SECONDS = 40.0


class GatewayNotRunningError(TransientError):
    """The gateway has stopped, or never got ready."""

    code = "gateway-not-running"


class GatewayProcess:
    """`pakkehjem run` with its log in a file. Use as a context: it is drained, or killed, at the end."""

    def __init__(self, configuration: Path, log: Path) -> None:
        """Start it. It is in a session of its own: Ctrl-C reaches us, and we drain it."""
        self._log = log
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PAKKEHJEM")}
        command = [sys.executable, "-m", "gateway.ops.cli", "run", "-c", str(configuration)]
        with log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )

    def wait_until_ready(self, timeout_seconds: float = 30.0) -> None:
        """Return when it has said that it is ready.

        Raises:
            GatewayNotRunningError: it ended, or did not get ready in time.
        """
        deadline = time.monotonic() + timeout_seconds
        while time.monotonic() < deadline:
            if _READY in self._log.read_text(encoding="utf-8", errors="replace"):
                return
            self.check()
            time.sleep(_POLL_SECONDS)
        raise GatewayNotRunningError("The gateway did not get ready.", hint=self.last_lines())

    def check(self) -> None:
        """See that it runs.

        Raises:
            GatewayNotRunningError: it does not.
        """
        code = self._process.poll()
        if code is not None:
            raise GatewayNotRunningError(
                f"The gateway has stopped (exit code {code}).", hint=self.last_lines()
            )

    def last_lines(self, count: int = 10) -> str:
        """The end of its log, which holds no patient data."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n  ".join(["the last lines of its log:", *lines[-count:]])

    def drain(self) -> int:
        """Ask it to finish what is at hand and stop; its exit code (negative: it had to be killed)."""
        self._process.terminate()
        try:
            return self._process.wait(_DRAIN_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def __enter__(self) -> Self:
        """The process itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Drain it; kill it where that does not happen."""
        self.drain()
