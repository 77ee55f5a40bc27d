"""Of two indexes that seem equal to it SQLite takes the newer one: that of what waits for a receiver."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "10"
down_revision = "9"


def upgrade() -> None:
    """Make the small index anew, after that of everything that a receiver ever got."""
    op.drop_index("ix_sending_waiting", "sending")
    pending = sa.text("state = 'pending'")
    op.create_index(
        "ix_sending_waiting",
        "sending",
        ["receiver", "conversation_root", "sequence"],
        sqlite_where=pending,
        postgresql_where=pending,
    )
