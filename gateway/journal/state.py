"""How the journal stands: what whoever watches the service asks every few seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, literal_column, select, text

from gateway.contracts.states import SendingState
from gateway.contracts.traffic import Circuit
from gateway.journal.rows import from_time
from gateway.journal.session import Session
from gateway.journal.statement import holds
from gateway.journal.tables import ANSWERED, inbound, sending


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalState:
    """The journal at one moment."""

    notes: Mapping[str, int]
    """By state"""
    waiting: int
    """Sendings in the outbox"""
    oldest_waiting: datetime | None
    unanswered: int
    """Sendings whose receiver has not answered"""
    size_bytes: int
    circuits: Sequence[Circuit]
    pauses: Sequence[str]
    """Their scopes"""


def outbox(session: Session) -> tuple[int, datetime | None]:
    """How many sendings wait, and since when the oldest does."""
    pending = holds(sending.c.state, SendingState.PENDING)
    columns: tuple[Any, ...] = (func.count(), func.min(sending.c.created_at))
    query: Select[Any] = select(*columns).select_from(sending).where(pending)
    ((count, oldest),) = session.select(query)
    return int(count), None if oldest is None else from_time(oldest)


def unanswered(session: Session) -> int:
    """How many sendings wait for an AppRec."""
    query: Select[Any] = (
        select(func.count())
        .select_from(sending)
        .where(holds(sending.c.state, SendingState.DELIVERED), holds(sending.c.kind, *ANSWERED))
    )
    return int(session.select(query)[0][0])


def messages(session: Session) -> int:
    """How many messages came in at the most."""
    query: Select[Any] = select(func.coalesce(func.max(inbound.c.sequence), 0))
    return int(session.select(query)[0][0])


def size_bytes(session: Session) -> int:
    """What the journal takes of its disk."""
    query: Select[Any]
    if session.connection.dialect.name == "postgresql":
        query = select(literal_column("pg_database_size(current_database())"))
    else:
        query = select(literal_column("page_count * page_size")).select_from(
            text("pragma_page_count(), pragma_page_size()")
        )
    return int(session.select(query)[0][0])
