"""What another process works out, and what becomes of it when that goes wrong."""

from __future__ import annotations

import os
import time
from multiprocessing import active_children

import pytest

from gateway.contracts.errors import JournalUnavailableError, LocalError
from gateway.journal.beside import beside


def doubled(number: int) -> tuple[int, int]:
    return 2 * number, os.getpid()


def refusing() -> None:
    raise JournalUnavailableError("The journal's database is away.")


def ending() -> None:
    os._exit(3)


def test_the_value_comes_from_another_process() -> None:
    with beside(doubled, 21) as value:
        found, process = value()
    assert found == 42
    assert process != os.getpid()


def test_what_it_raises_is_raised_here() -> None:
    with beside(refusing) as value, pytest.raises(JournalUnavailableError, match="is away"):
        value()


def test_a_process_that_ends_without_a_value_is_told() -> None:
    with beside(ending) as value, pytest.raises(LocalError, match=r"ended by itself \(3\)"):
        value()


def test_it_does_not_outlive_the_block() -> None:
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt), beside(time.sleep, 60.0):
        raise KeyboardInterrupt
    assert not active_children()
    assert time.monotonic() - begun < 30
