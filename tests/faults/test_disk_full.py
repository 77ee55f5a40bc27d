"""The journal's disk is full: nothing is acknowledged, the log says why, work goes on when there is room."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import require
from tests.faults.conftest import at_length
from tests.faults.keeper import Keeper, wait_until
from tests.faults.world import Progress, World, play, settle
from tests.servers import RabbitServer

pytestmark = [pytest.mark.crash, pytest.mark.timeout(1500), at_length]

NOTES = 20
TIMES = 3
SIZE = 32 * 1024 * 1024


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 32 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    require(os.geteuid() == 0, "only root can mount a small disk")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0755", "tmpfs", str(place)],
        capture_output=True,
        check=False,
    )
    require(done.returncode == 0, "a small disk can not be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(disk: Path) -> Path:
    """Take all the room that is left."""
    file = disk / "filling"
    with file.open("wb", buffering=0) as filling, contextlib.suppress(OSError):
        while True:
            filling.write(b"x" * 4096)
    assert shutil.disk_usage(disk).free < 4096
    return file


def test_a_full_disk(
    config: Path, rabbit_server: RabbitServer, rabbitmq: str, small_disk: Path, tmp_path: Path
) -> None:
    journal = f"sqlite:///{small_disk}/journal.sqlite"
    world = World(
        config=config, broker=rabbitmq, journal="sqlite", settings={"PAKKEHJEM__JOURNAL__URL": journal}
    )
    keeper = Keeper(config, tmp_path / "log", environment=world.environment)
    with Progress(world) as progress, keeper:
        keeper.ready()
        for _ in range(TIMES):
            before, said = world.notes(), keeper.lines.count("journal-unavailable")
            filling = fill(small_disk)
            with play(world, NOTES) as playing:
                wait_until(
                    lambda said=said: keeper.lines.count("journal-unavailable") > said,  # type: ignore[misc] # a default
                    "the log does not say it",
                )
                line = [each for each in keeper.lines.splitlines() if "journal-unavailable" in each][-1]
                assert "The disk of the journal is full" in line
                waiting = in_queue(rabbit_server, rabbitmq)
                assert world.notes() - before + waiting >= NOTES, (
                    "what is not in the journal is with the broker"
                )
                assert waiting > 0
                assert keeper.deaths == [], "it waits"
                filling.unlink()
                playing.fault()
                settle(playing, progress, "journal's disk full")
        assert keeper.end() == 0
        assert keeper.deaths == []


def in_queue(server: RabbitServer, url: str) -> int:
    """How many notes the broker holds, taken or not."""
    host = url.rpartition("/")[2]

    def count() -> int:
        lines = server.ctl("list_queues", "-p", host, "name", "messages").splitlines()
        return next((int(line.split()[1]) for line in lines if line.startswith("pakkehjem_in")), 0)

    found = 0

    def all_sent() -> bool:
        nonlocal found
        before, found = found, count()
        return found == before > 0

    wait_until(all_sent, "the notes are not all with the broker")
    return found
