"""The journal goes back to an earlier point: what comes again goes out again, under the same ids."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.contracts.records import InboundFilter
from tests.flow.harness import Gateway, note
from tests.postgres_server import PostgresServer, restore_dump


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Of the journal."""
    if request.param == "sqlite":
        yield "sqlite:journal.sqlite"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database() as made:
        yield made


def sent(gateway: Gateway) -> Counter[tuple[str, str, bytes]]:
    """What lies on every queue: where, under which id, and the bytes."""
    names = [s.name for s in gateway.worker.queue.status() if not s.name.endswith("_in")]
    deliveries = [d for name in names for d in gateway.take(name)]
    return Counter((d.queue, d.envelope.message_id, d.envelope.body) for d in deliveries)


def test_a_restore_is_absorbed_by_stable_ids(
    config: Path, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAKKEHJEM__JOURNAL__URL", url)
    gateway = Gateway(config)
    gateway.note(note("dips/01"))
    backup = tmp_path / "backup"
    gateway.worker.journal.backup(backup)
    assert sent(gateway)
    later = [note("dips/02"), note("dips/08"), note("helseplattformen/01"), note("doculive/01")]
    gateway.note(*later)
    after_backup = sent(gateway)
    assert sum(after_backup.values()) >= 5
    gateway.close()

    if url.startswith("sqlite"):
        file = config.with_name("journal.sqlite")
        for leftover in config.parent.glob("journal.sqlite*"):
            leftover.unlink()
        shutil.copy(backup, file)
    else:
        restore_dump(url, backup)

    gateway = Gateway(config)
    assert len(gateway.rows()) == 1
    gateway.note(note("dips/01"), *later)
    again = sent(gateway)
    assert {key[:2] for key in again} == {key[:2] for key in after_backup}
    assert len(gateway.worker.journal.list_inbound(InboundFilter())) == 5
    gateway.close()
