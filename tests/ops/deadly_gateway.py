"""`pakkehjem` with two ways to die as by kill -9, and one to hang.

The environment says over what: `DEADLY_MARK` and `HANGING_MARK` (texts in a message), `DEADLY_RECEIVER`
(HER-id of who gets a note).
"""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import datetime

from gateway.contracts.queues import Delivery, Envelope
from gateway.contracts.records import Sending
from gateway.contracts.states import SendingKind
from gateway.intake.arrival import Arrival
from gateway.ops.cli import exit_code
from gateway.pipeline.packing import Packing
from gateway.pipeline.reception import Reception

_NEVER = "\0"
MARK = os.environ.get("DEADLY_MARK", _NEVER).encode()
HANGING = os.environ.get("HANGING_MARK", _NEVER).encode()
RECEIVER = os.environ.get("DEADLY_RECEIVER", _NEVER)

_receive, _envelope = Reception.receive, Packing.envelope


def receive(self: Reception, delivery: Delivery, received_at: datetime) -> Arrival:
    if MARK in delivery.envelope.body:
        os.kill(os.getpid(), signal.SIGKILL)
    while HANGING in delivery.envelope.body:
        time.sleep(0.1)
    return _receive(self, delivery, received_at)


def envelope(self: Packing, sending: Sending) -> Envelope:
    if sending.receiver == RECEIVER and sending.kind is SendingKind.NOTE:
        os.kill(os.getpid(), signal.SIGKILL)
    return _envelope(self, sending)


Reception.receive = receive  # type: ignore[method-assign]
Packing.envelope = envelope  # type: ignore[method-assign]

if __name__ == "__main__":
    sys.exit(exit_code(sys.argv[1:]))
