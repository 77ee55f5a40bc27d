"""One holder at a time: a lock of the operating system on a file beside the journal."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from gateway.contracts.errors import JournalUnavailableError, LocalError


class ExclusiveHold:
    """Held until it is released, or until the process is gone, however it ends.

    Processes that are forked while it is held hold it too: nobody else takes over from a gateway whose
    workers still run.
    """

    def __init__(self, path: Path, name: str) -> None:
        """Take the lock.

        Raises:
            LocalError: another holds it.
            JournalUnavailableError: the file can not be made.
        """
        try:
            self._file = path.open("a+")
        except OSError as error:
            raise JournalUnavailableError(
                f"The lock file of the journal can not be opened: {error.strerror}"
            ) from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.seek(0)
            holder = self._file.read(20).strip()
            self._file.close()
            raise LocalError(
                f"Another {name} works on this journal: "
                + (f"process {holder}." if holder.isdigit() else "a process that has just started."),
                hint=f"Stop it first, or give this {name} a journal of its own.",
            ) from None
        self._file.truncate(0)
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()

    def release(self) -> None:
        """Give it back. The file stays: one that is gone would let two hold locks on two files."""
        self._file.close()

    def __enter__(self) -> Self:
        """The hold itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release."""
        self.release()
