"""The stores that the journal tests run on, and records to put there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import pytest

from gateway.contracts.findings import finding
from gateway.contracts.journal import Journal
from gateway.contracts.ports import Vault
from gateway.contracts.records import Event, InboundMessage, NamedReceiver, Receipt, Sending
from gateway.contracts.states import InboundKind, InboundState, SendingKind, SendingState
from gateway.contracts.summary import Action
from gateway.journal.opening import open_journal
from gateway.journal.sql_journal import SqlJournal
from gateway.security.vault import AesVault, VaultKey
from tests.postgres_server import PostgresServer

KEY = VaultKey(b"k" * 32)
OTHER_KEY = VaultKey(b"o" * 32)
NOW = datetime(2026, 3, 2, 9, 30, 0, 123456, tzinfo=UTC)

_numbers = count(1)


def vault(*keys: VaultKey) -> AesVault:
    return AesVault(keys or (KEY,), b"r" * 32)


class Store(Protocol):
    """A place for a journal, empty at first."""

    @property
    def url(self) -> str:
        """What `open_journal` takes."""

    def open(self, vault: Vault | None = None) -> SqlJournal:
        """Open the journal, as each process does."""


class SqliteStore:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "journal.db"
        self.url = f"sqlite:///{self.path}"

    def open(self, key: Vault | None = None) -> SqlJournal:
        return open_journal(self.url, key or vault())


class PostgresStore:
    def __init__(self, url: str) -> None:
        self.url = url

    def open(self, key: Vault | None = None) -> SqlJournal:
        return open_journal(self.url, key or vault())


@contextmanager
def sqlite_store(_request: pytest.FixtureRequest) -> Iterator[Store]:
    with TemporaryDirectory() as folder:
        yield SqliteStore(Path(folder))


@contextmanager
def postgres_store(request: pytest.FixtureRequest) -> Iterator[Store]:
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database() as url:
        yield PostgresStore(url)


STORES = {"sqlite": sqlite_store, "postgresql": postgres_store}

PORT: Callable[[str, Vault], Journal] = open_journal
"""The type checker holds the implementation against the port here"""


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def note(inbound_id: str | None = None, **fields: Any) -> InboundMessage:
    number = next(_numbers)
    values: dict[str, Any] = {
        "id": inbound_id or f"i{number}",
        "kind": InboundKind.NOTE,
        "state": InboundState.RECEIVED,
        "queue": "pakkehjem_in",
        "received_at": at(number),
        "sender": "8095225",
        "msg_id": f"m{number}",
        "content_hash": f"{number:064}",
        "body": b"<MsgHead/>",
    }
    return InboundMessage(**(values | fields))


def outgoing(inbound_id: str, sending_id: str | None = None, **fields: Any) -> Sending:
    number = next(_numbers)
    values: dict[str, Any] = {
        "id": sending_id or f"s{number}",
        "inbound_id": inbound_id,
        "kind": SendingKind.NOTE,
        "state": SendingState.PENDING,
        "receiver": "8141253",
        "msg_id": f"out{number}",
        "body": b"<MsgHead/>",
        "next_attempt_at": NOW,
    }
    return Sending(**(values | fields))


def happened(inbound_id: str, name: str = "received", **fields: Any) -> Event:
    values: dict[str, Any] = {"inbound_id": inbound_id, "at": NOW, "name": name}
    return Event(**(values | fields))


def answer(sending_id: str, inbound_id: str, **fields: Any) -> Receipt:
    number = next(_numbers)
    values: dict[str, Any] = {
        "sending_id": sending_id,
        "inbound_id": inbound_id,
        "apprec_id": f"a{number}",
        "status": "1",
        "codes": (),
        "received_at": NOW,
    }
    return Receipt(**(values | fields))


FULL = note(
    "full",
    state=InboundState.HELD,
    format="plo-1.6",
    system="dips",
    action=Action.CHANGE,
    received_at=datetime(2026, 3, 29, 3, 0, 0, 1, tzinfo=timezone(timedelta(hours=2))),
    sent_at=datetime(2026, 3, 29, 0, 59, 59, 999999, tzinfo=UTC),
    hospital="100",
    unit="101",
    unit_name="Kreftavdelingen, Ålesund",
    municipality="030106",
    gp="102",
    patient_reference="ab" * 32,
    interaction_point=2,
    document_id="d",
    conversation_parent="p",
    conversation_root="r",
    replaces="earlier",
    summary='{"næring": 1}'.encode(),
    body=bytes(range(256)) * 32,
    findings=(finding("PH030"), finding("PH012")),
    named_receivers=(
        NamedReceiver(her_id="1", copy=False, index=0),
        NamedReceiver(her_id=None, copy=True, index=1),
    ),
    reason="held: PH012",
)
"""A note with a value in every field"""


def add(journal: SqlJournal, *messages: InboundMessage) -> None:
    with journal.transaction() as transaction:
        for message in messages:
            transaction.add_inbound(message)
