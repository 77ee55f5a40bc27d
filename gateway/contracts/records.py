"""The rows of the journal: inbox, outbox, history and receipts, and what a list of the inbox asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from gateway.contracts.facts import NoteFacts
from gateway.contracts.findings import Finding
from gateway.contracts.states import InboundKind, InboundState, SendingKind, SendingState
from gateway.contracts.summary import Action
from gateway.contracts.values import value


@value
class NamedReceiver:
    """A receiver that the hospital's message names: it gets exactly one receipt for each."""

    her_id: str | None
    copy: bool
    index: int
    """Position in `Head.receivers`"""


@value
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


@value
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


@value
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


@value
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
