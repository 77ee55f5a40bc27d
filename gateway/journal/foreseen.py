"""Rows that were read for a whole group, kept up with what their transaction writes.

Transactions that write go one at a time (`sqlite`, `postgresql`): what was read in one stays true to its end
but for what it writes itself. Payloads are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from gateway.contracts.journal import Ahead
from gateway.contracts.records import InboundMessage, Sending
from gateway.contracts.states import InboundState, SendingState
from gateway.contracts.values import replace
from gateway.journal import rows
from gateway.journal.ahead_statements import AheadStatements
from gateway.journal.rows import INBOUND, SENDING, Row
from gateway.journal.statement import Statement

Read = Callable[[Statement, Mapping[str, Any]], Sequence[Row]]


class Foreseen:
    """What is known; what is not here has to be asked for."""

    def __init__(self) -> None:
        """Nothing."""
        self._messages: dict[str, InboundMessage] = {}
        self._by_key: dict[tuple[str, str], str | None] = {}
        """Sender and MsgId; None: there is no such row"""
        self._sendings: dict[str, Sending] = {}
        self._made_of: dict[str, list[str]] = {}
        """Ids of all that was made of a message, oldest first"""
        self._referred: dict[str, list[str]] = {}
        """Ids of the sendings with a MsgId or document id, newest first"""
        self._answered: dict[str, bool] = {}
        """Whether a sending has a receipt"""
        self._flagged: set[str] | None = None
        """Receivers whose entry in the register is flagged; None: it is not known"""
        self._without_followers: set[str] = set()
        self._without_notes: set[str] = set()
        """Patients"""

    def forget(self) -> None:
        """All of it: something was undone, or changed without a word."""
        for each in (self._messages, self._by_key, self._sendings, self._made_of, self._referred):
            each.clear()
        self._answered.clear()
        self._flagged = None
        self._without_followers.clear()
        self._without_notes.clear()

    # --- read -------------------------------------------------------------------------------------------

    def read(self, ahead: Ahead, statements: AheadStatements, read: Read) -> None:
        """Read what a group will ask for."""

        def found(statement: Statement, values: Iterable[str]) -> Sequence[Row]:
            listed = [each for each in dict.fromkeys(values) if "\0" not in each]
            return read(statement, statements.listed(listed)) if listed else ()

        for key in ahead.keys:
            self._by_key.setdefault(key, None)
        for row in found(statements.messages_by_msg_id, (msg_id for _, msg_id in ahead.keys)):
            message = rows.inbound_message(row, None)
            if (message.sender, message.msg_id) in self._by_key:
                self._keep(message)
        self._read_followers(ahead, statements, found)
        referred = self._read_references(ahead.answered, statements, found)
        owners = {*ahead.messages, *(each.inbound_id for each in referred)}
        for row in found(statements.messages, owners):
            self._keep(rows.inbound_message(row, None))
        made_of: dict[str, list[str]] = {owner: [] for owner in owners}
        for row in found(statements.sendings_of, owners):
            sending = rows.sending(row, None)
            self._sendings[sending.id] = sending
            made_of[sending.inbound_id].append(sending.id)
        self._made_of |= made_of
        if referred:
            answered = {row[0] for row in found(statements.answered, (each.id for each in referred))}
            self._answered |= {each.id: each.id in answered for each in referred}
            self._flagged = {row[0] for row in read(statements.flagged, {})}

    def _read_followers(
        self,
        ahead: Ahead,
        statements: AheadStatements,
        found: Callable[[Statement, Iterable[str]], Sequence[Row]],
    ) -> None:
        followed = {row[0] for s in (statements.parents, statements.roots) for row in found(s, ahead.notes)}
        self._without_followers |= {each for each in ahead.notes if each not in followed and "\0" not in each}
        known = {row[0] for row in found(statements.patients, ahead.patients)}
        self._without_notes |= {each for each in ahead.patients if each not in known}

    def _read_references(
        self,
        references: Sequence[str],
        statements: AheadStatements,
        found: Callable[[Statement, Iterable[str]], Sequence[Row]],
    ) -> list[Sending]:
        wanted = {each for each in references if each and "\0" not in each}
        sequences: dict[str, int] = {}
        referred: dict[str, Sending] = {}
        for statement in (statements.sendings_by_msg_id, statements.sendings_by_document):
            for row in found(statement, wanted):
                sending = rows.sending(row[:-1], None)
                referred[sending.id], sequences[sending.id] = sending, row[-1]
        for reference in wanted:
            ids = [s.id for s in referred.values() if reference in (s.msg_id, s.document_id)]
            self._referred[reference] = sorted(ids, key=sequences.__getitem__, reverse=True)
        return list(referred.values())

    def _keep(self, message: InboundMessage) -> None:
        self._messages[message.id] = message
        self._by_key[message.sender, message.msg_id] = message.id

    # --- asked ------------------------------------------------------------------------------------------

    def knows(self, sender: str, msg_id: str) -> bool:
        """Whether it is known if the inbox has a row of this key."""
        return (sender, msg_id) in self._by_key

    def by_key(self, sender: str, msg_id: str) -> InboundMessage | None:
        """That row."""
        message_id = self._by_key[sender, msg_id]
        return None if message_id is None else self._messages[message_id]

    def message(self, message_id: str) -> InboundMessage | None:
        """A row of the inbox; None: it is not known."""
        return self._messages.get(message_id)

    def sending(self, sending_id: str) -> Sending | None:
        """A row of the outbox; None: it is not known."""
        return self._sendings.get(sending_id)

    def made_of(self, message_id: str) -> list[Sending] | None:
        """What was made of a message, oldest first; None: it is not known."""
        ids = self._made_of.get(message_id)
        return None if ids is None else [self._sendings[each] for each in ids]

    def referred(self, reference: str) -> list[Sending] | None:
        """Sendings with this MsgId or document id, newest first; None: it is not known."""
        ids = self._referred.get(reference)
        return None if ids is None else [self._sendings[each] for each in ids]

    def answered(self, sending_id: str) -> bool | None:
        """Whether a sending has a receipt; None: it is not known."""
        return self._answered.get(sending_id)

    def is_not_flagged(self, receiver: str) -> bool:
        """Whether it is known that the register's entry of a receiver is not flagged."""
        return self._flagged is not None and receiver not in self._flagged

    def has_no_followers(self, msg_ids: Iterable[str]) -> bool:
        """Whether it is known that no note follows these."""
        return self._without_followers.issuperset(msg_ids)

    def has_no_notes(self, patient_reference: str) -> bool:
        """Whether it is known that there is no note of a patient."""
        return patient_reference in self._without_notes

    # --- written ----------------------------------------------------------------------------------------

    def added(self, message: InboundMessage) -> None:
        """A row of the inbox is new."""
        self._keep(_without_payloads(message))
        self._made_of[message.id] = []
        self._related(message)

    def _related(self, message: InboundMessage) -> None:
        self._without_followers -= {message.conversation_parent, message.conversation_root}
        self._without_notes.discard(message.patient_reference or "")

    def changed(self, message_id: str, changes: Mapping[str, Any]) -> None:
        """A row of the inbox has other values."""
        before = self._messages.get(message_id)
        if before is None:
            # What is not known by its id may be known by what it is found by.
            if not _FOUND_BY.isdisjoint(changes):
                self.forget()
            return
        after = replace(before, **_without(_MESSAGE_PAYLOADS, changes, InboundState))
        if (after.sender, after.msg_id) != (before.sender, before.msg_id):
            self.forget()
            return
        self._messages[message_id] = after
        self._related(after)

    def sent(self, sending: Sending) -> None:
        """A row of the outbox is new."""
        self._referred.pop(sending.msg_id, None)
        self._referred.pop(sending.document_id or "", None)
        made_of = self._made_of.get(sending.inbound_id)
        if made_of is not None:
            self._sendings[sending.id] = replace(sending, body=b"", alone=False)
            self._answered[sending.id] = False
            made_of.append(sending.id)

    def moved(self, sending_id: str, changes: Mapping[str, Any]) -> None:
        """A row of the outbox has other values."""
        if not _REFERRED_BY.isdisjoint(changes):
            self.forget()
        before = self._sendings.get(sending_id)
        if before is not None:
            self._sendings[sending_id] = replace(before, **_without(SENDING.payloads, changes, SendingState))

    def flagged(self, receiver: str) -> None:
        """The entry of a receiver is flagged."""
        if self._flagged is not None:
            self._flagged.add(receiver)

    def receipt(self, sending_id: str) -> None:
        """A sending has a receipt."""
        self._answered[sending_id] = True


_MESSAGE_PAYLOADS = frozenset({*INBOUND.payloads, "facts"})
_FOUND_BY = frozenset(
    {"sender", "msg_id", "kind", "conversation_parent", "conversation_root", "patient_reference"}
)
_REFERRED_BY = frozenset({"inbound_id", "msg_id", "document_id"})


def _without(payloads: Collection[str], changes: Mapping[str, Any], states: type[StrEnum]) -> dict[str, Any]:
    values = {name: value for name, value in changes.items() if name not in payloads}
    if "state" in values:
        values["state"] = states(values["state"])
    return values


def _without_payloads(message: InboundMessage) -> InboundMessage:
    return replace(message, body=b"", summary=None, facts=None)
