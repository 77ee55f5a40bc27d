"""Who may work on a journal: one holder at a time by a lock of the operating system, or several."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from gateway.contracts.errors import JournalUnavailableError, LocalError


class Hold(Protocol):
    """Leave to work on a journal, until it is released."""

    @property
    def after_crash(self) -> bool:
        """Whether the holder before this one ended without releasing it."""

    def release(self) -> None:
        """Give it back."""

    def __enter__(self) -> Self:
        """The hold itself."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release."""


class SharedHold:
    """Leave that everybody has: the database itself keeps those who work on it apart."""

    after_crash = False

    def release(self) -> None:
        """Nothing is held."""

    def __enter__(self) -> Self:
        """The hold itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is held."""


class ExclusiveHold:
    """A lock on a file beside the journal, until it is released, or the process is gone, however it ends.

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
            self._file = os.fdopen(os.open(path, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600), "a+")
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
        self._file.seek(0)
        self.after_crash = bool(self._file.read(20).strip())
        """Whether the holder before this one ended without releasing it"""
        self._file.truncate(0)
        self._holder = os.getpid()
        self._file.write(f"{self._holder}\n")
        self._file.flush()

    def release(self) -> None:
        """Give it back. The file stays: one that is gone would let two hold locks on two files."""
        if not self._file.closed and self._holder == os.getpid():
            self._file.truncate(0)
        self._file.close()

    def __enter__(self) -> Self:
        """The hold itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release."""
        self.release()
