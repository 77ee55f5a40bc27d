"""What the gateway makes is for its owner only, whatever the umask lets through."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.ops.initialise import initialise
from tests.flow.harness import Gateway, note
from tests.ops.conftest import Pakkehjem, pakkehjem

__all__ = ["pakkehjem"]

FOR_EVERYONE = ("gateway.toml", "register.toml", ".cert.pem", "root.pem")
"""Configuration without secrets, and certificates"""


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def open_to_others(folder: Path) -> set[str]:
    return {
        f"{path.relative_to(folder.parent)} {stat.S_IMODE(path.stat().st_mode):o}"
        for path in (folder, *folder.rglob("*"))
        if path.stat().st_mode & 0o077 and not path.name.endswith(FOR_EVERYONE)
    }


def writable_for_others(folder: Path) -> set[str]:
    return {str(path) for path in (folder, *folder.rglob("*")) if path.stat().st_mode & 0o022}


@pytest.mark.usefixtures("open_umask")
def test_files_are_0600_and_folders_0700(tmp_path: Path, pakkehjem: Pakkehjem) -> None:
    config = initialise(tmp_path / "gateway")
    gateway = Gateway(config)
    gateway.note(note("dips/01"), note("dips/03"), note("dips/08"), b"\x00")
    found = {path.name for path in config.parent.rglob("*")}
    assert {"journal.sqlite", "journal.sqlite-wal", "queue.sqlite", "journal.key"} <= found
    assert pakkehjem("db", "backup", config.parent / "backup", "-c", config).code == 0
    anchor = config.parent / "anchor.json"
    assert pakkehjem("audit", "verify", "--write-anchor", anchor, "-c", config).code == 0
    assert open_to_others(config.parent) == set()
    assert writable_for_others(config.parent) == set()
    gateway.close()
    assert open_to_others(config.parent) == set()
