"""Whether a store holds a journal of this program's version and of this key; made where there is none."""

from __future__ import annotations

from sqlalchemy import Connection, select

from gateway.contracts.errors import LocalError
from gateway.contracts.ports import Vault
from gateway.journal import audit_chain, migrate
from gateway.journal.session import Session, connection_of, session_of
from gateway.journal.statements import Statements
from gateway.journal.store import Store
from gateway.journal.tables import SCHEMA_VERSION, content

_KEY_CHECK = {"row_id": "journal", "part": "key"}
_KEY_CONTEXT = b"journal:key"


def prepare(store: Store, vault: Vault, statements: Statements, *, upgrade: bool = False) -> str:
    """Make the tables in a new store; check version and key of one that is there.

    Args:
        store: what is there.
        vault: has the key that the journal is sealed with.
        statements: in the dialect of the store.
        upgrade: bring an older version to this one; without, it is refused.

    Returns:
        The version that was there; empty where the store was new.

    Raises:
        LocalError: it is no journal, one of another version, or one sealed with another key.
    """
    with connection_of(store.reader) as connection:
        found = _checked(connection, vault, upgrade=upgrade)
    if found != SCHEMA_VERSION:
        # Before the transaction: another process that makes the same journal waits for its end.
        migrate.load()
        with session_of(store.writer, store.meaning) as session:
            # Once more: another process may have been quicker.
            found = _checked(session.connection, vault, upgrade=upgrade)
            if found != SCHEMA_VERSION:
                migrate.upgrade(session.connection)
            if not found:
                seal_key_check(session, statements, vault)
            if found in migrate.WITHOUT_AUDIT:
                audit_chain.begin(session, statements.audit, vault)
    return found


def version(store: Store, vault: Vault) -> str:
    """The version of the tables that are there, this program's or older; empty where there are none.

    Raises:
        LocalError: it is no journal, a newer one, or one sealed with another key.
    """
    with connection_of(store.reader) as connection:
        return _checked(connection, vault, upgrade=True)


def seal_key_check(session: Session, statements: Statements, vault: Vault) -> None:
    """Seal anew what tells whether a journal is opened with its key."""
    sealed = vault.seal(b"journal", context=_KEY_CONTEXT)
    session.change(statements.put_content, {**_KEY_CHECK, "sealed": sealed})


def _checked(connection: Connection, vault: Vault, *, upgrade: bool) -> str:
    """The version of the tables, which are ours; empty where there are none."""
    found = migrate.version(connection)
    if found is None:
        return ""
    if not found:
        raise LocalError("The database is no journal: it holds other tables.")
    older = found in migrate.OLDER
    if found != SCHEMA_VERSION and not (older and upgrade):
        raise LocalError(
            f"The journal has schema version {found}; this program works with {SCHEMA_VERSION}.",
            hint="Stop every gateway on it, keep a backup, and run: pakkehjem db upgrade"
            if older
            else "Use the version of the program that wrote it, or a newer one.",
        )
    where = (content.c[name] == value for name, value in _KEY_CHECK.items())
    sealed = connection.scalar(select(content.c.sealed).where(*where))
    try:
        vault.open(sealed or b"", context=_KEY_CONTEXT)
    except LocalError as error:
        raise LocalError(
            "The journal was written with another key.", hint="Give the key that belongs to this journal."
        ) from error
    return found
