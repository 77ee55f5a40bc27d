"""What the questions behind the report share: which messages, of which month and department."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, case, func, literal, literal_column

from gateway.contracts.states import InboundKind
from gateway.journal.figures import Month
from gateway.journal.rows import to_time
from gateway.journal.statement import holds
from gateway.journal.tables import inbound

UNIT: ColumnElement[Any] = func.coalesce(inbound.c.unit, inbound.c.hospital)
"""HER-id of the department, else of the hospital"""


def number(value: int) -> ColumnElement[int]:
    """A number that stands in the statement; of whole numbers SQL makes whole ones."""
    return literal_column(str(value), type_=BigInteger)


def came_in(some: Sequence[Month], kind: InboundKind = InboundKind.NOTE) -> Iterator[ColumnElement[bool]]:
    """What came in these months, which follow on each other."""
    yield holds(inbound.c.kind, kind)
    yield inbound.c.received_at >= literal(to_time(some[0].start))
    yield inbound.c.received_at < literal(to_time(some[-1].end))


def which_month(some: Sequence[Month]) -> ColumnElement[int]:
    """Which of these months it came in, from 0."""
    # As literals: PostgreSQL must see that what is selected is what is grouped by.
    return case(
        *((inbound.c.received_at < number(to_time(month.end)), number(n)) for n, month in enumerate(some))
    )
