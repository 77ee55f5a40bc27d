"""What is away is said once for each cause, and once when it is back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.contracts.errors import JournalUnavailableError, QueueUnavailableError, TransientError
from gateway.pipeline import service as service_module
from gateway.pipeline.reachability import Reachability
from gateway.pipeline.service import Service, ServiceSettings


def _said(logs: list[Any]) -> list[tuple[str, str, str]]:
    return [(line["log_level"], line["event"], line["error"]) for line in logs]


def test_each_cause_once_and_its_end_with_how_long_it_lasted() -> None:
    seconds = iter([100.0, 130.0, 160.0, 160.0])
    reachability = Reachability(lambda: next(seconds))
    with capture_logs() as logs:
        reachability.lost(QueueUnavailableError("refused"), retry_in_seconds=0.5)
        reachability.lost(JournalUnavailableError("refused"), retry_in_seconds=1.0)
        reachability.back()
        reachability.back()
    assert _said(logs) == [
        ("warning", "not-reachable", "queue-unavailable"),
        ("warning", "not-reachable", "journal-unavailable"),
        ("warning", "reachable-again", "queue-unavailable"),
        ("warning", "reachable-again", "journal-unavailable"),
    ]
    assert [line.get("seconds") for line in logs[2:]] == [60.0, 30.0]
    assert [line.get("retry_in_seconds") for line in logs[:2]] == [0.5, 1.0]


def test_repeats_are_for_level_debug_and_a_new_fault_is_said_anew() -> None:
    reachability = Reachability()
    with capture_logs() as logs:
        for _ in range(3):
            reachability.lost(QueueUnavailableError("refused"))
        reachability.back()
        reachability.lost(QueueUnavailableError("refused"))
    assert [line["log_level"] for line in logs] == ["warning", "debug", "debug", "warning", "warning"]


def test_the_service_says_when_the_broker_goes_and_when_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_module, "_LONGEST_PAUSE_SECONDS", 0.0)
    turns: Iterator[TransientError | None] = iter(
        [None, *[QueueUnavailableError("refused") for _ in range(4)], None]
    )

    class Turning(Service):
        def step(self, *, wait_seconds: float) -> int:
            del wait_seconds
            turn = next(turns, False)
            if turn is False:
                self.stop()
            elif isinstance(turn, TransientError):
                raise turn
            return 0

    class NothingDue:
        def publish_due(self) -> int:
            return 0

    port: Any = NothingDue()
    settings = ServiceSettings(names=(), group_size=1)
    service = Turning(
        port, port, port, intake=port, quarantine=port, settings=settings, periodically=lambda: None
    )
    with capture_logs() as logs:
        service.run()
    assert _said(logs) == [
        ("warning", "not-reachable", "queue-unavailable"),
        *[("debug", "not-reachable", "queue-unavailable")] * 3,
        ("warning", "reachable-again", "queue-unavailable"),
    ]
