"""Dates in free text, as Norwegian nurses and doctors write them.

The parts of a written date are plain (`02.03.2026`, `2/3-26`, `23.sep`, `4. mai`, `i går`, `uke 29`); what
takes thought is what only looks like one: times of day, scores, doses, numbers of telephones. Where a date
and something else look alike (`5/10`, `6.9`) the date comes back marked `ambiguous`, and the reader decides
by what stands around it.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from typing import Literal

from adapters.reading.vocabulary import lower, words_in
from gateway.contracts.values import replace, value

Precision = Literal["day", "same_day", "weekday", "week", "month", "year"]

HALF_A_YEAR = datetime.timedelta(days=183)


@value
class FoundDate:
    """A date in a text."""

    value: datetime.date | None
    """The day, or the first day of the week, month or year; None where the text alone does not tell it"""
    precision: Precision
    """How much of `value` is meant. `same_day` and `weekday` are days that another date has to anchor"""
    span: tuple[int, int]
    words: str
    ambiguous: bool = False
    """It may be a score, a dose or a decimal number as well"""
    year_written: bool = True
    """Whether the year stands in the text, or was taken from the message"""


_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "januar jan",
            "februar febr feb",
            "mars mar marts",
            "april apr",
            "mai maj",
            "juni jun",
            "juli jul",
            "august aug augusti",
            "september sept sep",
            "oktober okt",
            "november nov",
            "desember des december dec",
        ),
        start=1,
    )
    for name in names.split()
}
"""Bokmål and nynorsk, with the Danish and Swedish forms that colleagues use."""

_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_WHOLE_MONTH = "|".join(
    name
    for name in sorted(_MONTHS, key=len, reverse=True)
    if len(name) > 4 or name in {"mars", "mai", "maj", "juni", "juli"}
)

_WEEKDAYS = {
    name: number
    for number, names in enumerate(
        (
            "mandag måndag",
            "tirsdag tysdag",
            "onsdag",
            "torsdag",
            "fredag",
            "lørdag laurdag",
            "søndag sundag",
        )
    )
    for name in names.split()
}
_WEEKDAY = "|".join(_WEEKDAYS)

_RELATIVE = {
    "i overmorgen": 2,
    "i overmorgon": 2,
    "i morgen": 1,
    "i morgon": 1,
    "imorgen": 1,
    "i dag": 0,
    "idag": 0,
    "dags dato": 0,
    "d.d.": 0,
    "dd.": 0,
    "dd": 0,
    "i kveld": 0,
    "i natt": 0,
    "i morges": 0,
    "i formiddag": 0,
    "i føremiddag": 0,
    "i ettermiddag": 0,
    "i går": -1,
    "igår": -1,
    "i gjår": -1,
    "i forgårs": -2,
    "i forgars": -2,
    "i førgår": -2,
}

_LETTERS = re.compile(r"[^\W\d_]+")
_FIGURE = re.compile(r"[0-9]")
_SIX_FIGURES = re.compile(r"[0-9][0-9]{5}")
_LAST_WORDS = frozenset(_LETTERS.findall(phrase)[-1] for phrase in _RELATIVE)
_NAMES_OF_DAYS = frozenset(name for day in _WEEKDAYS for name in (day, f"{day}s"))
_SAME = frozenset({"same", "samme", "samma", "sama"})
_WEEKS = frozenset({"uke", "veke", "uge", "vecka"})
_DATE_WORDS = _LAST_WORDS | _NAMES_OF_DAYS | _SAME | _WEEKS | {*_MONTHS, "fjor"}
"""Of which every text has one that names a day without figures."""

_START = r"(?=[0-9])(?<![\w/:,+])(?<![0-9]\.)"
"""A number begins here, and no number, time or fraction runs into it."""

_NAMED = re.compile(
    rf"{_START}(?P<d>[0-9]{{1,2}})\.?[ \u00a0]?(?P<m>{_MONTH})\b"
    r"(?:(?:\.?\s*[,\-']\s*|\.\s?|/|\s)(?P<y>(?:19|20)[0-9]{2}(?![0-9])|[0-9]{2}(?=\s*(?:[.,;:)\n]|$)))"
    r"(?!\.?\s?(?:" + _MONTH + r"))(?![./][0-9]))?",
    re.IGNORECASE,
)
_ISO = re.compile(r"(?<![\w./\-])(?P<y>(?:19|20)[0-9]{2})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})(?![0-9])")
_NUMERIC = re.compile(
    rf"{_START}(?P<d>[0-9]{{1,2}})(?P<sep>\.\s?|/|-)(?P<m>[0-9]{{1,2}})"
    r"(?:(?:\.\s?-?|/|\s?-\s?)(?P<y>(?:19|20)[0-9]{2}|[0-9]{2})|\.?\s(?P<y4>(?:19|20)[0-9]{2}))(?![./]?[0-9])"
)
_WITHOUT_YEAR = re.compile(
    rf"{_START}(?P<d>[0-9]{{1,2}})(?P<sep>[./])(?P<m>[0-9]{{1,2}})(?P<dot>\.)?(?![0-9/]|[.,][0-9])"
)
_COMPACT = re.compile(
    r"\b(?:dato|den|d\.|født|f\.|samtale[nr]?|startet|starta|operert|op\.?)[: ]\s?"
    r"(?P<date>(?P<d>[0-9]{2})(?P<m>[0-9]{2})(?P<y>[0-9]{2}))(?![0-9]|[ \-][0-9])",
    re.IGNORECASE,
)
_TODAY = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, _RELATIVE))})(?!\w)", re.IGNORECASE)
_SAME_DAY = re.compile(r"(?<!\w)sam[em]?[ea]\s+(?:dag(?:en)?|dato(?:en)?|kveld(?:en)?)(?!\w)", re.IGNORECASE)
_WEEK = re.compile(
    r"(?<!\w)(?:uke|veke|uge|vecka)\s?(?:nr\.?\s?)?(?P<w>[0-9]{1,2})(?![\w.,][0-9]|[0-9])", re.IGNORECASE
)
_ON_WEEKDAY = re.compile(
    rf"(?<!\w)(?:(?P<back>i|forrige|førre|sist|siste)\s+|(?P<ahead>neste|førstkommende|førstkomande|kommende|"
    rf"komande|til|innen|innan|inden|senest|seinast)\s+)?(?P<day>{_WEEKDAY})(?P<s>s)?(?!\w)",
    re.IGNORECASE,
)
_IN_MONTH = re.compile(
    rf"(?<!\w)(?P<m>{_WHOLE_MONTH})(?:[ \-](?P<y>(?:19|20)[0-9]{{2}}))?(?![\w])", re.IGNORECASE
)
_IN_YEAR = re.compile(
    r"(?<![\w.,/\-+])(?P<y>19[4-9][0-9]|20[0-4][0-9])(?!\w|[.,/\-][0-9]|\s+[A-ZÆØÅ]|\s*(?:kr|mg|ml|g|kcal|kj|steg|skritt)\b)"
)
_LAST_YEAR = re.compile(r"(?<!\w)i fjor(?!\w)", re.IGNORECASE)

_TIME_OF_DAY = re.compile(r"\b(?:kl|klokk[ae]n?)\b[^\w\n]*(?:[0-9.:]+\s*(?:-|–|til|og)\s*)?$", re.IGNORECASE)
_A_SCORE = re.compile(
    r"\b(?:nccn|\w*term[oi]met\w*|nrs|vas|esas|sk[åa]r\w*|score\w*|distress|stress|smerte\w*|gleason|"
    r"påkj\w*|belastning\w*|t|grad|stad\w*|t[no]m|bt|ecog|who)\b[^\w\n]*$",
    re.IGNORECASE,
)
_A_QUANTITY = re.compile(
    r"\s*(?:mg|ml|g|kg|cm|mm|m|mcg|µg|l|dl|mmol|mikrog\w*|%|°|grader|timer|t|år|mnd|måned\w*|månad\w*|uker|veker|dager|"
    r"dagar|tbl|tabl\w*|stk|poeng|ganger|gonger|x|av|ie|kr|mill\w*|gy)\b|\s*[%°]",
    re.IGNORECASE,
)
_BACK = 24
"""How far back a word is looked for that makes a number something else, in characters."""


def find_dates(text: str, *, sent_on: datetime.date) -> list[FoundDate]:
    """Find the dates of a text, in order of place.

    Args:
        text: free text, of one line or many.
        sent_on: the message's date; years and relative days are counted from it.

    Returns:
        Dates that do not overlap. Those that no calendar has (`31.02.2026`) are left out. A date without a
        year is of the message's year, or the year before where it would else lie more than half a year ahead.
    """
    taken = bytearray(len(text))
    kept: list[FoundDate] = []
    for found in _all(text, sent_on):
        start, end = found.span
        if not any(taken[start:end]):
            taken[start:end] = b"\x01" * (end - start)
            kept.append(found)
    kept.sort(key=lambda found: found.span)
    return _anchored(kept, sent_on)


def _all(text: str, sent_on: datetime.date) -> Iterator[FoundDate]:
    """Every reading, the surest first. Only patterns whose words the text has are tried: most have none."""
    figures = _FIGURE.search(text) is not None
    low = lower(text)
    # Figures may stand right before a word: `23sep`.
    words = set(_DATE_WORDS.intersection(_LETTERS.findall(low) if figures else words_in(low)))
    if not words and not figures:
        return
    if figures:
        yield from _in_figures(text, words, sent_on)
    if words & _LAST_WORDS:
        for match in _TODAY.finditer(text):
            day = sent_on + datetime.timedelta(days=_RELATIVE[match[0].lower()])
            yield _found(match, "day", day)
    if words & _SAME:
        for match in _SAME_DAY.finditer(text):
            yield _found(match, "same_day", None)
    if words & _NAMES_OF_DAYS:
        for match in _ON_WEEKDAY.finditer(text):
            yield _weekday(match, sent_on)
    yield from _periods(text, words, sent_on, figures=figures)


def _in_figures(text: str, words: set[str], sent_on: datetime.date) -> Iterator[FoundDate]:
    dashes, marks = "-" in text, "." in text or "/" in text
    for pattern, applies in (
        (_ISO, dashes),
        (_NUMERIC, dashes or marks),
        (_NAMED, not words.isdisjoint(_MONTHS)),
        (_COMPACT, _SIX_FIGURES.search(text) is not None),
    ):
        for match in pattern.finditer(text) if applies else ():
            yield from _with_day(match, sent_on)
    for match in _WITHOUT_YEAR.finditer(text) if marks else ():
        yield from _short(match, text, sent_on)


def _with_day(match: re.Match[str], sent_on: datetime.date) -> Iterator[FoundDate]:
    groups = match.groupdict()
    year = groups["y"] or groups.get("y4")
    if groups.get("sep") == "-" and len(year or "") < 4 and (len(groups["d"]) < 2 or len(groups["m"]) < 2):
        return
    month = _MONTHS.get(groups["m"].lower()) or int(groups["m"])
    value = _day(year, month, int(groups["d"]), sent_on)
    if value is None:
        return
    span = match.span("date") if "date" in groups else match.span()
    words = match.string[slice(*span)].rstrip(" .")
    yield FoundDate(
        value=value,
        precision="day",
        span=(span[0], span[0] + len(words)),
        words=words,
        ambiguous="date" in groups,
        year_written=year is not None,
    )


def _short(match: re.Match[str], text: str, sent_on: datetime.date) -> Iterator[FoundDate]:
    """A day and a month in figures: sure only with the full stop after the month."""
    value = _day(None, int(match["m"]), int(match["d"]), sent_on)
    before = text[max(0, match.start() - _BACK) : match.start()]
    if value is None or _TIME_OF_DAY.search(before) or _A_QUANTITY.match(text, match.end()):
        return
    sure = match["sep"] == "." and match["dot"] is not None
    if _A_SCORE.search(before) and not sure:
        return
    end = match.end() if sure else match.end("m")
    yield FoundDate(
        value=value,
        precision="day",
        span=(match.start(), end),
        words=text[match.start() : end],
        ambiguous=not sure,
        year_written=False,
    )


def _periods(text: str, words: set[str], sent_on: datetime.date, *, figures: bool) -> Iterator[FoundDate]:
    """Weeks, months and years."""
    for match in _WEEK.finditer(text) if figures and words & _WEEKS else ():
        monday = _nearest(sent_on, [_week(sent_on.year + years, int(match["w"])) for years in (-1, 0, 1)])
        if monday:
            yield _found(match, "week", monday)
    for match in _IN_MONTH.finditer(text) if words & _MONTHS.keys() else ():
        month = _MONTHS[match["m"].lower()]
        years = [int(match["y"])] if match["y"] else [sent_on.year + years for years in (-1, 0, 1)]
        first = _nearest(sent_on, [datetime.date(year, month, 1) for year in years])
        yield _found(match, "month", first, written=match["y"] is not None)
    for match in _IN_YEAR.finditer(text) if figures and ("19" in text or "20" in text) else ():
        yield _found(match, "year", datetime.date(int(match["y"]), 1, 1), written=True)
    for match in _LAST_YEAR.finditer(text) if "fjor" in words else ():
        yield _found(match, "year", datetime.date(sent_on.year - 1, 1, 1))


def _found(
    match: re.Match[str], precision: Precision, value: datetime.date | None, *, written: bool = False
) -> FoundDate:
    return FoundDate(
        value=value, precision=precision, span=match.span(), words=match[0], year_written=written
    )


def _weekday(match: re.Match[str], sent_on: datetime.date) -> FoundDate:
    """The day before or after the message's, where the words say which; else None."""
    days = (_WEEKDAYS[match["day"].lower()] - sent_on.weekday()) % 7
    value = None
    if match["ahead"]:
        value = sent_on + datetime.timedelta(days=days or 7)
    elif match["back"] and (match["back"].lower() != "i" or match["s"]):
        value = sent_on + datetime.timedelta(days=days - 7)
    return _found(match, "day" if value else "weekday", value)


def _anchored(found: list[FoundDate], sent_on: datetime.date) -> list[FoundDate]:
    """Give `samme dag` the day that was named before it, and drop the name of a day before its date."""
    result: list[FoundDate] = []
    last: datetime.date | None = None
    for index, date in enumerate(found):
        following = found[index + 1] if index + 1 < len(found) else None
        if (
            date.words.split()[-1].lower() in _WEEKDAYS
            and following is not None
            and following.precision == "day"
            and following.span[0] - date.span[1] <= len(", den ")
        ):
            continue
        if date.precision == "same_day" and last is not None:
            result.append(replace(date, value=last))
            continue
        if date.precision == "day" and date.value is not None and date.value <= sent_on:
            last = date.value
        result.append(date)
    return result


def _day(year: str | None, month: int, day: int, sent_on: datetime.date) -> datetime.date | None:
    try:
        if year is not None:
            return datetime.date(_whole_year(year, sent_on), month, day)
        value = datetime.date(sent_on.year, month, day)
        return datetime.date(sent_on.year - 1, month, day) if value - sent_on > HALF_A_YEAR else value
    except ValueError:
        return None


def _whole_year(year: str, sent_on: datetime.date) -> int:
    """Two figures are of this century up to next year, else of the last."""
    if len(year) == 4:
        return int(year)
    century = sent_on.year // 100 * 100
    whole = century + int(year)
    return whole if whole <= sent_on.year + 1 else whole - 100


def _week(year: int, week: int) -> datetime.date | None:
    try:
        return datetime.date.fromisocalendar(year, week, 1)
    except ValueError:
        return None


def _nearest(
    sent_on: datetime.date, dates: list[datetime.date | None] | list[datetime.date]
) -> datetime.date | None:
    known = [date for date in dates if date is not None]
    return min(known, key=lambda date: abs(date - sent_on), default=None)
