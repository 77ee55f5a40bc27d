"""Times as the health messages write them (xs:dateTime, and the data type TS)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

OSLO = ZoneInfo("Europe/Oslo")

_DATE_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?)?"
    r"\s*(Z|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
_STRICT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_YEAR_OR_MONTH = re.compile(r"[1-9]\d{3}(?:-(?:0[1-9]|1[0-2]))?", re.ASCII)


def read_time(written: str | None) -> datetime | None:
    """A time with its zone.

    A time without zone is Norwegian (Europe/Oslo); a date alone is its midnight. Anything else (gYear, a time
    without date, no time at all) is None.
    """
    match = _DATE_TIME.fullmatch(written.strip()) if written else None
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        moment = datetime(  # noqa: DTZ001 - the zone follows below
            int(year),
            int(month),
            int(day),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            int((fraction or "0")[:6].ljust(6, "0")),
        )
        return moment.replace(tzinfo=_zone(zone))
    except ValueError:
        return None


@lru_cache(maxsize=64)
def _zone(written: str | None) -> ZoneInfo | timezone:
    if written is None:
        return OSLO
    if written == "Z":
        return UTC
    hours, minutes = int(written[1:3]), int(written[-2:])
    offset = timedelta(hours=hours, minutes=minutes)
    if minutes > 59 or offset > timedelta(hours=14):
        raise ValueError("no zone of xs:dateTime")
    return timezone(-offset if written[0] == "-" else offset)


def is_timestamp(written: str | None) -> bool:
    """Whether this is a TS: a time, a date, a month or a year of the calendar."""
    if not written:
        return False
    written = written.strip()
    if _YEAR_OR_MONTH.fullmatch(written):
        return True
    return bool(_STRICT.fullmatch(written) or _DATE.fullmatch(written)) and read_time(written) is not None


def is_later(end: str | None, start: str | None) -> bool:
    """Whether one time is after another (criterion E 19); never where one of them is no time or date."""
    ended, started = read_time(end), read_time(start)
    return is_timestamp(end) and ended is not None and started is not None and ended > started


def is_date(written: str) -> bool:
    """Whether this is a date of the calendar, without a zone."""
    if not _DATE.fullmatch(written):
        return False
    try:
        date.fromisoformat(written)
    except ValueError:
        return False
    return True


def xml_date_time(written: str | None, otherwise: datetime) -> str:
    """A valid xs:dateTime: as it was written where it is one, else the same time, else `otherwise`."""
    moment = read_time(written)
    if written is not None and moment is not None and _STRICT.fullmatch(written.strip()):
        return written.strip()
    return (moment or otherwise).isoformat()
