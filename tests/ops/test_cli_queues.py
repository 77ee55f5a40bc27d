"""`queues status`, `pause`, `resume`: whom nothing is sent to, and until when."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.contracts.queues import PublishOutcome
from gateway.contracts.states import SendingKind, SendingState
from gateway.contracts.traffic import Circuit
from tests.flow.harness import Gateway, note
from tests.ops.conftest import Pakkehjem

MUNICIPALITY, GP = "8910031", "8920031"


def states(gateway: Gateway) -> dict[str, SendingState]:
    (row,) = gateway.rows()
    return {s.receiver: s.state for s in gateway.sendings(row.id, SendingKind.NOTE)}


def test_a_receiver_is_paused_and_resumed(pakkehjem: Pakkehjem, config: Path) -> None:
    why = ("--reason", "bytter server")
    paused = pakkehjem("queues", "pause", MUNICIPALITY, *why, "-c", config, "--json")
    assert (paused.code, paused.json()) == (0, {"paused": [MUNICIPALITY], "unchanged": []})
    again = pakkehjem("queues", "pause", MUNICIPALITY, *why, "-c", config, "--json")
    assert (again.code, again.json()) == (0, {"paused": [], "unchanged": [MUNICIPALITY]})

    for _ in range(2):
        gateway = Gateway(config)
        gateway.note(note("dips/01"))
        assert states(gateway) == {MUNICIPALITY: SendingState.PENDING, GP: SendingState.DELIVERED}
        gateway.close()

    (shown,) = pakkehjem("queues", "status", "-c", config, "--json").json()["paused"]
    assert (shown["scope"], shown["reason"]) == (MUNICIPALITY, "bytter server")
    told = pakkehjem("queues", "status", "-c", config).err
    assert f"receiver {MUNICIPALITY}: paused since" in told
    assert "bytter server" in told

    resumed = pakkehjem("queues", "resume", MUNICIPALITY, "--reason", "oppe", "-c", config, "--json")
    assert (resumed.code, resumed.json()) == (0, {"resumed": [MUNICIPALITY], "unchanged": []})
    gateway = Gateway(config)
    gateway.settle()
    assert set(states(gateway).values()) == {SendingState.DELIVERED}
    gateway.close()
    audited = pakkehjem("audit", "export", "-c", config, "--json").json()
    actions = [each["action"] for each in audited if each["action"].startswith("queues-")]
    assert actions == ["queues-pause", "queues-resume"]


def test_everything_is_paused(pakkehjem: Pakkehjem, config: Path) -> None:
    done = pakkehjem("queues", "pause", "--all", "--intake", "--reason", "stans", "-c", config)
    assert done.code == 0
    assert "all receivers: paused" in done.err
    assert "intake: paused" in done.err
    gateway = Gateway(config)
    gateway.note(note("dips/01"))
    assert gateway.rows() == []
    gateway.close()
    pakkehjem("queues", "resume", "--intake", "--reason", "litt", "-c", config)
    gateway = Gateway(config)
    gateway.settle()
    assert set(states(gateway).values()) == {SendingState.PENDING}
    gateway.close()
    pakkehjem("queues", "pause", GP, "--reason", "ferie", "-c", config)
    lifted = pakkehjem("queues", "resume", "--all", "--reason", "ferdig", "-c", config)
    assert f"still paused: receiver {GP}" in lifted.err
    gateway = Gateway(config)
    gateway.settle()
    assert states(gateway) == {MUNICIPALITY: SendingState.DELIVERED, GP: SendingState.PENDING}
    gateway.close()


@pytest.mark.parametrize("words", [(), ("1234567",)], ids=["nothing named", "nobody of the register"])
def test_whom(pakkehjem: Pakkehjem, config: Path, words: tuple[str, ...]) -> None:
    assert pakkehjem("queues", "pause", *words, "--reason", "x", "-c", config).code == 2


def test_a_receiver_that_is_down_is_shown(pakkehjem: Pakkehjem, config: Path, gateway: Gateway) -> None:
    now = datetime.now(UTC)
    with gateway.worker.journal.transaction() as transaction:
        for receiver, opened in ((MUNICIPALITY, now), (GP, None)):
            transaction.put_circuit(
                Circuit(
                    receiver=receiver,
                    faults=5,
                    error=PublishOutcome.UNROUTABLE,
                    opened_at=opened,
                    next_probe_at=opened,
                )
            )
    (down,) = pakkehjem("queues", "status", "-c", config, "--json").json()["circuits"]
    assert (down["receiver"], down["error"], down["faults"]) == (MUNICIPALITY, "unroutable", 5)
    assert f"receiver {MUNICIPALITY} is down since" in pakkehjem("queues", "status", "-c", config).err


def test_receivers_queues_that_are_empty_are_counted_and_shown_on_request(
    pakkehjem: Pakkehjem, gateway: Gateway
) -> None:
    everything = pakkehjem("queues", "status", "-c", gateway.config, "--json").json()["queues"]
    names = [each["name"] for each in everything]
    gateway.put("8910031_async", b"<a/>")
    short, whole = (pakkehjem("queues", "status", "-c", gateway.config, *more) for more in ((), ("--all",)))
    shown = [line.split()[0] for line in short.out.splitlines()[1:]]
    assert "8910031_async" in shown
    assert "pakkehjem_in" in shown
    assert "8910031_error" not in shown
    assert f"{len(names) - len(shown)} queues of others are empty: --all shows them" in short.err
    assert [line.split()[0] for line in whole.out.splitlines()[1:]] == names
    assert "--all" not in whole.err


def test_of_many_missing_queues_some_are_named(pakkehjem: Pakkehjem, config: Path) -> None:
    done = pakkehjem("queues", "status", "-c", config)
    assert done.code == 1
    assert re.search(r"\d+ of \d+ are missing: (\w+, ){10}…\n", done.err)
