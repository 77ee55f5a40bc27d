"""`pakkehjem` with two ways to die as by kill -9: over a message with a mark, and over a note to a receiver.

The environment says which: `DEADLY_MARK` (text in the message), `DEADLY_RECEIVER` (HER-id).
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import datetime

from gateway.contracts.journal import Sending, SendingKind
from gateway.contracts.queues import Delivery, Envelope
from gateway.intake.arrival import Arrival
from gateway.ops.cli import exit_code
from gateway.pipeline.packing import Packing
from gateway.pipeline.reception import Reception

MARK = os.environ["DEADLY_MARK"].encode()
RECEIVER = os.environ["DEADLY_RECEIVER"]

_receive, _envelope = Reception.receive, Packing.envelope


def receive(self: Reception, delivery: Delivery, received_at: datetime) -> Arrival:
    if MARK in delivery.envelope.body:
        os.kill(os.getpid(), signal.SIGKILL)
    return _receive(self, delivery, received_at)


def envelope(self: Packing, sending: Sending) -> Envelope:
    if sending.receiver == RECEIVER and sending.kind is SendingKind.NOTE:
        os.kill(os.getpid(), signal.SIGKILL)
    return _envelope(self, sending)


Reception.receive = receive  # type: ignore[method-assign]
Packing.envelope = envelope  # type: ignore[method-assign]

if __name__ == "__main__":
    sys.exit(exit_code(sys.argv[1:]))
