"""A crash leaves no image of memory, and `ps` shows no secret and no patient."""

from __future__ import annotations

import ctypes
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import require
from tests.ops.test_crash import service

PR_GET_DUMPABLE = 3


def lines(log: Path) -> str:
    return log.read_text() if log.exists() else ""


def test_a_service_that_crashes_leaves_no_core(config: Path, tmp_path: Path) -> None:
    require(Path("/proc/self/limits").exists(), "the limits of a process are Linux'")
    log = tmp_path / "log"
    with service(config, log) as running:
        deadline = time.monotonic() + 60
        while '"ready"' not in lines(log):
            assert running.poll() is None, lines(log)
            assert time.monotonic() < deadline
            time.sleep(0.05)
        limits = Path(f"/proc/{running.pid}/limits").read_text()
        assert re.search(r"Max core file size +0 +0 ", limits)
        command = Path(f"/proc/{running.pid}/cmdline").read_bytes().split(b"\0")
        assert command[-4:] == [b"run", b"-c", str(config).encode(), b""]
        running.send_signal(signal.SIGABRT)
        assert running.wait(timeout=30) == -signal.SIGABRT
    for folder in (Path.cwd(), config.parent, tmp_path):
        assert list(folder.glob("core*")) == []
        assert list(folder.glob("*.core")) == []


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux'")
def test_every_command_is_marked_as_not_to_be_dumped() -> None:
    """Also where the kernel pipes dumps to a program, which no limit binds."""
    script = (
        "import ctypes, gateway.ops.cli as c\n"
        "c.exit_code = lambda arguments: 10 + ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)\n"
        "c.main(['--help'])"
    )
    assert ctypes.CDLL(None).prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1
    done = subprocess.run([sys.executable, "-c", script], check=False)
    assert done.returncode == 10
