"""What the report is made of: counts by department, municipality and month."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from gateway.contracts.facts import FactSums

_OSLO = ZoneInfo("Europe/Oslo")
_Key = TypeVar("_Key", int, str)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Cell:
    """Where and when something is counted."""

    month: str
    """`2026-03`, Norwegian time, of when the note came in"""
    unit: str
    """HER-id of the department, else of the hospital; empty where neither is known"""
    municipality: str
    """kommune or bydel code; empty where it is not known"""


@dataclass(slots=True, kw_only=True)
class NoteFigures:
    """What is counted of notes and of their receivers' answers."""

    notes: int = 0
    """Sent on for the first time"""
    changes: int = 0
    cancellations: int = 0
    without_phone: int = 0
    """PH030"""
    without_diagnosis: int = 0
    """PH020"""
    repeats: int = 0
    """PH040"""
    acknowledged: dict[int, int] = field(default_factory=dict)
    """Positive AppRecs by the seconds that they took"""
    negative: dict[str, int] = field(default_factory=dict)
    """Negative AppRecs by error code (8221); one with several codes counts for each"""
    refused: int = 0
    """Sendings that were refused"""
    overdue: int = 0
    """Sendings that were not answered within the deadline, or late"""
    waiting: int = 0
    """Sendings that wait for their answer, or for transport"""
    failed: int = 0
    """Sendings that could not be transported"""
    replies: int = 0
    replies_taken: dict[int, int] = field(default_factory=dict)
    """Replies that the hospital, or a person, has taken, by the seconds that they lay"""
    replies_waiting: int = 0

    def add(self, other: NoteFigures) -> None:
        """Add others to these."""
        self.notes += other.notes
        self.changes += other.changes
        self.cancellations += other.cancellations
        self.without_phone += other.without_phone
        self.without_diagnosis += other.without_diagnosis
        self.repeats += other.repeats
        self.refused += other.refused
        self.overdue += other.overdue
        self.waiting += other.waiting
        self.failed += other.failed
        self.replies += other.replies
        self.replies_waiting += other.replies_waiting
        _add_counts(self.acknowledged, other.acknowledged)
        _add_counts(self.negative, other.negative)
        _add_counts(self.replies_taken, other.replies_taken)


def _add_counts(counts: dict[_Key, int], more: Mapping[_Key, int]) -> None:
    """Add what was counted elsewhere."""
    for key, count in more.items():
        counts[key] = counts.get(key, 0) + count


@dataclass(slots=True, kw_only=True)
class Figures:
    """All of it."""

    cells: dict[Cell, NoteFigures] = field(default_factory=dict)
    facts: dict[Cell, FactSums] = field(default_factory=dict)
    unit_names: dict[str, str] = field(default_factory=dict)
    """As the messages give them"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A month of Norwegian time."""

    name: str
    start: datetime
    end: datetime

    @classmethod
    def of(cls, name: str) -> Month:
        """By name, `2026-03`."""
        year, month = int(name[:4]), int(name[5:7])
        start = datetime(year, month, 1, tzinfo=_OSLO)
        return cls(name=name, start=start, end=(start + timedelta(days=32)).replace(day=1))


def month_of(at: datetime) -> str:
    """The name of the month of a time."""
    return at.astimezone(_OSLO).strftime("%Y-%m")


def months(first: str, last: str) -> list[Month]:
    """From one month to another, both included."""
    found = [Month.of(first)]
    while found[-1].name < last:
        found.append(Month.of(month_of(found[-1].end)))
    return found
