"""The query of `messages list`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select

from gateway.contracts.journal import InboundFilter
from gateway.journal.rows import INBOUND, to_time
from gateway.journal.statements import holds
from gateway.journal.tables import inbound


def listing(criteria: InboundFilter) -> Select[Any]:
    """Inbox rows without their payloads, newest first.

    Of several values for one criterion any will do; `since` is included, `until` is not.
    """
    c = inbound.c
    return (
        select(*(c[name] for name in INBOUND.columns))
        .where(*_sorts(criteria), *_marks(criteria))
        .order_by(c.received_at.desc(), c.sequence.desc())
        .limit(criteria.limit)
    )


def _sorts(criteria: InboundFilter) -> Iterator[ColumnElement[bool]]:
    """What may be one of several."""
    c = inbound.c
    for column, members in ((c.state, criteria.states), (c.kind, criteria.kinds)):
        if members:
            yield holds(column, *members)
    for column, values in (
        (c.system, criteria.systems),
        (c.unit, criteria.units),
        (c.municipality, criteria.municipalities),
    ):
        if values:
            yield column.in_(values)
    if criteria.findings:
        codes = (f'"code":"{code}"' for code in criteria.findings)
        yield or_(*(c.findings.contains(code, autoescape=True) for code in codes))


def _marks(criteria: InboundFilter) -> Iterator[ColumnElement[bool]]:
    """What is one value."""
    c = inbound.c
    if criteria.since is not None:
        yield c.received_at >= to_time(criteria.since)
    if criteria.until is not None:
        yield c.received_at < to_time(criteria.until)
    if criteria.patient_reference is not None:
        yield c.patient_reference == criteria.patient_reference
    if criteria.replaces is not None:
        yield c.replaces == criteria.replaces
    if criteria.id_prefix is not None:
        yield c.id.startswith(criteria.id_prefix, autoescape=True)
    if criteria.msg_id_prefix is not None:
        yield c.msg_id.startswith(criteria.msg_id_prefix, autoescape=True)
