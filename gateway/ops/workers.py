"""Several workers on one machine: each a process of its own, and started again when it dies."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

import structlog

from gateway.contracts.errors import EXIT_CONFIGURATION, EXIT_DONE, EXIT_NO, EXIT_PARTLY, EXIT_USAGE
from gateway.ops.watchdog import Heart, Hearts, Pulse, notify

log = structlog.get_logger()

_LOOK_SECONDS = 0.1
_SHORT_LIFE_SECONDS = 10.0
"""Who dies sooner waits before it is started again, longer each time"""
_LONGEST_PAUSE_SECONDS = 5.0
"""A start costs little: what it needs is loaded before"""
_HOPELESS = (EXIT_CONFIGURATION, EXIT_USAGE)
"""Exit codes that would be the same the next time"""


class Workers:
    """Keeps a number of processes at work until SIGTERM or SIGINT.

    The first signal is passed on, and each worker finishes what is at hand; the second ends them at once.
    Workers whose supervisor is gone, however it ended, finish what is at hand, too.
    """

    def __init__(self, work: Callable[[Heart], int], count: int, hearts: Hearts | None = None) -> None:
        """`work` is run in each process; it ends by SIGTERM and gives the exit code.

        It beats its heart each turn; a worker that has begun to and stops is killed, and replaced.
        """
        self._work = work
        self._count = count
        self._hearts = hearts or Hearts()
        self._started: dict[int, float] = {}
        self._numbers: dict[int, int] = {}
        self._pulse = Pulse()
        self._ready = False
        self._signals = 0
        self._pause = 0.0
        self._not_before = 0.0
        self._result = EXIT_DONE

    def run(self) -> int:
        """Until every worker has ended; the exit code."""
        self._alive = os.pipe()
        before = {
            number: signal.signal(number, self._signalled) for number in (signal.SIGTERM, signal.SIGINT)
        }
        try:
            passed_on = 0
            while self._started or not self._stopping:
                if self._signals > passed_on:
                    passed_on = self._signals
                    self._tell_all(signal.SIGTERM if passed_on == 1 else signal.SIGKILL)
                self._reap()
                self._fill_up()
                self._look_after()
                time.sleep(_LOOK_SECONDS)
        finally:
            self._tell_all(signal.SIGKILL)
            for descriptor in self._alive:
                os.close(descriptor)
            for number, handler in before.items():
                signal.signal(number, handler)
        return self._result

    @property
    def _stopping(self) -> bool:
        return self._signals > 0

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        del frame
        self._signals += 1
        notify("STOPPING=1")
        log.info("stopping", signal=signal.Signals(number).name, workers=len(self._started))

    def _tell_all(self, number: signal.Signals) -> None:
        for process in self._started:
            os.kill(process, number)

    def _fill_up(self) -> None:
        if self._stopping or time.monotonic() < self._not_before:
            return
        while len(self._started) < self._count:
            number = min(set(range(self._count)) - set(self._numbers.values()))
            heart = self._hearts.heart(number)
            process = os.fork()
            if process == 0:
                self._be_worker(heart)
            self._started[process] = time.monotonic()
            self._numbers[process] = number
            log.info("worker-started", worker=process)

    def _look_after(self) -> None:
        """Kill who hangs; tell systemd when all turn, and that this process does."""
        hung = self._hearts.hung()
        for process, number in self._numbers.items():
            if number in hung:
                log.error("worker-hangs", worker=process)
                self._hearts.forget(number)
                os.kill(process, signal.SIGKILL)
        if not self._ready and self._hearts.alive() == self._count:
            self._ready = True
            notify("READY=1")
        self._pulse.tell()

    def _be_worker(self, heart: Heart) -> None:
        """What the new process does; it never returns."""
        code = EXIT_NO
        try:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            # Ctrl-C reaches the supervisor only, which then asks for an orderly end.
            os.setsid()
            reading, writing = self._alive
            os.close(writing)
            threading.Thread(target=_end_with_supervisor, args=(reading,), daemon=True).start()
            code = self._work(heart)
        finally:
            os._exit(code)

    def _reap(self) -> None:
        for process, started in list(self._started.items()):
            ended, status = os.waitpid(process, os.WNOHANG)
            if not ended:
                continue
            del self._started[process]
            self._hearts.forget(self._numbers.pop(process))
            code = os.waitstatus_to_exitcode(status)
            if self._stopping:
                # One that was killed had something at hand, or may have had.
                self._result = self._result or (code if code >= 0 else EXIT_PARTLY)
                continue
            log.warning("worker-ended", worker=process, exit_code=code)
            if code in _HOPELESS:
                self._result = code
                self._signals += 1
                continue
            lived = time.monotonic() - started
            short = lived < _SHORT_LIFE_SECONDS
            self._pause = min(max(2 * self._pause, 0.5), _LONGEST_PAUSE_SECONDS) if short else 0.0
            self._not_before = time.monotonic() + self._pause


def _end_with_supervisor(reading: int) -> None:
    """Nothing is ever written to this pipe: its end is the end of the supervisor."""
    os.read(reading, 1)
    os.kill(os.getpid(), signal.SIGTERM)
