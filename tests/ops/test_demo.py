from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.contracts.errors import EXIT_UNREACHABLE
from gateway.ops.cli import exit_code
from gateway.ops.simulation.gateway_process import GatewayNotRunningError, GatewayProcess
from tests.conftest import NOTES


def demo(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gateway.ops.cli", "demo", *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env={**os.environ, "TMPDIR": str(folder)},
    )


def test_the_demo_shows_every_outcome_and_loses_nothing(tmp_path: Path) -> None:
    done = demo("--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    ledger = json.loads(done.stdout)
    assert set(ledger) == {
        *("sent", "accepted", "rejected", "held", "withheld", "delivered", "acknowledged", "replies"),
        *("lost", "duplicated", "invalid", "seconds", "messages_per_second"),
    }
    assert ledger["sent"] == 60
    assert sum(ledger[k] for k in ("accepted", "rejected", "held", "withheld")) == 60
    assert min(ledger[k] for k in ("accepted", "rejected", "held", "withheld")) > 0
    assert min(ledger["delivered"].values()) > 0
    assert ledger["acknowledged"]["negative"] > 0
    assert sum(ledger["acknowledged"].values()) == sum(ledger["delivered"].values())
    assert ledger["replies"]["sent"] == ledger["replies"]["delivered"] > 0
    assert ledger["lost"] == ledger["duplicated"] == ledger["invalid"] == 0
    assert list(tmp_path.iterdir()) == []


def test_people_see_the_flow_an_example_and_a_verdict_and_no_patient(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    done = demo("--keep", str(kept), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    for word in ("step by step", "received", "answered", "passed on", "helseplattformen", "lost 0"):
        assert word in done.stdout
    assert "Everything is accounted for" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100
    shown = done.stdout + done.stderr + (kept / "gateway.log").read_text()
    numbers = {n for f in NOTES.rglob("*.xml") for n in re.findall(rb">(\d{11})<", f.read_bytes())}
    assert len(numbers) > 40
    assert not [n for n in numbers if n.decode() in shown]
    assert "Fiskebolle" not in shown
    assert (kept / "gateway.toml").is_file()
    assert (kept / "journal.sqlite").is_file()
    again = demo("--keep", str(kept), folder=tmp_path)
    assert again.returncode == 3
    assert "already" in again.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_when_it_is_stopped(tmp_path: Path, number: signal.Signals) -> None:
    # A shell has what it starts in the background ignore Ctrl-C, and that is inherited.
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway.ops.cli", "demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    signal.signal(signal.SIGINT, inherited)
    with process:
        assert process.stderr is not None
        for line in process.stderr:
            if "the notes go in" in line:
                break
        time.sleep(0.5)
        process.send_signal(number)
        said = process.stderr.read()
        code = process.wait(60)
    assert code == 130, said
    assert list(tmp_path.iterdir()) == []
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(tmp_path) not in listed


def test_a_gateway_that_does_not_start_is_told_with_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    configuration = tmp_path / "gateway.toml"
    configuration.write_text("[queues]\nno_such_key = 1\n")
    with GatewayProcess(configuration, tmp_path / "log") as gateway:
        with pytest.raises(GatewayNotRunningError) as caught:
            gateway.wait_until_ready()
        assert "no_such_key" in (caught.value.hint or "")
    monkeypatch.setattr("gateway.ops.cli.demo.initialise", lambda _: configuration)
    monkeypatch.setattr("gateway.ops.cli.demo.load", lambda _: None)
    monkeypatch.setattr("gateway.ops.stores.open_registry", lambda _: None)
    assert exit_code(["demo"]) == EXIT_UNREACHABLE
    said = capsys.readouterr().err
    assert "The gateway has stopped" in said
    assert "no_such_key" in said


def test_a_gateway_that_never_gets_ready_is_stopped(tmp_path: Path) -> None:
    with GatewayProcess(tmp_path / "missing.toml", tmp_path / "log") as gateway:
        with pytest.raises(GatewayNotRunningError):
            gateway.wait_until_ready(timeout_seconds=0.0)
        assert gateway.drain() != 0
    with pytest.raises(GatewayNotRunningError):
        gateway.check()
