"""The journal as an operator asks it: lists, one message, its whole history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from gateway.contracts.audit import AuditAction
from gateway.contracts.errors import EXIT_NO, EXIT_USAGE, GatewayError
from gateway.contracts.journal import Journal
from gateway.contracts.ports import Vault
from gateway.contracts.records import Event, InboundFilter, InboundMessage, Sending
from gateway.contracts.states import InboundKind, SendingKind
from gateway.contracts.summary import Summary
from gateway.ops.auditing import audit_entry, record
from gateway.ops.story import conversation

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
ALL_KINDS = tuple(InboundKind)
_WORKED_ON = (SendingKind.NOTE, SendingKind.REPLY)
_SHOWN = 5
"""Ids that are named where one is not enough"""


class NoSuchMessageError(GatewayError):
    """There is no such message."""

    code = "no-such-message"
    exit_code = EXIT_NO


class NotShownError(GatewayError):
    """The content is gone, or is no message that can be read."""

    code = "not-shown"
    exit_code = EXIT_NO


class AmbiguousIdError(GatewayError):
    """More than one message begins with this id."""

    code = "ambiguous-id"
    exit_code = EXIT_USAGE


class TimeNotReadableError(GatewayError):
    """A time is neither a span (2h, 30m, 7d) nor an ISO 8601 date or time."""

    code = "time"
    exit_code = EXIT_USAGE


def point_in_time(value: str) -> datetime:
    """`2h`, `30m`, `7d` ago; or an ISO 8601 date or time (local where no zone is given).

    Raises:
        TimeNotReadableError: it is neither.
    """
    number, unit = value[:-1], value[-1:]
    try:
        if number.isdecimal() and unit in _UNITS:
            return datetime.now(UTC) - timedelta(**{_UNITS[unit]: int(number)})
        return datetime.fromisoformat(value).astimezone()
    except (ValueError, OverflowError):
        raise TimeNotReadableError(
            f"{value!r} is neither a span of time nor a time", hint="for example 2h, 7d or 2026-03-02T08:00"
        ) from None


def of_patient(journal: Journal, criteria: InboundFilter, vault: Vault, identifier: str) -> InboundFilter:
    """The filter for one patient's messages, by the keyed hash of the identifier (blanks do not count).

    The audit log says who has looked for which patient.
    """
    reference = vault.reference("".join(identifier.split()))
    record(journal, audit_entry(AuditAction.PATIENT_SEARCH, patient_reference=reference))
    return replace(criteria, patient_reference=reference)


def find(journal: Journal, prefix: str) -> InboundMessage:
    """The message whose id (ours) or MsgId begins with the prefix; one that is the whole of it goes before.

    The whole MsgId of something that was sent finds what it was made of.

    Raises:
        NoSuchMessageError: there is none.
        AmbiguousIdError: there are several.
    """
    criteria = (InboundFilter(id_prefix=prefix), InboundFilter(msg_id_prefix=prefix))
    found = {
        message.id: message
        for each in criteria
        for message in journal.list_inbound(replace(each, kinds=ALL_KINDS, limit=_SHOWN + 1))
    }
    whole = [m for m in found.values() if prefix in (m.id, m.msg_id)]
    candidates = whole or list(found.values()) or _sent_as(journal, prefix)
    if not candidates:
        raise NoSuchMessageError(
            f"no message has an id that begins with {prefix}", hint="pakkehjem messages list shows the ids"
        )
    if len(candidates) > 1:
        named = "\n".join(
            f"  {m.id}  {m.received_at.astimezone():%Y-%m-%d %H:%M}  {m.kind.value} {m.state.value}"
            for m in candidates[:_SHOWN]
        )
        more = "\n  …" if len(candidates) > _SHOWN else ""
        raise AmbiguousIdError(
            f"more than one message has an id that begins with {prefix}",
            hint=f"give more of it:\n{named}{more}",
        )
    return candidates[0]


def _sent_as(journal: Journal, msg_id: str) -> list[InboundMessage]:
    """The message of which something was sent under this MsgId: what a receiver calls it."""
    with journal.reader() as view:
        found = {s.inbound_id: view.inbound(s.inbound_id) for s in view.find_sendings(msg_id)}
    return [message for message in found.values() if message is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A message with what went out for it."""

    message: InboundMessage
    sendings: tuple[Sending, ...]
    """Notes and replies: what receivers work on"""

    def document(self) -> dict[str, Any]:
        """The JSON of `messages list` for one message."""
        message = self.message
        return {
            "id": message.id,
            "msg_id": message.msg_id,
            "system": message.system,
            "state": message.state.value,
            "received_at": _time(message.received_at),
            "unit": message.unit,
            "municipality": message.municipality,
            "findings": [f.code for f in message.findings],
            "sendings": [
                {
                    "receiver": s.receiver,
                    "format": s.format,
                    "msg_id": s.msg_id,
                    "state": s.state.value,
                    "attempts": s.attempts,
                    "apprec": s.apprec,
                }
                for s in self.sendings
            ],
        }


def listed(journal: Journal, criteria: InboundFilter) -> list[Listed]:
    """What the filter finds, newest first."""
    messages = journal.list_inbound(criteria)
    made = journal.sendings_of([m.id for m in messages], _WORKED_ON)
    return [Listed(message=m, sendings=tuple(made.get(m.id, ()))) for m in messages]


def shown(journal: Journal, message: InboundMessage) -> dict[str, Any]:
    """`messages show --json`: the list's facts, and the rest that is no patient data."""
    with journal.reader() as view:
        sendings, faults = view.sendings(message.id), view.address_faults(message.id)
    in_list = Listed(message=message, sendings=tuple(s for s in sendings if s.kind in _WORKED_ON))
    return in_list.document() | {
        "kind": message.kind.value,
        "reason": message.reason,
        "format": message.format,
        "action": message.action.value,
        "sent_at": _time(message.sent_at) if message.sent_at is not None else None,
        "sender": message.sender,
        "queue": message.queue,
        "hospital": message.hospital,
        "unit_name": message.unit_name,
        "gp": message.gp,
        "replaces": message.replaces,
        "findings": [f.model_dump(mode="json") for f in message.findings],
        "receipts": [
            {"to": s.receiver, "for_receiver": s.answers, "apprec": s.apprec, "state": s.state.value}
            for s in sendings
            if s.kind is SendingKind.RECEIPT
        ],
        "address_faults": [
            {
                "receiver": f.receiver,
                "codes": f.codes,
                "at": _time(f.at),
                "outcome": f.outcome.value if f.outcome is not None else None,
            }
            for f in faults
        ],
    }


def traced(journal: Journal, message: InboundMessage) -> list[dict[str, Any]]:
    """`messages trace --json`: every step of a message and its conversation, oldest first."""
    steps = [
        (event.at, event.sequence, member, event)
        for member in conversation(journal, message)
        for event in journal.events(member.id)
    ]
    return [
        {k: v for k, v in (event.detail or {}).items() if v is not None}
        | {
            "at": _time(event.at),
            "event": event.name,
            "sending": event.sending_id,
            "message": member.id,
            "message_kind": member.kind.value,
        }
        for _, _, member, event in sorted(steps, key=lambda step: step[:2])
    ]


def revealed(journal: Journal, message: InboundMessage, *, reason: str) -> dict[str, Any]:
    """The content of a message, which is patient data; the audit log and its history say who looked at it.

    Args:
        journal: where it is.
        message: which one.
        reason: why; kept in the audit log.
    """
    entry = audit_entry(AuditAction.REVEAL, message=message, reason=reason)
    with journal.transaction() as transaction:
        whole = transaction.inbound(message.id)
        event = Event(inbound_id=message.id, at=entry.at, name="revealed", detail={"by": entry.who})
        transaction.add_event(event)
        transaction.record(entry)
    if whole is None:
        return {"summary": None, "body": None}
    return {
        "summary": orjson.loads(whole.summary) if whole.summary else None,
        "body": _as_text(whole.body),
    }


def page(content: Mapping[str, Any]) -> str:
    """What `revealed` gave as a page for a person.

    Raises:
        NotShownError: it was purged, or can not be read as a message.
    """
    # Not on top: a list reads no message, and these load all that can.
    from gateway.ops.conversion import page_of  # noqa: PLC0415
    from gateway.rendering import render_html  # noqa: PLC0415

    if content["summary"] is not None:
        return render_html(Summary.model_validate_json(orjson.dumps(content["summary"])))
    shown = page_of(content["body"].encode()) if content["body"] else None
    if shown is None:
        raise NotShownError(
            "the content can not be shown as a page", hint="without --html it is shown as it is"
        )
    return shown


def _as_text(body: bytes) -> str:
    """The message for eyes, whatever it is: UTF-8, else the encoding that has a letter for every byte."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body.decode("iso-8859-1")


def _time(value: datetime) -> str:
    return value.astimezone().isoformat(timespec="milliseconds")
