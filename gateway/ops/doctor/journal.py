"""The journal: reachable, of this version, with our key, writable, and of a time that is not to come."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.contracts.errors import GatewayError
from gateway.contracts.ports import Vault
from gateway.contracts.records import InboundFilter
from gateway.contracts.states import InboundKind, InboundState
from gateway.journal.opening import journal_version
from gateway.journal.sql_journal import SqlJournal
from gateway.journal.tables import SCHEMA_VERSION
from gateway.ops.configuration import Configuration
from gateway.ops.counted import counted
from gateway.ops.doctor.lines import Line, failed, fault, ok, warning
from gateway.ops.stores import open_journal, open_vault

_SKEW = timedelta(minutes=1)
_MANY = 100


def journal(configuration: Configuration) -> Iterator[Line]:
    """What there is to say of it."""
    try:
        vault = open_vault(configuration)
    except GatewayError:
        return  # told with the keys
    url = configuration.journal.url
    if url.startswith("sqlite"):
        line = _file(configuration.path(Path(url.partition(":")[2].removeprefix("///"))))
        if line is not None:
            yield line
            return
    try:
        version = journal_version(configuration.file_url(url), vault)
        if version == SCHEMA_VERSION:
            yield from _content(configuration, vault)
            return
    except GatewayError as error:
        yield failed("journal", error, "see that the database runs, and journal.url")
        return
    if not version:
        yield ok("journal", "there is none yet: the first start makes it")
    else:
        yield fault(
            "journal",
            f"the journal has schema version {version}; this program works with {SCHEMA_VERSION}",
            "stop every gateway on it, keep a backup, and run: pakkehjem db upgrade",
        )


def _file(path: Path) -> Line | None:
    """What is wrong with the file, or that it is still to be made; None where it can be opened."""
    if not path.exists():
        return _new(path)
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        return None
    return fault(
        "journal",
        f"{path} can not be written by this user",
        "run doctor as the service's user, or give it the file and its folder",
    )


def _new(path: Path) -> Line:
    if path.parent.is_dir() and os.access(path.parent, os.W_OK):
        return ok("journal", f"{path} is not there yet: the first start makes it")
    return fault(
        "journal",
        f"{path} is not there, and its folder can not be written",
        "make the folder and give it to the service's user, or correct journal.url",
    )


def _content(configuration: Configuration, vault: Vault) -> Iterator[Line]:
    opened = open_journal(configuration, vault)
    try:
        yield from _rows(opened)
    finally:
        opened.close()


def _rows(opened: SqlJournal) -> Iterator[Line]:
    counts = opened.count_by_state()
    yield ok("journal", f"version {SCHEMA_VERSION}, {counted(sum(counts.values()), 'note')}")
    clock = opened.database_time()
    now = datetime.now(UTC)
    if clock is not None and abs(clock - now) > _SKEW:
        yield fault(
            "clock",
            f"the database's clock differs from ours by {abs(clock - now).total_seconds():.0f} s",
            "let chrony or ntpd set both: leases and deadlines are counted by them",
        )
    newest = opened.list_inbound(InboundFilter(kinds=tuple(InboundKind), limit=1))
    if newest and newest[0].received_at > now + _SKEW:
        yield fault(
            "clock",
            f"the newest message came at {newest[0].received_at:%Y-%m-%d %H:%M} UTC, which is to come",
            "the clock was ahead, or is behind now: let chrony or ntpd set it",
        )
    failed_count, held = counts[InboundState.FAILED.value], counts[InboundState.HELD.value]
    if failed_count >= _MANY:
        yield warning("journal", f"{failed_count} notes have failed", "pakkehjem failed list")
    if held >= _MANY:
        yield warning("journal", f"{held} notes wait for a person", "pakkehjem held list")
