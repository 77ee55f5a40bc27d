"""What is particular to the embedded queue."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.contracts.errors import ConfigurationError, LocalError, QueueUnavailableError
from queues import connect, store
from queues.embedded import EmbeddedQueue
from tests.queues.brokers import envelope


def test_only_the_owner_can_read(tmp_path: Path) -> None:
    with EmbeddedQueue(tmp_path / "q") as queue:
        queue.declare(["a"])
        modes = {
            path.relative_to(tmp_path).parts[0]: stat.S_IMODE(path.stat().st_mode)
            for path in tmp_path.iterdir()
        }
    assert modes == {"q": 0o600, "q-wal": 0o600, "q-shm": 0o600, "q.connections": 0o700}


def test_commits_are_on_the_disk(tmp_path: Path) -> None:
    with EmbeddedQueue(tmp_path / "q") as queue:
        settings: list[tuple[str, int]] = []

        def note(statement: str) -> None:
            if statement in ("COMMIT", "BEGIN IMMEDIATE"):
                settings.append((statement, queue._db.execute("PRAGMA synchronous").fetchone()[0]))

        def commit_of(action: Callable[[], object]) -> list[tuple[str, int]]:
            settings.clear()
            queue._db.set_trace_callback(note)
            action()
            queue._db.set_trace_callback(None)
            return settings

        full = [("BEGIN IMMEDIATE", 2), ("COMMIT", 2)]
        assert commit_of(lambda: queue.declare(["a"])) == full
        assert commit_of(lambda: queue.publish([("a", envelope("1"))])) == full
        taken = queue.take(["a"], limit=1, wait_seconds=0)
        assert commit_of(lambda: queue.acknowledge(taken)) == full
        assert queue._db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_connections_leave_nothing_behind(tmp_path: Path) -> None:
    for _ in range(3):
        with EmbeddedQueue(tmp_path / "q") as queue:
            queue.declare(["a"])
            queue.take(["a"], limit=1, wait_seconds=0)
    assert [path.name for path in (tmp_path / "q.connections").iterdir()] == ["gate"]
    with sqlite3.connect(tmp_path / "q") as db:
        assert db.execute("SELECT count(*) FROM connection").fetchone()[0] == 0
        assert db.execute("SELECT count(*) FROM consumer").fetchone()[0] == 0
    db.close()


def test_acknowledged_messages_leave_no_envelope(tmp_path: Path) -> None:
    with EmbeddedQueue(tmp_path / "q") as queue:
        queue.declare(["a"])
        queue.publish([("a", envelope("1")), ("a", envelope("2"))])
        queue.acknowledge(queue.take(["a"], limit=1, wait_seconds=0))
        assert queue._db.execute("SELECT message_id FROM envelope").fetchall() == [("2",)]


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.write_bytes(b"no database, " * 500),
        lambda path: _database(path, "CREATE TABLE something (x)"),
        lambda path: _database(path, "CREATE TABLE queue (x); PRAGMA user_version = 99"),
    ],
    ids=["no database", "another database", "another version"],
)
def test_a_file_that_is_no_queue_is_refused(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "q")
    before = (tmp_path / "q").read_bytes()
    with pytest.raises(LocalError):
        EmbeddedQueue(tmp_path / "q")
    assert (tmp_path / "q").read_bytes() == before


def _database(path: Path, script: str) -> None:
    db = sqlite3.connect(path)
    db.executescript(script)
    db.close()


def test_a_file_of_the_version_before_is_taken_over_with_its_messages(tmp_path: Path) -> None:
    with EmbeddedQueue(tmp_path / "q") as queue:
        queue.declare(["a"])
        queue.publish([("a", envelope("1"))])
    _database(tmp_path / "q", "ALTER TABLE message DROP COLUMN abandoned; PRAGMA user_version = 1")
    with EmbeddedQueue(tmp_path / "q") as queue:
        (taken,) = queue.take(["a"], limit=1, wait_seconds=0)
        assert (taken.envelope.message_id, taken.abandoned) == ("1", 0)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(QueueUnavailableError, match="No such file or directory"):
        EmbeddedQueue(tmp_path / "nowhere" / "q")


def test_a_lock_that_lasts_is_an_error_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "BUSY_SECONDS", 0.05)
    with EmbeddedQueue(tmp_path / "q") as queue:
        queue.declare(["a"])
        other = sqlite3.connect(tmp_path / "q", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(QueueUnavailableError, match="SQLITE_BUSY"):
            queue.publish([("a", envelope("1"))])
        other.execute("ROLLBACK")
        other.close()
        assert queue.publish([("a", envelope("1"))]) == ["confirmed"]
        assert len(queue.take(["a"], limit=5, wait_seconds=0)) == 1


def test_a_full_disk_stores_nothing(tmp_path: Path) -> None:
    with EmbeddedQueue(tmp_path / "q") as queue:
        queue.declare(["a"])
        (pages,) = queue._db.execute("PRAGMA page_count").fetchone()
        queue._db.execute(f"PRAGMA max_page_count = {pages + 10}")
        with pytest.raises(QueueUnavailableError, match="disk"):
            queue.publish([("a", envelope(str(n), b"x" * 9000)) for n in range(50)])
        assert queue.take(["a"], limit=5, wait_seconds=0) == []
        assert queue.publish([("a", envelope("1"))]) == ["confirmed"]


class TestUrl:
    @pytest.mark.parametrize("slashes", ["", "/"])
    def test_names_a_file(self, tmp_path: Path, slashes: str) -> None:
        folder = tmp_path / "with blank"
        folder.mkdir()
        with connect(f"embedded://{slashes}{folder}/q".replace(" ", "%20")) as queue:
            queue.declare(["a"])
        assert (folder / "q").is_file()

    @pytest.mark.parametrize("url", ["embedded:///", "embedded://", "embedded://host/q"])
    def test_without_a_file(self, url: str) -> None:
        with pytest.raises(ConfigurationError, match="embedded:///path/to/file"):
            connect(url)

    @pytest.mark.parametrize("url", ["carrier-pigeon://secret@host/q", "queue.db", "", "http://[secret"])
    def test_unknown_kinds_are_told_with_the_known_ones(self, url: str) -> None:
        with pytest.raises(ConfigurationError) as raised:
            connect(url)
        assert "secret" not in str(raised.value)
        assert "embedded://" in str(raised.value) or "can not be read" in str(raised.value)
