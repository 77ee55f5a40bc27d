"""The whole simulation around the real gateway, on a broker in memory; and around one that is sabotaged."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.contracts.errors import EXIT_NO, EXIT_USAGE, ConfigurationError
from gateway.contracts.journal import Journal
from gateway.contracts.queues import Envelope
from gateway.ops import composition, stores
from gateway.ops.cli import exit_code
from gateway.ops.configuration import Configuration, load
from gateway.ops.initialise import initialise
from gateway.ops.simulation import simulation as loop
from gateway.ops.simulation.assemble import assemble
from gateway.ops.simulation.example import tell
from gateway.ops.simulation.ledger import Problem
from gateway.ops.simulation.report import explain
from gateway.ops.simulation.settlement import Account
from gateway.ops.simulation.simulation import Cast, Orders, Result, first_free_round
from tests.conftest import NOTES
from tests.ops.memory_broker import MemoryBroker, MemoryQueue, Mischief, honest
from tests.ops.simulated_world import register

FEW = Orders(count=20, timeout_seconds=60)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gateway")
    initialise(folder)
    return folder


class Stage:
    """The gateway and everybody around it in one thread: it works whenever they wait."""

    def __init__(self, configuration: Configuration, monkeypatch: pytest.MonkeyPatch) -> None:
        self.configuration = configuration
        self.broker = MemoryBroker()
        self.mischief: Mischief = honest
        self.connections: list[MemoryQueue] = []
        self.working = True
        self.after_work: Callable[[], None] = lambda: None
        monkeypatch.setattr(composition, "connect_queue", lambda _: self._gateway_connection())
        self.worker = composition.build_worker(configuration)
        monkeypatch.setattr(stores, "connect_queue", lambda _: self._connection())
        self.journal: Journal = stores.open_journal(configuration)

    def _gateway_connection(self) -> MemoryQueue:
        return self.broker.connect(mischief=self._tampered)

    def _tampered(self, name: str, envelope: Envelope) -> Iterable[Envelope]:
        return self.mischief(name, envelope)

    def _connection(self) -> MemoryQueue:
        connection = self.broker.connect(before_take=self._work)
        self.connections.append(connection)
        return connection

    def _work(self) -> None:
        while self.working and self.worker.service.step(wait_seconds=0.0):
            pass
        self.after_work()

    def play(self, orders: Orders, *, seed: int = 1, notes: Path = NOTES) -> tuple[Result, Cast]:
        simulation, cast = assemble(self.configuration, self.journal, notes, seed)
        return simulation.run(orders), cast

    def close(self) -> None:
        self.worker.close()
        self.journal.close()


@pytest.fixture
def stage(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    configuration = load(folder / "gateway.toml")
    journal = configuration.journal.model_copy(update={"url": f"sqlite:{tmp_path / 'journal.sqlite'}"})
    monkeypatch.setattr(loop, "_QUIET_SECONDS", 0.2)
    monkeypatch.setattr(loop, "_SECONDS_BETWEEN_LOOKS", 0.1)
    stage = Stage(configuration.model_copy(update={"journal": journal}), monkeypatch)
    yield stage
    stage.close()


def kinds(result: Result) -> list[tuple[str, str]]:
    return sorted({(p.kind, p.what) for p in result.account.problems})


def test_all_samples_twice_are_accounted_for(stage: Stage) -> None:
    result, cast = stage.play(Orders(count=120, timeout_seconds=120))
    assert kinds(result) == []
    assert not result.timed_out
    document = result.document()
    assert document["sent"] == 120
    decided = [document[key] for key in ("accepted", "rejected", "held", "withheld")]
    assert all(isinstance(n, int) and n > 0 for n in decided)
    assert sum(n for n in decided if isinstance(n, int)) == 120
    account = result.account
    assert account.acknowledged.total() == account.delivered.total()
    assert all(account.acknowledged[key] > 0 for key in ("positive", "negative", "missing"))
    assert account.replies_sent == account.replies_delivered > account.replies_of_hospitals > 0
    assert (document["lost"], document["duplicated"], document["invalid"]) == (0, 0, 0)
    assert cast.ledger.strays == 0
    assert stage.broker.published[stage.configuration.queues.inbound] > 120 + account.replies_sent
    story = tell(cast.ledger, stage.journal, stores.open_registry(stage.configuration))
    assert story is not None
    told = [step.what for step in story.steps]
    assert told[:2] == ["received", "read"]
    assert told.count("sent") == told.count("answered") == 2
    assert "reply" in told


def test_a_second_run_takes_up_where_the_first_has_ended(stage: Stage) -> None:
    _, cast = stage.play(FEW)
    assert first_free_round(cast.book, stage.journal) == 1
    result, _ = stage.play(replace(FEW, first_round=1))
    assert kinds(result) == []
    assert result.account.sent == 20


def test_notes_without_expectations_are_read_again_to_judge_them(stage: Stage, tmp_path: Path) -> None:
    copied = tmp_path / "notes" / "dips"
    copied.mkdir(parents=True)
    for file in sorted((NOTES / "dips").glob("*.xml")):
        (copied / file.name).write_bytes(file.read_bytes())
    result, _ = stage.play(FEW, notes=tmp_path / "notes")
    assert kinds(result) == []
    assert result.account.delivered.total() > 10
    assert result.account.differing == [] or all(d == "held" for _, _, d in result.account.differing)


MSG_ID = re.compile(rb"<MsgId>[^<]*</MsgId>")


class Once:
    """Does something to the first envelope that fits."""

    def __init__(
        self, fits: Callable[[str, Envelope], bool], does: Callable[[Envelope], list[Envelope]]
    ) -> None:
        self._fits = fits
        self._does = does
        self.done = False

    def __call__(self, name: str, envelope: Envelope) -> list[Envelope]:
        if self.done or not self._fits(name, envelope):
            return [envelope]
        self.done = True
        return self._does(envelope)


def to_receiver(name: str, envelope: Envelope) -> bool:
    return name.startswith(("891", "892")) and envelope.headers["X-MessageInfo-Type"] != "APPREC"


def to_nesodden(name: str, _: Envelope) -> bool:
    """A receiver of epikrise, which is not signed."""
    return name == "8910061_async"


def receipt_to_hospital(name: str, envelope: Envelope) -> bool:
    return name.startswith("epj_") and envelope.headers["X-MessageInfo-Type"] == "APPREC"


def reply_to_hospital(name: str, envelope: Envelope) -> bool:
    kind = envelope.headers["X-MessageInfo-Type"]
    return name.startswith("epj_") and kind.startswith("DIALOG") and kind != "DIALOG_AVVIK"


def receipt_of_reply(name: str, envelope: Envelope) -> bool:
    return name.startswith(("891", "892")) and envelope.headers["X-MessageInfo-Type"] == "APPREC"


def lost(_: Envelope) -> list[Envelope]:
    return []


def doubled(envelope: Envelope) -> list[Envelope]:
    msg_id = str(uuid.uuid4())
    body = MSG_ID.sub(f"<MsgId>{msg_id}</MsgId>".encode(), envelope.body)
    return [envelope, replace(envelope, message_id=msg_id, body=body)]


def doubled_receipt(envelope: Envelope) -> list[Envelope]:
    body = re.sub(rb"<Id>[0-9a-f-]{36}</Id>", f"<Id>{uuid.uuid4()}</Id>".encode(), envelope.body, count=1)
    return [envelope, replace(envelope, body=body)]


def repeated(envelope: Envelope) -> list[Envelope]:
    return [envelope, envelope]


def corrupted(envelope: Envelope) -> list[Envelope]:
    return [replace(envelope, body=envelope.body.replace(b"<MsgId>", b"<MsgId>0"))]


def cut_off(envelope: Envelope) -> list[Envelope]:
    return [replace(envelope, body=envelope.body[:-20])]


@pytest.mark.parametrize(
    ("mischief", "problems"),
    [
        (Once(to_receiver, lost), [("lost", "sending")]),
        (Once(to_nesodden, doubled), [("duplicated", "sending")]),
        (Once(to_receiver, corrupted), [("invalid", "signature"), ("lost", "sending")]),
        (Once(to_receiver, cut_off), [("invalid", "unreadable"), ("lost", "sending")]),
        (Once(receipt_to_hospital, lost), [("lost", "receipt")]),
        (Once(receipt_to_hospital, doubled_receipt), [("duplicated", "receipt")]),
        (Once(reply_to_hospital, lost), [("lost", "reply")]),
        (Once(receipt_of_reply, lost), [("lost", "receipt of a reply")]),
        (Once(to_receiver, repeated), []),
        (Once(receipt_to_hospital, repeated), []),
        (Once(reply_to_hospital, repeated), []),
    ],
    ids=lambda value: "+".join(w for _, w in value) or "nothing" if isinstance(value, list) else "",
)
def test_what_a_gateway_loses_doubles_or_corrupts_is_found(
    stage: Stage, mischief: Once, problems: list[tuple[str, str]]
) -> None:
    mischief.done = False
    stage.mischief = mischief
    result, _ = stage.play(Orders(count=20, timeout_seconds=60, patience_seconds=3.0))
    assert mischief.done
    found = kinds(result)
    if ("duplicated", "sending") in problems:
        # Whoever writes back about a message that the gateway does not know is not heard.
        found = [k for k in found if "reply" not in k[1]]
    assert found == problems
    assert result.timed_out is any(kind == "lost" for kind, _ in kinds(result))


def test_a_gateway_that_stands_still_loses_everything(stage: Stage) -> None:
    stage.working = False
    result, _ = stage.play(Orders(count=5, timeout_seconds=0.5))
    assert result.timed_out
    assert kinds(result) == [("lost", "note")]
    assert result.account.count("lost") == 5


def test_notes_go_in_at_the_rate_that_was_asked_for(stage: Stage) -> None:
    result, _ = stage.play(Orders(count=8, rate=10, timeout_seconds=20))
    assert kinds(result) == []
    assert result.seconds >= 0.65


def test_a_broken_connection_is_made_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "_RECONNECT_SECONDS", 0.01)
    calls = 0

    def fail_now_and_then() -> None:
        nonlocal calls
        calls += 1
        if calls in {2, 4, 7}:
            stage.connections[-1].fail_next = 1

    stage.after_work = fail_now_and_then
    result, _ = stage.play(FEW)
    assert len(stage.connections) == 4
    assert kinds(result) == []


def test_a_queue_that_was_taken_away_is_an_error(stage: Stage) -> None:

    def take_away() -> None:
        stage.broker.queues.pop(stage.configuration.queues.inbound, None)

    stage.after_work = take_away
    with pytest.raises(ConfigurationError, match="there is no queue"):
        stage.play(FEW)


def test_the_command_without_a_gateway_says_what_is_lost(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["simulate", "-c", str(folder / "gateway.toml"), "--count", "3", "--timeout", "1.2"]
    assert exit_code([*arguments, "--json"]) == EXIT_NO
    out, err = capsys.readouterr()
    ledger = json.loads(out)
    assert (ledger["sent"], ledger["lost"], ledger["accepted"]) == (3, 3, 0)
    assert err.count("lost note dips/0") == 3
    assert exit_code(arguments) == EXIT_NO
    out, err = capsys.readouterr()
    assert "Not everything was accounted for in time." in out
    assert max(map(len, out.splitlines())) <= 100


def test_a_folder_that_is_not_there_is_a_usage_error(folder: Path) -> None:
    assert exit_code(["simulate", "-c", str(folder / "gateway.toml"), "--notes", "nowhere"]) == EXIT_USAGE


@pytest.mark.parametrize("count", [1, 120])
def test_problems_are_told_without_end_to_none(count: int, capsys: pytest.CaptureFixture[str]) -> None:
    problem = Problem(kind="lost", what="sending", note="dips/01", receiver="8910031", ids=("a", "b"))
    explain(Account(problems=[problem] * count), register())
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "lost sending dips/01 at 8910031 (Lørenskog kommune) a b"
    assert len(lines) == min(count, 51)
    assert count == 1 or lines[-1] == "… and 70 more"
