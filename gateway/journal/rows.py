"""Rows of the tables from and to the records of the port."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from operator import attrgetter
from typing import Any

import orjson
from sqlalchemy import Table

from gateway.contracts.addresses import AddressFault, FaultOutcome
from gateway.contracts.audit import AuditEntry, AuditRecord
from gateway.contracts.errors import LocalError
from gateway.contracts.facts import FactSums, NoteFacts, Window
from gateway.contracts.findings import Finding
from gateway.contracts.ports import Vault
from gateway.contracts.records import Event, InboundMessage, NamedReceiver, Receipt, Sending
from gateway.contracts.replays import Replay, ReplayMode
from gateway.contracts.states import InboundKind, InboundState, SendingKind, SendingState
from gateway.contracts.summary import Action
from gateway.contracts.traffic import Circuit, Pause
from gateway.contracts.values import maker
from gateway.journal import tables

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Row = Sequence[Any]
Convert = Callable[[Any], Any]


def to_time(at: datetime) -> int:
    """Microseconds since 1970 in UTC.

    Raises:
        TypeError: the time has no zone.
    """
    return (at - _EPOCH) // _MICROSECOND


def from_time(microseconds: int) -> datetime:
    """The time, in UTC."""
    return _EPOCH + timedelta(microseconds=microseconds)


def _to_json(value: object) -> str:
    return orjson.dumps(value).decode()


def _enumeration(kind: type[StrEnum]) -> tuple[Convert, Convert]:
    """To a word and back, by tables: to call an enumeration takes ten times as long."""
    words: dict[str, str] = {member: member.value for member in kind}
    members: dict[str, StrEnum] = {member.value: member for member in kind}
    return words.__getitem__, members.__getitem__


_TIME = (to_time, from_time)
_DUE_TIME: tuple[Convert, Convert] = (to_time, lambda value: from_time(value) if value else None)
_MAPPING: tuple[Convert, Convert] = (lambda value: _to_json(dict(value)), orjson.loads)
_FINDINGS: tuple[Convert, Convert] = (
    lambda value: _to_json([finding.model_dump() for finding in value]) if value else None,
    lambda value: tuple(Finding(**each) for each in orjson.loads(value)),
)
_NAMED_RECEIVERS: tuple[Convert, Convert] = (
    lambda value: _to_json(list(value)) if value else None,
    lambda value: tuple(NamedReceiver(**each) for each in orjson.loads(value)),
)
_STRINGS: tuple[Convert, Convert] = (
    lambda value: _to_json(list(value)),
    lambda value: tuple(orjson.loads(value)),
)


class Codec:
    """How the records of one kind stand in their table, and their payloads in `content`."""

    def __init__(
        self,
        table: Table,
        converted: Mapping[str, tuple[Convert, Convert]],
        *,
        payloads: Sequence[tuple[str, bytes | None]] = (),
        given: Sequence[str] = ("sequence",),
        none_as: Mapping[str, object] | None = None,
        empty: Sequence[str] = (),
    ) -> None:
        """Of a table.

        Args:
            table: one with a column for each field.
            converted: how a column is written and read; None is None in both.
            payloads: fields that are encrypted, and what they are where they are not read, or taken away.
            given: columns that the store fills.
            none_as: what stands for None in the row.
            empty: fields for which None in the row stands for an empty tuple.
        """
        self.table = table
        self.columns = tuple(c.name for c in table.columns if c.name not in given)
        self.payloads = tuple(name for name, _ in payloads)
        self._encode = {name: pair[0] for name, pair in converted.items()}
        self._none_as = tuple((none_as or {}).items())
        self._read = tuple((self.columns.index(name), pair[1]) for name, pair in converted.items())
        self._read_empty = tuple(map(self.columns.index, empty))
        self._not_read = [none for _, none in payloads]
        self._values = attrgetter(*self.columns)

    def encode(self, record: object) -> dict[str, Any]:
        """The values of a new row."""
        values = dict(zip(self.columns, self._values(record), strict=True))
        for name, convert in self._encode.items():
            if (value := values[name]) is not None:
                values[name] = convert(value)
        for name, instead in self._none_as:
            if values[name] is None:
                values[name] = instead
        return values

    def encode_changes(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """The values of some columns.

        Raises:
            TypeError: a record has no such field, or its id is among them.
        """
        for name in changes:
            if name == "id" or name not in self.columns:
                raise TypeError(f"there is no field {name!r} to change in {self.table.name}")
        values = dict(changes)
        for name, convert in self._encode.items():
            if (value := values.get(name)) is not None:
                values[name] = convert(value)
        for name, instead in self._none_as:
            if name in values and values[name] is None:
                values[name] = instead
        return values

    def read(self, row: Row, vault: Vault | None = None) -> list[Any]:
        """The fields of a record, `columns` and then `payloads`.

        In the row the payloads stand after the columns where there is a vault; else they are not read.
        """
        width = len(self.columns)
        values = list(row[:width])
        for place, convert in self._read:
            if (value := values[place]) is not None:
                values[place] = convert(value)
        for place in self._read_empty:
            if values[place] is None:
                values[place] = ()
        values += self._not_read
        if vault is not None:
            row_id = values[self.columns.index("id")]
            for place, (name, sealed) in enumerate(zip(self.payloads, row[width:], strict=True), width):
                if sealed is not None:
                    values[place] = vault.open(sealed, context=self.context(row_id, name))
        return values

    def decode(self, row: Row) -> dict[str, Any]:
        """The fields of a record by name, without its payloads."""
        return dict(zip(self.columns, self.read(row), strict=False))

    def part(self, payload: str) -> str:
        """The name of a payload in `content`."""
        return f"{self.table.name}.{payload}"

    def context(self, row_id: str, payload: str) -> bytes:
        """What a payload is bound to: no sealed value can stand in for another."""
        return f"{self.part(payload)}:{row_id}".encode()


INBOUND = Codec(
    tables.inbound,
    {
        "kind": _enumeration(InboundKind),
        "state": _enumeration(InboundState),
        "action": _enumeration(Action),
        "received_at": _TIME,
        "sent_at": _TIME,
        "findings": _FINDINGS,
        "named_receivers": _NAMED_RECEIVERS,
    },
    payloads=(("body", b""), ("summary", None)),
    empty=("findings", "named_receivers"),
)

SENDING = Codec(
    tables.sending,
    {
        "kind": _enumeration(SendingKind),
        "state": _enumeration(SendingState),
        "headers": _MAPPING,
        "next_attempt_at": _DUE_TIME,
        "created_at": _TIME,
        "delivered_at": _TIME,
        "settled_at": _TIME,
    },
    payloads=(("body", b""),),
    given=("sequence", "lease_owner", "lease_until"),
    none_as={"next_attempt_at": 0},
)

CIRCUIT = Codec(tables.circuit, {"opened_at": _TIME, "next_probe_at": _TIME})

PAUSE = Codec(tables.pause, {"at": _TIME})

EVENT = Codec(tables.history, {"at": _TIME, "detail": _MAPPING})

AUDIT = Codec(
    tables.audit,
    {"at": _TIME, "detail": _MAPPING},
    payloads=(("reason", None),),
    given=("sequence", "id", "reason_hash", "previous", "hash"),
)
"""The columns that an entry fills; `audit_chain` fills the others"""

RECEIPT = Codec(tables.receipt, {"codes": _STRINGS, "received_at": _TIME})

REPLAY = Codec(tables.replay, {"mode": _enumeration(ReplayMode), "at": _TIME})

ADDRESS_FAULT = Codec(
    tables.address_fault,
    {"at": _TIME, "ended_at": _TIME, "outcome": (str, FaultOutcome)},
)


_inbound_message = maker(InboundMessage, (*INBOUND.columns, *INBOUND.payloads))
_sending = maker(Sending, (*SENDING.columns, *SENDING.payloads))


def inbound_message(row: Row, vault: Vault | None) -> InboundMessage:
    """A row of the inbox; without a vault, without its payloads."""
    return _inbound_message(INBOUND.read(row, vault))


def sending(row: Row, vault: Vault | None) -> Sending:
    """A row of the outbox; without a vault, without its payload."""
    return _sending(SENDING.read(row, vault))


def event(row: Row) -> Event:
    """A row of the history; its sequence stands last."""
    return Event(**EVENT.decode(row), sequence=row[-1])


def receipt(row: Row) -> Receipt:
    """A receipt."""
    return Receipt(**RECEIPT.decode(row))


def facts_to_bytes(facts: NoteFacts) -> bytes:
    """The facts of a note as they are sealed."""
    windows = [(w.point, w.start, w.end) for w in facts.windows]
    return orjson.dumps([facts.relapse, facts.in_work_up, facts.distress_score, windows])


@lru_cache(maxsize=65536)
def facts_from_bytes(document: bytes) -> NoteFacts:
    """Read `facts_to_bytes` back; of a year's notes many say the same."""
    relapse, in_work_up, score, windows = orjson.loads(document)
    return NoteFacts(
        relapse=relapse,
        in_work_up=in_work_up,
        distress_score=score,
        windows=tuple(
            Window(point=point, start=date.fromisoformat(start), end=date.fromisoformat(end))
            for point, start, end in windows
        ),
    )


def sums_to_bytes(sums: FactSums) -> bytes:
    """Sums as they are sealed."""
    windows = [[point, month, count] for (point, month), count in sorted(sums.windows.items())]
    distress = sorted(sums.distress.items())
    return orjson.dumps([sums.notes, sums.relapse, sums.in_work_up, distress, windows])


def sums_from_bytes(document: bytes) -> FactSums:
    """Read `sums_to_bytes` back."""
    notes, relapse, in_work_up, distress, windows = orjson.loads(document)
    return FactSums(
        notes=notes,
        relapse=relapse,
        in_work_up=in_work_up,
        distress=dict(distress),
        windows={(point, month): count for point, month, count in windows},
    )


def audit_record(row: Mapping[str, Any], vault: Vault) -> AuditRecord:
    """A row of the audit log, by column, its reason under `sealed`.

    Raises:
        LocalError: it can not be read: it was changed.
    """
    sealed, reason = row["sealed"], None
    try:
        values = AUDIT.decode([row[name] for name in AUDIT.columns])
        if sealed is not None:
            reason = vault.open(sealed, context=AUDIT.context(row["id"], "reason")).decode()
        entry = AuditEntry(**values, reason=reason)
    except (LocalError, OverflowError, TypeError, ValueError):
        raise LocalError(
            f"Row {row['sequence']} of the audit log can not be read: it was changed.",
            hint="pakkehjem audit verify shows what else was.",
        ) from None
    return AuditRecord(sequence=row["sequence"], id=row["id"], entry=entry, hash=row["hash"])


def replay(row: Row) -> Replay:
    """A replay."""
    return Replay(**REPLAY.decode(row))


def circuit(row: Row) -> Circuit:
    """What is known of a receiver."""
    return Circuit(**CIRCUIT.decode(row))


def pause(row: Row, vault: Vault) -> Pause:
    """What an operator has stopped; its sealed reason stands last."""
    values = PAUSE.decode(row)
    context = PAUSE.context(pause_id(values["scope"]), "reason")
    return Pause(**values, reason=vault.open(row[-1], context=context).decode())


def pause_id(scope: str) -> str:
    """What the payload of a pause is kept under."""
    return f"pause:{scope}"


def address_fault(row: Row) -> AddressFault:
    """A fault of a register entry."""
    return AddressFault(**ADDRESS_FAULT.decode(row))
