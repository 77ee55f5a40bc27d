"""When the next interaction points (samhandlingspunkt, SP) are due.

SP1 is held in hospital. SP2 in the municipality follows after 3-4 months, SP3 after 12-18 months. Sources
differ in what they count from (the start, the diagnosis, the discharge), so the date that was counted from
is kept with the point.
"""

from __future__ import annotations

import calendar
import datetime
from dataclasses import dataclass

from gateway.contracts.summary import Basis, NextPoint, PathwayStatus

_COMING = frozenset({PathwayStatus.STARTED, PathwayStatus.OFFER_LATER})
"""Who wants to hear from the municipality again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextPointSettings:
    """What the windows are, and what they are counted from."""

    sp2_months: tuple[int, int] = (3, 4)
    """First and last month of SP2, after the basis date"""
    sp3_months: tuple[int, int] = (12, 18)
    """First and last month of SP3, after the basis date"""
    bases: tuple[Basis, ...] = (
        Basis.STARTED_ON,
        Basis.DIAGNOSIS_DATE,
        Basis.SURVEY_DATE,
        Basis.DISCHARGE_DATE,
    )
    """The dates to count from, the best first"""

    def __post_init__(self) -> None:
        """Check that each window goes forward.

        Raises:
            ValueError: a window starts before the basis date, or ends before it starts.
        """
        for first, last in (self.sp2_months, self.sp3_months):
            if not 0 <= first <= last:
                raise ValueError("The months of an interaction point go from low to high, from 0 up.")


_DEFAULT = NextPointSettings()


def next_points(
    status: PathwayStatus,
    interaction_point: int,
    *,
    started_on: datetime.date | None = None,
    diagnosis_date: datetime.date | None = None,
    survey_date: datetime.date | None = None,
    discharge_date: datetime.date | None = None,
    settings: NextPointSettings = _DEFAULT,
) -> tuple[NextPoint, ...]:
    """Compute the windows of the interaction points that come after the note's own.

    Args:
        status: where the patient stands; a patient who declined, or of whom it is not known, has no points.
        interaction_point: the point that the note reports (1, 2 or 3).
        started_on: when the pathway was started.
        diagnosis_date: when the cancer was found.
        survey_date: when the conversation was held.
        discharge_date: when the patient left the hospital.
        settings: the windows, and the order in which the dates are tried.

    Returns:
        The points in order; none where no date is known.
    """
    if status not in _COMING:
        return ()
    dates = {
        Basis.STARTED_ON: started_on,
        Basis.DIAGNOSIS_DATE: diagnosis_date,
        Basis.SURVEY_DATE: survey_date,
        Basis.DISCHARGE_DATE: discharge_date,
    }
    basis = next((basis for basis in settings.bases if dates[basis] is not None), None)
    counted_from = dates[basis] if basis else None
    if basis is None or counted_from is None:
        return ()
    points = []
    for point, (first, last) in ((2, settings.sp2_months), (3, settings.sp3_months)):
        start, end = months_after(counted_from, first), months_after(counted_from, last)
        if point > interaction_point and start and end:
            points.append(
                NextPoint.model_validate({"point": point, "from": start, "to": end, "basis": basis})
            )
    return tuple(points)


def months_after(date: datetime.date, months: int) -> datetime.date | None:
    """The same day `months` later, or the last day of a shorter month; None after the calendar's end."""
    years, month = divmod(date.month - 1 + months, 12)
    year = date.year + years
    if year > datetime.MAXYEAR:
        return None
    last_day = calendar.monthrange(year, month + 1)[1]
    return datetime.date(year, month + 1, min(date.day, last_day))
