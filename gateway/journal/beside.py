"""Another process that works out one value while this one goes on."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import TypeVar

from gateway.contracts.errors import GatewayError, LocalError

Value = TypeVar("Value")


@contextmanager
def beside(work: Callable[..., Value], *given: object) -> Iterator[Callable[[], Value]]:
    """Begin a function of a module in a process of its own; it ends with the block at the latest.

    Args:
        work: the function.
        given: its arguments; they go through a pipe.

    Yields:
        What waits for the value, and gives it. It raises what the function raised (a `GatewayError`), or a
        LocalError where the process has ended without a value.
    """
    # What is forked would share connections, and whatever other threads hold.
    context = get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(there, work, given), daemon=True)
    process.start()
    there.close()

    def value() -> Value:
        try:
            found, error = here.recv()
        except EOFError:
            process.join()
            raise LocalError(f"What counts beside has ended by itself ({process.exitcode}).") from None
        if error is not None:
            raise error
        return found  # type: ignore[no-any-return] # what `work` gave

    try:
        yield value
    finally:
        process.terminate()
        process.join()
        here.close()


def _work(answer: Connection, work: Callable[..., object], given: tuple[object, ...]) -> None:
    # Ctrl-C is for the process that a person has started; it ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        answer.send((work(*given), None))
    except GatewayError as error:
        answer.send((None, error))
