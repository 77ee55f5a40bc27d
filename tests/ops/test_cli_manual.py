"""The commands of the contract, their help, the manual page, and what the shell completes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from gateway.ops.cli import cli
from gateway.ops.manual import manual
from tests.conftest import ROOT
from tests.flow.harness import Gateway, note
from tests.ops.conftest import Pakkehjem

CONTRACT = {
    "demo": (),
    "init": (),
    "run": (),
    "simulate": (),
    "convert": (),
    "validate": (),
    "apprec": (),
    "sign": (),
    "verify": (),
    "send": (),
    "messages": ("list", "show", "trace"),
    "held": ("list", "show", "release", "discard"),
    "failed": ("list", "show", "replay", "discard", "export"),
    "replies": ("list", "claim"),
    "queues": ("status", "setup"),
    "register": ("list", "lookup", "check"),
    "adapters": ("list", "new", "check"),
    "schemas": ("list", "add"),
    "report": (),
    "audit": ("verify", "export"),
    "db": ("upgrade", "backup", "purge"),
    "doctor": (),
    "bench": (),
}


@pytest.mark.parametrize("name", CONTRACT)
def test_every_command_of_the_contract_is_there_and_shows_how(name: str, pakkehjem: Pakkehjem) -> None:
    context = click.Context(cli, info_name="pakkehjem")
    command = cli.get_command(context, name)
    assert command is not None
    below = command.list_commands(context) if isinstance(command, click.Group) else []
    assert set(CONTRACT[name]) <= set(below)
    for each in [(name,), *((name, one) for one in below)]:
        shown = pakkehjem(*each, "--help")
        assert shown.code == 0
        assert "Example" in shown.out, each
        assert max(map(len, shown.out.splitlines())) <= 100


def test_the_manual_page_is_the_commands() -> None:
    page = (ROOT / "docs" / "pakkehjem.1").read_text()
    assert page == manual(), "run: make man"


def complete(line: str, config: Path) -> list[str]:
    """What bash would offer at the end of a line."""
    words = line.split(" ")
    asked = {"_PAKKEHJEM_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    done = subprocess.run(
        [sys.executable, "-c", "from gateway.ops.cli import main; main()"],
        env=os.environ | asked | {"PAKKEHJEM_CONFIG": str(config)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return [each.partition(",")[2] for each in done.stdout.splitlines() if each]


def test_a_shell_completes_commands_ids_and_receivers(gateway: Gateway) -> None:
    gateway.note(note("dips/01"))
    message = gateway.rows()[0].id
    assert "failed" in complete("pakkehjem fa", gateway.config)
    assert complete(f"pakkehjem messages show {message[:6]}", gateway.config) == [message]
    assert complete("pakkehjem messages show zz", gateway.config) == []
    found = complete("pakkehjem failed list --receiver 891003", gateway.config)
    assert found == ["8910031"]
    # The key is not needed, and what is wrong is not told there.
    gateway.config.with_name("journal.key").unlink()
    assert complete(f"pakkehjem failed show {message[:6]}", gateway.config) == [message]
    gateway.config.unlink()
    assert complete(f"pakkehjem failed show {message[:6]}", gateway.config) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_a_shell(shell: str, pakkehjem: Pakkehjem) -> None:
    done = pakkehjem("completion", shell)
    assert done.code == 0
    assert "_PAKKEHJEM_COMPLETE" in done.out
