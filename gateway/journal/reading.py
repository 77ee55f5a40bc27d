"""What a transaction is asked for about messages and sendings."""

from __future__ import annotations

from collections.abc import Container, Sequence
from datetime import datetime
from itertools import zip_longest

from gateway.contracts.records import InboundMessage, Sending
from gateway.contracts.states import SendingKind
from gateway.journal import rows
from gateway.journal.rows import Row
from gateway.journal.statement import Statement
from gateway.journal.traffic import SqlTraffic


def _age(message: InboundMessage) -> datetime:
    return message.received_at


def _first(found: Sequence[InboundMessage]) -> InboundMessage | None:
    return found[0] if found else None


class SqlReading(SqlTraffic):
    """The part of a transaction that reads the inbox and the outbox."""

    def find_inbound(self, *, sender: str, msg_id: str, content: bool = True) -> InboundMessage | None:
        """The inbox row of a sender's message id; without content, its payloads are left out."""
        if not content and self._foreseen.knows(sender, msg_id):
            return self._foreseen.by_key(sender, msg_id)
        s = self._statements
        statement = s.find_inbound if content else s.find_inbound_alone
        return _first(self._messages(statement, content=content, sender=sender, msg_id=msg_id))

    def find_inbound_by_msg_id(self, msg_id: str, *, hospital: str | None = None) -> InboundMessage | None:
        """The note (newest first) with this MsgId, of this hospital where one is given."""
        s = self._statements
        statement = s.notes_by_msg_id if hospital is None else s.notes_by_msg_id_of_hospital
        return _first(self._messages(statement, msg_id=msg_id, hospital=hospital))

    def find_inbound_by_document_id(self, document_id: str, *, hospital: str | None) -> list[InboundMessage]:
        """The notes with this ServProvId, of this hospital where one is given, oldest first."""
        s = self._statements
        statement = s.notes_by_document if hospital is None else s.notes_by_document_of_hospital
        return self._messages(statement, document_id=document_id, hospital=hospital)

    def inbound(self, inbound_id: str, *, content: bool = True) -> InboundMessage | None:
        """An inbox row by our id; without content, its payloads are left out."""
        if not content and (known := self._foreseen.message(inbound_id)) is not None:
            return known
        statement = self._statements.inbound if content else self._statements.inbound_alone
        return _first(self._messages(statement, content=content, id=inbound_id))

    def originals(self, msg_ids: Sequence[str], *, known: Container[str] = ()) -> list[InboundMessage]:
        """The messages that sendings with these MsgIds were made of, but for those whose ids are `known`."""
        ahead = self._statements.ahead
        made_of = self._rows(ahead.made_of, **ahead.listed(msg_ids))
        wanted = [row[0] for row in made_of if row[0] not in known]
        return self._messages(ahead.whole_messages, **ahead.listed(wanted)) if wanted else []

    def recent_notes(
        self, *, patient_reference: str, interaction_point: int, since: datetime
    ) -> list[InboundMessage]:
        """Notes that came in since then for the patient and interaction point, newest first.

        New notes and changes that were sent on or are held; none that was rejected, withheld, discarded,
        or taken in without a sending, and no cancellation.
        """
        if self._foreseen.has_no_notes(patient_reference):
            return []
        return self._messages(
            self._statements.recent_notes,
            patient_reference=patient_reference,
            interaction_point=interaction_point,
            since=rows.to_time(since),
        )

    def followers(self, msg_ids: Sequence[str], *, hospital: str | None = None) -> list[InboundMessage]:
        """Notes whose conversation parent or root is one of these MsgIds, oldest first."""
        if self._foreseen.has_no_followers(msg_ids):
            return []
        s = self._statements
        statement = s.followers if hospital is None else s.followers_of_hospital
        found: dict[str, InboundMessage] = {}
        for one, other in zip_longest(msg_ids[::2], msg_ids[1::2], fillvalue=msg_ids[0] if msg_ids else ""):
            for each in self._messages(statement, one=one, other=other, hospital=hospital):
                found[each.id] = each
        # A message has one reference or two: mostly there is one query, which has them in order.
        return list(found.values()) if len(msg_ids) <= 2 else sorted(found.values(), key=_age)

    def sendings(
        self, inbound_id: str, *, kinds: Sequence[SendingKind] = (), content: bool = True
    ) -> list[Sending]:
        """What was made of an inbound message, oldest first; without content, payloads are left out."""
        found = None if content else self._foreseen.made_of(inbound_id)
        if found is None:
            statement = self._statements.sendings if content else self._statements.sendings_alone
            found = self._outgoing(statement, content=content, inbound_id=inbound_id)
        return [each for each in found if each.kind in kinds] if kinds else found

    def find_sendings(self, reference: str, *, content: bool = True) -> list[Sending]:
        """Sendings with this MsgId, or (epikrise) this document id; newest first.

        Without content, payloads are left out.
        """
        if not content and (known := self._foreseen.referred(reference)) is not None:
            return known
        s = self._statements
        statement = s.find_sendings if content else s.find_sendings_alone
        return self._outgoing(statement, content=content, reference=reference) if reference else []

    def due(self, now: datetime, *, limit: int) -> list[Sending]:
        """Pending sendings whose time has come, the one that waits longest first.

        Of a conversation with a receiver, the one that was made first: the next follows when it is no longer
        pending.
        """
        return self._outgoing(self._statements.due, now=rows.to_time(now), limit=limit)

    def unanswered(self, *, inside: bool, before: datetime, limit: int) -> list[Sending]:
        """Sendings to hospitals, or to the others, that were transported and not answered; oldest first."""
        s = self._statements
        statement = s.unanswered_inside if inside else s.unanswered_outside
        return self._outgoing(statement, before=rows.to_time(before), limit=limit)

    def _messages(
        self, statement: Statement, *, content: bool = True, **values: object
    ) -> list[InboundMessage]:
        vault = self._vault if content else None
        return [rows.inbound_message(row, vault) for row in self._rows(statement, **values)]

    def _outgoing(self, statement: Statement, *, content: bool = True, **values: object) -> list[Sending]:
        vault = self._vault if content else None
        return [rows.sending(row, vault) for row in self._rows(statement, **values)]

    def _rows(self, statement: Statement, **values: object) -> Sequence[Row]:
        return self._writing.rows(statement, values)
