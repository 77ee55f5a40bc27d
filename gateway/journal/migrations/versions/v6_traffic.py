"""Circuits of receivers, pauses, attempts that may end a process; what waits, found by its receiver."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "6"
down_revision = "5"


def upgrade() -> None:
    """Add the tables, and arrange two indexes anew."""
    op.create_table(
        "circuit",
        sa.Column("receiver", sa.Text, primary_key=True),
        sa.Column("faults", sa.Integer, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("opened_at", sa.BigInteger),
        sa.Column("probes", sa.Integer, nullable=False),
        sa.Column("next_probe_at", sa.BigInteger),
    )
    op.create_table(
        "pause",
        sa.Column("scope", sa.Text, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
    )
    op.create_table(
        "attempt",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("processes", sa.Integer, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    pending = sa.text("state = 'pending'")
    for name, columns in (
        ("ix_sending_waiting", ["receiver", "conversation_root", "sequence"]),
        ("ix_sending_due", ["next_attempt_at", "sequence", "receiver"]),
    ):
        op.drop_index(name, "sending")
        op.create_index(name, "sending", columns, sqlite_where=pending, postgresql_where=pending)
