"""Telephone numbers, in free text and in the fields that have them.

A number is taken by the numbering plan's shape alone: eight digits, the first from 2 to 9. The library's
`is_valid_number` asks whether the series has been handed out, and so refuses numbers that only tests use;
a number that nobody has is the sender's mistake to find, and a lost one is ours.
"""

from __future__ import annotations

import re

import phonenumbers

from adapters.reading.vocabulary import remembered
from gateway.contracts.values import value

_NORWAY = "47"


@value
class FoundPhone:
    """A telephone number in a text."""

    e164: str
    """`+4790000012`"""
    span: tuple[int, int]
    words: str
    labelled: bool = False
    """A word such as `tlf` stands right before it"""


_RUN = re.compile(
    r"(?=[(+0-9])(?<![\w.,/])(?P<plus>\(?(?:\+|00)(?P<cc>47|[1-9][0-9]{0,2}?)\)?[ \u00a0\u2009.\-]{0,2})?"
    r"(?P<digits>[0-9](?:[ \u00a0\u2009.\-\u2011]{0,2}[0-9]){4,})(?![\w/%]|,[0-9])"
)
"""Digits with what people put between them, on one line. Decimals, fractions and codes are none."""

_FIGURES = re.compile(r"[0-9][^0-9]{0,2}[0-9][^0-9]{0,2}[0-9]")
"""What every number has somewhere: most texts have none, and need no closer look."""

_GROUP = re.compile(r"[0-9]+")

_USUAL = frozenset({(8,), (3, 2, 3), (2, 2, 2, 2), (4, 4), (2, 3, 3), (3, 3, 2), (5, 3), (3, 5)})
"""How people group eight digits."""

_LABEL = re.compile(
    r"(?:\b(?:t(?:e)?lf|tel|telefon(?:en|nummer|nr)?|\w*telefon(?:en)?|mob|mobil(?:en|nummer|nr|tlf|telefon)?|"
    r"nr|nummer(?:et)?|num|ring(?:e|es|er|jer|jast|jer på)?|kontaktnr|sms|privat|arbeid|tlfnr|ph|phone|"
    r"treffes|treffast|nås|nåast|dir\.?\s?tlf)\b\.?|\btel:)[^\w\n]{0,6}(?:(?:er|på|pas|pasient|pasienten)\b[^\w\n]{0,4}){0,2}$",
    re.IGNORECASE,
)
_NO_PHONE = re.compile(
    r"\b(?:hpr|her|her-?id|org(?:\.|anisasjons)?(?:nr|nummer)?|fnr|f\.?nr|fødselsn\w*|personn\w*|p\.?nr|npr|"
    r"saksn\w*|saks-?id|ref(?:eranse)?|konto\w*|journaln\w*|kundenr|id)\b[^\w\n]{0,6}(?:nr|nummer)?[^\w\n]{0,3}$",
    re.IGNORECASE,
)
_UNIT = re.compile(
    r"\s*(?:mg|ml|ie|kr|kroner|nok|kg|µg|mikrog\w*|mcg|mmol|x|år|mnd|uker|veker|dager|dagar)\b", re.IGNORECASE
)
_DAY_MONTH_YEAR = re.compile(
    r"(?:0?[1-9]|[12][0-9]|3[01])[.\-](?:0?[1-9]|1[0-2])[.\-](?:19|20)[0-9]{2}|(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}"
)
_BACK = 32
"""How far back a label is looked for, in characters."""


@remembered
def find_phones(text: str) -> list[FoundPhone]:
    """Find the telephone numbers of a text, in order of place.

    Taken: `900 00 012`, `90000012`, `9 00 00 571`, `+47 400 00 601`, `0047…`, `tel:+47…`, and numbers of
    other countries with their prefix. Not taken: five digits, identifiers of persons (eleven digits) and of
    organisations, numbers of health personnel, dates, times, doses. The list is for whoever asks again, too:
    not to be changed.
    """
    found: list[FoundPhone] = []
    if _FIGURES.search(text) is None:
        return found
    for match in _RUN.finditer(text):
        before = text[max(0, match.start() - _BACK) : match.start()]
        if _NO_PHONE.search(before):
            continue
        labelled = _LABEL.search(before) is not None
        for start, end, e164 in _numbers(match, text, labelled=labelled):
            found.append(FoundPhone(e164=e164, span=(start, end), words=text[start:end], labelled=labelled))
    return found


def _numbers(match: re.Match[str], text: str, *, labelled: bool) -> list[tuple[int, int, str]]:
    """The numbers in one run of digits."""
    groups = [(group.start() + match.start("digits"), group[0]) for group in _GROUP.finditer(match["digits"])]
    if match["plus"] and match["cc"] != _NORWAY:
        e164 = _foreign(match[0])
        return [(match.start(), match.end(), e164)] if e164 else []
    sizes = [len(digits) for _, digits in groups]
    found: list[tuple[int, int, str]] = []
    index = 0
    while index < len(groups):
        length = _groups_of_eight(sizes, index)
        window = groups[index : index + length]
        whole = length == len(groups)
        if window and _is_phone(window, text, whole=whole, labelled=labelled, prefixed=bool(match["plus"])):
            start, end = window[0][0], window[-1][0] + len(window[-1][1])
            digits = "".join(digits for _, digits in window)
            first = match.start() if index == 0 else start
            found.append((first, end, f"+{_NORWAY}{digits}"))
            index += len(window)
        else:
            index += 1
    if not found and len(groups) == 1 and (bare := re.fullmatch(r"(?:00)?47([2-9][0-9]{7})", groups[0][1])):
        found.append((match.start(), match.end(), f"+{_NORWAY}{bare[1]}"))
    return found


def _groups_of_eight(sizes: list[int], index: int) -> int:
    """How many groups of digits from a place on have eight together; 0 where none have."""
    digits = 0
    for number in range(index, min(index + 8, len(sizes))):
        digits += sizes[number]
        if digits >= 8:
            return number - index + 1 if digits == 8 else 0
    return 0


def _is_phone(
    window: list[tuple[int, str]], text: str, *, whole: bool, labelled: bool, prefixed: bool
) -> bool:
    """Whether eight digits are a number and no date, dose or list."""
    start, end = window[0][0], window[-1][0] + len(window[-1][1])
    words = text[start:end]
    if words[0] in "01" or _DAY_MONTH_YEAR.fullmatch(words) or _UNIT.match(text, end):
        return False
    if len({between.strip() for between in _GROUP.split(words)[1:-1]}) > 1:
        return False
    if tuple(len(digits) for _, digits in window) in _USUAL:
        return True
    # Digits spaced oddly are a list of figures as easily: a label, a prefix or a mobile's first digit tells.
    return whole and (labelled or prefixed or words[0] in "49")


_SCHEME = re.compile(
    r"\s*(?:(?P<other>mailto|fax|https?):|(?:tel|sms|callto|telefon|tlf|mobil|mob)\b[:.]?)", re.IGNORECASE
)


def to_e164(raw: str | None) -> str | None:
    """Write the number of a field (`tel:90000001`, `+47 40 00 06 71`) in E.164 form.

    Returns:
        The first number; None where the field holds none that could be called: too short, a fax, a mail
        address.
    """
    value = (raw or "").replace("(0)", "")
    scheme = _SCHEME.match(value)
    if scheme and scheme["other"]:
        return None
    found = find_phones(f"tlf {value[scheme.end() :] if scheme else value.lstrip()}")
    return found[0].e164 if found else None


def _foreign(words: str) -> str | None:
    """A number of another country, by the length that its plan has."""
    digits = re.sub(r"[^0-9]", "", words).removeprefix("00")
    try:
        number = phonenumbers.parse(f"+{digits}", None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    e164: str = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return e164
