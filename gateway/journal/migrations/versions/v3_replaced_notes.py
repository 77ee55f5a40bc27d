"""An index on the notes that are changed or cancelled, for what the report counts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"


def upgrade() -> None:
    """Add it."""
    there = sa.text("replaces IS NOT NULL")
    op.create_index(
        "ix_inbound_replaces", "inbound", ["replaces"], sqlite_where=there, postgresql_where=there
    )
