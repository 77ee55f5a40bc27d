"""Whether workers still turn, and telling systemd so (sd_notify(3)); without systemd nothing is told."""

from __future__ import annotations

import contextlib
import math
import mmap
import os
import socket
import struct
import time
from collections.abc import Iterator
from typing import Final

HUNG_SECONDS: Final = 300.0
"""A worker that has not turned for so long hangs: no turn of a healthy one takes nearly as long"""

SLOTS: Final = 64
"""Workers, at most"""

_SLOT: Final = struct.Struct("d")
_NEVER: Final = 0.0
_SECONDS_BETWEEN_WORDS: Final = 10.0


def notify(text: str) -> None:
    """Tell systemd, where it has started us (`READY=1`, `STOPPING=1`, `WATCHDOG=1`)."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    # Who is not there is not told; that is no reason to stop.
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
        connection.sendto(text.encode(), address)


def _patience() -> float:
    """For how many seconds systemd waits for a word (`WatchdogSec`, as sd_watchdog_enabled(3) tells it)."""
    with contextlib.suppress(KeyError, ValueError):
        return int(os.environ["WATCHDOG_USEC"]) / 1_000_000
    return math.inf


class Pulse:
    """Tells systemd that all is well, and not at every turn."""

    def __init__(self) -> None:
        """Nothing told yet."""
        self._next = 0.0
        self._pause = min(_SECONDS_BETWEEN_WORDS, _patience() / 2)

    def tell(self) -> None:
        """All is well now."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + self._pause
            notify("WATCHDOG=1")


class Heart:
    """Told each turn of one worker."""

    def __init__(self, memory: mmap.mmap, number: int) -> None:
        """A place in shared memory."""
        self._memory = memory
        self._at = number * _SLOT.size

    def beat(self) -> None:
        """Still alive."""
        _SLOT.pack_into(self._memory, self._at, time.monotonic())


class Hearts:
    """When each worker has last turned, in memory that processes share."""

    def __init__(self) -> None:
        """Made before the workers are forked."""
        self._memory = mmap.mmap(-1, _SLOT.size * SLOTS)

    def heart(self, number: int) -> Heart:
        """That of a worker, 0 to 63; it counts from its first beat on."""
        self.forget(number)
        return Heart(self._memory, number)

    def forget(self, number: int) -> None:
        """A worker is gone, or another begins in its place."""
        _SLOT.pack_into(self._memory, number * _SLOT.size, _NEVER)

    def hung(self) -> list[int]:
        """The numbers of workers that do not turn."""
        now = time.monotonic()
        return [number for number, at in self._turned() if now - at > HUNG_SECONDS]

    def alive(self) -> int:
        """How many workers turn."""
        now = time.monotonic()
        return sum(now - at <= HUNG_SECONDS for _, at in self._turned())

    def _turned(self) -> Iterator[tuple[int, float]]:
        for number in range(SLOTS):
            (at,) = _SLOT.unpack_from(self._memory, number * _SLOT.size)
            if at != _NEVER:
                yield number, at
