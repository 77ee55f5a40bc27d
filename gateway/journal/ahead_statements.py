"""The statements that read for a whole group: each takes a list of values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import ARRAY, ColumnElement, Dialect, Text, any_, bindparam, func, select

from gateway.contracts.states import InboundKind
from gateway.journal.rows import INBOUND, SENDING
from gateway.journal.statement import Statement, alone, holds, records
from gateway.journal.tables import address_fault, inbound, receipt, sending

_VALUES = "listed"


class AheadStatements:
    """In one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        """Compile them."""
        arrays = dialect.name == "postgresql"
        self._arrays = arrays

        def among(column: ColumnElement[Any]) -> ColumnElement[bool]:
            if arrays:
                return column == any_(bindparam(_VALUES, type_=ARRAY(Text)))
            listed = func.json_each(bindparam(_VALUES, type_=Text)).table_valued("value")
            return column.in_(select(listed.c.value))

        messages, sendings = alone(INBOUND), alone(SENDING)
        is_note = holds(inbound.c.kind, InboundKind.NOTE)
        newest = sending.c.sequence.desc()
        self.messages = Statement(messages.where(among(inbound.c.id)), dialect)
        self.whole_messages = Statement(records(INBOUND).where(among(inbound.c.id)), dialect)
        self.made_of = Statement(
            select(sending.c.inbound_id).where(among(sending.c.msg_id)).distinct(), dialect
        )
        self.messages_by_msg_id = Statement(messages.where(among(inbound.c.msg_id)), dialect)
        self.sendings_of = Statement(
            sendings.where(among(sending.c.inbound_id)).order_by(sending.c.sequence), dialect
        )
        self.sendings_by_msg_id = Statement(
            sendings.add_columns(sending.c.sequence).where(among(sending.c.msg_id)).order_by(newest), dialect
        )
        self.sendings_by_document = Statement(
            sendings.add_columns(sending.c.sequence).where(among(sending.c.document_id)).order_by(newest),
            dialect,
        )
        self.answered = Statement(
            select(receipt.c.sending_id).where(among(receipt.c.sending_id)).distinct(), dialect
        )
        self.flagged = Statement(
            select(address_fault.c.receiver).where(address_fault.c.ended_at.is_(None)), dialect
        )
        self.parents, self.roots = (
            Statement(select(column).where(is_note, among(column)).distinct(), dialect)
            for column in (inbound.c.conversation_parent, inbound.c.conversation_root)
        )
        self.patients = Statement(
            select(inbound.c.patient_reference).where(is_note, among(inbound.c.patient_reference)).distinct(),
            dialect,
        )

    def listed(self, values: Sequence[str]) -> dict[str, Any]:
        """The values of a statement, as the driver takes a list."""
        return {_VALUES: list(values) if self._arrays else orjson.dumps(list(values)).decode()}
