"""What the gateway makes of the sample notes, as templates: what the floor and the baseline fill in.

So all that is measured writes messages of the same kind and size.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.contracts.identifiers import derived_id
from gateway.contracts.queues import Envelope
from gateway.contracts.records import Sending
from gateway.contracts.states import SendingKind
from gateway.formats import read_message
from gateway.ops import composition
from gateway.ops.bench.notes import SAMPLES, Note
from gateway.ops.bench.world import World
from gateway.ops.configuration import load
from gateway.ops.simulation.traffic import invented_id, receipt
from gateway.security.gate import parse

_PARTS = ("msg_id", "original", "number", "family", "given", "attachment")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message with its changing parts left open."""

    her_id: str
    queue: str
    """Without the name of the gateway that it begins with"""
    headers: Mapping[str, str]
    segments: tuple[str, ...]
    """Text, and in every second place the name of a part"""

    def text(self, values: Mapping[str, str]) -> str:
        """Filled in; the values are escaped."""
        filled = list(self.segments)
        filled[1::2] = [values[name] for name in self.segments[1::2]]
        return "".join(filled)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What follows from one of the sample notes."""

    sendings: tuple[Outgoing, ...]
    receipts: tuple[Outgoing, ...]
    """AppRecs to the hospital, for each sending"""


def sending_id(note_sender: str, note_msg_id: str, receiver: str) -> str:
    """MsgId of what a receiver gets for a note."""
    return derived_id("note", note_sender, note_msg_id, receiver, "new")


def record(world: World, notes: list[Note], name: str) -> list[Recorded]:
    """Let a gateway of its own work on one of each sample, unsigned, and keep what it writes."""
    file = world.configure(
        name, broker=f"embedded:{name}.queue", journal=f"sqlite:{name}.journal", sign=False
    )
    configuration = load(file)
    worker = composition.build_worker(configuration)
    try:
        inbound = configuration.queues.inbound
        worker.queue.publish([(inbound, envelope(note)) for note in notes[: len(SAMPLES)]])
        _settle(worker)
        found = []
        for note in notes[: len(SAMPLES)]:
            sendings = [
                each
                for receiver in note.receivers
                for each in _find(worker, sending_id(note.sender, note.msg_id, receiver))
            ]
            for each in sendings:
                message = read_message(parse(each.body))
                made = receipt(
                    message.head,
                    message.format,
                    queue=f"{name}.{note.sender}",
                    to_her_id=note.unit,
                    apprec_id=invented_id("bench", each.msg_id),
                )
                worker.queue.publish([(made.queue, made.envelope)])
            _settle(worker)
            with worker.journal.reader() as view:
                made_of_it = view.sendings(sendings[0].inbound_id, kinds=(SendingKind.RECEIPT,))
            by_index = {each.answers: each for each in made_of_it}
            found.append(
                Recorded(
                    sendings=tuple(_template(s, note, name) for s in sendings),
                    receipts=tuple(_template(by_index[s.answers], note, name) for s in sendings),
                )
            )
        return found
    finally:
        worker.close()


def envelope(note: Note) -> Envelope:
    """A note as it travels."""
    return Envelope(
        body=note.body,
        message_id=note.msg_id,
        headers={"fromHerId": note.unit, "X-MessageInfo-MsgId": note.msg_id},
    )


def _settle(worker: composition.Worker) -> None:
    while worker.service.step(wait_seconds=0.0):
        pass


def _find(worker: composition.Worker, msg_id: str) -> list[Sending]:
    with worker.journal.reader() as view:
        return view.find_sendings(msg_id)


def _template(sending: Sending, note: Note, name: str) -> Outgoing:
    values = {
        "msg_id": sending.msg_id,
        "original": note.msg_id,
        "number": note.person.number,
        "family": note.person.family_name,
        "given": note.person.given_name,
        "attachment": _attachment(sending.body),
    }
    segments = [sending.body.decode()]
    for part in _PARTS:
        if not values[part]:
            continue
        cut = []
        for place, segment in enumerate(segments):
            pieces = segment.split(values[part]) if place % 2 == 0 else [segment]
            for number, piece in enumerate(pieces):
                cut += [part, piece] if number else [piece]
        segments = cut
    return Outgoing(
        her_id=sending.receiver,
        queue=sending.queue.removeprefix(f"{name}."),
        headers=dict(sending.headers or {}),
        segments=tuple(segments),
    )


def _attachment(body: bytes) -> str:
    attachments = () if b"<AppRec" in body else read_message(parse(body)).attachments
    return base64.b64encode(attachments[0].content).decode("ascii") if attachments else ""
