"""The tables. Times are microseconds since 1970 in UTC; lists and mappings are JSON.

Payloads stand apart from the rows that they belong to: a change of state then writes a small row only,
and a list of messages reads none of them.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

from gateway.contracts.states import SendingKind

SCHEMA_VERSION = "12"
"""The revision that these tables are of; `migrations` makes them"""

metadata = MetaData()


def _sequence() -> Column[int]:
    """The order in which rows were added; SQLite counts in an `INTEGER PRIMARY KEY` only."""
    return Column("sequence", BigInteger().with_variant(Integer, "sqlite"), primary_key=True)


content = Table(
    "content",
    metadata,
    Column("row_id", Text, primary_key=True),
    Column("part", Text, primary_key=True),
    Column("sealed", LargeBinary),
)
"""Encrypted payloads, by the id of their row and `table.column`; empty where one was taken away."""

inbound = Table(
    "inbound",
    metadata,
    _sequence(),
    Column("id", Text, nullable=False, unique=True, index=True),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("sender", Text, nullable=False),
    Column("msg_id", Text, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("format", Text),
    Column("system", Text),
    Column("action", Text, nullable=False),
    Column("sent_at", BigInteger),
    Column("hospital", Text),
    Column("unit", Text),
    Column("unit_name", Text),
    Column("municipality", Text),
    Column("gp", Text),
    Column("patient_reference", Text),
    Column("interaction_point", Integer),
    Column("document_id", Text),
    Column("conversation_parent", Text),
    Column("conversation_root", Text),
    Column("replaces", Text),
    Column("findings", Text),
    Column("named_receivers", Text),
    Column("reason", Text),
)
"""The inbox."""

sending = Table(
    "sending",
    metadata,
    _sequence(),
    Column("id", Text, nullable=False, unique=True, index=True),
    Column("inbound_id", Text, ForeignKey("inbound.id"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("receiver", Text, nullable=False),
    Column("receiver_role", Text),
    Column("queue", Text, nullable=False),
    Column("format", Text),
    Column("msg_id", Text, nullable=False, index=True),
    Column("document_id", Text),
    Column("conversation_root", Text),
    Column("headers", Text),
    Column("answers", Integer),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", BigInteger, nullable=False),
    Column("created_at", BigInteger),
    Column("delivered_at", BigInteger),
    Column("settled_at", BigInteger),
    Column("apprec", Text),
    Column("error", Text),
    Column("lease_owner", Text),
    Column("lease_until", BigInteger, nullable=False, server_default="0"),
    Column("fence", Integer, nullable=False, server_default="0"),
)
"""The outbox. `next_attempt_at` 0: none was given, so a pending row is due at once.

Where several processes publish, each takes rows for the time of a lease, by the database's clock; `fence`
counts the leases of a row, and only who has the last one may say what came of it.
"""

history = Table(
    "event",
    metadata,
    _sequence(),
    Column("inbound_id", Text, ForeignKey("inbound.id"), nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("sending_id", Text),
    Column("detail", Text),
)
"""Everything that happened. Rows are only ever added: triggers of the migrations see to it."""

receipt = Table(
    "receipt",
    metadata,
    _sequence(),
    Column("sending_id", Text, ForeignKey("sending.id"), nullable=False, index=True),
    Column("inbound_id", Text, ForeignKey("inbound.id"), nullable=False),
    Column("apprec_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("codes", Text, nullable=False),
    Column("received_at", BigInteger, nullable=False),
)
"""The receipts for sendings, in the order in which they came."""

audit = Table(
    "audit",
    metadata,
    # Counted by us: a gap is a row that is gone.
    Column(
        "sequence",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("sudo_user", Text),
    Column("action", Text, nullable=False),
    Column("inbound_id", Text),
    Column("sending_id", Text),
    Column("patient_reference", Text),
    Column("outcome", Text, nullable=False),
    Column("detail", Text),
    Column("reason_hash", Text),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
)
"""Who did what: rows are only ever added, and chained (`audit_chain`). The reason is a payload."""

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
    Column("seal", Text, nullable=False),
)
"""One row: where the audit log ends, sealed with the key, so that its end can not be cut off unseen."""

replay = Table(
    "replay",
    metadata,
    _sequence(),
    Column("subject", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("inbound_id", Text, ForeignKey("inbound.id"), nullable=False),
    Column("mode", Text, nullable=False),
    Column("made", Text, nullable=False, index=True),
    Column("first", Text, nullable=False),
    Column("error", Text),
    Column("by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("run", Text, index=True),
    UniqueConstraint("subject", "generation"),
)
"""What was tried again; a subject's replays are counted, and each count is there once."""

circuit = Table(
    "circuit",
    metadata,
    Column("receiver", Text, primary_key=True),
    Column("faults", Integer, nullable=False),
    Column("error", Text, nullable=False),
    Column("opened_at", BigInteger),
    Column("probes", Integer, nullable=False),
    Column("next_probe_at", BigInteger),
)
"""Receivers that sendings did not reach."""

pause = Table(
    "pause",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
)
"""What an operator has stopped. The reason is a payload."""

attempt = Table(
    "attempt",
    metadata,
    Column("key", Text, primary_key=True),
    Column("processes", Integer, nullable=False),
    Column("owner", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)
"""What may end the process that works on it: how many processes have set about it, and the last of them."""


address_fault = Table(
    "address_fault",
    metadata,
    _sequence(),
    Column("sending_id", Text, ForeignKey("sending.id"), nullable=False, unique=True),
    Column("inbound_id", Text, ForeignKey("inbound.id"), nullable=False, index=True),
    Column("receiver", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("codes", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("outcome", Text),
)
"""Entries of the register that a receiver has disowned; `ended_at` empty: the entry is flagged."""

inbound_finding = Table(
    "inbound_finding",
    metadata,
    Column("inbound_id", Text, ForeignKey("inbound.id"), primary_key=True),
    Column("code", Text, primary_key=True),
    Column("received_at", BigInteger, nullable=False),
)
"""The findings of the messages once more: what a list by finding is found by."""

replay_run = Table(
    "replay_run",
    metadata,
    _sequence(),
    Column("id", Text, nullable=False, unique=True),
    Column("at", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("planned", Text, nullable=False),
    Column("finished_at", BigInteger),
)
"""Replays that were asked for at once: what was interrupted goes on from here."""

ANSWERED = (SendingKind.NOTE, SendingKind.REPLY, SendingKind.DEVIATION)
"""Kinds of sendings that their receivers answer with an AppRec"""

FAILED_SENDING = "sending.state IN ('failed', 'refused', 'overdue')"
"""What a person may have to look after"""
