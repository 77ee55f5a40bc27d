"""The journal as an operator asks it: lists, one message, its whole history."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.contracts.errors import EXIT_NO, EXIT_USAGE, GatewayError
from gateway.contracts.journal import (
    InboundFilter,
    InboundKind,
    InboundMessage,
    Journal,
    Sending,
    SendingKind,
)

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
ALL_KINDS = tuple(InboundKind)


class NoSuchMessageError(GatewayError):
    """There is no such message."""

    code = "no-such-message"
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
    if number.isdigit() and unit in _UNITS:
        return datetime.now(UTC) - timedelta(**{_UNITS[unit]: int(number)})
    try:
        return datetime.fromisoformat(value).astimezone()
    except ValueError:
        raise TimeNotReadableError(hint="for example --since 2h or --since 2026-03-02T08:00") from None


def find(journal: Journal, prefix: str) -> InboundMessage:
    """The message whose id (ours) or MsgId begins with the prefix.

    Raises:
        NoSuchMessageError: there is none.
        AmbiguousIdError: there are several.
    """
    found = journal.list_inbound(InboundFilter(kinds=ALL_KINDS, id_prefix=prefix, limit=2))
    if not found:
        raise NoSuchMessageError(
            f"no message has an id that begins with {prefix}", hint="pakkehjem messages list shows the ids"
        )
    if len(found) > 1:
        raise AmbiguousIdError(f"more than one message begins with {prefix}", hint="give more of the id")
    return found[0]


def described(message: InboundMessage, sendings: list[Sending]) -> dict[str, Any]:
    """The JSON of `messages list` for one message."""
    return {
        "id": message.id,
        "msg_id": message.msg_id,
        "kind": message.kind.value,
        "system": message.system,
        "state": message.state.value,
        "received_at": message.received_at.astimezone().isoformat(timespec="milliseconds"),
        "unit": message.unit_name or message.unit,
        "municipality": message.municipality,
        "findings": [f.code for f in message.findings],
        "reason": message.reason,
        "sendings": [
            {
                "receiver": s.receiver,
                "format": s.format,
                "msg_id": s.msg_id,
                "state": s.state.value,
                "attempts": s.attempts,
                "apprec": s.apprec,
            }
            for s in sendings
            if s.kind in (SendingKind.NOTE, SendingKind.REPLY)
        ],
    }


def listed(journal: Journal, criteria: InboundFilter) -> list[dict[str, Any]]:
    """`messages list --json`."""
    rows = journal.list_inbound(criteria)
    with journal.reader() as view:
        return [described(row, view.sendings(row.id)) for row in rows]


def shown(journal: Journal, message: InboundMessage) -> dict[str, Any]:
    """`messages show --json`: the list's facts, and the rest that is no patient data."""
    with journal.reader() as view:
        sendings = view.sendings(message.id)
    document = described(message, sendings)
    document |= {
        "format": message.format,
        "action": message.action.value,
        "sender": message.sender,
        "queue": message.queue,
        "hospital": message.hospital,
        "gp": message.gp,
        "replaces": message.replaces,
        "findings": [f.model_dump(mode="json") for f in message.findings],
        "receipts": [
            {"to": s.receiver, "for_receiver": s.answers, "apprec": s.apprec, "state": s.state.value}
            for s in sendings
            if s.kind is SendingKind.RECEIPT
        ],
    }
    return document


def traced(journal: Journal, message: InboundMessage) -> list[dict[str, Any]]:
    """`messages trace --json`: every step, oldest first."""
    return [
        {
            "at": event.at.astimezone().isoformat(timespec="milliseconds"),
            "event": event.name,
            "sending": event.sending_id,
            **{k: v for k, v in (event.detail or {}).items() if v is not None},
        }
        for event in journal.events(message.id)
    ]


def complete(journal: Journal, message: InboundMessage) -> InboundMessage:
    """The message with its body and summary (`--reveal`)."""
    with journal.reader() as view:
        return view.inbound(message.id) or replace(message)
