"""Replays: what was tried again, each once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "5"
down_revision = "4"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "replay",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("inbound_id", sa.Text, sa.ForeignKey("inbound.id"), nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("made", sa.Text, nullable=False),
        sa.Column("first", sa.Text, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("run", sa.Text),
        sa.UniqueConstraint("subject", "generation"),
    )
    op.create_index("ix_replay_made", "replay", ["made"])
    op.create_index("ix_replay_run", "replay", ["run"])
