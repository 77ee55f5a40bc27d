"""Indexes in the order of time for every filter of `messages list`; findings as rows of their own."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "9"
down_revision = "8"

_BATCH = 1000


def upgrade() -> None:
    """Make indexes and table, and fill it from what is there."""
    op.create_table(
        "inbound_finding",
        sa.Column("inbound_id", sa.Text, sa.ForeignKey("inbound.id"), primary_key=True),
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("received_at", sa.BigInteger, nullable=False),
    )
    _fill()
    op.create_index("ix_inbound_finding_code", "inbound_finding", ["code", "received_at"])
    for name in ("system", "unit", "municipality"):
        _index(f"ix_inbound_{name}", "inbound", [name, "received_at"], f"{name} IS NOT NULL")
    _index("ix_inbound_others", "inbound", ["received_at"], "kind <> 'note'")
    op.drop_index("ix_sending_failed", "sending")
    failed = "state IN ('failed', 'refused', 'overdue')"
    _index("ix_sending_failed", "sending", ["state", "inbound_id", "apprec", "error"], failed)
    op.create_index("ix_sending_receiver", "sending", ["receiver", "inbound_id"])
    if op.get_context().dialect.name == "postgresql":
        # An id is looked for by its beginning; other collations than C have no order for that.
        op.execute("CREATE INDEX ix_inbound_id_prefix ON inbound (id text_pattern_ops)")
        op.execute("CREATE INDEX ix_inbound_msg_id_prefix ON inbound (msg_id text_pattern_ops)")


def _index(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def _fill() -> None:
    connection, last = op.get_bind(), 0
    insert = sa.text("INSERT INTO inbound_finding (inbound_id, code, received_at) VALUES (:i, :c, :at)")
    some = sa.text(
        "SELECT sequence, id, received_at, findings FROM inbound "
        "WHERE findings IS NOT NULL AND sequence > :last ORDER BY sequence LIMIT :most"
    )
    while found := connection.execute(some, {"last": last, "most": _BATCH}).all():
        last = found[-1][0]
        rows = [
            {"i": inbound_id, "c": code, "at": at}
            for _, inbound_id, at, findings in found
            for code in dict.fromkeys(each["code"] for each in json.loads(findings))
        ]
        if rows:
            connection.execute(insert, rows)
