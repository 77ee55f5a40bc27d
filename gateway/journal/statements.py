"""Every statement about messages that has a fixed shape: written with SQLAlchemy, compiled once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Dialect,
    Executable,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from gateway.contracts.states import TRANSITIONS, InboundKind, InboundState, SendingState
from gateway.contracts.summary import Action
from gateway.journal.ahead_statements import AheadStatements
from gateway.journal.audit_statements import AuditStatements
from gateway.journal.rows import ADDRESS_FAULT, EVENT, INBOUND, RECEIPT, REPLAY, SENDING, Codec
from gateway.journal.statement import DATABASE_CLOCK, Statement, alone, holds, insert_for, records, values_of
from gateway.journal.tables import (
    ANSWERED,
    address_fault,
    content,
    history,
    inbound,
    inbound_finding,
    receipt,
    replay,
    sending,
)
from gateway.journal.traffic_statements import CUT_OFF, NO_FAULT, PAUSED, TrafficStatements

_SENT_ON = (
    InboundState.SENDING,
    InboundState.DELIVERED,
    InboundState.ACKNOWLEDGED,
    InboundState.REFUSED,
    InboundState.FAILED,
    InboundState.HELD,
)

_NOTES = records(INBOUND).where(holds(inbound.c.kind, InboundKind.NOTE))
_SENDINGS = records(SENDING)
_OF_HOSPITAL = inbound.c.hospital == bindparam("hospital")
_NEWEST = (inbound.c.received_at.desc(), inbound.c.sequence.desc())
_NEWEST_NOTE = _NOTES.order_by(*_NEWEST).limit(literal_column("1"))
_OLDEST = (inbound.c.received_at, inbound.c.sequence)


class FindingStatements:
    """The statements about findings as rows of their own."""

    def __init__(self, dialect: Dialect) -> None:
        """Compile them."""
        c = inbound_finding.c
        self.add = Statement(insert(inbound_finding).values(values_of(column.name for column in c)), dialect)
        self.drop = Statement(delete(inbound_finding).where(c.inbound_id == bindparam("inbound_id")), dialect)
        self.received_at = Statement(
            select(inbound.c.received_at).where(inbound.c.id == bindparam("id")), dialect
        )


class ReplayStatements:
    """The statements about replays."""

    def __init__(self, dialect: Dialect) -> None:
        """Compile them."""
        self.add = Statement(
            insert_for(dialect)(replay)
            .values(values_of(REPLAY.columns))
            .on_conflict_do_nothing(index_elements=["subject", "generation"]),
            dialect,
        )
        oldest_first = records(REPLAY).order_by(replay.c.sequence)
        self.of = Statement(oldest_first.where(replay.c.subject == bindparam("subject")), dialect)
        self.that_made = Statement(oldest_first.where(replay.c.made == bindparam("made")), dialect)


class AddressFaultStatements:
    """The statements about register entries that a receiver has disowned."""

    def __init__(self, dialect: Dialect) -> None:
        """Compile them."""
        c = address_fault.c
        is_open = c.ended_at.is_(None)
        self.add = Statement(
            insert_for(dialect)(address_fault)
            .values(values_of(ADDRESS_FAULT.columns))
            .on_conflict_do_nothing(index_elements=["sending_id"]),
            dialect,
        )
        oldest_first = records(ADDRESS_FAULT).order_by(c.sequence)
        self.open = Statement(oldest_first.where(is_open), dialect)
        self.of = Statement(oldest_first.where(c.inbound_id == bindparam("message_id")), dialect)
        ended = (
            update(address_fault)
            .where(is_open)
            .values(ended_at=bindparam("new_ended_at"), outcome=bindparam("new_outcome"))
        )
        self.end = Statement(ended.where(c.sending_id == bindparam("row_id")), dialect)
        self.answer = Statement(
            ended.where(c.receiver == bindparam("her_id"), c.at < bindparam("before")), dialect
        )


class Statements:
    """The statements of the journal in one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        """Compile them."""

        def compiled(clause: Executable) -> Statement:
            return Statement(clause, dialect)

        upsert = insert_for(dialect)
        put = upsert(content).values(values_of(("row_id", "part", "sealed")))
        self.put_content = compiled(
            put.on_conflict_do_update(index_elements=["row_id", "part"], set_={"sealed": put.excluded.sealed})
        )
        self.add_inbound = compiled(
            upsert(inbound)
            .values(values_of(INBOUND.columns))
            .on_conflict_do_nothing(index_elements=["msg_id", "sender"])
        )
        self.add_sending = compiled(insert(sending).values(values_of(SENDING.columns)))
        self.add_event = compiled(insert(history).values(values_of(EVENT.columns)))
        self.add_receipt = compiled(insert(receipt).values(values_of(RECEIPT.columns)))
        self.audit = AuditStatements(dialect)
        self.ahead = AheadStatements(dialect)

        self.exists = {
            codec: compiled(select(codec.table.c.id).where(codec.table.c.id == bindparam("id")))
            for codec in (INBOUND, SENDING)
        }
        self.inbound_state = compiled(select(inbound.c.state).where(inbound.c.id == bindparam("id")))
        self.inbound = compiled(records(INBOUND).where(inbound.c.id == bindparam("id")))
        self.inbound_alone = compiled(alone(INBOUND).where(inbound.c.id == bindparam("id")))
        self.find_inbound = compiled(
            records(INBOUND).where(
                inbound.c.msg_id == bindparam("msg_id"), inbound.c.sender == bindparam("sender")
            )
        )
        self.find_inbound_alone = compiled(
            alone(INBOUND).where(
                inbound.c.msg_id == bindparam("msg_id"), inbound.c.sender == bindparam("sender")
            )
        )
        self._find_notes(compiled)
        self.recent_notes = compiled(
            _NOTES.where(
                inbound.c.patient_reference == bindparam("patient_reference"),
                inbound.c.interaction_point == bindparam("interaction_point"),
                inbound.c.received_at >= bindparam("since"),
                holds(inbound.c.action, Action.NEW, Action.CHANGE),
                holds(inbound.c.state, *_SENT_ON),
            ).order_by(*_NEWEST)
        )

        self._find_sendings(compiled)
        self._outbox(dialect)

        self.events = compiled(
            records(EVENT)
            .add_columns(history.c.sequence)
            .where(history.c.inbound_id == bindparam("inbound_id"))
            .order_by(history.c.sequence)
        )
        self.receipts = compiled(
            records(RECEIPT)
            .where(receipt.c.sending_id == bindparam("sending_id"))
            .order_by(receipt.c.sequence)
        )
        self.replays, self.address_faults = ReplayStatements(dialect), AddressFaultStatements(dialect)
        self.findings = FindingStatements(dialect)
        self.count_by_state = compiled(
            select(inbound.c.state, func.count())
            .where(holds(inbound.c.kind, InboundKind.NOTE))
            .group_by(inbound.c.state)
        )

        @cache
        def change(
            codec: Codec, names: frozenset[str], state: InboundState | None, *, claimed: bool
        ) -> Statement:
            table = codec.table
            clause = (
                update(table)
                .where(table.c.id == bindparam("row_id"))
                .values({name: bindparam(f"new_{name}") for name in names})
            )
            if state is not None:
                before = [s for s, after in TRANSITIONS.items() if state in after or s is state]
                clause = clause.where(holds(table.c.state, *before))
            if claimed:
                pending = holds(sending.c.state, SendingState.PENDING)
                clause = clause.where(pending, sending.c.fence == bindparam("fence"))
                clause = clause.values(lease_until=literal_column("0"))
            return compiled(clause)

        self._change = change
        self.traffic = TrafficStatements(dialect)

    def _outbox(self, dialect: Dialect) -> None:
        """What is to be sent, and what nobody has answered."""

        def compiled(clause: Executable) -> Statement:
            return Statement(clause, dialect)

        pending = holds(sending.c.state, SendingState.PENDING)
        earlier = sending.alias("earlier")
        first_of_its_conversation = ~exists().where(
            earlier.c.conversation_root == sending.c.conversation_root,
            earlier.c.receiver == sending.c.receiver,
            earlier.c.sequence < sending.c.sequence,
            holds(earlier.c.state, SendingState.PENDING),
        )
        waiting = _SENDINGS.where(pending).order_by(sending.c.next_attempt_at, sending.c.sequence)
        due = waiting.where(
            sending.c.next_attempt_at <= bindparam("now"), first_of_its_conversation, ~PAUSED, ~CUT_OFF
        ).limit(bindparam("limit"))
        self.due = compiled(due)
        # A receiver that is down is tried with what is not known to fail, before what has failed already.
        probe = waiting.where(
            sending.c.receiver == bindparam("receiver"), NO_FAULT, first_of_its_conversation
        ).limit(literal_column("1"))
        self.probe = compiled(probe)
        self.waiting = compiled(
            _SENDINGS.where(
                pending,
                sending.c.receiver == bindparam("receiver"),
                NO_FAULT,
                sending.c.created_at <= bindparam("before"),
            )
            .order_by(sending.c.sequence)
            .limit(bindparam("limit"))
        )
        if dialect.name == "postgresql":
            free = or_(sending.c.lease_until <= DATABASE_CLOCK, sending.c.lease_owner == bindparam("owner"))
            # A lease that has not been ended, of another: did that process end over it?
            left = and_(
                sending.c.lease_until > literal_column("0"), sending.c.lease_owner != bindparam("owner")
            )
            free_due = due.where(free).add_columns(func.coalesce(left, literal_column("false")))
            self.due_and_free = compiled(free_due.with_for_update(of=sending, skip_locked=True))
            self.lease = compiled(
                update(sending)
                .where(sending.c.id == bindparam("row_id"))
                .values(
                    lease_owner=bindparam("owner"),
                    lease_until=DATABASE_CLOCK + bindparam("microseconds", type_=BigInteger),
                    fence=sending.c.fence + literal_column("1"),
                )
            )
        of_hospital = sending.c.receiver_role == literal_column("'hospital'")
        unanswered = (
            _SENDINGS.where(
                holds(sending.c.state, SendingState.DELIVERED),
                holds(sending.c.kind, *ANSWERED),
                sending.c.created_at <= bindparam("before"),
            )
            .order_by(sending.c.created_at)
            .limit(bindparam("limit"))
            .with_for_update(of=sending, skip_locked=True)
        )
        self.unanswered_inside = compiled(unanswered.where(of_hospital))
        self.unanswered_outside = compiled(unanswered.where(~of_hospital))
        self.next_due = compiled(select(func.min(sending.c.next_attempt_at)).where(pending))

    def _find_notes(self, compiled: Callable[[Executable], Statement]) -> None:
        """Notes by what other messages may know of them."""
        by_msg_id = _NEWEST_NOTE.where(inbound.c.msg_id == bindparam("msg_id"))
        self.notes_by_msg_id = compiled(by_msg_id)
        self.notes_by_msg_id_of_hospital = compiled(by_msg_id.where(_OF_HOSPITAL))
        by_document = _NOTES.where(inbound.c.document_id == bindparam("document_id")).order_by(*_OLDEST)
        one_or_other: list[ColumnElement[str]] = [bindparam("one"), bindparam("other")]
        follow = _NOTES.where(
            or_(
                inbound.c.conversation_parent.in_(one_or_other), inbound.c.conversation_root.in_(one_or_other)
            )
        ).order_by(*_OLDEST)
        self.followers = compiled(follow)
        self.followers_of_hospital = compiled(follow.where(_OF_HOSPITAL))
        self.notes_by_document = compiled(by_document)
        self.notes_by_document_of_hospital = compiled(by_document.where(_OF_HOSPITAL))

    def _find_sendings(self, compiled: Callable[[Executable], Statement]) -> None:
        """Sendings, with their payloads and without."""
        made_of = sending.c.inbound_id == bindparam("inbound_id")
        self.sendings = compiled(_SENDINGS.where(made_of).order_by(sending.c.sequence))
        self.sendings_alone = compiled(alone(SENDING).where(made_of).order_by(sending.c.sequence))
        referred_to = or_(
            sending.c.msg_id == bindparam("reference"), sending.c.document_id == bindparam("reference")
        )
        self.find_sendings = compiled(_SENDINGS.where(referred_to).order_by(sending.c.sequence.desc()))
        self.find_sendings_alone = compiled(
            alone(SENDING).where(referred_to).order_by(sending.c.sequence.desc())
        )

    def change(
        self, codec: Codec, names: Iterable[str], state: InboundState | None = None, *, claimed: bool = False
    ) -> Statement:
        """Set `new_<name>` in the row `row_id`.

        Where a state is given, only from one that leads there; where it was claimed, only while it waits and
        its last lease is the one of `fence`.
        """
        return self._change(codec, frozenset(names), state, claimed=claimed)
