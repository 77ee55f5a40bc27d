"""What is made from files, and made anew when they change: keys are changed without a restart."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, Generic, TypeVar

import structlog

from gateway.contracts.errors import LocalError

log = structlog.get_logger()

LOOK_SECONDS: Final = 2.0
"""How often the files are looked at, at most"""

Loaded = TypeVar("Loaded")
_Stamp = tuple[tuple[str, int, int, int], ...]


class Watched(Generic[Loaded]):
    """A value made from files.

    Where the files have changed it is made anew. Where that fails (a key without its certificate yet, half a
    file) the one before stays in use, which is said in the log, and the next change is tried again.
    """

    def __init__(
        self,
        load: Callable[[], Loaded],
        files: Callable[[], Iterable[Path]],
        *,
        look_seconds: float = LOOK_SECONDS,
        what: str = "keys",
    ) -> None:
        """Load once.

        Args:
            load: makes the value.
            files: what it is made from, as it is now.
            look_seconds: how often to look, at most.
            what: it is, in one word; the log says `<what>-reloaded` and `<what>-not-reloaded`.

        Raises:
            LocalError: it can not be loaded the first time.
        """
        self._load = load
        self._files = files
        self._look_seconds = look_seconds
        self._taken, self._refused = f"{what}-reloaded", f"{what}-not-reloaded"
        self._stamp = self._now()
        self._value = load()
        self._looked = time.monotonic()

    def get(self) -> Loaded:
        """The value as the files are now, or were when they last could be read."""
        if time.monotonic() - self._looked >= self._look_seconds:
            self._looked = time.monotonic()
            stamp = self._now()
            if stamp != self._stamp:
                self._stamp = stamp
                self._reload()
        return self._value

    def _reload(self) -> None:
        try:
            self._value = self._load()
        except LocalError as error:
            log.warning(self._refused, error=error.code, hint=error.message)
        else:
            log.info(self._taken)

    def _now(self) -> _Stamp:
        stamp = []
        for path in self._files():
            try:
                found = path.stat()
            except OSError:
                stamp.append((str(path), 0, 0, 0))
            else:
                stamp.append((str(path), found.st_mtime_ns, found.st_size, found.st_ino))
        return tuple(stamp)
