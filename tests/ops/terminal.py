"""A shell on a real terminal, driven as a person does it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

_PROMPT = "night$ "
_STEERING = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07|\r")


class Terminal:
    """Types, waits for the prompt, and keeps all that was ever shown."""

    def __init__(self, folder: Path, environment: Mapping[str, str], *, columns: int = 100) -> None:
        self._columns = columns
        controller, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        self._shell = subprocess.Popen(
            ["/bin/sh", "-i"],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            cwd=folder,
            env={**environment, "TERM": "xterm", "PS1": _PROMPT, "COLUMNS": str(columns)},
            start_new_session=True,
        )
        os.close(terminal)
        self._controller = controller
        self.raw = ""
        self._until_prompt(60)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.write(self._controller, b"exit\n")
        self._shell.wait(timeout=30)
        os.close(self._controller)

    def run(self, command: str, *, seconds: float = 120) -> str:
        """Type a command; what was shown until the next prompt, without what steers the terminal."""
        os.write(self._controller, command.encode() + b"\n")
        shown = self._until_prompt(seconds)
        return _STEERING.sub("", shown)

    @property
    def scrollback(self) -> str:
        """Everything that was shown."""
        return _STEERING.sub("", self.raw)

    def _until_prompt(self, seconds: float) -> str:
        deadline, shown = time.monotonic() + seconds, b""
        while not shown.endswith(_PROMPT.encode()):
            left = deadline - time.monotonic()
            assert left > 0, f"no prompt: {shown[-2000:]!r}"
            if select.select([self._controller], [], [], left)[0]:
                shown += os.read(self._controller, 65536)
        text = shown.decode(errors="replace")
        self.raw += text
        return text
