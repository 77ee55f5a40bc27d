"""Entries of the address register that a receiver has disowned."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "7"
down_revision = "6"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "address_fault",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("sending_id", sa.Text, sa.ForeignKey("sending.id"), nullable=False, unique=True),
        sa.Column("inbound_id", sa.Text, sa.ForeignKey("inbound.id"), nullable=False),
        sa.Column("receiver", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("codes", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("outcome", sa.Text),
    )
    op.create_index("ix_address_fault_inbound_id", "address_fault", ["inbound_id"])
    there = sa.text("ended_at IS NULL")
    op.create_index(
        "ix_address_fault_open",
        "address_fault",
        ["receiver"],
        sqlite_where=there,
        postgresql_where=there,
    )
