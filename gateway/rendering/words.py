"""Single values in words: dates, telephone numbers, languages and systems, as people write them, and back."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

from mappings import table

OSLO = ZoneInfo("Europe/Oslo")

_ISO_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_DATE = re.compile(r"([0-9]{2})\.([0-9]{2})\.([0-9]{4})")
_NORWEGIAN = re.compile(r"\+47([0-9]{8})")
_MOBILE = re.compile(r"\+47[49][0-9]{7}")
_LANGUAGE = re.compile(r"(?:.* \()?([a-z]{2,3})\)?")


@dataclass(frozen=True, slots=True)
class Writing:
    """How a value is written, and read again; `read` raises ValueError where nothing was written so."""

    write: Callable[[str], str]
    read: Callable[[str], str | int]


@cache
def names(of: str) -> Mapping[str, str]:
    """A table of names by code: `systems`, `formats`, `languages`."""
    found = table("rendering")[of]
    if not isinstance(found, dict):
        raise TypeError(f"mappings/rendering.toml: {of} is no table")
    return found


@cache
def municipalities() -> Mapping[str, str]:
    """Names by code: four digits a kommune, six a bydel."""
    rows = table("municipalities")["municipality"]
    if not isinstance(rows, list):
        raise TypeError("mappings/municipalities.toml: municipality is no list")
    return {row["code"]: row["name"] for row in rows}


def date_in_words(iso: str) -> str:
    """`2026-03-02` as `02.03.2026`."""
    year, month, day = _groups(_ISO_DATE, iso)
    return f"{day}.{month}.{year}"


def date_from_words(words: str) -> str:
    """`02.03.2026` as `2026-03-02`.

    Raises:
        ValueError: not a date written so.
    """
    day, month, year = _groups(_DATE, words)
    return f"{year}-{month}-{day}"


def time_in_words(iso: str) -> str:
    """A time as the clocks in Norway show it: `02.03.2026 kl. 13.45`."""
    moment = datetime.fromisoformat(iso)
    with suppress(OverflowError):  # the first or the last day that there is
        moment = moment.astimezone(OSLO)
    return f"{date_in_words(moment.date().isoformat())} kl. {moment:%H.%M}"


def phone_in_words(number: str) -> str:
    """A Norwegian number in the groups that it is read in, any other as it is."""
    match = _NORWEGIAN.fullmatch(number)
    if match is None:
        return number
    digits = match[1]
    sizes = (3, 2, 3) if is_mobile(number) else (2, 2, 2, 2)
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    groups = [digits[start : start + size] for start, size in zip(starts, sizes, strict=True)]
    return " ".join(["+47", *groups])


def is_mobile(number: str) -> bool:
    """Whether a number in E.164 form is a Norwegian mobile number (they begin with 4 or 9)."""
    return _MOBILE.fullmatch(number) is not None


def _language_in_words(code: str) -> str:
    name = names("languages").get(code)
    return f"{name} ({code})" if name else code


def _named(of: str) -> Writing:
    """By the names of a table; a code that has none stands as it is."""

    def write(code: str) -> str:
        return names(of).get(code, code)

    def read(words: str) -> str:
        return next((code for code, name in names(of).items() if name == words), words)

    return Writing(write, read)


def _groups(pattern: re.Pattern[str], text: str) -> tuple[str, ...]:
    match = pattern.fullmatch(text)
    if match is None:
        raise ValueError("not written as expected")
    return match.groups()


def _same(text: str) -> str:
    return text


WRITINGS: Mapping[str, Writing] = {
    "text": Writing(_same, _same),
    "number": Writing(_same, int),
    "date": Writing(date_in_words, date_from_words),
    "phone": Writing(phone_in_words, lambda words: words.replace(" ", "")),
    "language": Writing(_language_in_words, lambda words: _groups(_LANGUAGE, words)[0]),
    "system": _named("systems"),
    "format": _named("formats"),
    "time": Writing(time_in_words, _same),
}
"""By the name that the table gives in `as`."""
