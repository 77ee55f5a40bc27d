"""Real processes, killed at any moment: what was committed is there, and no half transactions."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gateway.contracts.errors import LocalError
from gateway.contracts.records import InboundFilter
from gateway.contracts.states import InboundState
from gateway.journal.sql_journal import SqlJournal
from tests.conftest import ROOT
from tests.journal.players import GROUP
from tests.journal.stores import PostgresStore, Store

pytestmark = pytest.mark.crash


@contextmanager
def player(play: str, store: Store) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.journal.players", play, store.url],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_committed_is_there_and_nothing_is_there_by_halves(store: Store) -> None:
    chance = random.Random(3)  # noqa: S311 - when to kill, the same each time
    committed: set[str] = set()
    rounds = 4
    for _ in range(rounds):
        with player("write", store) as process:
            assert process.stdout is not None
            begun = process.stdout.readline() + process.stdout.readline()
            time.sleep(chance.uniform(0.01, 0.3))
            process.kill()
            lines = (begun + process.stdout.read()).splitlines(keepends=True)
        committed |= {line.split()[1] for line in lines if line.endswith("\n")}
    assert len(committed) > rounds
    journal = store.open()
    notes = journal.list_inbound(InboundFilter(limit=1_000_000))
    groups = Counter(each.id.rpartition("-")[0] for each in notes)
    assert committed <= set(groups)
    assert len(groups) - len(committed) <= rounds, "at most the one that was under way in each process"
    assert set(groups.values()) == {GROUP}
    assert {each.state for each in notes} == {InboundState.SENDING}
    with journal.reader() as reader:
        for each in notes:
            names = [event.name for event in journal.events(each.id)]
            assert names == ["received", "sending-created", "sending-created"]
            assert [s.body for s in reader.sendings(each.id)] == [b"x" * 3000] * 2
            found = reader.inbound(each.id)
            assert found is not None
            assert (found.body, found.summary) == (each.id.encode() * 400, b"{}")
    journal.close()


def test_one_gateway_at_a_time_on_sqlite_and_several_on_postgresql(store: Store, journal: SqlJournal) -> None:
    if isinstance(store, PostgresStore):
        with player("hold", store) as process:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("held")
            journal.acquire_exclusive("gateway").release()
        return
    with player("hold", store) as process:
        assert process.stdout is not None
        pid = process.stdout.readline().split()[1]
        with pytest.raises(LocalError, match=rf"Another gateway works on this journal: process {pid}\."):
            journal.acquire_exclusive("gateway")
        journal.count_by_state()
        journal.acquire_exclusive("janitor").release()
        process.kill()
        process.wait()
        with journal.acquire_exclusive("gateway"):
            other = store.open()
            with pytest.raises(LocalError, match="process"):
                other.acquire_exclusive("gateway")
        other.acquire_exclusive("gateway")
        other.close()
        journal.acquire_exclusive("gateway")


def test_several_processes_may_make_the_journal(store: Store) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.journal.players", "open", store.url],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    assert [process.communicate(timeout=60)[0] for process in processes] == ["0\n"] * 4
