"""Reading the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Select, and_, literal_column, or_, select

from gateway.contracts.audit import AuditFilter
from gateway.journal.rows import AUDIT, to_time
from gateway.journal.session import Session
from gateway.journal.tables import audit, content

BATCH: Final = 500
"""Rows that are read at once"""

NAMES: Final = (*(column.name for column in audit.columns), "sealed")


def _rows() -> Select[Any]:
    """Whole rows, and their reasons as they are sealed."""
    mine = and_(
        content.c.row_id == audit.c.id,
        content.c.part == literal_column(f"'{AUDIT.part('reason')}'"),
    )
    return (
        select(*audit.columns, content.c.sealed)
        .select_from(audit.outerjoin(content, mine))
        .order_by(audit.c.sequence)
    )


def batch(session: Session, criteria: AuditFilter, after: int | None) -> list[Mapping[str, Any]]:
    """The next rows after a sequence number (None: from the first row on, whatever its number)."""
    c = audit.c
    query = _rows().limit(BATCH)
    if after is not None:
        query = query.where(c.sequence > after)
    if criteria.since is not None:
        query = query.where(c.at >= to_time(criteria.since))
    if criteria.until is not None:
        query = query.where(c.at < to_time(criteria.until))
    if criteria.who:
        query = query.where(or_(c.who.in_(criteria.who), c.sudo_user.in_(criteria.who)))
    if criteria.actions:
        query = query.where(c.action.in_(criteria.actions))
    return [dict(zip(NAMES, row, strict=True)) for row in session.select(query)]
