"""What failed is counted from indexes alone; what somebody has discarded is left out by one, too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "11"
down_revision = "10"


def upgrade() -> None:
    """Make the index of failed sendings anew, with what they are counted by; one of what is discarded."""
    op.drop_index("ix_sending_failed", "sending")
    _partial(
        "sending",
        "failed",
        "state IN ('failed', 'refused', 'overdue')",
        ["state", "inbound_id", "apprec", "error", "receiver", "settled_at", "created_at", "sequence"],
    )
    _partial("inbound", "discarded", "state = 'discarded'", ["id", "state"])


def _partial(table: str, name: str, condition: str, columns: list[str]) -> None:
    where = sa.text(condition)
    op.create_index(f"ix_{table}_{name}", table, columns, sqlite_where=where, postgresql_where=where)
