"""The statements about the audit log."""

from __future__ import annotations

from sqlalchemy import Dialect, insert, select

from gateway.journal.statement import Statement, insert_for, values_of
from gateway.journal.tables import audit, audit_head


class AuditStatements:
    """The statements that write the audit log, and find where it ends."""

    def __init__(self, dialect: Dialect) -> None:
        """Compile them."""
        head = insert_for(dialect)(audit_head).values(values_of(c.name for c in audit_head.columns))
        moved = {name: head.excluded[name] for name in ("sequence", "hash", "seal")}
        self.add = Statement(insert(audit).values(values_of(c.name for c in audit.columns)), dialect)
        self.head = Statement(select(audit_head.c.sequence, audit_head.c.hash, audit_head.c.seal), dialect)
        self.put_head = Statement(head.on_conflict_do_update(index_elements=["id"], set_=moved), dialect)
