"""Which connections to a queue file are alive.

Each holds a lock of the operating system on a file of its own; the lock is gone when its process is,
however that ended.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import uuid
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.contracts.errors import QueueUnavailableError


class Presence:
    """The presence of one connection, and its view of the others."""

    def __init__(self, folder: Path) -> None:
        """Be present: a locked file in the folder, which is made if need be.

        Raises:
            QueueUnavailableError: the folder can not be written.
        """
        self._folder = folder
        self.token = uuid.uuid4().hex
        """Name of this presence, never used again."""
        with _guarded():
            folder.mkdir(mode=0o700, exist_ok=True)
            self._lock: int | None = _open(self._file(self.token))
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        _present.add(self)

    def alive(self, token: str) -> bool:
        """Whether the connection of this token still holds its lock."""
        try:
            seen = os.open(self._file(token), os.O_RDWR)
        except FileNotFoundError:
            return False
        except OSError:
            return True  # it can not be told; its messages stay with it
        try:
            # Shared, so that two that look at the same time do not take each other for the holder.
            fcntl.flock(seen, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(seen)
        return False

    def forget(self, token: str) -> None:
        """Remove what a dead connection has left."""
        with contextlib.suppress(OSError):
            self._file(token).unlink()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One connection at a time runs the block (whoever dies in it lets go)."""
        with _guarded():
            gate = _open(self._folder / "gate")
        try:
            fcntl.flock(gate, fcntl.LOCK_EX)
            yield
        finally:
            os.close(gate)

    def leave(self) -> None:
        """Be gone."""
        if self._lock is not None:
            self.forget(self.token)
            self.let_go()

    def let_go(self) -> None:
        """Close the lock: others see that this connection is dead."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _file(self, token: str) -> Path:
        return self._folder / token


def _open(path: Path) -> int:
    return os.open(path, os.O_CREAT | os.O_RDWR, 0o600)


@contextmanager
def _guarded() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise QueueUnavailableError(
            f"The folder of the embedded queue can not be used: {error.strerror}."
        ) from None


_present: weakref.WeakSet[Presence] = weakref.WeakSet()


def _in_child() -> None:
    """A forked child has a share in every lock: without this, a dead parent would seem alive in it."""
    for presence in list(_present):
        with contextlib.suppress(OSError):
            presence.let_go()


os.register_at_fork(after_in_child=_in_child)
