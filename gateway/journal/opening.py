"""Opens a journal by its URL: to work on it, to bring it to this version, or to see which it has."""

from __future__ import annotations

from datetime import timedelta

from gateway.contracts.ports import Vault
from gateway.journal.sql_journal import LEASE, SqlJournal
from gateway.journal.store import open_store
from gateway.journal.tables import SCHEMA_VERSION


def open_journal(url: str, vault: Vault, *, lease: timedelta = LEASE) -> SqlJournal:
    """Open a journal, and make it where it is new.

    Args:
        url: `sqlite:///relative/path`, `sqlite:////absolute/path` or `postgresql://user@host/database`.
        vault: Seals the payloads; a journal opens with a vault that has its key only.
        lease: How long this process has to publish what it took, where several do.

    Raises:
        ConfigurationError: the URL can not be used.
        LocalError: what is there is no journal, is one of another version, or of another key.
        JournalUnavailableError: the store can not be reached.
    """
    journal = _opened(url, vault, lease)
    try:
        journal.prepare()
    except BaseException:
        journal.close()
        raise
    return journal


def upgrade_journal(url: str, vault: Vault) -> tuple[str, str]:
    """Bring a journal to the version of this program.

    Returns:
        The version that was there (empty: it was made new), and the one that is.

    Raises:
        ConfigurationError: the URL can not be used.
        LocalError: what is there is no journal, is of a newer version, or of another key.
        JournalUnavailableError: the store can not be reached.
    """
    journal = _opened(url, vault, LEASE)
    try:
        return journal.prepare(upgrade=True), SCHEMA_VERSION
    finally:
        journal.close()


def journal_version(url: str, vault: Vault) -> str:
    """The version of a journal, which is looked at only; empty where there is none yet.

    A SQLite file that is not there is made, empty.

    Raises:
        ConfigurationError: the URL can not be used.
        LocalError: what is there is no journal, is of a newer version, or of another key.
        JournalUnavailableError: the store can not be reached.
    """
    journal = _opened(url, vault, LEASE)
    try:
        return journal.version()
    finally:
        journal.close()


def _opened(url: str, vault: Vault, lease: timedelta) -> SqlJournal:
    """A journal that is not checked yet."""
    return SqlJournal(open_store(url), vault, lease=lease)
