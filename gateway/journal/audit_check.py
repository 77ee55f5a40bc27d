"""Whether the audit log is as the gateway wrote it: every row, their order, their reasons, and the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from gateway.contracts.audit import (
    AuditAction,
    AuditAnchor,
    AuditFault,
    AuditFilter,
    AuditProblem,
    AuditVerdict,
)
from gateway.contracts.errors import LocalError
from gateway.contracts.ports import Vault
from gateway.journal import audit_log
from gateway.journal.audit_chain import START, head_seal, reason_hash, row_hash
from gateway.journal.audit_statements import AuditStatements
from gateway.journal.rows import AUDIT
from gateway.journal.session import Session

PURGED_UNTIL = "audit_before"
"""In the detail of a purge: the reasons of entries before this time (microseconds) were taken away"""


def verify(
    session: Session, statements: AuditStatements, vault: Vault, anchor: AuditAnchor | None
) -> AuditVerdict:
    """Check the log.

    Args:
        session: of a transaction that reads, and sees one moment.
        statements: in its dialect.
        vault: has the key that the rows were hashed with.
        anchor: what the log held at some time.
    """
    check = _Check(vault, anchor)
    for row in _all_rows(session):
        check.row(row)
    return check.verdict(session.rows(statements.head, {}))


def _all_rows(session: Session) -> Iterator[Mapping[str, Any]]:
    last: int | None = None
    while found := audit_log.batch(session, AuditFilter(), last):
        yield from found
        last = found[-1]["sequence"]


class _Check:
    """Goes through the rows in the order of their numbers."""

    def __init__(self, vault: Vault, anchor: AuditAnchor | None) -> None:
        self._vault = vault
        self._anchor = anchor
        self._anchored = anchor is None or anchor == START
        self._last = START
        self._rows = 0
        self._problems: list[AuditProblem] = []
        self._without_reason: list[tuple[int, int]] = []
        self._purged_until = 0

    def row(self, row: Mapping[str, Any]) -> None:
        """The next row."""
        self._rows += 1
        sequence = row["sequence"]
        if sequence > self._last.sequence + 1:
            self._found(AuditFault.MISSING, self._last.sequence + 1, last=sequence - 1)
        genuine = row_hash(row, self._vault) == row["hash"]
        if not genuine:
            self._found(AuditFault.CHANGED, sequence)
        elif row["previous"] != self._last.hash and sequence == self._last.sequence + 1:
            self._found(AuditFault.NOT_LINKED, sequence)
        self._last = AuditAnchor(sequence=sequence, hash=row["hash"])
        self._anchored = self._anchored or self._last == self._anchor
        self._reason(row)
        if genuine and row["action"] == AuditAction.DB_PURGE and row["detail"] is not None:
            self._purged_until = max(self._purged_until, orjson.loads(row["detail"]).get(PURGED_UNTIL) or 0)

    def _reason(self, row: Mapping[str, Any]) -> None:
        sealed, expected = row["sealed"], row["reason_hash"]
        if sealed is None:
            if expected is not None:
                self._without_reason.append((row["sequence"], row["at"]))
            return
        try:
            reason = self._vault.open(sealed, context=AUDIT.context(row["id"], "reason"))
        except LocalError:
            self._found(AuditFault.REASON_CHANGED, row["sequence"])
            return
        if reason_hash(row["id"], reason, self._vault) != expected:
            self._found(AuditFault.REASON_CHANGED, row["sequence"])

    def verdict(self, head_rows: Any) -> AuditVerdict:  # noqa: ANN401 - rows of the driver
        """What was found, when the last row was seen."""
        for sequence, at in self._without_reason:
            if at >= self._purged_until:
                self._found(AuditFault.REASON_MISSING, sequence)
        self._end(head_rows)
        if self._anchor is not None and not self._anchored:
            self._found(AuditFault.ANCHOR, self._anchor.sequence)
        ordered = sorted(self._problems, key=lambda problem: problem.sequence)
        return AuditVerdict(rows=self._rows, head=self._last, problems=tuple(ordered))

    def _end(self, head_rows: Any) -> None:  # noqa: ANN401 - rows of the driver
        if not head_rows:
            self._found(AuditFault.HEAD, self._last.sequence)
            return
        head = AuditAnchor(sequence=head_rows[0][0], hash=head_rows[0][1])
        if head_rows[0][2] != head_seal(head, self._vault):
            self._found(AuditFault.HEAD, self._last.sequence)
        elif head.sequence > self._last.sequence:
            self._found(AuditFault.CUT, self._last.sequence + 1, last=head.sequence)
        elif head.sequence < self._last.sequence:
            self._found(AuditFault.BEYOND_HEAD, head.sequence + 1, last=self._last.sequence)
        elif head.hash != self._last.hash:
            self._found(AuditFault.HEAD, self._last.sequence)

    def _found(self, fault: AuditFault, sequence: int, *, last: int | None = None) -> None:
        many = last is not None and last > sequence
        self._problems.append(AuditProblem(fault=fault, sequence=sequence, last=last if many else None))
