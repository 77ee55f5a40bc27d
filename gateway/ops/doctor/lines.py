"""What the doctor says: a line for each thing that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gateway.contracts.errors import EXIT_CONFIGURATION, EXIT_DONE, EXIT_NO, EXIT_UNREACHABLE, GatewayError


class Grade(StrEnum):
    """How a thing is."""

    OK = "ok"
    WARNING = "warning"
    """The service works; something should be done soon, or is unusual"""
    FAULT = "fault"
    """The service does not work, or not for everyone"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing."""

    area: str
    """config, keys, certificates, register, schemas, journal, broker, traces, disk, clock"""
    grade: Grade
    text: str
    hint: str | None = None
    """What to do"""
    exit_code: int = EXIT_NO
    """What the command ends with, where this is a fault"""

    def document(self) -> dict[str, Any]:
        """The JSON of one line."""
        return {"area": self.area, "grade": self.grade.value, "text": self.text, "hint": self.hint}


def ok(area: str, text: str) -> Line:
    """It is as it should be."""
    return Line(area=area, grade=Grade.OK, text=text)


def warning(area: str, text: str, hint: str) -> Line:
    """Something should be done."""
    return Line(area=area, grade=Grade.WARNING, text=text, hint=hint)


def fault(area: str, text: str, hint: str, *, exit_code: int = EXIT_NO) -> Line:
    """Something must be done."""
    return Line(area=area, grade=Grade.FAULT, text=text, hint=hint, exit_code=exit_code)


def failed(area: str, error: GatewayError, hint: str) -> Line:
    """What was tried, and raised."""
    return fault(area, error.message, error.hint or hint, exit_code=error.exit_code)


def exit_code(lines: list[Line]) -> int:
    """0 where there is no fault; else by what keeps the service from starting: 3 before 4 before 1."""
    codes = {line.exit_code for line in lines if line.grade is Grade.FAULT}
    for code in (EXIT_CONFIGURATION, EXIT_UNREACHABLE):
        if code in codes:
            return code
    return EXIT_NO if codes else EXIT_DONE
