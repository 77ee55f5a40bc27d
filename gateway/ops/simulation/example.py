"""One note followed step by step, from the journal: what `demo` shows. No patient data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from gateway.contracts.journal import Journal
from gateway.contracts.records import Event, InboundFilter, InboundMessage, Sending
from gateway.contracts.registry import Registry
from gateway.contracts.states import InboundKind, InboundState, SendingKind
from gateway.ops.simulation.ledger import Entry, Ledger

_SYSTEMS = {"dips": "DIPS", "doculive": "Doculive", "helseplattformen": "Helseplattformen"}

_STATUSES = {"1": "OK", "2": "rejected", "3": "OK in part"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A line of the story."""

    seconds: float
    """After the note had come"""
    what: str
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What happened to one note."""

    name: str
    """Its file"""
    steps: tuple[Step, ...]


def tell(ledger: Ledger, journal: Journal, registry: Registry) -> Story | None:
    """The story of the note that shows most: two formats out, findings, both receipts passed on, a reply."""
    replies = {
        r.replaces: r
        for r in journal.list_inbound(InboundFilter(kinds=(InboundKind.REPLY,), limit=100_000))
        if r.replaces is not None
    }
    rows = {r.id: r for r in journal.list_inbound(InboundFilter(limit=100_000))}
    best: tuple[tuple[int, ...], Entry, InboundMessage, list[Sending]] | None = None
    with journal.reader() as reader:
        for entry in ledger.entries:
            row = rows.get(entry.journal_id or "")
            if row is None or row.state is not InboundState.ACKNOWLEDGED:
                continue
            sendings = reader.sendings(row.id)
            notes = [s for s in sendings if s.kind is SendingKind.NOTE]
            receipts = [s for s in sendings if s.kind is SendingKind.RECEIPT]
            formats = {s.format for s in notes} | {row.format}
            value = (len(notes), len(receipts), row.id in replies, len(formats), min(len(row.findings), 2))
            if best is None or value >= best[0]:
                best = value, entry, row, sendings
        if best is None:
            return None
        _, entry, row, sendings = best
        reply = replies.get(row.id)
        passed_on = reader.sendings(reply.id, kinds=(SendingKind.REPLY,)) if reply is not None else []
    teller = _Teller(registry, row, sendings)
    steps = list(teller.note(journal.events(row.id)))
    if reply is not None:
        steps += teller.reply(reply, passed_on)
    return Story(name=entry.note.name, steps=tuple(sorted(steps, key=lambda s: s.seconds)))


class _Teller:
    def __init__(self, registry: Registry, row: InboundMessage, sendings: list[Sending]) -> None:
        self._registry = registry
        self._row = row
        self._sendings = {s.id: s for s in sendings}

    def _after(self, at: datetime | None) -> float:
        return (at - self._row.received_at).total_seconds() if at is not None else 0.0

    def _party(self, her_id: str | None) -> str:
        endpoint = self._registry.endpoint(her_id)
        if endpoint is not None:
            return endpoint.organisation_name if endpoint.hpr is None else f"GP {endpoint.name}"
        unit = self._registry.unit(her_id)
        if unit is not None:
            return f"{unit.name} (mailbox)" if unit.mailbox == her_id else unit.name
        hospital = self._registry.hospital(her_id)
        return hospital.name if hospital is not None else her_id or "?"

    def _named(self, receipt: Sending) -> str:
        """Whose receipt was passed on."""
        named = (n.her_id for n in self._row.named_receivers if n.index == receipt.answers)
        return self._party(next(named, None))

    def note(self, events: list[Event]) -> Iterator[Step]:
        """The note, its sendings and their receipts."""
        row = self._row
        yield Step(
            seconds=0.0,
            what="received",
            told=f"{row.format} from {row.unit_name or self._party(row.hospital)}",
        )
        system = _SYSTEMS.get(row.system or "", row.system or "?")
        findings = ", ".join(f"{f.code} ({f.severity.value})" for f in row.findings) or "no findings"
        yield Step(seconds=0.0, what="read", told=f"as {system} writes it: {findings}; accepted")
        for sending in self._sendings.values():
            if sending.kind is SendingKind.NOTE:
                yield Step(
                    seconds=self._after(sending.delivered_at),
                    what="sent",
                    told=f"to {self._party(sending.receiver)} as {sending.format}",
                )
            elif sending.kind is SendingKind.RECEIPT:
                yield Step(
                    seconds=self._after(sending.delivered_at),
                    what="passed on",
                    told=f"{_receipt(sending.apprec)} of {self._named(sending)} "
                    f"to {self._party(sending.receiver)}",
                )
        for event in events:
            answered = self._sendings.get(event.sending_id or "")
            if event.name == "receipt" and answered is not None:
                status = (event.detail or {}).get("apprec")
                yield Step(
                    seconds=self._after(event.at),
                    what="answered",
                    told=f"{_receipt(status)} from {self._party(answered.receiver)}",
                )

    def reply(self, reply: InboundMessage, passed_on: list[Sending]) -> Iterator[Step]:
        """A reply to it, and where that went."""
        yield Step(
            seconds=self._after(reply.received_at), what="reply", told=f"{reply.format} in the conversation"
        )
        for sending in passed_on:
            yield Step(
                seconds=self._after(sending.delivered_at),
                what="passed on",
                told=f"reply to {self._party(sending.receiver)}",
            )


def _receipt(status: object) -> str:
    """`1`, `2 E21` in words."""
    value, _, codes = str(status).partition(" ")
    return f"AppRec {_STATUSES.get(value, value)} {codes}".strip()
