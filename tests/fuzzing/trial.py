"""One message through parse, convert and apprec: what may come of it, and what may not."""

from __future__ import annotations

import re
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gateway.contracts.errors import GatewayError
from gateway.contracts.messages import Format
from gateway.ops.answering import Answering
from gateway.ops.conversion import Conversion, convert_message, schemas_in_use, written_as
from gateway.routing.register_file import RegisterFile
from gateway.security.gate import parse
from tests.conftest import REGISTRY, ROOT

MOST_SECONDS = 2.0
"""Processor time for one step; a clock on the wall would count other processes too"""

_TARGETS = ("text", "html", *(f.value for f in Format if not f.value.startswith("apprec")))
_NUMBER_OF_A_PERSON = re.compile(r"(?<!\d)\d{11}(?!\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What should not have happened."""

    number: int
    step: str
    kind: str
    """Name of the exception, `slow`, or what was wrong with the result"""
    where: str
    """The line of the project where it happened: never a value of the message"""

    def __str__(self) -> str:
        """In one line."""
        return f"message {self.number}: {self.step}: {self.kind} {self.where}".rstrip()


class WrongResultError(AssertionError):
    """A step gave what it must not give."""


class Trial:
    """Tries messages; holds what is loaded once."""

    def __init__(self) -> None:
        """Load schemas, adapters and the register of the fixtures."""
        self._registry = RegisterFile.load(REGISTRY)
        self._answering = Answering(registry=self._registry)
        self.outcomes: dict[str, int] = {}
        """How often each step ended how"""
        self.slowest = 0.0

    def run(self, number: int, data: bytes) -> list[Failure]:
        """Everything that went wrong with a message."""
        converted: list[Conversion] = []

        def convert() -> str:
            conversion = convert_message(data, registry=self._registry)
            converted.append(conversion)
            _tells_nobody(conversion.refusal or "")
            return str(conversion.disposition)

        def write() -> str:
            if not converted or converted[0].summary is None:
                return "nothing"
            target = _TARGETS[number % len(_TARGETS)]
            written = written_as(converted[0], target)
            if target not in ("text", "html") and not schemas_in_use().is_valid(parse(written)):
                raise WrongResultError("an invalid message")
            return "written"

        def apprec() -> str:
            receipt = self._answering.receipt_for(data, any_receiver=True, accept_other=number % 2 == 0)
            if not schemas_in_use().is_valid(parse(receipt)):
                raise WrongResultError("an invalid receipt")
            return "answered"

        steps: tuple[tuple[str, Callable[[], object]], ...] = (
            ("parse", lambda: parse(data)),
            ("convert", convert),
            ("write", write),
            ("apprec", apprec),
        )
        return [failure for name, step in steps if (failure := self._step(number, name, step)) is not None]

    def _step(self, number: int, name: str, step: Callable[[], object]) -> Failure | None:
        started = time.process_time()
        try:
            ended = step()
            outcome = ended if isinstance(ended, str) else "read"
        except GatewayError as error:
            outcome = error.code
            if _NUMBER_OF_A_PERSON.search(f"{error.message} {error.hint}"):
                return Failure(number=number, step=name, kind="tells a value", where=_place(error))
        except Exception as error:  # noqa: BLE001 - whatever it is: this is what is looked for
            return Failure(number=number, step=name, kind=_kind(error), where=_place(error))
        used = time.process_time() - started
        self.slowest = max(self.slowest, used)
        self.outcomes[f"{name}: {outcome}"] = self.outcomes.get(f"{name}: {outcome}", 0) + 1
        if used > MOST_SECONDS:
            return Failure(number=number, step=name, kind="slow", where=f"{used:.1f} s")
        return None


def _tells_nobody(words: str) -> None:
    if _NUMBER_OF_A_PERSON.search(words):
        raise WrongResultError("tells a value")


def _kind(error: Exception) -> str:
    # The text of another error may hold a value of the message.
    return str(error) if isinstance(error, WrongResultError) else type(error).__name__


def _place(error: Exception) -> str:
    """The innermost line of the project in a traceback."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(str(ROOT))]
    ours = [f for f in frames if ".venv" not in Path(f.filename).parts]
    if not ours:
        return ""
    return f"{Path(ours[-1].filename).relative_to(ROOT)}:{ours[-1].lineno}"
