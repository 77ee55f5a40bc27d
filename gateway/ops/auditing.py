"""What a command writes to the audit log: who runs it, by the system's word and not the environment's."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from gateway.contracts.audit import BEGUN, DONE, AuditAction, AuditEntry
from gateway.contracts.errors import GatewayError
from gateway.contracts.journal import Journal
from gateway.contracts.records import InboundMessage

_NOBODY_LOGGED_IN = 2**32 - 1
"""Of the kernel's login id, where the process was started by no session (proc(5), `loginuid`)"""


def login_name() -> str:
    """The user that the process runs as."""
    return _name(os.getuid())


def sudo_user() -> str | None:
    """The person who has become another user; None where nobody has.

    The kernel keeps who logged in, and sudo changes nothing in it; only where it keeps nothing is sudo's own
    word taken.
    """
    uid = _logged_in()
    person = _name(uid) if uid is not None else os.environ.get("SUDO_USER")
    return person if person != login_name() else None


def _logged_in() -> int | None:
    try:
        uid = int(Path("/proc/self/loginuid").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return uid if uid != _NOBODY_LOGGED_IN else None


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def audit_entry(
    action: AuditAction,
    *,
    message: InboundMessage | None = None,
    sending_id: str | None = None,
    patient_reference: str | None = None,
    reason: str | None = None,
    outcome: str = DONE,
    detail: Mapping[str, str | int | None] | None = None,
) -> AuditEntry:
    """An entry about what is done now, by who runs the command.

    Args:
        action: what.
        message: the message that it is done to; its patient comes with it.
        sending_id: which of its sendings.
        patient_reference: keyed hash of the patient, where there is no message.
        reason: the operator's words.
        outcome: `done`, `begun`, or the code of an error.
        detail: facts without patient data.
    """
    return AuditEntry(
        at=datetime.now(UTC),
        who=login_name(),
        sudo_user=sudo_user(),
        action=action,
        inbound_id=message.id if message is not None else None,
        sending_id=sending_id,
        patient_reference=message.patient_reference if message is not None else patient_reference,
        reason=reason,
        outcome=outcome,
        detail=detail,
    )


def record(journal: Journal, entry: AuditEntry) -> None:
    """Add an entry about something that has no transaction of its own."""
    with journal.transaction() as transaction:
        transaction.record(entry)


@contextmanager
def audited(journal: Journal, entry: AuditEntry) -> Iterator[dict[str, str | int | None]]:
    """Do something that takes long, or that is not in the journal: an entry for its begin, one for its end.

    Yields:
        Facts to add to the second entry.
    """
    record(journal, replace(entry, outcome=BEGUN))
    facts: dict[str, str | int | None] = {}
    outcome = "interrupted"
    try:
        yield facts
        outcome = DONE
    except GatewayError as error:
        outcome = error.code
        raise
    except Exception:
        outcome = "fault"
        raise
    finally:
        detail = dict(entry.detail or {}) | facts
        record(journal, replace(entry, at=datetime.now(UTC), outcome=outcome, detail=detail or None))
