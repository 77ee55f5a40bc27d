"""The whole gateway in one process, driven step by step on the embedded queue and SQLite."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from lxml import etree

from gateway.contracts.messages import Message
from gateway.contracts.queues import Delivery, Envelope
from gateway.contracts.receipts import AppRec, ErrorCode, ReceiptStatus, fault
from gateway.contracts.records import InboundFilter, InboundMessage, Sending
from gateway.contracts.states import InboundKind, SendingKind
from gateway.formats import answer, read_apprec, read_message, write_apprec
from gateway.ops.composition import Worker, build_worker
from gateway.ops.configuration import Configuration, load
from gateway.ops.instruments import Instruments
from gateway.ops.stores import open_registry
from gateway.pipeline.flow import now
from gateway.security.gate import parse
from tests.conftest import NOTES

ALL_KINDS = tuple(InboundKind)


def note(name: str) -> bytes:
    """`dips/01` -> the bytes of that sample."""
    folder, prefix = name.split("/")
    return next((NOTES / folder).glob(f"{prefix}-*.xml")).read_bytes()


def with_new_id(data: bytes) -> bytes:
    """The same note under a fresh MsgId."""
    return re.sub(rb"<MsgId>[^<]+</MsgId>", b"<MsgId>" + str(uuid4()).encode() + b"</MsgId>", data, count=1)


@dataclass
class Gateway:
    """A gateway and everybody around it."""

    config: Path
    worker: Worker = field(init=False)
    configuration: Configuration = field(init=False)

    clock: Callable[[], datetime] = now
    instruments: Instruments = field(default_factory=Instruments)

    def __post_init__(self) -> None:
        self.configuration = load(self.config)
        self.registry = open_registry(self.configuration)
        self.start()

    def start(self) -> None:
        self.worker = build_worker(self.configuration, clock=self.clock, instruments=self.instruments)

    def close(self) -> None:
        self.worker.close()

    def restart(self) -> None:
        """As after a crash: what was not acknowledged comes again."""
        self.close()
        self.start()

    def put(self, queue: str, *bodies: bytes) -> None:
        self.worker.queue.publish([(queue, Envelope(body=body, message_id=str(uuid4()))) for body in bodies])

    def settle(self) -> None:
        """Work until there is nothing to do."""
        while self.worker.service.step(wait_seconds=0.0):
            pass

    def note(self, *bodies: bytes) -> None:
        """Notes from hospitals, worked on to the end."""
        self.put(self.configuration.queues.inbound, *bodies)
        self.settle()

    def outside(self, hospital: str, *bodies: bytes) -> None:
        """Messages from the health network to a hospital, worked on to the end."""
        self.put(f"{hospital}_async", *bodies)
        self.settle()

    def take(self, queue: str) -> list[Delivery]:
        """What lies on a queue, taken off it."""
        taken = self.worker.queue.take([queue], limit=1000, wait_seconds=0.0)
        self.worker.queue.acknowledge(taken)
        return taken

    def messages(self, queue: str) -> list[Message]:
        """The clinical messages on a queue; AppRecs are left out."""
        roots = [parse(d.envelope.body) for d in self.take(queue)]
        return [read_message(r) for r in roots if etree.QName(r).localname != "AppRec"]

    def apprecs(self, queue: str) -> list[AppRec]:
        """The AppRecs on a queue; other messages are lost."""
        roots = [parse(d.envelope.body) for d in self.take(queue)]
        return [read_apprec(r) for r in roots if etree.QName(r).localname == "AppRec"]

    def rows(self, kinds: Iterable[InboundKind] = (InboundKind.NOTE,)) -> list[InboundMessage]:
        """The inbox, oldest first."""
        return self.worker.journal.list_inbound(InboundFilter(kinds=tuple(kinds)))[::-1]

    def row(self, msg_id: str) -> InboundMessage:
        (found,) = [r for r in self.rows(ALL_KINDS) if r.msg_id == msg_id]
        return found

    def sendings(self, inbound_id: str, *kinds: SendingKind) -> list[Sending]:
        with self.worker.journal.reader() as view:
            return view.sendings(inbound_id, kinds=kinds)


def receipt(
    message: Message, status: ReceiptStatus = ReceiptStatus.OK, code: ErrorCode | None = None
) -> bytes:
    """The AppRec of a message's primary receiver."""
    apprec = answer(
        message.head,
        message.format,
        receiver_index=0,
        status=status,
        faults=(fault(code, "Detaljer."),) if code is not None else (),
        id=str(uuid4()),
        at=datetime.now(UTC),
    )
    return write_apprec(apprec)
