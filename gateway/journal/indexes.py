"""The indexes of the tables; `migrations` makes them.

Apart from the tables: nothing that runs needs them, and a partial index loads the dialects that it is for.
"""

from __future__ import annotations

from sqlalchemy import Index, Table, text

from gateway.journal.tables import (
    FAILED_SENDING,
    address_fault,
    audit,
    inbound,
    inbound_finding,
    metadata,
    sending,
)

__all__ = ["metadata"]
"""The tables with their indexes"""


def _partial(table: Table, *columns: str) -> None:
    """An index on the rows that have a value in the first of the columns."""
    there = table.c[columns[0]].is_not(None)
    name = f"ix_{table.name}_{columns[0]}"
    Index(name, *(table.c[c] for c in columns), sqlite_where=there, postgresql_where=there)


# In this order the index finds a message id with and without its sender.
Index("ix_inbound_msg_id", inbound.c.msg_id, inbound.c.sender, unique=True)
Index("ix_inbound_received_at", inbound.c.received_at)
# Not by kind first: SQLite would then take it for every search among notes, and read them all.
_NOTE = inbound.c.kind == "note"
Index(
    "ix_inbound_state",
    inbound.c.state,
    inbound.c.received_at,
    inbound.c.kind,  # so that counting needs the index only
    sqlite_where=_NOTE,
    postgresql_where=_NOTE,
)
_partial(inbound, "patient_reference", "interaction_point", "received_at")
_partial(inbound, "document_id")
_partial(inbound, "conversation_parent")
_partial(inbound, "conversation_root")
_partial(inbound, "replaces")
_partial(sending, "document_id")
Index("ix_audit_at", audit.c.at)
_OPEN_FAULT = address_fault.c.ended_at.is_(None)
Index(
    "ix_address_fault_open",
    address_fault.c.receiver,
    sqlite_where=_OPEN_FAULT,
    postgresql_where=_OPEN_FAULT,
)

_UNANSWERED = text("state = 'delivered' AND kind IN ('note', 'reply', 'deviation')")
Index(
    "ix_sending_unanswered",
    sending.c.created_at,
    sqlite_where=_UNANSWERED,
    postgresql_where=_UNANSWERED,
)

_PENDING = sending.c.state == "pending"
Index(
    "ix_sending_due",
    sending.c.next_attempt_at,
    sending.c.sequence,
    sending.c.receiver,  # so that those of receivers that are down are passed over in the index alone
    sqlite_where=_PENDING,
    postgresql_where=_PENDING,
)

# What a sending may not overtake: those of its conversation, to its receiver, that were made before it.
Index(
    "ix_sending_waiting",
    sending.c.receiver,
    sending.c.conversation_root,
    sending.c.sequence,
    sqlite_where=_PENDING,
    postgresql_where=_PENDING,
)

_FAILED = text(FAILED_SENDING.replace("sending.", ""))
Index(
    "ix_sending_failed",
    sending.c.state,
    sending.c.inbound_id,
    sending.c.apprec,  # what is looked for and counted by: that needs the index only
    sending.c.error,
    sending.c.receiver,
    sending.c.settled_at,
    sending.c.created_at,
    sending.c.sequence,
    sqlite_where=_FAILED,
    postgresql_where=_FAILED,
)
for _name, _condition, _columns in (
    ("failed", "state = 'failed'", ("received_at",)),
    ("unreadable", "kind = 'unreadable'", ("received_at",)),
    ("discarded", "state = 'discarded'", ("id", "state")),
):
    Index(
        f"ix_inbound_{_name}",
        *(inbound.c[column] for column in _columns),
        sqlite_where=text(_condition),
        postgresql_where=text(_condition),
    )

# What `messages list` is found by: each filter in the order of time.
Index("ix_inbound_finding_code", inbound_finding.c.code, inbound_finding.c.received_at)
for _name in ("system", "unit", "municipality"):
    _partial(inbound, _name, "received_at")
_OTHERS = text("kind <> 'note'")
Index("ix_inbound_others", inbound.c.received_at, sqlite_where=_OTHERS, postgresql_where=_OTHERS)
Index("ix_sending_receiver", sending.c.receiver, sending.c.inbound_id)
