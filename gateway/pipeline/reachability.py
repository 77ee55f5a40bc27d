"""What the log says of a queue or journal that is away: once for each cause, and once when it is back."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from gateway.contracts.errors import TransientError

log = structlog.get_logger()


class Reachability:
    """Remembers since when something was away, by the code of the error."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """All is there; the clock tells seconds."""
        self._clock = clock
        self._since: dict[str, float] = {}

    def lost(self, error: TransientError, *, retry_in_seconds: float | None = None) -> None:
        """An attempt has failed: a warning for a cause that is new, else a line at level debug."""
        say = log.debug if error.code in self._since else log.warning
        self._since.setdefault(error.code, self._clock())
        retry = {} if retry_in_seconds is None else {"retry_in_seconds": retry_in_seconds}
        say("not-reachable", error=error.code, hint=error.message, **retry)

    def back(self) -> None:
        """An attempt has succeeded: what was away is there again, after so many seconds."""
        for code, since in self._since.items():
            log.warning("reachable-again", error=code, seconds=round(self._clock() - since, 1))
        self._since.clear()
