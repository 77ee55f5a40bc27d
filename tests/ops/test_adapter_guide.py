"""docs/adapters.md followed as it is written: every command of it, in its order."""

from __future__ import annotations

import importlib
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from adapters import installed
from adapters.base import RecordSystem
from gateway.ops.cli import exit_code
from tests.conftest import FIXTURES, ROOT

GUIDE = (ROOT / "docs" / "adapters.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
COMMANDS = [
    line.strip()
    for _, language, block in _BLOCK.findall(GUIDE)
    if not language
    for line in block.splitlines()
    if line.strip()
]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where packages are installed for this test alone."""
    folder = tmp_path / "site"
    monkeypatch.syspath_prepend(str(folder))
    return folder


def _run(command: str, site: Path) -> None:
    words = shlex.split(command)
    if words[0] == "pakkehjem":
        assert exit_code(words[1:]) == 0, command
        return
    assert words[:2] == ["pip", "install"], command
    # The package itself, built by what is installed: nothing is fetched.
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-build-isolation", "--target", str(site)]
    subprocess.run([*pip, *options, *words[2:]], check=True)
    importlib.invalidate_caches()


def test_every_command_does_what_the_guide_says(
    tmp_path: Path, site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(COMMANDS) == 9
    shutil.copytree(FIXTURES / "adapters", tmp_path / "fixtures" / "adapters")
    monkeypatch.chdir(tmp_path)
    said = {}
    for command in COMMANDS:
        _run(command, site)
        said[command] = capsys.readouterr()
    assert {"demo_epj", "fjordklinikken"} <= {adapter.name for adapter in installed().adapters}
    assert "demo_epj_adapter" in said["pakkehjem adapters list"].out
    explained = [told.out for command, told in said.items() if "--explain" in command]
    assert len(explained) == 2
    for told in explained:
        assert "pathway.status = started" in told
        assert re.search(r"^  «.+»\n  \S+, line [0-9]+ \([a-z_.]+\)$", told, re.MULTILINE)
    assert exit_code(["adapters", "new", "demo_epj", "--directory", "elsewhere"]) == 2
    assert "installed already" in capsys.readouterr().err


def test_the_scaffold_does_not_recognise_the_worked_examples_fixture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "says that the message is not recognised" in " ".join(GUIDE.split())
    monkeypatch.chdir(tmp_path)
    assert exit_code(["adapters", "new", "fjord"]) == 0
    for file in (FIXTURES / "adapters" / "fjordklinikken" / "fixtures" / "good").iterdir():
        shutil.copy(file, tmp_path / "fjord" / "fixtures" / "good" / f"02-{file.name}")
    capsys.readouterr()
    assert exit_code(["adapters", "check", "fjord"]) == 1
    told = capsys.readouterr().out
    assert "FAIL good/02-01-melanom.xml\n       is not recognised as a message of this system" in told


def test_the_guides_expectation_is_one() -> None:
    (document,) = [json.loads(block) for _, language, block in _BLOCK.findall(GUIDE) if language == "json"]
    assert set(document) == {"summary", "lenient", "optional"}


def test_the_guide_names_every_difference() -> None:
    table = set(re.findall(r"^ *\| `(\w+)[`(]", GUIDE, re.MULTILINE))
    members = {*vars(RecordSystem), *RecordSystem.__annotations__}
    every_adapters = {"name", "title", "source_url", "recognises", "read", "author"}
    assert table == {name for name in members if not name.startswith("_")} - every_adapters
