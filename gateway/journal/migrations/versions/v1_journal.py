"""Inbox, outbox, history, receipts and payloads."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None


def _text(name: str, *, needed: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=not needed)


def _time(name: str, *, needed: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=not needed)


def _sequence() -> sa.Column[int]:
    return sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True)


def _points_at(name: str, table: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, sa.ForeignKey(f"{table}.id"), nullable=False)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "content",
        sa.Column("row_id", sa.Text, primary_key=True),
        sa.Column("part", sa.Text, primary_key=True),
        sa.Column("sealed", sa.LargeBinary),
    )
    op.create_table(
        "inbound",
        _sequence(),
        *(_text(name, needed=True) for name in ("id", "kind", "state", "queue")),
        _time("received_at", needed=True),
        *(_text(name, needed=True) for name in ("sender", "msg_id", "content_hash")),
        *(_text(name) for name in ("format", "system")),
        _text("action", needed=True),
        _time("sent_at"),
        *(_text(name) for name in ("hospital", "unit", "unit_name", "municipality", "gp")),
        _text("patient_reference"),
        sa.Column("interaction_point", sa.Integer),
        *(_text(name) for name in ("document_id", "conversation_parent", "conversation_root", "replaces")),
        *(_text(name) for name in ("findings", "named_receivers", "reason")),
    )
    # The ids must be unique before others can point at them.
    op.create_index("ix_inbound_id", "inbound", ["id"], unique=True)
    op.create_table(
        "sending",
        _sequence(),
        _text("id", needed=True),
        _points_at("inbound_id", "inbound"),
        *(_text(name, needed=True) for name in ("kind", "state", "receiver")),
        _text("receiver_role"),
        _text("queue", needed=True),
        _text("format"),
        _text("msg_id", needed=True),
        *(_text(name) for name in ("document_id", "conversation_root", "headers")),
        sa.Column("answers", sa.Integer),
        sa.Column("attempts", sa.Integer, nullable=False),
        _time("next_attempt_at", needed=True),
        *(_time(name) for name in ("created_at", "delivered_at", "settled_at")),
        *(_text(name) for name in ("apprec", "error")),
    )
    op.create_index("ix_sending_id", "sending", ["id"], unique=True)
    op.create_table(
        "event",
        _sequence(),
        _points_at("inbound_id", "inbound"),
        _time("at", needed=True),
        _text("name", needed=True),
        *(_text(name) for name in ("sending_id", "detail")),
    )
    op.create_table(
        "receipt",
        _sequence(),
        _points_at("sending_id", "sending"),
        _points_at("inbound_id", "inbound"),
        *(_text(name, needed=True) for name in ("apprec_id", "status", "codes")),
        _time("received_at", needed=True),
    )
    _indexes()
    _only_ever_added()


def _index(table: str, *columns: str, where: str | None = None, name: str | None = None) -> None:
    condition = None if where is None else sa.text(where)
    op.create_index(
        f"ix_{table}_{name or columns[0]}",
        table,
        list(columns),
        sqlite_where=condition,
        postgresql_where=condition,
    )


def _indexes() -> None:
    op.create_index("ix_inbound_msg_id", "inbound", ["msg_id", "sender"], unique=True)
    _index("inbound", "received_at")
    _index("inbound", "state", "received_at", "kind", where="kind = 'note'")
    _index(
        "inbound",
        "patient_reference",
        "interaction_point",
        "received_at",
        where="patient_reference IS NOT NULL",
    )
    for name in ("document_id", "conversation_parent", "conversation_root"):
        _index("inbound", name, where=f"{name} IS NOT NULL")
    _index("sending", "inbound_id")
    _index("sending", "msg_id")
    _index("sending", "document_id", where="document_id IS NOT NULL")
    _index("sending", "next_attempt_at", "sequence", where="state = 'pending'", name="due")
    _index("event", "inbound_id")
    _index("receipt", "sending_id")


def _only_ever_added() -> None:
    text = "events are only ever added"
    if op.get_context().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER event_no_{change.lower()} BEFORE {change} ON event "
                f"BEGIN SELECT RAISE(ABORT, '{text}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION event_unchanged() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{text}' USING ERRCODE = 'restrict_violation'; END $$"
    )
    op.execute(
        "CREATE TRIGGER event_unchanged BEFORE UPDATE OR DELETE OR TRUNCATE ON event "
        "FOR EACH STATEMENT EXECUTE FUNCTION event_unchanged()"
    )
