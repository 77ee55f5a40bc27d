"""The audit log's chain: how a row is hashed, where the log ends, and how the next row is added.

The hash of a row is an HMAC, with a key of the vault, over all its fields and the hash of the row before it:
who can write to the database and has no key can forge none. The head, one row of its own, says where the log
ends and is sealed in the same way. Writers take turns at the head: a transaction that writes excludes the
others (`sqlite`, `postgresql`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

import orjson

from gateway.contracts.audit import AuditAnchor, AuditEntry
from gateway.contracts.errors import LocalError
from gateway.contracts.ports import Vault
from gateway.journal.audit_statements import AuditStatements
from gateway.journal.rows import AUDIT
from gateway.journal.session import Session
from gateway.journal.tables import audit

START: Final = AuditAnchor(sequence=0, hash="0" * 64)
"""Before the first row"""

_ROW: Final = b"audit row 1"
_HEAD: Final = b"audit head 1"
_HASHED: Final = tuple(column.name for column in audit.columns if column.name != "hash")


def row_hash(row: Mapping[str, Any], vault: Vault) -> str:
    """The hash that a row has to have, of all its other columns."""
    # A forger may have put anything there, bytes among it.
    return vault.authenticate(orjson.dumps([row[name] for name in _HASHED], default=repr), context=_ROW)


def reason_hash(row_id: str, reason: bytes, vault: Vault) -> str:
    """What a row says of its reason, so that the reason can be taken away and the chain stays whole."""
    return vault.authenticate(reason, context=AUDIT.context(row_id, "reason"))


def head_seal(head: AuditAnchor, vault: Vault) -> str:
    """The mark of a head that the gateway wrote."""
    return vault.authenticate(orjson.dumps([head.sequence, head.hash]), context=_HEAD)


def begin(session: Session, statements: AuditStatements, vault: Vault) -> None:
    """Write the head of a log that is new."""
    _put_head(session, statements, vault, START)


def append(session: Session, statements: AuditStatements, vault: Vault, entry: AuditEntry) -> str:
    """Add a row at the head; its id. The reason, a payload, is the caller's to keep.

    Raises:
        LocalError: there is no head, or the gateway did not write it: nothing is chained to a forged log.
    """
    found = session.rows(statements.head, {})
    head = AuditAnchor(sequence=found[0][0], hash=found[0][1]) if found else START
    if not found or found[0][2] != head_seal(head, vault):
        raise LocalError(
            "The audit log was tampered with: the record of its end was not written by the gateway.",
            hint="Run pakkehjem audit verify, and keep the journal as evidence.",
        )
    row = AUDIT.encode(entry) | {
        "sequence": head.sequence + 1,
        "id": str(uuid4()),
        "previous": head.hash,
        "reason_hash": None,
    }
    if entry.reason is not None:
        row["reason_hash"] = reason_hash(row["id"], entry.reason.encode(), vault)
    row["hash"] = row_hash(row, vault)
    session.change(statements.add, row)
    _put_head(session, statements, vault, AuditAnchor(sequence=row["sequence"], hash=row["hash"]))
    return str(row["id"])


def _put_head(session: Session, statements: AuditStatements, vault: Vault, head: AuditAnchor) -> None:
    session.change(
        statements.put_head,
        {"id": 1, "sequence": head.sequence, "hash": head.hash, "seal": head_seal(head, vault)},
    )
