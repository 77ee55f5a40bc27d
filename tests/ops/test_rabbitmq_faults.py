"""The whole gateway while its broker falls: the books are in order in the end (`make faults`)."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ops.conftest import Pakkehjem
from tests.ops.test_crash import COMMAND, service, taken_in
from tests.servers import RabbitServer, frail_rabbit_server

__all__ = ["frail_rabbit_server"]

NOTES = 60


def _no_memory(server: RabbitServer) -> None:
    server.ctl("set_vm_memory_high_watermark", "0")
    time.sleep(15)
    server.ctl("set_vm_memory_high_watermark", "0.4")


def _closed(server: RabbitServer) -> None:
    for _ in range(3):
        server.ctl("close_all_connections", "maintenance")
        time.sleep(1)


def _restarted(server: RabbitServer) -> None:
    server.stop()
    server.start()


def _killed(server: RabbitServer) -> None:
    for _ in range(2):
        server.kill()
        server.start()
        time.sleep(3)


@pytest.mark.crash
@pytest.mark.timeout(400)
@pytest.mark.skipif(not os.environ.get("FAULTS"), reason="takes minutes: make faults")
@pytest.mark.parametrize("fault", [_restarted, _killed, _closed, _no_memory])
def test_a_broker_that_falls_under_load(
    frail_rabbit_server: RabbitServer,
    pakkehjem: Pakkehjem,
    tmp_path: Path,
    fault: Callable[[RabbitServer], None],
) -> None:
    made = pakkehjem("init", tmp_path / "gateway", "--broker", frail_rabbit_server.new_vhost())
    config = Path(made.out.strip())
    orders = ["--count", str(NOTES), "--rate", "5", "--timeout", "240", "--json"]
    simulation = subprocess.Popen([*COMMAND, "simulate", "-c", str(config), *orders], stdout=subprocess.PIPE)
    try:
        with service(config, tmp_path / "log") as running:
            deadline = time.monotonic() + 90
            while taken_in(config) < NOTES // 4:
                assert time.monotonic() < deadline
                assert running.poll() is None, "the service ended by itself"
                time.sleep(0.02)
            fault(frail_rabbit_server)
            output, _ = simulation.communicate(timeout=300)
            assert running.poll() is None
    finally:
        if simulation.poll() is None:
            simulation.kill()
            simulation.wait(timeout=10)
    ledger = json.loads(output)
    assert ledger["sent"] == NOTES
    assert (ledger["lost"], ledger["duplicated"], ledger["invalid"]) == (0, 0, 0)
    assert simulation.returncode == 0
