"""The whole gateway while its broker falls, chokes, is cut off or is meddled with: the books are in order."""

from __future__ import annotations

import json
import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pika
import pytest

from tests.faults.conftest import at_length
from tests.faults.keeper import Keeper, wait_until
from tests.faults.world import Play, Progress, World, play, settle
from tests.queues.proxy import Proxy
from tests.servers import RabbitServer

pytestmark = [pytest.mark.crash, pytest.mark.timeout(1500)]

NOTES = 60
IN = "pakkehjem_in"
RECEIVER = "8910031_async"
"""Of a municipality that many of the notes go to"""


@pytest.fixture
def frail(frail_rabbit_server: RabbitServer, config: Path) -> Iterator[World]:
    """On a broker that falls, and on SQLite."""
    world = World(config=config, broker=frail_rabbit_server.new_vhost(), journal="sqlite")
    yield world
    # The next test finds it as it should be, whatever became of this one.
    frail_rabbit_server.start()
    frail_rabbit_server.ctl("set_vm_memory_high_watermark", "0.4")


def stopped(server: RabbitServer, playing: Play) -> None:
    server.stop()
    server.start()
    playing.fault()


def killed(server: RabbitServer, playing: Play) -> None:
    server.kill()
    server.start()
    playing.fault()


def killed_twice(server: RabbitServer, playing: Play) -> None:
    killed(server, playing)
    time.sleep(3)
    killed(server, playing)


def connections_closed(server: RabbitServer, playing: Play) -> None:
    for _ in range(3):
        server.ctl("close_all_connections", "maintenance")
        playing.fault()
        time.sleep(1)


def memory_alarm(server: RabbitServer, playing: Play) -> None:
    server.ctl("set_vm_memory_high_watermark", "0")
    time.sleep(15)
    server.ctl("set_vm_memory_high_watermark", "0.4")
    playing.fault()


FAULTS: dict[str, Callable[[RabbitServer, Play], None]] = {
    "broker stopped and started": stopped,
    "broker killed -9 and started, twice": killed_twice,
    "broker closes every connection": connections_closed,
    "broker without memory for 15 s": memory_alarm,
}


@at_length
@pytest.mark.parametrize("fault", FAULTS)
def test_a_broker_that_falls_under_load(
    frail_rabbit_server: RabbitServer, frail: World, tmp_path: Path, fault: str
) -> None:
    keeper = Keeper(frail.config, tmp_path / "log", environment=frail.environment)
    with play(frail, NOTES, rate=5) as playing, Progress(frail) as progress, keeper:
        playing.taken_in(1 / 4)
        FAULTS[fault](frail_rabbit_server, playing)
        settle(playing, progress, fault)
        assert keeper.end() == 0
        assert keeper.deaths == [], "the service ended by itself"


def test_a_broker_that_is_killed_once(
    frail_rabbit_server: RabbitServer, frail: World, tmp_path: Path
) -> None:
    keeper = Keeper(frail.config, tmp_path / "log", environment=frail.environment)
    with play(frail, 30, rate=6) as playing, Progress(frail) as progress, keeper:
        playing.taken_in(1 / 4)
        killed(frail_rabbit_server, playing)
        settle(playing, progress, "broker killed -9 and started")
        assert keeper.end() == 0
        assert keeper.deaths == [], "the service ended by itself"


@at_length
def test_connections_cut_in_mid_frame(rabbitmq: str, config: Path, tmp_path: Path) -> None:
    chance = random.Random(5)  # noqa: S311 - where to cut, the same each time
    with Proxy(rabbitmq) as proxy:
        beyond = World(config=config, broker=rabbitmq, journal="sqlite")
        keeper = Keeper(
            config, tmp_path / "log", environment=beyond.environment | {"PAKKEHJEM__QUEUES__URL": proxy.url}
        )
        with play(beyond, NOTES, rate=5) as playing, Progress(beyond) as progress, keeper:
            for cut in range(1, 11):
                playing.taken_in(cut / 12)
                connections = proxy.connections
                proxy.cut_after(chance.randrange(1, 20_000))
                wait_until(
                    lambda before=connections: proxy.connections > before,  # type: ignore[misc] # a default
                    "the gateway does not come back",
                )
                playing.fault()
            settle(playing, progress, "connection cut in mid-frame")
            assert keeper.end() == 0
            assert keeper.deaths == [], "the service ended by itself"


@at_length
def test_queues_deleted_under_us(frail_rabbit_server: RabbitServer, frail: World, tmp_path: Path) -> None:
    """Each when it is empty: what a broker deletes with its messages nobody can bring back."""
    server, host = frail_rabbit_server, frail.broker.rpartition("/")[2]

    def empty(name: str) -> Callable[[], bool]:
        return lambda: (
            server.ctl("list_queues", "-q", "-p", host, "name", "messages").count(f"{name}\t0\n") == 1
        )

    keeper = Keeper(frail.config, tmp_path / "log", environment=frail.environment)
    with play(frail, NOTES, rate=5) as playing, Progress(frail) as progress, keeper:
        playing.taken_in(1 / 4)
        keeper.signal(signal.SIGSTOP)
        wait_until(empty(RECEIVER), "the receiver does not read")
        server.ctl("delete_queue", "-p", host, RECEIVER)
        keeper.signal(signal.SIGCONT)
        unroutable = "SELECT count(*) FROM sending WHERE error = 'unroutable'"
        wait_until(lambda: frail.count(unroutable) > 0, "nothing was found to be unroutable")
        assert frail.command("queues", "setup").returncode == 0
        playing.fault()

        playing.taken_in(2 / 3)
        playing.process.send_signal(signal.SIGSTOP)
        wait_until(empty(IN), "the gateway does not read")
        server.ctl("delete_queue", "-p", host, IN)
        time.sleep(2)
        assert frail.command("queues", "setup").returncode == 0
        playing.process.send_signal(signal.SIGCONT)
        playing.fault()
        settle(playing, progress, "queue deleted under us")
        assert keeper.end() == 0
        assert keeper.deaths == [], "the service ended by itself"


def classic_queues(world: World) -> None:
    """Make every queue as others might, who manage the broker."""
    missing = json.loads(world.command("queues", "status", "--json").stdout)["missing"]
    connection = pika.BlockingConnection(pika.URLParameters(world.broker))
    channel = connection.channel()
    for name in missing:
        channel.queue_declare(name, durable=True)
    connection.close()


@at_length
def test_queues_with_other_arguments(rabbitmq: str, config: Path, tmp_path: Path) -> None:
    """They are never made over; where others manage the broker they are used as they are."""
    world = World(config=config, broker=rabbitmq, journal="sqlite")
    classic_queues(world)
    refused = world.command("run")
    assert refused.returncode == 3
    assert IN in refused.stderr
    assert "other properties" in refused.stderr
    assert "queues.declare = false" in refused.stderr
    world = replace(world, settings={"PAKKEHJEM__QUEUES__DECLARE": "false"})
    keeper = Keeper(world.config, tmp_path / "log", environment=world.environment)
    with play(world, 20) as playing, Progress(world) as progress, keeper:
        settle(playing, progress, "queues with other arguments, managed by others")
        assert keeper.end() == 0
        assert keeper.deaths == []
