"""Backup, purge and change of keys while the gateway works under load: nobody waits, nothing is lost."""

from __future__ import annotations

import base64
import os
import signal
from pathlib import Path

import pytest

from gateway.contracts.records import InboundFilter
from gateway.journal.opening import open_journal
from gateway.security.vault import load_key_file
from tests.faults.conftest import at_length
from tests.faults.keeper import Keeper
from tests.faults.world import Progress, World, play, settle
from tests.postgres_server import PostgresServer, restore_dump

pytestmark = [pytest.mark.crash, pytest.mark.timeout(1500), at_length]

NOTES = 40


def notes_in(backup: Path, world: World, request: pytest.FixtureRequest) -> int:
    """How many notes are in a backup that is put back elsewhere."""
    vault = load_key_file(world.config.with_name("journal.key"))

    def count(url: str) -> int:
        journal = open_journal(url, vault)
        with journal.reader() as view:
            found = [view.inbound(each.id) for each in journal.list_inbound(InboundFilter())]
        journal.close()
        assert all(each is not None and each.body for each in found)
        return len(found)

    if world.journal == "sqlite":
        return count(f"sqlite:///{backup}")
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database() as url:
        restore_dump(url, backup)
        return count(url)


def test_backup_purge_and_new_keys(world: World, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    backup, keys = tmp_path / "backup", world.config.with_name("journal.key")
    keeper = Keeper(world.config, tmp_path / "log", environment=world.environment)
    with Progress(world) as progress, keeper:
        with play(world, NOTES, rate=6) as playing:
            playing.taken_in(1 / 3)
            done = world.command("db", "backup", str(backup))
            assert done.returncode == 0, done.stderr
            playing.fault()
            playing.taken_in(2 / 3)
            done = world.command("db", "purge", "--older-than", "0h")
            assert done.returncode == 0, done.stderr
            playing.fault()
            settle(playing, progress, "backup and purge while it works")
        assert notes_in(backup, world, request) >= NOTES // 3

        old = keys.read_text()
        (first, *_) = [line for line in old.splitlines() if line and not line.startswith("#")]
        new = base64.b64encode(os.urandom(32)).decode()
        keys.write_text(old.replace(first, f"{new}\n{first}"))
        keeper.signal(signal.SIGTERM)
        keeper.ready(2)
        with play(world, NOTES, rate=6) as playing:
            playing.taken_in(1 / 2)
            done = world.command("db", "rekey")
            assert done.returncode == 0, done.stderr
            playing.fault()
            settle(playing, progress, "payloads sealed with a new key while it works")

        keys.write_text(old.replace(first, new))
        keeper.signal(signal.SIGTERM)
        keeper.ready(3)
        assert keeper.end() == 0
    assert {code for _, code in keeper.deaths} == {0}
    done = world.command("messages", "list", "--json")
    assert done.returncode == 0, done.stderr
