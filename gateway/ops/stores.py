"""What most commands need, opened as the configuration says: the journal, its keys, the register, the broker.

Apart from the composition root, which loads the whole gateway.
"""

from __future__ import annotations

from datetime import timedelta

from gateway.contracts.ports import Vault
from gateway.contracts.queues import Queue
from gateway.contracts.registry import Registry
from gateway.journal.opening import open_journal as open_sql_journal
from gateway.journal.sql_journal import SqlJournal
from gateway.ops.configuration import Configuration
from gateway.security.vault import load_key_file
from gateway.security.vault import open_vault as vault_of


def open_registry(configuration: Configuration) -> Registry:
    """Read the address register."""
    # Not on top: what only reads the journal does without.
    from gateway.routing.register_file import RegisterFile  # noqa: PLC0415

    return RegisterFile.load(configuration.path(configuration.registry.file))


def open_vault(configuration: Configuration) -> Vault:
    """Load the keys that payloads are encrypted with.

    Raises:
        LocalError: the file is not there, or others may read it.
    """
    key = configuration.journal.key
    if key is not None:
        return vault_of(key.get_secret_value().encode(), source="journal.key")
    return load_key_file(configuration.path(configuration.journal.key_file))


def open_journal(configuration: Configuration, vault: Vault | None = None) -> SqlJournal:
    """Open the journal; several processes may look at it."""
    return open_sql_journal(
        configuration.file_url(configuration.journal.url),
        vault or open_vault(configuration),
        lease=timedelta(seconds=configuration.flow.lease_seconds),
    )


def connect_queue(configuration: Configuration) -> Queue:
    """Connect to the broker.

    Raises:
        ConfigurationError: the URL is of no known kind.
        QueueUnavailableError: the broker can not be reached.
    """
    # Not on top: what only reads the journal does without.
    from queues import connect  # noqa: PLC0415

    return connect(configuration.broker_url())
