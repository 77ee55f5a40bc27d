"""Waits until the running service has sent what was put in its outbox."""

from __future__ import annotations

import time
from collections.abc import Sequence

from gateway.contracts.states import SendingState
from gateway.journal.sql_journal import SqlJournal
from gateway.ops.console import say
from gateway.ops.progress import progress

_EVERY_SECONDS = 0.5
_PATIENCE_SECONDS = 60.0
"""Without anything happening"""


def watch_sendings(journal: SqlJournal, sendings: Sequence[str]) -> bool:
    """Show how the outbox empties; whether all of these left it.

    Ends when they have, or when nothing has happened for a minute.
    """
    waiting = len(sendings)
    with progress("delivering", len(sendings)) as advance:
        moved_at = time.monotonic()
        while True:
            states = journal.failed.sending_states(sendings)
            left = states.get(SendingState.PENDING.value, 0)
            advance(len(sendings) - left)
            if left < waiting:
                waiting, moved_at = left, time.monotonic()
            if not left or time.monotonic() - moved_at > _PATIENCE_SECONDS:
                break
            time.sleep(_EVERY_SECONDS)
    told = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    say(told)
    if left:
        say(f"{left} still wait: does the service run? pakkehjem queues status shows its queues")
    return not left
