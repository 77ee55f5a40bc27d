"""Notes that wait for a person: what waits how long, and what a person decides on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.contracts.audit import AuditAction
from gateway.contracts.errors import EXIT_DONE, EXIT_NO, EXIT_PARTLY, GatewayError
from gateway.contracts.findings import FINDINGS, Severity
from gateway.contracts.journal import Journal, JournalTransaction
from gateway.contracts.records import InboundFilter, InboundMessage, Sending
from gateway.contracts.registry import Endpoint, Registry
from gateway.contracts.states import InboundKind, InboundState
from gateway.contracts.summary import Summary
from gateway.ops import browsing
from gateway.ops.auditing import audit_entry
from gateway.pipeline.held import HeldNotes, NotHeldError, Person, RouteCorrection
from gateway.receipts.held_deadlines import note_deadline
from gateway.routing.route import find_route

_MOST = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A note that is held."""

    message: InboundMessage
    deadline: datetime
    """When it counts as refused at its sender"""

    def left(self, now: datetime) -> timedelta:
        """The time that is left; negative where it has passed."""
        return self.deadline - now

    @property
    def holding(self) -> tuple[str, ...]:
        """What holds it: codes of findings, or the reason where it is none."""
        codes = tuple(f.code for f in self.message.findings if f.severity is Severity.HOLD)
        return codes or ((self.message.reason,) if self.message.reason else ())

    def document(self, now: datetime) -> dict[str, Any]:
        """The JSON of `held list` for one note."""
        message = self.message
        return {
            "id": message.id,
            "msg_id": message.msg_id,
            "system": message.system,
            "received_at": _time(message.received_at),
            "deadline": _time(self.deadline),
            "hours_left": round(self.left(now) / timedelta(hours=1), 1),
            "held_by": list(self.holding),
            "findings": [f.code for f in message.findings],
            "hospital": message.hospital,
            "unit": message.unit,
            "unit_name": message.unit_name,
            "municipality": message.municipality,
            "gp": message.gp,
        }


def waiting(journal: Journal, *, limit: timedelta, criteria: InboundFilter | None = None) -> list[Waiting]:
    """The notes that are held, the one with the least time left first.

    Args:
        journal: where they are.
        limit: how long after its GenDate a note must be answered (HIS 80415:2012, chapter 3.3.4).
        criteria: which of them; None: all.
    """
    asked = criteria or InboundFilter(limit=_MOST)
    held = replace(asked, kinds=(InboundKind.NOTE,), states=(InboundState.HELD,))
    found = [Waiting(message=m, deadline=note_deadline(m, limit)) for m in journal.list_inbound(held)]
    return sorted(found, key=lambda each: (each.deadline, each.message.received_at))


def find(journal: Journal, prefix: str, *, limit: timedelta) -> Waiting:
    """A held note by the beginning of its id or MsgId.

    Raises:
        NoSuchMessageError, AmbiguousIdError: none, or more than one.
        NotHeldError: it is not held.
    """
    message = browsing.find(journal, prefix)
    if message.kind is not InboundKind.NOTE or message.state is not InboundState.HELD:
        raise NotHeldError(
            f"{message.id} is not held: it is {message.state.value}",
            hint=f"pakkehjem messages trace {message.id[:8]} tells who decided",
        )
    return Waiting(message=message, deadline=note_deadline(message, limit))


def shown(journal: Journal, registry: Registry, held: Waiting, now: datetime) -> dict[str, Any]:
    """`held show --json`: the list's facts, what holds it in words, and where it would go."""
    with journal.reader() as view:
        row = view.inbound(held.message.id)
    summary = Summary.from_json(row.summary) if row is not None and row.summary is not None else None
    route = find_route(summary, registry) if summary is not None else None
    return held.document(now) | {
        "reason": held.message.reason,
        "action": held.message.action.value,
        "format": held.message.format,
        "why": [
            {"code": f.code, "severity": f.severity.value, "message": FINDINGS[f.code].message}
            for f in held.message.findings
        ],
        "would_go_to": {
            "municipality": _party(route.municipality) if route is not None else None,
            "gp": _party(route.gp) if route is not None else None,
        },
    }


def _party(endpoint: Endpoint | None) -> dict[str, str] | None:
    if endpoint is None:
        return None
    return {"her_id": endpoint.her_id, "name": f"{endpoint.organisation_name}, {endpoint.name}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What became of one note that a person decided on."""

    message: InboundMessage
    sendings: tuple[Sending, ...] = ()
    refusal: GatewayError | None = None
    """Why it could not be done; None: it is done"""

    def document(self) -> dict[str, Any]:
        """The JSON for one note."""
        return {
            "id": self.message.id,
            "done": self.refusal is None,
            "error": self.refusal.code if self.refusal is not None else None,
            "message": self.refusal.message if self.refusal is not None else None,
            "sendings": [
                {"receiver": s.receiver, "format": s.format, "msg_id": s.msg_id} for s in self.sendings
            ],
        }


Decision = Callable[[JournalTransaction, InboundMessage, datetime], tuple[Sending, ...]]
"""What a person decides on a note: what goes out"""


def releasing(notes: HeldNotes, person: Person, correction: RouteCorrection) -> Decision:
    """Send it on."""

    def release(transaction: JournalTransaction, note: InboundMessage, at: datetime) -> tuple[Sending, ...]:
        sendings = notes.release(transaction, note.id, person, at=at, correction=correction)
        detail = {s.receiver_role or "": s.receiver for s in sendings}
        transaction.record(
            audit_entry(AuditAction.HELD_RELEASE, message=note, reason=person.reason, detail=detail)
        )
        return sendings

    return release


def discarding(notes: HeldNotes, person: Person) -> Decision:
    """End it."""

    def discard(transaction: JournalTransaction, note: InboundMessage, at: datetime) -> tuple[Sending, ...]:
        notes.discard(transaction, note.id, person, at=at)
        transaction.record(audit_entry(AuditAction.HELD_DISCARD, message=note, reason=person.reason))
        return ()

    return discard


class _Undone(Exception):  # noqa: N818 - no error
    """Ends the transaction of a dry run."""


def decide(
    journal: Journal, held: Sequence[Waiting], decision: Decision, *, dry_run: bool = False
) -> list[Decided]:
    """Do it to each note, in a transaction of its own: one that can not be done stops no other.

    Args:
        journal: where the notes are.
        held: the notes.
        decision: what a person has decided.
        dry_run: undo each, and say what it would have become.

    Raises:
        TransientError: the journal can not be reached.
    """
    done = []
    for each in held:
        sendings: tuple[Sending, ...] = ()
        try:
            with suppress(_Undone), journal.transaction() as transaction:
                sendings = decision(transaction, each.message, datetime.now(UTC))
                if dry_run:
                    raise _Undone
        except GatewayError as error:
            if error.exit_code not in {EXIT_NO, EXIT_DONE}:
                raise
            done.append(Decided(message=each.message, refusal=error))
        else:
            done.append(Decided(message=each.message, sendings=sendings))
    return done


def exit_code(decided: Sequence[Decided]) -> int:
    """Done, partly done, or not at all."""
    refused = sum(each.refusal is not None for each in decided)
    if not refused:
        return EXIT_DONE
    return EXIT_NO if refused == len(decided) else EXIT_PARTLY


def time_left(left: timedelta) -> str:
    """For people: `3 d 4 h`, `55 min`, `passed 2 h ago`."""
    minutes = int(abs(left) / timedelta(minutes=1))
    if minutes < 120:
        said = f"{minutes} min"
    elif minutes < 48 * 60:
        said = f"{minutes // 60} h"
    else:
        said = f"{minutes // 1440} d {minutes // 60 % 24} h"
    return f"passed {said} ago" if left < timedelta(0) else said


def _time(value: datetime) -> str:
    return value.astimezone().isoformat(timespec="milliseconds")
