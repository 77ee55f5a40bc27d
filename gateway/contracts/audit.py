"""The audit log: who did what, when, to which message, why, and how it ended.

Entries are only ever added, and each is chained to the one before it by a keyed hash: what was changed,
removed, put in or moved is found (`AuditVerdict`). They hold no patient data: a patient is a keyed hash, and
the words of the operator are kept encrypted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AuditAction(StrEnum):
    """What a person, or the service for one, did; the names are stable."""

    REVEAL = "reveal"
    """Content of a message was shown"""
    PATIENT_SEARCH = "patient-search"
    """Messages of one patient were looked for"""
    HELD_RELEASE = "held-release"
    HELD_DISCARD = "held-discard"
    FAILED_REPLAY = "failed-replay"
    FAILED_DISCARD = "failed-discard"
    FAILED_EXPORT = "failed-export"
    REPLY_CLAIM = "reply-claim"
    REPLY_SEND_ON = "reply-send-on"
    QUEUES_PAUSE = "queues-pause"
    QUEUES_RESUME = "queues-resume"
    SCHEMAS_ADD = "schemas-add"
    DB_UPGRADE = "db-upgrade"
    DB_BACKUP = "db-backup"
    DB_PURGE = "db-purge"
    DB_REKEY = "db-rekey"
    AUDIT_EXPORT = "audit-export"


BEGUN = "begun"
DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Something that was done."""

    at: datetime
    who: str
    """Login name of the user that the process runs as"""
    action: str
    """An `AuditAction`"""
    sudo_user: str | None = None
    """Login name of the person behind it, where that is another: who has used sudo"""
    inbound_id: str | None = None
    """The message, by our id"""
    sending_id: str | None = None
    patient_reference: str | None = None
    """Keyed hash of the patient's identifier"""
    reason: str | None = None
    """The operator's words (encrypted at rest)"""
    outcome: str = DONE
    """`done`; `begun`, of what takes long and has an entry for its end, too; or the code of an error"""
    detail: Mapping[str, str | int | None] | None = None
    """Facts without patient data"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """An entry as the log holds it."""

    sequence: int
    """From 1 on, without gaps"""
    id: str
    entry: AuditEntry
    hash: str
    """Keyed hash of all that stands in the row, the hash of the row before it included"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditAnchor:
    """Where the log ended once. Kept elsewhere, it shows whether the log was cut or rewritten since."""

    sequence: int
    """0: there was no entry"""
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """What `audit export` asks for; everything given must hold."""

    since: datetime | None = None
    until: datetime | None = None
    """Not included"""
    who: tuple[str, ...] = ()
    """Login names, of the user or of the person behind it"""
    actions: tuple[str, ...] = ()


class AuditFault(StrEnum):
    """What is wrong with the log."""

    CHANGED = "changed"
    """A row is not as the gateway wrote it there: a field was changed, or the row was put in or moved"""
    MISSING = "missing"
    """Rows between two others are gone"""
    NOT_LINKED = "not-linked"
    """A row was written after another one than that which stands before it"""
    CUT = "cut"
    """Rows at the end are gone"""
    HEAD = "head"
    """The record of where the log ends is gone, or was not written by the gateway"""
    BEYOND_HEAD = "beyond-head"
    """A row stands after the end that the gateway recorded"""
    REASON_CHANGED = "reason-changed"
    """The operator's words are others, or stand where none were"""
    REASON_MISSING = "reason-missing"
    """The operator's words are gone, and no purge has taken them"""
    ANCHOR = "anchor"
    """The log does not hold what the anchor remembers: it was cut, rewritten, or restored from a backup"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditProblem:
    """Something that is wrong, and where."""

    fault: AuditFault
    sequence: int
    """The row; of several that are gone, the first"""
    last: int | None = None
    """Of several that are gone, the last"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditVerdict:
    """What a check of the whole log found."""

    rows: int
    head: AuditAnchor
    """Where it ends"""
    problems: tuple[AuditProblem, ...] = ()
