"""What the report counts of a note and only its summary tells: sealed beside it, summed when it is purged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Self

from gateway.contracts.summary import PathwayReason, Summary


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When an interaction point in the municipality is due."""

    point: int
    """2 or 3"""
    start: date
    end: date


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteFacts:
    """What is counted of one note. Health data: never kept in plain."""

    relapse: bool
    in_work_up: bool
    """There is a diagnosis, and it is not confirmed"""
    distress_score: int | None
    """0-10; None where no conversation was held or none is given"""
    windows: tuple[Window, ...] = ()

    @classmethod
    def of(cls, summary: Summary) -> Self:
        """What a summary tells."""
        diagnosis, survey = summary.diagnosis, summary.survey
        return cls(
            relapse=summary.pathway.reason is PathwayReason.RELAPSE,
            in_work_up=diagnosis is not None and not diagnosis.confirmed,
            distress_score=survey.distress_score if survey is not None else None,
            windows=tuple(
                Window(point=p.point, start=p.start, end=p.end) for p in summary.pathway.next_points
            ),
        )


@dataclass(slots=True, kw_only=True)
class FactSums:
    """The facts of many notes, added up."""

    notes: int = 0
    relapse: int = 0
    in_work_up: int = 0
    distress: dict[int, int] = field(default_factory=dict)
    """Notes by score; those without one are in `notes` only"""
    windows: dict[tuple[int, str], int] = field(default_factory=dict)
    """Windows that open, by interaction point and month (`2026-03`); of notes that nothing has replaced"""

    def add(self, facts: NoteFacts, *, counted: bool, stands: bool) -> None:
        """Count one note.

        Args:
            facts: of the note.
            counted: whether it counts as a note that was sent (a change of one does not).
            stands: whether its windows hold: no later version has replaced it.
        """
        if counted:
            self.notes += 1
            self.relapse += facts.relapse
            self.in_work_up += facts.in_work_up
            if facts.distress_score is not None:
                score = facts.distress_score
                self.distress[score] = self.distress.get(score, 0) + 1
        if stands:
            for window in facts.windows:
                key = (window.point, window.start.isoformat()[:7])
                self.windows[key] = self.windows.get(key, 0) + 1

    def merge(self, others: Sequence[FactSums]) -> None:
        """Add other sums to these."""
        for other in others:
            self.notes += other.notes
            self.relapse += other.relapse
            self.in_work_up += other.in_work_up
            for score, count in other.distress.items():
                self.distress[score] = self.distress.get(score, 0) + count
            for key, count in other.windows.items():
                self.windows[key] = self.windows.get(key, 0) + count
