"""What an operator does to a journal while gateways work on it: take payloads away, seal them anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, bindparam, exists, func, or_, select, update

from gateway.contracts.ports import Vault
from gateway.contracts.records import Event
from gateway.contracts.states import InboundKind, InboundState, SendingState
from gateway.journal.figure_reader import add_up
from gateway.journal.rows import AUDIT, EVENT, to_time
from gateway.journal.session import Session
from gateway.journal.statement import holds
from gateway.journal.statements import Statements
from gateway.journal.tables import ANSWERED, audit, content, history, inbound, sending

BATCH = 200
"""Rows of one transaction: gateways work on in between"""

ENDED = (
    InboundState.REJECTED,
    InboundState.WITHHELD,
    InboundState.ACCEPTED,
    InboundState.ACKNOWLEDGED,
    InboundState.DISCARDED,
)
"""States in which nobody is waited for. Of what was refused or has failed a person may still want to read.

A sending of theirs may wait all the same: a note that was cancelled, and whose receiver has not answered"""


def _ended(kinds: Sequence[InboundKind], before: datetime, after: int) -> Select[Any]:
    """Messages that have ended before a time and have a payload; from a place in the inbox on."""
    theirs = or_(
        content.c.row_id == inbound.c.id,
        content.c.row_id.in_(
            select(sending.c.id).where(sending.c.inbound_id == inbound.c.id).correlate(inbound)
        ),
    )
    waits = exists().where(
        sending.c.inbound_id == inbound.c.id,
        or_(
            holds(sending.c.state, SendingState.PENDING, SendingState.FAILED),
            and_(holds(sending.c.state, SendingState.DELIVERED), holds(sending.c.kind, *ANSWERED)),
        ),
    )
    happened_since = exists().where(history.c.inbound_id == inbound.c.id, history.c.at >= to_time(before))
    return (
        select(inbound.c.sequence, inbound.c.id)
        .where(
            inbound.c.sequence > after,
            inbound.c.received_at < to_time(before),
            holds(inbound.c.kind, *kinds),
            holds(inbound.c.state, *ENDED),
            ~waits,
            ~happened_since,
            exists().where(theirs, content.c.sealed.is_not(None)),
        )
        .order_by(inbound.c.sequence)
        .limit(BATCH)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Purge:
    """What is taken away."""

    kinds: Sequence[InboundKind]
    before: datetime
    """When the messages came, and anything happened to them, at the latest"""
    at: datetime
    """The time of the events"""


def purge_batch(
    session: Session, statements: Statements, vault: Vault, purge: Purge, after: int
) -> tuple[int | None, int]:
    """Take the payloads of some messages away; rows and history stay, and say so.

    What the report counts of them is added to its sums.

    Args:
        session: of a transaction that writes.
        statements: in its dialect.
        vault: opens and seals what is counted.
        purge: what is taken away.
        after: place in the inbox of the last message of the batch before; 0 at first.

    Returns:
        The place of the last message of this batch (None: there are no more), and how many there were.
    """
    found = session.select(_ended(purge.kinds, purge.before, after))
    if not found:
        return None, 0
    ids = [row[1] for row in found]
    add_up(session, statements, vault, ids)
    made = select(sending.c.id).where(sending.c.inbound_id.in_(ids))
    session.execute(
        update(content).where(or_(content.c.row_id.in_(ids), content.c.row_id.in_(made))).values(sealed=None)
    )
    events = [Event(inbound_id=each, at=purge.at, name="purged") for each in ids]
    session.change_many(
        statements.add_event, [statements.add_event.bind(EVENT.encode(event)) for event in events]
    )
    return int(found[-1][0]), len(ids)


def purge_reasons(session: Session, before: datetime) -> int:
    """Take away what operators wrote to the audit log before a time; how many reasons. The rows stay."""
    older = select(audit.c.id).where(audit.c.at < to_time(before))
    mine = (content.c.part == AUDIT.part("reason"), content.c.row_id.in_(older))
    there = select(func.count()).select_from(content).where(*mine, content.c.sealed.is_not(None))
    count = int(session.select(there)[0][0])
    if count:
        session.execute(update(content).where(*mine).values(sealed=None))
    return count


def reseal_batch(
    session: Session, vault: Vault, after: tuple[str, str]
) -> tuple[tuple[str, str] | None, int]:
    """Seal some payloads with the key that writes now.

    Args:
        session: of a transaction that writes.
        vault: opens with the old keys and seals with the new one.
        after: row id and part of the last payload of the batch before; two empty words at first.

    Returns:
        The last payload of this batch (None: there are no more), and how many were sealed.

    Raises:
        LocalError: no key opens one of them.
    """
    c = content.c
    found = session.select(
        select(c.row_id, c.part, c.sealed)
        .where(or_(c.row_id > after[0], and_(c.row_id == after[0], c.part > after[1])))
        .order_by(c.row_id, c.part)
        .limit(BATCH)
    )
    put = update(content).where(c.row_id == bindparam("of"), c.part == bindparam("which"))
    count = 0
    for row_id, part, sealed in found:
        context = f"{part}:{row_id}".encode()
        # The check value of the key, which has a context of its own, is sealed apart.
        if sealed is None or part == "key":
            continue
        anew = vault.seal(vault.open(sealed, context=context), context=context)
        session.execute(put.values(sealed=anew), {"of": row_id, "which": part})
        count += 1
    return ((found[-1][0], found[-1][1]) if found else None), count
