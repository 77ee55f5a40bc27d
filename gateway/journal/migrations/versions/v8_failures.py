"""What failed is found by indexes of its own; runs of replays are kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "8"
down_revision = "7"


def upgrade() -> None:
    """Make table and indexes."""
    op.create_table(
        "replay_run",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("planned", sa.Text, nullable=False),
        sa.Column("finished_at", sa.BigInteger),
        sa.UniqueConstraint("id"),
    )
    _partial("sending", "failed", "state IN ('failed', 'refused', 'overdue')", ["state", "inbound_id"])
    _partial("inbound", "failed", "state = 'failed'", ["received_at"])
    _partial("inbound", "unreadable", "kind = 'unreadable'", ["received_at"])


def _partial(table: str, name: str, condition: str, columns: list[str]) -> None:
    where = sa.text(condition)
    op.create_index(f"ix_{table}_{name}", table, columns, sqlite_where=where, postgresql_where=where)
