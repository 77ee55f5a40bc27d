"""`make fuzz`: many messages in several processes. Ends with 1 where something went wrong.

FUZZ (100000): how many messages. FUZZ_SEED (1): another seed gives other messages. FUZZ_PROCESSES (2).
Messages that went wrong are written to build/fuzz.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait

from tests.conftest import ROOT, STANDARDS
from tests.fuzzing.mutation import Mutations, bases
from tests.fuzzing.trial import Failure, Trial

FOLDER = ROOT / "build" / "fuzz"
_EVERY = 200
"""How many messages a process tries before it tells how it stands"""
_HANGS_AFTER = 300.0
"""Seconds on the wall without a word: a process that hangs where nothing can be raised is ended"""
_MOST_GROWTH = 256
"""MiB that the largest size of a process may grow by after its first messages"""


@dataclass(slots=True)
class _Told:
    """What a process tells."""

    tried: int
    failures: list[Failure] = field(default_factory=list)
    outcomes: dict[str, int] = field(default_factory=dict)
    slowest: float = 0.0
    growth: int = 0
    """MiB since the first messages"""


def main() -> int:
    """Try them all; say how it went."""
    count, seed = _number("FUZZ", 100_000), _number("FUZZ_SEED", 1)
    processes = _number("FUZZ_PROCESSES", 2)
    started = time.monotonic()
    pipes: dict[Connection, multiprocessing.Process] = {}
    for first in range(processes):
        ours, theirs = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.Process(target=_try, args=(theirs, range(first, count, processes), seed))
        process.start()
        theirs.close()
        pipes[ours] = process
    failures, last, hung = _listen(pipes, count)
    tried = sum(told.tried for told in last.values())
    outcomes = Counter[str]()
    for told in last.values():
        outcomes.update(told.outcomes)
    growth = max((told.growth for told in last.values()), default=0)
    for name, number in sorted(outcomes.items()):
        _say(f"{number:>9}  {name}")
    _say(
        f"{tried} messages in {time.monotonic() - started:.0f} s; slowest step "
        f"{max((told.slowest for told in last.values()), default=0):.2f} s; memory grew by {growth} MiB; "
        f"{len(failures)} went wrong"
    )
    return int(bool(failures) or hung or tried < count or growth > _MOST_GROWTH)


def _listen(
    pipes: dict[Connection, multiprocessing.Process], count: int
) -> tuple[list[Failure], dict[Connection, _Told], bool]:
    """What the processes tell, until all have ended; whether one was ended because it said nothing more."""
    failures: list[Failure] = []
    last: dict[Connection, _Told] = {}
    heard = dict.fromkeys(pipes, time.monotonic())
    hung = False
    while pipes:
        for pipe in wait(list(pipes), timeout=1.0):
            if not isinstance(pipe, Connection):
                continue
            try:
                told: _Told = pipe.recv()
            except EOFError:
                pipes.pop(pipe).join()
                continue
            heard[pipe], last[pipe] = time.monotonic(), told
            for failure in told.failures:
                _say(str(failure))
                failures.append(failure)
            _progress(sum(each.tried for each in last.values()), count)
        for pipe in [p for p in pipes if time.monotonic() - heard[p] > _HANGS_AFTER]:
            after = last[pipe].tried if pipe in last else 0
            _say(f"a process hangs after its message {after}: ended")
            pipes[pipe].kill()
            pipes.pop(pipe).join()
            hung = True
    return failures, last, hung


def _progress(tried: int, count: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{tried} of {count}" + ("\n" if tried == count else ""))
        sys.stderr.flush()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _try(pipe: Connection, numbers: range, seed: int) -> None:
    """Try the messages of some numbers; tell now and then, and of each failure at once."""
    mutations, trial = Mutations(bases(STANDARDS), seed), Trial()
    at_first = 0
    for tried, number in enumerate(numbers, 1):
        data = mutations.message(number)
        failures = trial.run(number, data)
        if failures:
            FOLDER.mkdir(parents=True, exist_ok=True)
            (FOLDER / f"{seed}-{number}.xml").write_bytes(data)
        if tried == _EVERY:
            at_first = _largest()
        if failures or tried % _EVERY == 0 or tried == len(numbers):
            growth = _largest() - at_first if at_first else 0
            pipe.send(
                _Told(
                    tried=tried,
                    failures=failures,
                    outcomes=trial.outcomes,
                    slowest=trial.slowest,
                    growth=growth,
                )
            )
    pipe.close()


def _largest() -> int:
    """The largest size of this process so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _number(name: str, default: int) -> int:
    return int(os.environ.get(name, default))


if __name__ == "__main__":
    sys.exit(main())
