"""`pakkehjem db`, as an operator meets it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.contracts.errors import EXIT_CONFIGURATION, EXIT_DONE, EXIT_USAGE
from gateway.contracts.states import InboundState
from tests.flow.harness import Gateway, note
from tests.ops.conftest import Pakkehjem


@pytest.fixture
def used(config: Path) -> Path:
    """The configuration of a gateway that has a rejected note."""
    gateway = Gateway(config)
    gateway.note(note("dips/08"))
    gateway.close()
    return config


def test_upgrade_makes_a_new_journal_and_leaves_a_current_one(pakkehjem: Pakkehjem, config: Path) -> None:
    assert pakkehjem("db", "upgrade", "-c", config).out.startswith("made new, version ")
    assert pakkehjem("db", "upgrade", "-c", config).out.endswith(" already\n")


def test_backup_while_a_gateway_works(pakkehjem: Pakkehjem, used: Path, tmp_path: Path) -> None:
    file = tmp_path / "monday.sqlite"
    gateway = Gateway(used)
    outcome = pakkehjem("db", "backup", "-c", used, file)
    gateway.close()
    assert outcome.code == EXIT_DONE
    assert outcome.out == f"{file}: {file.stat().st_size} bytes\n"
    again = pakkehjem("db", "backup", "-c", used, file)
    assert again.code == EXIT_CONFIGURATION
    assert "exists already" in again.err


def test_purge_and_rekey(pakkehjem: Pakkehjem, used: Path) -> None:
    assert pakkehjem("db", "purge", "-c", used, "--older-than", "90d").out.startswith("payloads of 0 ")
    assert pakkehjem("db", "purge", "-c", used, "--older-than", "0h").out.startswith("payloads of 1 ")
    done = pakkehjem("db", "purge", "-c", used, "--older-than", "0h", "--json").json()
    assert done == {"notes": 0, "replies": 0, "receipts": 0, "unreadable": 0}
    assert pakkehjem("db", "rekey", "-c", used).out == "0 payloads sealed anew\n"
    assert pakkehjem("db", "purge", "-c", used, "--older-than", "soon").code == EXIT_USAGE


def test_purge_by_the_periods_of_the_configuration(pakkehjem: Pakkehjem, used: Path) -> None:
    assert pakkehjem("db", "purge", "-c", used).code == EXIT_USAGE
    text = used.read_text().replace("[retention]", "[retention]\nnotes_days = 1\naudit_days = 30")
    used.write_text(text)
    assert pakkehjem("db", "purge", "-c", used, "--json").json() == {"notes": 0, "audit": 0}
    only = pakkehjem("db", "purge", "-c", used, "--class", "audit", "--older-than", "0h", "--json")
    assert only.json() == {"audit": 0}
    assert pakkehjem("audit", "verify", "-c", used).code == EXIT_DONE
    used.write_text(text.replace("notes_days = 1", "notes_days = 0"))
    refused = pakkehjem("db", "purge", "-c", used)
    assert refused.code == EXIT_CONFIGURATION
    assert "retention.notes_days" in refused.err


def test_the_service_purges_by_itself(pakkehjem: Pakkehjem, config: Path) -> None:
    config.write_text(
        config.read_text().replace("automatic = false", "automatic = true\nnotes_days = 2\nreceipts_days = 9")
    )
    moment = [datetime.now(UTC)]
    gateway = Gateway(config, clock=lambda: moment[0])
    gateway.note(note("dips/08"), note("dips/03"))
    states = {row.state for row in gateway.rows()}
    assert states == {InboundState.REJECTED, InboundState.HELD}

    def bodies() -> dict[InboundState, bool]:
        with gateway.worker.journal.reader() as view:
            rows = [view.inbound(row.id) for row in gateway.rows()]
        return {row.state: bool(row.body) for row in rows if row is not None}

    moment[0] += timedelta(days=1)
    gateway.settle()
    assert bodies() == {InboundState.REJECTED: True, InboundState.HELD: True}
    moment[0] += timedelta(days=2)
    for _ in range(5):
        gateway.worker.service.step(wait_seconds=0.0)
    assert bodies() == {InboundState.REJECTED: False, InboundState.HELD: True}
    gateway.close()
    (entry,) = pakkehjem("audit", "export", "--json", "--action", "db-purge", "-c", config).json()
    assert entry["detail"] == {"notes": 1}
