"""`send`: messages onto the gateway's own inbound queue."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from gateway.contracts.queues import Envelope, PublishOutcome
from queues.embedded import EmbeddedQueue
from tests.conftest import NOTES
from tests.flow.harness import Gateway, note
from tests.ops.conftest import Pakkehjem

FILES = [next(NOTES.glob(f"{name}-*.xml")) for name in ("dips/01", "doculive/01", "helseplattformen/01")]


def test_what_is_sent_is_worked_on_as_it_is(pakkehjem: Pakkehjem, gateway: Gateway) -> None:
    done = pakkehjem("send", *FILES, "-c", gateway.config)
    assert (done.code, done.out) == (0, "3 of 3 on pakkehjem_in\n")
    assert "pakkehjem messages list" in done.err
    deliveries = gateway.take("pakkehjem_in")
    assert [d.envelope.body for d in deliveries] == [f.read_bytes() for f in FILES]
    assert len({d.envelope.message_id for d in deliveries}) == 3
    assert pakkehjem("send", FILES[0], "-c", gateway.config).code == 0
    gateway.settle()
    (row,) = gateway.rows()
    assert row.state == "delivered"


def test_json(pakkehjem: Pakkehjem, config: Path) -> None:
    done = pakkehjem("send", *FILES[:2], "-c", config, "--json")
    assert done.err == ""
    assert done.json() == {
        "queue": "pakkehjem_in",
        "sent": 2,
        "files": [{"file": str(f), "outcome": "confirmed"} for f in FILES[:2]],
    }


def test_whatever_it_is_may_be_sent(pakkehjem: Pakkehjem, gateway: Gateway, tmp_path: Path) -> None:
    file = tmp_path / "x.xml"
    file.write_bytes(b"")
    assert pakkehjem("send", file, "-c", gateway.config).code == 0
    gateway.settle()
    (row,) = [r for r in gateway.rows(()) if r.kind == "unreadable"]
    assert row.state == "rejected"


def test_a_signed_note_is_taken(pakkehjem: Pakkehjem, gateway: Gateway, tmp_path: Path) -> None:
    """As an operator tries it: sign as the hospital, send, look."""
    signed = tmp_path / "signed.xml"
    assert pakkehjem("sign", FILES[0], "-c", gateway.config, "-o", signed).code == 0
    assert pakkehjem("send", signed, "-c", gateway.config).code == 0
    gateway.settle()
    (row,) = gateway.rows()
    assert (row.state, row.reason) == ("delivered", None)


@pytest.mark.parametrize(
    ("outcomes", "code", "said"),
    [
        ((PublishOutcome.CONFIRMED, PublishOutcome.UNROUTABLE), 5, "1 of 2"),
        ((PublishOutcome.NOT_CONFIRMED, PublishOutcome.NOT_CONFIRMED), 4, "0 of 2"),
    ],
)
def test_what_the_broker_did_not_take_is_named(
    outcomes: tuple[PublishOutcome, ...],
    code: int,
    said: str,
    pakkehjem: Pakkehjem,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def publish(_: object, messages: Sequence[tuple[str, Envelope]]) -> list[PublishOutcome]:
        assert [m.body for _, m in messages] == [note("dips/01"), note("doculive/01")]
        return list(outcomes)

    monkeypatch.setattr(EmbeddedQueue, "publish", publish)
    done = pakkehjem("send", *FILES[:2], "-c", config)
    assert done.code == code
    assert done.out.startswith(said)
    for file, outcome in zip(FILES, outcomes, strict=False):
        assert (f"{file}: {outcome}" in done.err) == (outcome is not PublishOutcome.CONFIRMED)
