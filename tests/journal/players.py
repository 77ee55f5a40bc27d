"""Processes of the crash tests: each says on stdout what it knows to be done, until it is killed.

Run as `python -m tests.journal.players PLAY URL`.
"""

from __future__ import annotations

import os
import sys
import time
from itertools import count

from gateway.contracts.states import InboundState
from gateway.journal.opening import open_journal
from gateway.journal.sql_journal import SqlJournal
from tests.journal.stores import happened, note, outgoing, vault

GROUP = 4


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def write(journal: SqlJournal) -> None:
    """Groups of notes `<process>-<group>-<place>`, each with events and sendings; a line for each commit."""
    for group in count():
        name = f"{os.getpid()}-{group}"
        with journal.transaction() as transaction:
            for place in range(GROUP):
                inbound_id = f"{name}-{place}"
                with transaction.savepoint():
                    transaction.add_inbound(
                        note(inbound_id, msg_id=inbound_id, body=inbound_id.encode() * 400)
                    )
                    transaction.add_event(happened(inbound_id))
                    transaction.update_inbound(inbound_id, state=InboundState.SENDING, summary=b"{}")
                    for receiver in ("municipality", "gp"):
                        sending = outgoing(inbound_id, f"{inbound_id}-{receiver}", body=b"x" * 3000)
                        transaction.add_sending(sending)
                        transaction.add_event(happened(inbound_id, "sending-created", sending_id=sending.id))
        say("committed", name)


def hold(journal: SqlJournal) -> None:
    """The only gateway, until it is killed."""
    with journal.acquire_exclusive("gateway"):
        say("held", os.getpid())
        time.sleep(60)


def open_only(journal: SqlJournal) -> None:
    """A look at the counts."""
    say(journal.count_by_state()["received"])


if __name__ == "__main__":
    opened = open_journal(sys.argv[2], vault())
    {"write": write, "hold": hold, "open": open_only}[sys.argv[1]](opened)
    opened.close()
