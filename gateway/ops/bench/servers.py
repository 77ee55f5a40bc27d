"""The broker and the database that are measured on: given by URL, or started here for the time of a run."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from gateway.ops.console import say

_SCRIPTS = Path(__file__).parents[3] / "deploy" / "servers"
_SECONDS = 300


class Servers:
    """Use as a context: what was started is stopped and removed at the end."""

    def __init__(self, broker: str | None, journal: str | None) -> None:
        """URLs of servers that run; None: ones of our own, where the scripts for them are here."""
        self._given = {"rabbitmq": broker, "postgresql": journal}
        self._started: dict[str, Path] = {}
        self._urls: dict[str, str | None] = {}

    @property
    def rabbitmq(self) -> str | None:
        """URL of RabbitMQ; None where there is none."""
        return self._url("rabbitmq")

    @property
    def postgresql(self) -> str | None:
        """URL of PostgreSQL; None where there is none."""
        return self._url("postgresql")

    def _url(self, kind: str) -> str | None:
        if kind not in self._urls:
            self._urls[kind] = self._given[kind] or self._start(kind)
        return self._urls[kind]

    def _start(self, kind: str) -> str | None:
        script = _SCRIPTS / f"{kind}.sh"
        if not script.is_file():
            return None
        # Not in a folder that is closed to the user that PostgreSQL runs as.
        folder = Path(tempfile.mkdtemp(prefix=f"pakkehjem-bench-{kind}-"))
        folder.chmod(0o755)
        environment = {**os.environ, "OWNER": str(os.getpid())}
        done = subprocess.run(  # noqa: S603 - our own script
            [str(script), "start", str(folder)],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
            env=environment,
        )
        if done.returncode:
            shutil.rmtree(folder, ignore_errors=True)
            say(f"{kind}: not measured ({done.stderr.strip().splitlines()[-1:] or 'not started'})")
            return None
        self._started[kind] = folder
        return done.stdout.strip()

    def __enter__(self) -> Self:
        """Nothing is started before it is asked for."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop what was started."""
        for name, folder in self._started.items():
            subprocess.run(  # noqa: S603 - our own script
                [str(_SCRIPTS / f"{name}.sh"), "stop", str(folder)],
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
            shutil.rmtree(folder, ignore_errors=True)
