"""What a terminal shows while a simulation runs; a pipe stays quiet."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

from gateway.ops.simulation.report import in_short
from gateway.ops.simulation.settlement import Account


@contextmanager
def live(*, enabled: bool) -> Iterator[Callable[[Account], None]]:
    """An observer that keeps one line of a terminal up to date."""
    console = Console(file=sys.stderr)
    if not (enabled and console.is_terminal):
        yield lambda _: None
        return
    with console.status("starting") as status:
        yield lambda account: status.update(in_short(account))
