"""The statements about what stops sendings: circuits, pauses, attempts that have ended a process."""

from __future__ import annotations

from sqlalchemy import Dialect, and_, bindparam, case, delete, exists, literal_column, or_, select, update

from gateway.contracts.states import SendingKind, SendingState
from gateway.contracts.traffic import EVERY_RECEIVER
from gateway.journal.rows import CIRCUIT, PAUSE
from gateway.journal.statement import Statement, holds, insert_for, records, values_of
from gateway.journal.tables import attempt, circuit, content, pause, sending

NO_FAULT = sending.c.kind != literal_column(f"'{SendingKind.FAULT.value}'")
"""Transport faults have a queue of their own: it says nothing of the receiver's"""
PAUSED = exists().where(
    or_(pause.c.scope == sending.c.receiver, pause.c.scope == literal_column(f"'{EVERY_RECEIVER}'"))
)
"""Nothing goes to the receiver of a sending: a person has said so"""
CUT_OFF = exists().where(circuit.c.receiver == sending.c.receiver, circuit.c.opened_at.is_not(None), NO_FAULT)
"""The circuit of its receiver is open"""


class TrafficStatements:
    """The statements for circuits, pauses and attempts."""

    def __init__(self, dialect: Dialect) -> None:
        """Compile them."""
        upsert = insert_for(dialect)
        self.circuits = Statement(records(CIRCUIT).order_by(circuit.c.receiver), dialect)
        put = upsert(circuit).values(values_of(CIRCUIT.columns))
        changed = {name: put.excluded[name] for name in CIRCUIT.columns}
        self.put_circuit = Statement(
            put.on_conflict_do_update(index_elements=["receiver"], set_=changed), dialect
        )
        of_receiver = circuit.c.receiver == bindparam("receiver")
        self.drop_circuit = Statement(delete(circuit).where(of_receiver), dialect)
        self.make_due = Statement(
            update(sending)
            .where(
                holds(sending.c.state, SendingState.PENDING),
                sending.c.receiver == bindparam("receiver"),
                sending.c.next_attempt_at > bindparam("now"),
            )
            .values(next_attempt_at=bindparam("now")),
            dialect,
        )
        self.attempt_at_once = Statement(
            update(sending)
            .where(
                holds(sending.c.state, SendingState.PENDING), sending.c.next_attempt_at > bindparam("after")
            )
            .values(next_attempt_at=bindparam("now")),
            dialect,
        )
        self.probe_at_once = Statement(
            update(circuit)
            .where(circuit.c.next_probe_at > bindparam("after"))
            .values(next_probe_at=bindparam("now")),
            dialect,
        )
        someone_waits = exists().where(
            holds(sending.c.state, SendingState.PENDING), sending.c.receiver == circuit.c.receiver, NO_FAULT
        )
        paused = exists().where(
            or_(pause.c.scope == circuit.c.receiver, pause.c.scope == literal_column(f"'{EVERY_RECEIVER}'"))
        )
        self.to_probe = Statement(
            select(circuit.c.receiver).where(
                circuit.c.opened_at.is_not(None),
                circuit.c.next_probe_at <= bindparam("now"),
                ~paused,
                someone_waits,
            ),
            dialect,
        )
        self.probing = Statement(
            update(circuit).where(of_receiver).values(next_probe_at=bindparam("until")), dialect
        )
        reason = (
            content.c.row_id == literal_column("'pause:'") + pause.c.scope,
            content.c.part == literal_column(f"'{PAUSE.part('reason')}'"),
        )
        self.pauses = Statement(
            select(*(pause.c[name] for name in PAUSE.columns), content.c.sealed)
            .join_from(pause, content, and_(*reason))
            .order_by(pause.c.scope),
            dialect,
        )
        self.pause = Statement(
            upsert(pause).values(values_of(PAUSE.columns)).on_conflict_do_nothing(index_elements=["scope"]),
            dialect,
        )
        self.resume = Statement(delete(pause).where(pause.c.scope == bindparam("scope")), dialect)
        begin = upsert(attempt).values(
            key=bindparam("key"), processes=literal_column("1"), owner=bindparam("owner"), at=bindparam("at")
        )
        another = case(
            (attempt.c.owner == begin.excluded.owner, literal_column("0")), else_=literal_column("1")
        )
        self.begin_attempt = Statement(
            begin.on_conflict_do_update(
                index_elements=["key"],
                set_={
                    "processes": attempt.c.processes + another,
                    "owner": begin.excluded.owner,
                    "at": begin.excluded.at,
                },
            ),
            dialect,
        )
        of_key = attempt.c.key == bindparam("key")
        self.attempts = Statement(select(attempt.c.processes).where(of_key), dialect)
        self.end_attempt = Statement(delete(attempt).where(of_key), dialect)
