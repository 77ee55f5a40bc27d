"""The journal port: what came in, what was decided, what goes out, and all that happened on the way."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.contracts.addresses import AddressFault, FaultOutcome
from gateway.contracts.audit import AuditAnchor, AuditEntry, AuditFilter, AuditRecord, AuditVerdict
from gateway.contracts.records import Event, InboundFilter, InboundMessage, Receipt, Sending
from gateway.contracts.replays import Replay
from gateway.contracts.states import InboundKind, SendingKind
from gateway.contracts.traffic import Traffic, TrafficTransaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """What a group of messages is likely to ask a transaction for."""

    keys: Sequence[tuple[str, str]] = ()
    """Sender and MsgId of what came in"""
    answered: Sequence[str] = ()
    """What AppRecs name as the message that they answer"""
    notes: Sequence[str] = ()
    """MsgIds of notes, which others may follow"""
    patients: Sequence[str] = ()
    """Keyed hashes"""
    messages: Sequence[str] = ()
    """Ids (ours) of messages of whose sendings something is to be told"""


class JournalTransaction(TrafficTransaction, Protocol):
    """Reads and writes that become durable together, or not at all."""

    def foresee(self, ahead: Ahead) -> None:
        """Read for a whole group, in a few statements, what each of its messages will ask for.

        It changes no answer, and is not needed for any.
        """

    def savepoint(self, *, gather: bool = False) -> AbstractContextManager[None]:
        """What is written inside is undone, alone, if the block raises.

        With `gather`, rows that nothing inside has asked for may be written later, with those of other
        savepoints: what the store refuses of them then fails the whole transaction.
        """

    def find_inbound(self, *, sender: str, msg_id: str, content: bool = True) -> InboundMessage | None:
        """The inbox row of a sender's message id. Without content, `body` and `summary` are left out."""

    def find_inbound_by_msg_id(self, msg_id: str, *, hospital: str | None = None) -> InboundMessage | None:
        """The note (newest first) with this MsgId, of this hospital where one is given."""

    def find_inbound_by_document_id(self, document_id: str, *, hospital: str | None) -> list[InboundMessage]:
        """The notes with this ServProvId, oldest first."""

    def inbound(self, inbound_id: str, *, content: bool = True) -> InboundMessage | None:
        """An inbox row by our id. Without content, `body` and `summary` are left out (empty, None)."""

    def originals(self, msg_ids: Sequence[str], *, known: Container[str] = ()) -> list[InboundMessage]:
        """The messages that sendings with these MsgIds were made of, but for those whose ids are `known`."""

    def recent_notes(
        self, *, patient_reference: str, interaction_point: int, since: datetime
    ) -> list[InboundMessage]:
        """Notes that were sent on (or are held) for the patient and interaction point, newest first."""

    def followers(self, msg_ids: Sequence[str], *, hospital: str | None = None) -> list[InboundMessage]:
        """Notes whose conversation parent or root is one of these MsgIds, oldest first."""

    def sendings(
        self, inbound_id: str, *, kinds: Sequence[SendingKind] = (), content: bool = True
    ) -> list[Sending]:
        """What was made of an inbound message, oldest first. Without content, `body` is left out (empty)."""

    def find_sendings(self, reference: str, *, content: bool = True) -> list[Sending]:
        """Sendings with this MsgId, or (epikrise) this document id; newest first.

        Without content, `body` is left out (empty).
        """

    def due(self, now: datetime, *, limit: int) -> list[Sending]:
        """Pending sendings whose time has come, oldest first; none that waits for a pause or circuit to end.

        Of those of one `conversation_root` to one receiver only the one that was made first: a change never
        overtakes what it changes.
        """

    def waiting(self, receiver: str, *, before: datetime, limit: int) -> list[Sending]:
        """Pending sendings to a receiver that were made before a time, oldest first."""

    def unanswered(self, *, inside: bool, before: datetime, limit: int) -> list[Sending]:
        """Sendings that were transported, made before a time, and not answered by an AppRec; oldest first.

        Args:
            inside: those to hospitals; otherwise those to municipalities and GPs.
            before: when they were made, at the latest.
            limit: how many.
        """

    def add_inbound(self, message: InboundMessage) -> None:
        """Add a row. (sender, msg_id) is unique.

        Raises:
            DuplicateInboundError: there is such a row.
        """

    def replace_inbound(self, message: InboundMessage) -> None:
        """Write a row anew that could not be worked on: all but its id and when it came.

        Raises:
            TransitionError: its state does not lead there.
        """

    def update_inbound(self, inbound_id: str, **changes: object) -> None:
        """Change fields of a row by name. A new `state` must be one that `TRANSITIONS` allows.

        Raises:
            TransitionError: it is not.
        """

    def add_sending(self, sending: Sending) -> None:
        """Add a row to the outbox."""

    def update_sending(self, sending_id: str, **changes: object) -> None:
        """Change fields of a row by name."""

    def update_claimed(self, sending: Sending, **changes: object) -> bool:
        """Change fields of a sending that `claim_due` gave, and end its lease.

        False, and nothing is changed, where it is no longer pending, or where the lease has ended and another
        process has taken it over: what came of it is then for others to say.
        """

    def add_event(self, event: Event) -> None:
        """Add to the history."""

    def add_receipt(self, receipt: Receipt) -> bool:
        """Keep a receipt; False where the sending had one already."""

    def record(self, entry: AuditEntry) -> None:
        """Add to the audit log: what was done and that it was done become durable together."""

    def add_address_fault(self, fault: AddressFault) -> None:
        """Flag a register entry; nothing is written where the sending has flagged it already."""

    def end_address_fault(self, sending_id: str, *, at: datetime, outcome: FaultOutcome) -> None:
        """End the fault of one sending."""

    def answer_address_faults(self, receiver: str, *, sent_at: datetime, at: datetime) -> None:
        """End the faults of an entry whose receiver has acknowledged what was sent to it after them."""

    def address_faults(self, inbound_id: str | None = None) -> list[AddressFault]:
        """The faults of a note; without one, all that have not ended: those entries are flagged."""

    def add_replay(self, replay: Replay) -> bool:
        """Claim a replay; False, and nothing is written, where somebody has done it already."""

    def replays(self, subject: str) -> list[Replay]:
        """The replays of a sending or an inbound message, oldest first."""

    def replays_that_made(self, made: str) -> list[Replay]:
        """The replays that a sending or an inbound message came of, oldest first."""


class Journal(Traffic, Protocol):
    """The durable memory of the gateway."""

    def transaction(self) -> AbstractContextManager[JournalTransaction]:
        """Begin; commit at the end of the block, or roll back if it raises.

        Raises:
            JournalUnavailableError: the store can not be reached.
        """

    def reader(self) -> AbstractContextManager[JournalTransaction]:
        """A view for reading only."""

    def claim_due(self, now: datetime, *, limit: int) -> list[Sending]:
        """What is due (see `JournalTransaction.due`), to be sent by this process alone.

        Nothing for a receiver that is paused. Of a receiver whose circuit is open one at a time, when its
        `next_probe_at` has come.

        Where several processes work on the journal, each row is leased for a time: a process that dies leaves
        it to the others, and one that comes late (`Sending.fence`) changes nothing.

        Raises:
            JournalUnavailableError: the store can not be reached.
        """

    def list_inbound(self, criteria: InboundFilter) -> list[InboundMessage]:
        """Inbox rows, newest first; `body` and `summary` are left out (empty, None)."""

    def sendings_of(
        self, inbound_ids: Sequence[str], kinds: Sequence[SendingKind]
    ) -> Mapping[str, Sequence[Sending]]:
        """What was made of each of these messages, oldest first; `body` is left out."""

    def events(self, inbound_id: str) -> list[Event]:
        """The history of a message, oldest first."""

    def receipts(self, sending_id: str) -> list[Receipt]:
        """The receipts for a sending, oldest first."""

    def audit_log(self, criteria: AuditFilter) -> Iterator[AuditRecord]:
        """Entries of the audit log, oldest first; read as they are asked for."""

    def verify_audit(self, anchor: AuditAnchor | None = None) -> AuditVerdict:
        """Check the whole audit log, and that it still holds what an anchor remembers."""

    def purge_batch(
        self, before: datetime, *, at: datetime, kinds: Sequence[InboundKind], after: int
    ) -> tuple[int | None, int]:
        """Take away the payloads of some messages that have ended before a time.

        Args:
            before: when they came, and anything happened to them, at the latest.
            at: the time of the events `purged`.
            kinds: of which kinds.
            after: what the batch before returned; 0 at first.

        Returns:
            Where the next batch begins (None: there is none), and how many messages it were.
        """

    def purge_reasons(self, before: datetime, entry: AuditEntry) -> int:
        """Take away what operators wrote to the audit log before a time, and record that; how many."""

    def count_by_state(self) -> Mapping[str, int]:
        """How many notes stand in each state."""

    def next_due(self) -> datetime | None:
        """When the next pending sending is due."""

    def close(self) -> None:
        """Give the store back."""
