"""A message that kills the process is set aside after some attempts, and everything else flows."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from gateway.contracts.queues import Envelope
from gateway.contracts.records import InboundFilter
from gateway.contracts.states import InboundKind, InboundState, SendingKind, SendingState
from gateway.journal.sql_journal import SqlJournal
from gateway.ops.configuration import Configuration, load
from gateway.ops.queue_names import all_queues
from gateway.ops.stores import connect_queue, open_journal, open_registry
from tests.conftest import ROOT
from tests.flow.harness import note, with_new_id
from tests.ops.conftest import Pakkehjem
from tests.postgres_server import PostgresServer
from tests.servers import rabbit_server, rabbitmq

__all__ = ["rabbit_server", "rabbitmq"]

MARK = "<!-- deadly -->"
DEADLY_RECEIVER = "8910041"
"""Of the note dips/02"""
NEIGHBOURS = ("dips/01", "dips/02", "dips/03", "doculive/01")
ATTEMPTS = 3

Environment = dict[str, str]


@pytest.fixture(params=["embedded, sqlite", "rabbitmq, postgresql"])
def places(request: pytest.FixtureRequest) -> Iterator[Environment]:
    """Broker and journal, as the environment names them."""
    if request.param == "embedded, sqlite":
        yield {}
        return
    if not os.environ.get("FAULTS"):
        pytest.skip("part of make faults")
    postgres: PostgresServer = request.getfixturevalue("postgres")
    broker: str = request.getfixturevalue("rabbitmq")
    with postgres.database() as url:
        yield {
            "PAKKEHJEM__QUEUES__URL": broker,
            "PAKKEHJEM__JOURNAL__URL": url,
            "PAKKEHJEM__FLOW__LEASE_SECONDS": "1",
        }


@contextmanager
def journal_of(configuration: Configuration) -> Iterator[SqlJournal]:
    journal = open_journal(configuration)
    try:
        yield journal
    finally:
        journal.close()


class Deadly:
    """Starts the gateway again each time it dies."""

    def __init__(self, config: Path, environment: Environment, log: Path) -> None:
        self.config, self.environment, self.log = config, environment, log
        self.deaths = 0

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 300
        process = self._started()
        try:
            while not condition():
                assert time.monotonic() < deadline, self.log.read_text()[-2000:]
                if process.poll() is not None:
                    assert process.returncode == -9
                    self.deaths += 1
                    process = self._started()
                time.sleep(0.05)
        finally:
            process.terminate()
            process.wait(timeout=40)

    def _started(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.ops.deadly_gateway", "run", "-c", str(self.config)],
                cwd=ROOT,
                stderr=output,
                env=os.environ | self.environment | {"DEADLY_MARK": MARK, "DEADLY_RECEIVER": DEADLY_RECEIVER},
            )


@pytest.mark.crash
@pytest.mark.timeout(400)
def test_what_kills_the_process_is_quarantined_and_its_neighbours_flow(
    config: Path,
    places: Environment,
    pakkehjem: Pakkehjem,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    for name, value in places.items():
        monkeypatch.setenv(name, value)
    configuration = load(config)
    deadly = with_new_id(note("dips/01")).replace(b"<MsgInfo>", MARK.encode() + b"<MsgInfo>", 1)
    assert MARK.encode() in deadly
    neighbours = [with_new_id(note(name)) for name in NEIGHBOURS]
    bodies = [*neighbours[:2], deadly, *neighbours[2:]]
    with connect_queue(configuration) as queue:
        queue.declare(all_queues(configuration, open_registry(configuration)))
        queue.publish([("pakkehjem_in", Envelope(body=each, message_id=str(uuid4()))) for each in bodies])

    def states(journal: SqlJournal) -> Counter[str]:
        return Counter(m.state.value for m in journal.list_inbound(InboundFilter()))

    gateway = Deadly(config, places, tmp_path / "log")
    with journal_of(configuration) as journal:
        gateway.until(lambda: sum(states(journal).values()) == len(bodies) and not journal.next_due())
        rows = journal.list_inbound(InboundFilter(kinds=tuple(InboundKind)))
        (poison,) = [row for row in rows if row.reason == "poison"]
        assert poison.state is InboundState.FAILED
        with journal.reader() as view:
            kept = view.inbound(poison.id)
            assert kept is not None
            assert kept.body == deadly
            sendings = [s for row in rows for s in view.sendings(row.id, kinds=[SendingKind.NOTE])]
        (dead,) = [s for s in sendings if s.error == "poison"]
        assert (dead.receiver, dead.state) == (DEADLY_RECEIVER, SendingState.FAILED)
        assert {s.state for s in sendings if s.id != dead.id} == {SendingState.DELIVERED}
        assert states(journal)["failed"] == 2, "the message, and the one whose sending it is"
        # The message and the sending. Where the latter came after a crash it went alone from the beginning.
        assert gateway.deaths in (2 * ATTEMPTS - 1, 2 * ATTEMPTS)

    listed = pakkehjem("messages", "list", "-c", config, "--state", "failed", "--json").json()
    assert poison.id in [each["id"] for each in listed]
    status = pakkehjem("queues", "status", "-c", config, "--json").json()
    assert {each["name"]: each["ready"] for each in status["queues"]}["pakkehjem_in"] == 0
    assert '"message-quarantined"' in (tmp_path / "log").read_text()

    # Where it was no fault of its own a person takes it up again.
    pakkehjem("failed", "replay", poison.id, "-c", config)
    with journal_of(configuration) as journal:
        taken_up = [m for m in journal.list_inbound(InboundFilter()) if m.id not in {r.id for r in rows}]
        assert [m.state for m in taken_up] == [InboundState.HELD], "it says what its neighbour has said"
