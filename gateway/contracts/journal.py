"""The journal port: what came in, what was decided, what goes out, and all that happened on the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from gateway.contracts.addresses import AddressFault, FaultOutcome
from gateway.contracts.audit import AuditAnchor, AuditEntry, AuditFilter, AuditRecord, AuditVerdict
from gateway.contracts.facts import NoteFacts
from gateway.contracts.findings import Finding
from gateway.contracts.replays import Replay
from gateway.contracts.summary import Action
from gateway.contracts.traffic import Traffic, TrafficTransaction


class InboundKind(StrEnum):
    """What came in."""

    NOTE = "note"
    """A note (or another clinical message) from a hospital"""
    REPLY = "reply"
    """A clinical message from a municipality or a GP"""
    RECEIPT = "receipt"
    """An AppRec"""
    UNREADABLE = "unreadable"
    """Nothing that can be told"""
    FAULT = "fault"
    """A transport fault, about something that we sent"""
    DEAD_LETTER = "dead-letter"
    """What a broker has given up"""


class InboundState(StrEnum):
    """State of an inbound message; `TRANSITIONS` says how it moves."""

    RECEIVED = "received"
    """Durable; nothing decided yet (receipts and replies that wait for a person stay here, too)"""
    REJECTED = "rejected"
    """Refused, and answered negatively where that may be done"""
    HELD = "held"
    """Waits for a person"""
    WITHHELD = "withheld"
    """May not be sent; answered so"""
    ACCEPTED = "accepted"
    """Understood; nothing goes out (a receipt that was matched, a cancellation of a note never sent)"""
    SENDING = "sending"
    """Sendings are on their way"""
    DELIVERED = "delivered"
    """Every sending lies on its receiver's queue"""
    ACKNOWLEDGED = "acknowledged"
    """Every receiver has answered positively"""
    REFUSED = "refused"
    """A receiver has answered negatively"""
    FAILED = "failed"
    """A sending could not be delivered, or the message could not be worked on: see `failed`"""
    DISCARDED = "discarded"
    """A person, or a cancellation, has ended it"""


_S = InboundState
TRANSITIONS: Mapping[InboundState, frozenset[InboundState]] = {
    _S.RECEIVED: frozenset(
        {_S.REJECTED, _S.HELD, _S.WITHHELD, _S.ACCEPTED, _S.SENDING, _S.FAILED, _S.DISCARDED}
    ),
    _S.HELD: frozenset({_S.SENDING, _S.ACCEPTED, _S.DISCARDED, _S.FAILED}),
    _S.ACCEPTED: frozenset({_S.SENDING, _S.FAILED}),
    _S.SENDING: frozenset({_S.DELIVERED, _S.ACKNOWLEDGED, _S.REFUSED, _S.FAILED, _S.DISCARDED}),
    _S.DELIVERED: frozenset({_S.ACKNOWLEDGED, _S.REFUSED, _S.FAILED, _S.SENDING, _S.DISCARDED}),
    _S.ACKNOWLEDGED: frozenset({_S.SENDING, _S.REFUSED}),
    _S.REFUSED: frozenset({_S.SENDING, _S.ACKNOWLEDGED, _S.DISCARDED, _S.FAILED}),
    _S.FAILED: frozenset(
        {
            _S.SENDING,
            _S.DISCARDED,
            _S.HELD,
            _S.ACCEPTED,
            _S.REJECTED,
            _S.WITHHELD,
            _S.DELIVERED,
            _S.ACKNOWLEDGED,
            _S.REFUSED,
        }
    ),
    _S.REJECTED: frozenset({_S.DISCARDED}),
    _S.WITHHELD: frozenset(),
    _S.DISCARDED: frozenset(),
}


class SendingKind(StrEnum):
    """What goes out."""

    NOTE = "note"
    """A rendering of the summary, to the municipality or the GP"""
    REPLY = "reply"
    """A reply, passed on to the hospital"""
    RECEIPT = "receipt"
    """An AppRec of ours, or one passed on"""
    DEVIATION = "deviation"
    """DIALOG_AVVIK to the sending department"""
    FAULT = "fault"
    """A transport fault on the sender's error queue"""


class SendingState(StrEnum):
    """State of a sending."""

    PENDING = "pending"
    """In the outbox, due at `next_attempt_at`"""
    DELIVERED = "delivered"
    """Confirmed by the broker. Receipts and faults end here"""
    ACKNOWLEDGED = "acknowledged"
    """The receiver's AppRec is positive"""
    REFUSED = "refused"
    """The receiver's AppRec is negative"""
    OVERDUE = "overdue"
    """No AppRec came within the deadline: counts as refused, until one comes"""
    FAILED = "failed"
    """Given up; `failed replay` takes it up again"""
    DISCARDED = "discarded"
    """A person has ended it"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedReceiver:
    """A receiver that the hospital's message names: it gets exactly one receipt for each."""

    her_id: str | None
    copy: bool
    index: int
    """Position in `Head.receivers`"""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundMessage:
    """A row of the inbox."""

    id: str
    """UUID of ours: the correlation id of everything that follows"""
    kind: InboundKind
    state: InboundState
    queue: str
    """Where it was taken from"""
    received_at: datetime
    sender: str
    """Who it is unique for: HER-id (or another identifier) of the sending enterprise; empty if not known"""
    msg_id: str
    """MsgId (AppRec: Id); where none can be read, the hash of the bytes"""
    content_hash: str
    """SHA-256 of the bytes, hex"""
    body: bytes
    """The bytes as received (encrypted at rest)"""
    format: str | None = None
    system: str | None = None
    action: Action = Action.NEW
    sent_at: datetime | None = None
    hospital: str | None = None
    """HER-id of the hospital that it comes from or goes to"""
    unit: str | None = None
    """HER-id of its department"""
    unit_name: str | None = None
    municipality: str | None = None
    """kommune or bydel code"""
    gp: str | None = None
    """HER-id of the GP"""
    patient_reference: str | None = None
    """Keyed hash of the patient's identifier"""
    interaction_point: int | None = None
    document_id: str | None = None
    """Epikrise ServProvId"""
    conversation_parent: str | None = None
    conversation_root: str | None = None
    replaces: str | None = None
    """Id (ours) of the inbound note that this one changes or cancels"""
    summary: bytes | None = None
    """Canonical JSON (encrypted at rest)"""
    facts: NoteFacts | None = None
    """What the report counts (encrypted at rest): written with the row, never read back with it"""
    findings: tuple[Finding, ...] = ()
    named_receivers: tuple[NamedReceiver, ...] = ()
    reason: str | None = None
    """Why it stands where it stands: a stable code, and a sentence without patient data"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """A row of the outbox."""

    id: str
    inbound_id: str
    kind: SendingKind
    state: SendingState
    receiver: str
    """HER-id of the communication party"""
    receiver_role: str | None = None
    """`municipality`, `gp`, `hospital`"""
    queue: str = ""
    format: str | None = None
    msg_id: str = ""
    """MsgId (AppRec: Id) of what is sent"""
    document_id: str | None = None
    """Epikrise: the ServProvId of what is sent"""
    conversation_root: str | None = None
    """RefToConversation that the receiver knows (our first MsgId to it)"""
    body: bytes = b""
    """The bytes to send (encrypted at rest)"""
    headers: Mapping[str, str] | None = None
    answers: int | None = None
    """Note: index of the named receiver that gets this sending's receipt passed on; None: nobody is told.
    Receipt: index of the named receiver that it answers for"""
    attempts: int = 0
    next_attempt_at: datetime | None = None
    """None: at once, whatever a clock that is set back says"""
    created_at: datetime | None = None
    """When it was put in the outbox; the same message, taken up again, counts from then"""
    delivered_at: datetime | None = None
    settled_at: datetime | None = None
    """When the receipt came, or when it was given up or became overdue"""
    apprec: str | None = None
    """Status of the receiver's AppRec with its codes: `1`, `2 E21`"""
    error: str | None = None
    """Stable code of the last failed attempt"""
    fence: int = 0
    """How many leases there were on it; given by the journal"""
    alone: bool = False
    """Whether it is to be sent by itself: a process that took it may have ended over it, or it is to find out
    whether its receiver can be reached. Given by `claim_due`"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened; events are only ever added."""

    inbound_id: str
    at: datetime
    name: str
    """Stable name: `received`, `duplicate`, `held`, `note-created`, `delivered`, `receipt`, …"""
    sending_id: str | None = None
    detail: Mapping[str, str | int | None] | None = None
    """Facts without patient data"""
    sequence: int = 0
    """Given by the journal"""
    seconds: float | None = None
    """How long it took, where that is measured; told to who counts, and not kept"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """An AppRec that was matched to a sending: the first for it counts, later ones are kept."""

    sending_id: str
    inbound_id: str
    """The inbox row of the AppRec"""
    apprec_id: str
    status: str
    codes: tuple[str, ...]
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundFilter:
    """What `messages list` asks for; everything given must hold."""

    states: tuple[InboundState, ...] = ()
    kinds: tuple[InboundKind, ...] = (InboundKind.NOTE,)
    systems: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    municipalities: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    """Codes of what failed: of an AppRec (`E21`), of the last attempt (`unroutable`), or the reason"""
    receivers: tuple[str, ...] = ()
    """HER-ids that something was made for"""
    since: datetime | None = None
    until: datetime | None = None
    before_id: str | None = None
    """Those that stand after this message in the list: the next page"""
    patient_reference: str | None = None
    id_prefix: str | None = None
    """How our id begins"""
    msg_id_prefix: str | None = None
    """How the MsgId begins"""
    replaces: str | None = None
    """Id (ours) of the message that they change, cancel, or reply to"""
    limit: int = 1000


class JournalTransaction(TrafficTransaction, Protocol):
    """Reads and writes that become durable together, or not at all."""

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
