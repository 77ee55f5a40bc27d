"""Finds consumers that get nothing although there is something for them.

A broker that was killed and came back can hold messages ready, and a consumer with room for them, and bring
the two together no more. No error tells of it; the count of ready messages does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import structlog

log = structlog.get_logger()

LOOK_SECONDS = 10.0
"""Between two looks; a consumer that is found forgotten at two of them in a row is"""
_LONGEST_SECONDS = 600.0
"""Where consuming anew does not help (another consumer is the active one) it is tried ever more rarely"""


class Watch:
    """Looks at what has come since the last look, and asks the broker about queues from which nothing has."""

    def __init__(self) -> None:
        """The first look is one pause from now."""
        self._pause = LOOK_SECONDS
        self._next = time.monotonic() + self._pause
        self._before: dict[str, int] = {}
        self._suspects: set[str] = set()
        self._told: set[str] = set()

    def forgotten(self, arrivals: Mapping[str, int], ready: Callable[[str], int]) -> bool:
        """Whether to consume anew; the log says so once.

        Args:
            arrivals: of queues that we have room for: how many messages have come, ever.
            ready: asks the broker how many messages wait in a queue.

        Raises:
            QueueUnavailableError: the connection is lost.
        """
        if time.monotonic() < self._next:
            return False
        silent = {name for name, count in arrivals.items() if self._before.get(name) == count}
        self._told -= {name for name in arrivals if name in self._before and name not in silent}
        if not self._told:
            self._pause = LOOK_SECONDS
        self._before = dict(arrivals)
        waiting = {name for name in sorted(silent) if ready(name)}
        found = waiting & self._suspects
        self._suspects = waiting
        if found:
            self._begin_again(sorted(found))
        self._next = time.monotonic() + self._pause
        return bool(found)

    def _begin_again(self, names: list[str]) -> None:
        if not self._told.issuperset(names):
            log.warning("consumer-forgotten", queues=names)
        self._told.update(names)
        self._pause = min(2 * self._pause, _LONGEST_SECONDS)
        self._before, self._suspects = {}, set()
