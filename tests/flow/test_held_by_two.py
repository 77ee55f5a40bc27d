"""Two persons decide on the same held notes at the same moment, each in a process's own journal: one wins."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.contracts.states import InboundState, SendingKind
from gateway.ops import holding
from gateway.ops.composition import held_notes
from gateway.ops.stores import open_journal
from gateway.pipeline.held import Person, RouteCorrection
from tests.flow.conftest import Start
from tests.flow.harness import Gateway, note, with_new_id
from tests.flow.variants import configured
from tests.postgres_server import PostgresServer

NOTES = 6


@pytest.fixture(params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest, start: Start, config: Path) -> Iterator[Gateway]:
    """A gateway on either journal."""
    if request.param == "sqlite":
        yield start()
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database() as url:
        configured(config, 'url = "sqlite:journal.sqlite"', f'url = "{url}"')
        gateway = start()
        yield gateway
        gateway.close()


def test_each_note_is_released_or_discarded_and_never_both(shared: Gateway) -> None:
    shared.note(*(with_new_id(note("dips/03")) for _ in range(NOTES)))
    configuration, registry = shared.configuration, shared.registry
    notes = held_notes(configuration, registry)
    begin = threading.Barrier(2)
    refusals: list[str | None] = []

    def decide(name: str) -> None:
        person = Person(name=name, reason="samtidig")
        decision = (
            holding.releasing(notes, person, RouteCorrection())
            if name == "release"
            else holding.discarding(notes, person)
        )
        journal = open_journal(configuration)
        held = holding.waiting(journal, limit=timedelta(hours=96))
        assert len(held) == NOTES

        for each in held:
            begin.wait(timeout=30)
            (done,) = holding.decide(journal, [each], decision)
            refusals.append(done.refusal.code if done.refusal is not None else None)
        journal.close()

    persons = [threading.Thread(target=decide, args=(name,)) for name in ("release", "discard")]
    for thread in persons:
        thread.start()
    for thread in persons:
        thread.join(timeout=60)
    assert sorted(refusals, key=str) == [None] * NOTES + ["not-held"] * NOTES
    shared.settle()
    for row in shared.rows():
        names = [e.name for e in shared.worker.journal.events(row.id)]
        sent = shared.sendings(row.id, SendingKind.NOTE)
        if row.state is InboundState.DISCARDED:
            assert ("released" in names, sent) == (False, [])
            answered = shared.sendings(row.id, SendingKind.RECEIPT)
            assert [s.answers for s in answered] == [n.index for n in row.named_receivers]
        else:
            assert row.state is InboundState.DELIVERED
            assert ("discarded" in names, len(sent)) == (False, 2)
