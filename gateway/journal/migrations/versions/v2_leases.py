"""Leases on the outbox, for several processes; indexes for what waits for another sending, or an AppRec."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"


def upgrade() -> None:
    """Add columns and index."""
    op.add_column("sending", sa.Column("lease_owner", sa.Text))
    op.add_column("sending", sa.Column("lease_until", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("sending", sa.Column("fence", sa.Integer, nullable=False, server_default="0"))
    pending = sa.text("state = 'pending'")
    op.create_index(
        "ix_sending_waiting",
        "sending",
        ["conversation_root", "receiver", "sequence"],
        sqlite_where=pending,
        postgresql_where=pending,
    )
    unanswered = sa.text("state = 'delivered' AND kind IN ('note', 'reply', 'deviation')")
    op.create_index(
        "ix_sending_unanswered",
        "sending",
        ["created_at"],
        sqlite_where=unanswered,
        postgresql_where=unanswered,
    )
