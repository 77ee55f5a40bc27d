"""Replies that nobody has taken: shown, claimed by a person, or sent on to another mailbox."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.contracts.audit import AuditAction
from gateway.contracts.errors import EXIT_NO, EXIT_USAGE, GatewayError
from gateway.contracts.journal import Journal, JournalTransaction
from gateway.contracts.records import Event, InboundFilter, InboundMessage, Sending
from gateway.contracts.registry import PartyKind, Registry
from gateway.contracts.states import InboundKind, InboundState, SendingKind, SendingState
from gateway.intake.records import add_sending
from gateway.ops.auditing import audit_entry
from gateway.receipts.originals import original_head
from gateway.receipts.passing import PassingOn
from gateway.receipts.states import STEPS, SendingEvent, settle

_MOST = 100_000
_ON_ITS_WAY = frozenset({SendingState.PENDING, SendingState.DELIVERED})
_FOR_A_PERSON = frozenset({SendingState.REFUSED, SendingState.FAILED, SendingState.OVERDUE})


class NotAReplyError(GatewayError):
    """The message is no reply."""

    code = "not-a-reply"
    exit_code = EXIT_NO


class NobodyWaitsError(GatewayError):
    """The reply was taken, or ended, already."""

    code = "reply-settled"
    exit_code = EXIT_NO


class NoSuchMailboxError(GatewayError):
    """The register has no such mailbox."""

    code = "no-such-mailbox"
    exit_code = EXIT_USAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A reply that no hospital has acknowledged."""

    message: InboundMessage
    sending: Sending | None
    """The latest; None: it fits nothing, and went nowhere"""
    why: str
    """`fits-nothing`, `overdue`, `refused`, `failed`; of those that are on their way `not-collected`"""

    def document(self) -> dict[str, Any]:
        """The JSON of `replies list` for one reply."""
        message, sending = self.message, self.sending
        return {
            "id": message.id,
            "why": self.why,
            "state": message.state.value,
            "received_at": message.received_at.astimezone().isoformat(timespec="milliseconds"),
            "sender": message.sender,
            "hospital": message.hospital,
            "unit": message.unit,
            "unit_name": message.unit_name,
            "mailbox": sending.receiver if sending is not None else None,
            "note": message.replaces,
            "guessed": message.reason == "reply-guessed",
        }


def waiting(
    journal: Journal, *, deadline: timedelta, now: datetime | None = None, on_their_way: bool = False
) -> list[Waiting]:
    """The replies that nobody has acknowledged within the deadline, or that went nowhere; oldest first.

    Args:
        journal: where they are.
        deadline: how long a hospital has.
        now: the time, if not that of the clock.
        on_their_way: those, too, that a hospital has not acknowledged yet and need not have.
    """
    moment = now or datetime.now(UTC)
    criteria = InboundFilter(
        kinds=(InboundKind.REPLY,),
        states=(
            InboundState.HELD,
            InboundState.SENDING,
            InboundState.DELIVERED,
            InboundState.REFUSED,
            InboundState.FAILED,
        ),
        limit=_MOST,
    )
    found = []
    rows = journal.list_inbound(criteria)
    with journal.reader() as view:
        for row in reversed(rows):
            sendings = view.sendings(row.id, kinds=(SendingKind.REPLY,))
            why = _why(row, sendings, moment - deadline, on_their_way=on_their_way)
            if why is not None:
                found.append(Waiting(message=row, sending=sendings[-1] if sendings else None, why=why))
    return found


def _why(row: InboundMessage, sendings: list[Sending], before: datetime, *, on_their_way: bool) -> str | None:
    """Why a reply is shown; None: it is on its way, and not for long."""
    if row.state is InboundState.HELD:
        return "fits-nothing"
    if not sendings:
        return "failed" if row.state is InboundState.FAILED else None
    last = sendings[-1]
    if last.receiver_role != PartyKind.HOSPITAL:
        return None
    if last.state in _FOR_A_PERSON:
        return last.state.value
    if last.state in _ON_ITS_WAY and last.created_at is not None and last.created_at <= before:
        return SendingState.OVERDUE.value
    return "not-collected" if on_their_way and last.state in _ON_ITS_WAY else None


def claim(journal: Journal, reply: InboundMessage, *, by: str, reason: str) -> None:
    """A person takes a reply over: nothing more is done with it.

    Args:
        journal: where it is.
        reply: which one.
        by: the login name of the person.
        reason: why; it is kept in the audit log.

    Raises:
        NotAReplyError: it is none.
        NobodyWaitsError: it was taken, or ended, already.
    """
    at = datetime.now(UTC)
    with journal.transaction() as transaction:
        row = _open_reply(transaction, reply)
        transaction.record(audit_entry(AuditAction.REPLY_CLAIM, message=row, reason=reason))
        _tell(transaction, row, at, "claimed", {"by": by})
        _close(transaction, row, at)
        if row.state is InboundState.HELD or not transaction.sendings(row.id, kinds=(SendingKind.REPLY,)):
            transaction.update_inbound(row.id, state=InboundState.DISCARDED, reason="claimed")
        else:
            transaction.update_inbound(row.id, reason="claimed")
            settle(transaction, row.id, at)


def send_on(
    journal: Journal, registry: Registry, passing_on: PassingOn, reply: InboundMessage, *, to: str, by: str
) -> Sending:
    """Send a reply to another mailbox; what was sent before is ended.

    Args:
        journal: where it is.
        registry: who has which mailbox.
        passing_on: writes it.
        reply: which one.
        to: HER-id of a unit or its mailbox.
        by: the login name of the person.

    Raises:
        NotAReplyError: it is none.
        NobodyWaitsError: it was taken, or ended, already.
        NoSuchMailboxError: the register has no such mailbox.
        LocalError: no key can be used.
    """
    unit, hospital = registry.unit(to), registry.hospital(to)
    if hospital is None:
        raise NoSuchMailboxError(
            f"the register has no mailbox {to}", hint="give the HER-id of a [[hospital.unit]] or its mailbox"
        )
    mailbox = unit.mailbox if unit is not None else to
    at = datetime.now(UTC)
    with journal.transaction() as transaction:
        row = _open_reply(transaction, reply)
        stored = original_head(row)
        if stored is None:
            raise NotAReplyError(f"{row.id} can not be sent on: it has no envelope")
        source = transaction.inbound(row.replaces) if row.replaces is not None else None
        if source is not None and source.hospital != hospital.her_id:
            source = None  # another hospital does not know the references
        made = passing_on.to_hospital(row, stored[0], mailbox, source=source, by_person=True, at=at)
        if any(s.id == made.id for s in transaction.sendings(row.id, kinds=(SendingKind.REPLY,))):
            raise NobodyWaitsError(f"the reply was sent to {mailbox} already")
        transaction.record(
            audit_entry(AuditAction.REPLY_SEND_ON, message=row, sending_id=made.id, detail={"to": mailbox})
        )
        _tell(transaction, row, at, "sent-on", {"by": by, "to": mailbox})
        if (told := passing_on.written_as(row, made)) is not None:
            _tell(transaction, row, at, *told, made.id)
        _close(transaction, row, at)
        add_sending(transaction, made, at)
        transaction.update_inbound(
            row.id,
            state=InboundState.SENDING,
            reason=None,
            hospital=hospital.her_id,
            unit=unit.her_id if unit is not None else None,
            unit_name=unit.name if unit is not None else None,
        )
        return made


def _open_reply(transaction: JournalTransaction, reply: InboundMessage) -> InboundMessage:
    if reply.kind is not InboundKind.REPLY:
        raise NotAReplyError(f"{reply.id} is no reply", hint="pakkehjem replies list shows those that wait")
    row = transaction.inbound(reply.id)
    if row is None or row.state in {InboundState.ACKNOWLEDGED, InboundState.DISCARDED, InboundState.REJECTED}:
        raise NobodyWaitsError(f"{reply.id} was taken or ended already: {reply.state.value}")
    sendings = transaction.sendings(row.id, kinds=(SendingKind.REPLY,))
    if any(s.receiver_role != PartyKind.HOSPITAL for s in sendings):
        raise NotAReplyError(f"{reply.id} goes from the hospital, not to it")
    return row


def _close(transaction: JournalTransaction, row: InboundMessage, at: datetime) -> None:
    """End what was sent of a reply, as far as the table lets it."""
    for sending in transaction.sendings(row.id, kinds=(SendingKind.REPLY,)):
        step = STEPS[sending.state, SendingEvent.CLOSED]
        if step.state is sending.state:
            continue
        transaction.update_sending(sending.id, state=step.state, settled_at=at)
        _tell(transaction, row, at, step.told or "closed", {"receiver": sending.receiver}, sending.id)


def _tell(
    transaction: JournalTransaction,
    row: InboundMessage,
    at: datetime,
    name: str,
    detail: dict[str, str | int | None],
    sending_id: str | None = None,
) -> None:
    transaction.add_event(Event(inbound_id=row.id, at=at, name=name, sending_id=sending_id, detail=detail))
