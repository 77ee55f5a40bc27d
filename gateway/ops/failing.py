"""What failed, as the operator asks it: found, grouped, shown, ended, written to a file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway.contracts.audit import AuditAction
from gateway.contracts.errors import EXIT_NO, EXIT_USAGE, GatewayError
from gateway.contracts.failures import Failure, FailureCount, FailureFilter
from gateway.contracts.journal import JournalTransaction
from gateway.contracts.records import Event
from gateway.contracts.states import InboundState
from gateway.journal.sql_journal import SqlJournal
from gateway.ops.auditing import audit_entry
from gateway.ops.causes import advice
from gateway.pipeline.replay_refusals import ContentPurgedError
from gateway.receipts.states import STEPS, SendingEvent, settle


class NotFailedError(GatewayError):
    """Nothing of the message has failed."""

    code = "not-failed"
    exit_code = EXIT_NO


class WhichSendingError(GatewayError):
    """More than one sending of the message has failed."""

    code = "which-sending"
    exit_code = EXIT_USAGE


class FileThereError(GatewayError):
    """The file is there already."""

    code = "file-exists"
    exit_code = EXIT_USAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Failures of one cause, one receiver, or one municipality."""

    key: str
    counts: tuple[FailureCount, ...]
    """One for each cause"""

    @property
    def count(self) -> int:
        """How many."""
        return sum(each.count for each in self.counts)

    @property
    def oldest(self) -> datetime:
        """When the first of them failed."""
        return min(each.oldest for each in self.counts)

    @property
    def newest(self) -> datetime:
        """When the last of them failed."""
        return max(each.newest for each in self.counts)

    @property
    def advice(self) -> str:
        """What to do, where all have one cause."""
        said = {advice(each.cause) for each in self.counts}
        return said.pop() if len(said) == 1 else f"{len(said)} causes: see --by error"

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "key": self.key,
            "count": self.count,
            "oldest": _time(self.oldest),
            "newest": _time(self.newest),
            "advice": self.advice,
        }


def groups(counts: Iterable[FailureCount]) -> list[Group]:
    """In groups, the largest first."""
    found: dict[str, list[FailureCount]] = {}
    for each in counts:
        found.setdefault(each.key or "-", []).append(each)
    made = [Group(key=key, counts=tuple(members)) for key, members in found.items()]
    return sorted(made, key=lambda group: (-group.count, group.key))


def document(failure: Failure) -> dict[str, Any]:
    """The JSON of `failed list` for one failure."""
    message, sending = failure.message, failure.sending
    return {
        "id": message.id,
        "msg_id": message.msg_id,
        "failed_at": _time(failure.failed_at),
        "received_at": _time(message.received_at),
        "cause": failure.cause.code,
        "kind": sending.kind.value if sending is not None else message.kind.value,
        "sending": sending.id if sending is not None else None,
        "state": sending.state.value if sending is not None else message.state.value,
        "receiver": sending.receiver if sending is not None else None,
        "format": sending.format if sending is not None else message.format,
        "attempts": sending.attempts if sending is not None else None,
        "system": message.system,
        "unit": message.unit,
        "municipality": message.municipality,
        "findings": [f.code for f in message.findings],
        "advice": advice(failure.cause),
    }


def of_message(journal: SqlJournal, inbound_id: str, receiver: str | None = None) -> list[Failure]:
    """What has failed of a message.

    Raises:
        NotFailedError: nothing has.
    """
    receivers = (receiver,) if receiver is not None else ()
    found = journal.failed.find(FailureFilter(ids=(inbound_id,), receivers=receivers))
    if not found:
        of_them = f" for {receiver}" if receiver is not None else ""
        raise NotFailedError(
            f"nothing of {inbound_id} has failed{of_them}",
            hint=f"pakkehjem messages trace {inbound_id[:8]} tells what became of it",
        )
    return found


def the_one(journal: SqlJournal, inbound_id: str, receiver: str | None = None) -> Failure:
    """What has failed of a message, where that is one thing.

    Raises:
        NotFailedError: nothing has.
        WhichSendingError: more than one has.
    """
    found = of_message(journal, inbound_id, receiver)
    if len(found) > 1:
        names = " or ".join(f"--receiver {f.sending.receiver}" for f in found if f.sending is not None)
        raise WhichSendingError(f"{len(found)} sendings of {inbound_id} have failed", hint=f"add {names}")
    return found[0]


def discard(journal: SqlJournal, failures: Sequence[Failure], *, reason: str) -> int:
    """End what has failed; how many that were.

    Args:
        journal: where they are.
        failures: which.
        reason: why; kept in the audit log.
    """
    ended = 0
    for each in failures:
        at = datetime.now(UTC)
        with journal.transaction() as transaction:
            done = _end(transaction, each, at)
            if done:
                sending_id = each.sending.id if each.sending is not None else None
                transaction.record(
                    audit_entry(
                        AuditAction.FAILED_DISCARD,
                        message=each.message,
                        sending_id=sending_id,
                        reason=reason,
                        detail={"cause": each.cause.code},
                    )
                )
                ended += 1
    return ended


def _end(transaction: JournalTransaction, failure: Failure, at: datetime) -> bool:
    """False where something has become of it since it was found."""
    message, found = failure.message, failure.sending
    if found is None:
        row = transaction.inbound(message.id)
        if row is None or row.state is not message.state:
            return False
        transaction.update_inbound(message.id, state=InboundState.DISCARDED)
        transaction.add_event(
            Event(inbound_id=message.id, at=at, name="discarded", detail={"reason": row.reason})
        )
        return True
    sending = next((s for s in transaction.sendings(message.id) if s.id == found.id), None)
    if sending is None or sending.state is not found.state:
        return False
    step = STEPS[sending.state, SendingEvent.CLOSED]
    transaction.update_sending(sending.id, state=step.state)
    detail = {"receiver": sending.receiver, "error": failure.cause.code}
    transaction.add_event(
        Event(inbound_id=message.id, sending_id=sending.id, at=at, name=step.told or "closed", detail=detail)
    )
    settle(transaction, message.id, at)
    return True


def export(journal: SqlJournal, failure: Failure, file: Path, *, reason: str) -> int:
    """Write what was sent, or was received, to a file that only its owner can read; how many bytes.

    Args:
        journal: where it is.
        failure: which.
        file: a new one.
        reason: why; kept in the audit log.

    Raises:
        FileThereError: the file is there already.
        ContentPurgedError: there is nothing left to write.
    """
    with journal.reader() as view:
        if failure.sending is not None:
            of = {s.id: s.body for s in view.sendings(failure.message.id)}
            body = of.get(failure.sending.id)
        else:
            whole = view.inbound(failure.message.id)
            body = whole.body if whole is not None else None
    if not body:
        raise ContentPurgedError
    try:
        written = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise FileThereError(f"{file} is there already", hint="name a new file") from None
    sending_id = failure.sending.id if failure.sending is not None else None
    entry = audit_entry(
        AuditAction.FAILED_EXPORT, message=failure.message, sending_id=sending_id, reason=reason
    )
    try:
        # Told before it is written: no content leaves without a trace.
        with journal.transaction() as transaction:
            transaction.record(entry)
            transaction.add_event(
                Event(
                    inbound_id=failure.message.id,
                    sending_id=sending_id,
                    at=entry.at,
                    name="exported",
                    detail={"by": entry.who},
                )
            )
    except BaseException:
        os.close(written)
        file.unlink()
        raise
    with os.fdopen(written, "wb") as stream:
        stream.write(body)
    return len(body)


def _time(value: datetime) -> str:
    return value.astimezone().isoformat(timespec="milliseconds")
