"""A changed register is taken into use without a restart; one that can not be used is refused, once."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.contracts.errors import ConfigurationError, QueueUnavailableError
from gateway.contracts.receipts import ErrorCode, ReceiptStatus
from gateway.contracts.states import SendingKind
from gateway.ops import composition
from gateway.routing.watched_register import OfRegister, WatchedRegister
from tests.flow.harness import Gateway, note, receipt
from tests.flow.test_addresses import flagged, look_again

HOSPITAL = """
[[hospital]]
name = "Nytt sykehus HF"
her_id = "8900900"
"""


@pytest.fixture
def file(registry_file: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "register.toml"
    copy.write_bytes(registry_file.read_bytes())
    return copy


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_what_is_asked_is_answered_from_the_file_as_it_is_now(file: Path) -> None:
    register = WatchedRegister(file, look_seconds=0)
    before = register.current
    assert register.current is before
    change(file, "Trondheim kommune", "Tråante tjïelte")
    found = register.municipality("5001")
    assert found is not None
    assert found.organisation_name == "Tråante tjïelte"
    assert register.current is not before


def test_a_broken_one_is_refused_with_one_line_and_the_old_one_kept(file: Path) -> None:
    register = WatchedRegister(file, look_seconds=0)
    before = register.current
    good = file.read_text(encoding="utf-8")
    with capture_logs() as lines:
        file.write_text(good.replace('code = "5056"', 'code = "5001"'), encoding="utf-8")
        for _ in range(5):
            assert register.hospitals == before.hospitals
        assert register.current is before
        assert [(line["event"], line["log_level"]) for line in lines] == [
            ("register-not-reloaded", "warning")
        ]
        assert "5001" in lines[0]["hint"]
        file.write_text(good + "\n", encoding="utf-8")
        assert register.current is not before
    assert lines[-1]["event"] == "register-reloaded"


def test_the_first_one_must_be_good(file: Path) -> None:
    file.write_text("[[hospital]", encoding="utf-8")
    with pytest.raises(ConfigurationError):
        WatchedRegister(file)


def test_an_entry_that_is_not_in_order_is_named(file: Path) -> None:
    change(file, 'name = "Hitra kommune"\nher_id = "8910020"\n', 'name = "Hitra kommune"\n')
    with pytest.raises(
        ConfigurationError, match=r"municipality\.1\.her_id \(Hitra kommune\): Field required"
    ):
        WatchedRegister(file)


def test_what_is_made_from_it_follows(file: Path) -> None:
    register = WatchedRegister(file, look_seconds=0)
    queues = OfRegister(register, lambda: {h.queue: h.name for h in register.hospitals})
    assert "8900900_async" not in queues
    file.write_text(file.read_text(encoding="utf-8") + HOSPITAL, encoding="utf-8")
    assert queues["8900900_async"] == "Nytt sykehus HF"
    assert len(queues) == len(list(queues)) == 4


def test_the_service_sends_and_reads_by_it(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composition, "WatchedRegister", functools.partial(WatchedRegister, look_seconds=0))
    gateway = Gateway(config)
    register = config.parent / "register.toml"
    change(register, 'code = "3222"', 'queue = "another_way_in"\ncode = "3222"')
    register.write_text(register.read_text(encoding="utf-8") + HOSPITAL, encoding="utf-8")
    gateway.note(note("dips/01"))
    queues = [s.queue for row in gateway.rows() for s in gateway.sendings(row.id, SendingKind.NOTE)]
    assert "another_way_in" in queues
    assert "8910031_async" not in queues
    assert gateway.take("another_way_in")
    assert "8900900_async" in gateway.worker.service.names
    gateway.close()


@pytest.fixture
def gateway(config: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    monkeypatch.setattr(composition, "WatchedRegister", functools.partial(WatchedRegister, look_seconds=0))
    made = Gateway(config)
    yield made
    made.close()


def test_a_running_service_keeps_the_old_one_until_a_broken_file_is_mended(gateway: Gateway) -> None:
    register = gateway.config.parent / "register.toml"
    good = register.read_text(encoding="utf-8")
    moved = good.replace('code = "3222"', 'queue = "another_way_in"\ncode = "3222"', 1)
    with capture_logs() as lines:
        register.write_text(moved.replace("[[gp]]", "[[gp]", 1), encoding="utf-8")
        gateway.note(note("dips/02"))
        gateway.settle()
    told = [line for line in lines if line["event"].startswith("register-")]
    assert [line["event"] for line in told] == ["register-not-reloaded"]
    assert "no valid TOML" in told[0]["hint"]
    (row,) = gateway.rows()
    assert [s.state for s in gateway.sendings(row.id, SendingKind.NOTE)], "by the register before"
    with capture_logs() as lines:
        register.write_text(moved, encoding="utf-8")
        gateway.note(note("dips/01"))
    assert [line["event"] for line in lines if line["event"].startswith("register-")] == ["register-reloaded"]
    assert gateway.messages("another_way_in"), "by the mended one"


def test_a_flagged_address_is_looked_up_again_when_the_register_changes_while_running(
    gateway: Gateway,
) -> None:
    gateway.note(note("dips/01"))
    (message,) = gateway.messages("8910031_async")
    gateway.outside("8900100", receipt(message, ReceiptStatus.REJECTED, ErrorCode.RECEIVER_UNKNOWN))
    look_again(gateway)
    assert flagged(gateway) == [("8910031", "E21")]
    change(gateway.config.parent / "register.toml", '"8910031"', '"8910999"')
    look_again(gateway)
    (again,) = gateway.messages("8910999_async")
    assert again.head.msg_id != message.head.msg_id
    assert flagged(gateway) == []


def test_a_broker_that_is_away_when_the_register_changes_gets_its_queues_later(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    register = gateway.config.parent / "register.toml"
    register.write_text(register.read_text(encoding="utf-8") + HOSPITAL, encoding="utf-8")

    def away(_: Iterable[str]) -> None:
        raise QueueUnavailableError("the broker is away")

    with monkeypatch.context() as during:
        during.setattr(gateway.worker.queue, "declare", away)
        with pytest.raises(QueueUnavailableError):
            gateway.settle()
    assert "8900900_async" not in gateway.worker.service.names
    gateway.settle()
    assert "8900900_async" in gateway.worker.service.names
