"""Scores in free text: the NCCN distress thermometer (0-10), and the scales that stand beside it.

A score is a number that follows its label within the sentence (`Termometer: 5`, `På skjemaet for grad av
påkjenning har han satt sju`) or comes right before it (`Score 6-7 på termometeret`). What follows a label
and is something else (dates, times, weeks, ages, doses, the scale's own 0-10) is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from adapters.reading.vocabulary import words_in

Scale = Literal["distress", "pain", "esas", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundScore:
    """A score in a text."""

    value: int | None
    """0-10; None where the number lies outside"""
    span: tuple[int, int]
    words: str
    scale: Scale | None
    """None: a score of which the text does not say what it measures"""
    marked: bool = False
    """The author gave two numbers (`6-7`), of which `value` is the higher"""
    spoken: bool = False
    """Written in letters (`seks`)"""
    out_of_range: bool = False
    aside: bool = False
    """Another time's or another person's: `var 9 i juni`, `før op. 8`, `mamma ville satt 9`"""


_WORDS = {
    word: value
    for value, words in enumerate(
        (
            "null",
            "en ett ein eitt eit",
            "to toer",
            "tre treer",
            "fire firer",
            "fem femmer",
            "seks sekser",
            "sju syv sjuer syver",
            "åtte åtter",
            "ni nier",
            "ti tier",
            "elleve",
            "tolv",
        )
    )
    for word in words.split()
}
_NUMBERS = frozenset(_WORDS)
_ARTICLES = frozenset({"en", "ein", "ett", "eit", "eitt"})
"""Words that are numbers only where nothing follows that they could be the article of."""

_FIGURE = re.compile(r"[0-9]")
_LABEL = re.compile(
    r"(?<!\w)(?:(?P<distress>\bnccn(?:[\s\-]*(?:\w*term[oi]m\w*|distress|skår|score|skala))?|\bdistress(?:[\s\-]?(?:therm\w*|score|sk[åa]r\w*))?"
    r"|(?<!\w)(?:(?:stress|plage|påkj\w{0,20}|belastnings?)[\-\s]?)?term[oi]?m[oeia]n?t\w{0,12}"
    r"|\bpåkjenning(?=\s*[:=]?\s*[0-9]{1,2}\s*(?:[.,;\n]|$))"
    r"|\b(?:belastning|påkjenning|stress)\w*"
    r"(?=[^.;\n0-9]{0,24}[0-9]{1,2}\s*(?:/\s?10\b|av 10\b|på en skala|på ein skala))"
    r"|\bpåkj(?:ennings?|\.)?[\s\-]?(?:grad|skår|score|skala|nivå)\w*"
    r"|\bskala(?:en)? for (?:grad av )?(?:påkjenning|belastning|stress)\w*"
    r"|\bgrad(?:en)? av (?:påkjenning\w*|belastning\w*|stress)"
    r"|\bT(?=\s?=\s?[0-9]{1,2}\b)|\bterm\b\.?(?=\s*[:=]?\s*[0-9])"
    r"|\bDT(?=\s*[:=]?\s*[0-9])|(?:(?<=\n)|^)[ \t]*T(?=\s*[:=]?\s*[0-9]{1,2}\b(?![.][0-9]))"
    r"|\bT(?=\s*[:=]?\s*[0-9]{1,2}\s?/\s?10\b))"
    r"|(?P<pain>\b(?:nrs|vas|smerte(?:r|score|skår|skala|skalaen|intensitet)?|smertene)\b)"
    r"|(?P<esas>\besas(?:-r)?\b)"
    r"|(?P<other>\b(?:ecog|who|gleason|karnofsky|news2?|must|nrs\s?2002|hads|phq-?9|gad-?7|asa|g8|mmse)\b)"
    r"|(?P<none>\b(?:sk[åa]r(?:e[rt]?|et|a)?|score[nt]?)\b))",
    re.IGNORECASE,
)
_LABEL_LETTERS = (
    *(
        "nccn",
        "distress",
        "term",
        "trem",
        "påkj",
        "grad",
        "belast",
        "stress",
        "nrs",
        "vas",
        "smerte",
        "esas",
        "skår",
        "skar",
    ),
    *(
        "score",
        "ecog",
        "who",
        "gleason",
        "karnofsky",
        "news",
        "must",
        "hads",
        "phq",
        "gad",
        "asa",
        "g8",
        "mmse",
    ),
)
"""What a text with a label has somewhere: most texts have none, and need no closer look."""
_ONE_LETTER = re.compile(r"\b(?:D?T|dt)\b")
_NO_LABEL = re.compile(r"\b(?:øre|feber|temp\.?|kropps|panne)\W*$", re.IGNORECASE)
"""What makes a thermometer one that measures fever."""

_NUMBER = (
    r"(?P<value>[0-9]{1,3}(?:[.,][0-9])?|\b(?:" + "|".join(sorted(_WORDS, key=len, reverse=True)) + r")\b)"
)
_SCORE = re.compile(
    rf"(?<![\w.,/:+\-–]){_NUMBER}"
    r"(?:\s{0,2}(?:-|–|til|eller|/(?!\s?10\b))\s?(?P<high>[0-9]{1,2}|sju|syv|åtte|ni|ti|seks|fem|fire|tre)\b)?"
    r"(?P<of>\s*(?:/|av|of)\s?(?:10|ti)\b)?(?![0-9/:]|[.,][0-9]|[\-–][0-9])",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"(\bmellom\s+\w+\s)og(?=\s\w)", re.IGNORECASE)
"""`mellom 5 og 6`: two numbers like `5 - 6`"""
_SCALE_ITSELF = re.compile(
    r"\(?\s*(?:skala\w*\s*)?(?:fra\s)?\b[01]\s?(?:-|–|til)\s?10\b\s*\)?|\b(?:nrs|hads|phq|gad|news)\s?-?[0-9]+\b",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"[0-9]{1,2}[./][0-9]{1,2}[./\-]{1,2}[0-9]{2,4}|[0-9]{1,2}/(?!10\b)[0-9]{1,2}\b|[0-9]{1,2}\.[0-9]{1,2}\.|"
    r"[0-9]{1,2}\.?\s?(?:jan|feb|mar|apr|ma[ij]|jun|jul|aug|sep|okt|nov|des)[a-z]*\b|[0-9]{1,2}/10[\-/.][0-9]{2,4}",
    re.IGNORECASE,
)
_UNIT = re.compile(
    r"\s?(?:%|°|(?:år|åring\w*|uke[rn]?|uka|veke\w*|dag\w*|mnd|måned\w*|månad\w*|min\w*|timer|timar|mg|ml|kg|g|cm|mm|"
    r"kur\w*|gang\w*|gong\w*|barn\w*|born\w*|x|tabl\w*|stk|personer|diagnos\w*|ting|problem\w*|ledd|grader)\b)",
    re.IGNORECASE,
)
_BEFORE_A_NUMBER = re.compile(
    r"\b(?:kl|klokk\w*|uke|veke|kur|rom|side|punkt|sp|stadium|grad|fase|nr|kode)\.?\s*$", re.IGNORECASE
)
_ASIDE_BEFORE = re.compile(
    r"\b(?:var|før|tidlige?re|tidlegare|forrige|førre|sist\w*|opprinnelig|opphavleg|egentlig|mot|fra|frå|"
    r"mamma|mor|moren|mora|pappa|far|faren|kona|mannen|ektefelle\w*|foreldre\w*|sønn\w*|datter\w*|dotter\w*|"
    r"pårørende)\b[^;\n0-9]{0,30}$",
    re.IGNORECASE,
)
_ASIDE_AFTER = re.compile(
    r"[^.;,(\n0-9]{0,12}\b(?:den første gangen|fyrste gongen|første gang|forrige gang|førre gong|"
    r"sist|før|tidlige?re|tidlegare|ved innkomst|ved diagnose\w*|for \w+ \w+ siden)\b",
    re.IGNORECASE,
)
_END = re.compile(
    r"[.!?;](?=\s|$)(?<!\bca\.)(?<!\bop\.)(?<!\bkl\.)(?<!\bpas\.)(?<!\bnr\.)|\n\s*\n|\n(?=\s*(?:[\-–*•]|[A-ZÆØÅ]))|//"
)
_ABOUT = re.compile(
    r"\s*(?:poeng\s*)?(?:på|i|for|jf\.?|ifølge|ut fra|av)\s+(?:nccn|\w*term[oi]m\w*|påkj\w*)", re.IGNORECASE
)
_LIST_MARK = re.compile(r"\n\s*[0-9]{1,2}[.)]\s")
_TO_LABEL = re.compile(r"\s*(?:poeng\s*)?\b(?:på|i)\s+(?:\w+\s+)?$", re.IGNORECASE)
_REACH = 90
"""How far from its label a score may stand, in characters."""
_BEYOND = 32
"""How far beyond that the words are looked at which say what a number is, in characters."""
_SHORT_REACH = 16
"""The same for a label that does not say what was measured (`skår`)."""


def names_number(low: str) -> bool:
    """Whether a lower-case text has a number that may be a score, in figures or in letters."""
    return _FIGURE.search(low) is not None or not _NUMBERS.isdisjoint(words_in(low))


def find_scores(text: str) -> list[FoundScore]:
    """Find the scores of a text, in order of place.

    Numbers above 10 are reported for the thermometer alone, with `out_of_range`; a reading with decimals
    above 10 is a fever (`Termometer hjemme viste 40,1`) and none.
    """
    if not _may_have_label(text):
        return []
    labels = [
        match
        for match in _LABEL.finditer(text)
        if not _NO_LABEL.search(text, max(0, match.start() - _SHORT_REACH), match.start())
    ]
    found: dict[int, FoundScore] = {}
    until = 0
    for index, label in enumerate(labels):
        scale = _scale(label)
        if label.start() < until:
            continue
        end = _end_of_reach(text, label.end(), _REACH if scale else _SHORT_REACH)
        if scale == "esas":
            until = end
        elif index + 1 < len(labels):
            end = min(end, labels[index + 1].start())
        for score in (*_before(text, label.start(), scale), *_after(text, label.end(), end, scale)):
            found.setdefault(score.span[0], score)
    return [found[start] for start in sorted(found)]


def _may_have_label(text: str) -> bool:
    low = text.lower()
    for letters in _LABEL_LETTERS:
        if letters in low:
            return True
    return ("T" in text or "dt" in text) and _ONE_LETTER.search(text) is not None


def _scale(label: re.Match[str]) -> Scale | None:
    scales: tuple[Scale, ...] = ("distress", "pain", "esas", "other")
    return next((scale for scale in scales if label[scale]), None)


def _end_of_reach(text: str, start: int, reach: int) -> int:
    limit = min(len(text), start + reach)
    # A label alone on its line has its score on the next.
    after_heading = re.match(r"[ \t]*[:=]?[ \t]*\n", text[start:limit])
    stop = _END.search(text, start + (after_heading.end() if after_heading else 0), limit)
    return stop.start() if stop else limit


def _after(text: str, start: int, end: int, scale: Scale | None) -> Iterator[FoundScore]:
    # Blanked out, not cut: places stay places in the text.
    segment = text[start : min(len(text), end + _BEYOND)]
    for other in (_SCALE_ITSELF, _DATE, _LIST_MARK):
        segment = other.sub(lambda match: "_" * len(match[0]), segment)
    segment = _BETWEEN.sub(r"\1 -", segment)
    for match in _SCORE.finditer(segment):
        if match.start() >= end - start:
            return
        score = _read(match, segment, start, scale)
        if score is not None:
            yield score


def _before(text: str, end: int, scale: Scale | None) -> Iterator[FoundScore]:
    """`7 på termometeret`: the last number before the label, tied to it by a preposition."""
    tie = _TO_LABEL.search(text, max(0, end - 24), end)
    if scale != "distress" or tie is None:
        return
    start = max(0, tie.start() - 16)
    segment = _DATE.sub(lambda match: "_" * len(match[0]), text[start : tie.start()])
    for match in _SCORE.finditer(segment):
        score = _read(match, segment, start, scale) if match.end() == len(segment) else None
        if score is not None:
            yield score


def _read(match: re.Match[str], segment: str, offset: int, scale: Scale | None) -> FoundScore | None:
    word = match["value"].lower()
    spoken = word in _WORDS
    after, before = segment[match.end() :], segment[: match.start()]
    if _UNIT.match(after) or _BEFORE_A_NUMBER.search(before):
        return None
    if word in _ARTICLES and not match["of"] and re.match(r"\s*\w", after):
        return None
    low = _WORDS[word] if spoken else float(word.replace(",", "."))
    decimals = not spoken and not float(low).is_integer()
    high = _WORDS.get(
        (match["high"] or "").lower(), int(match["high"]) if (match["high"] or "").isdigit() else None
    )
    value = int(low) + 1 if decimals else max(int(low), high if high is not None else 0)
    inside = 0 <= value <= 10
    if not inside and (scale != "distress" or decimals or spoken):
        return None
    if scale is None and _ABOUT.match(after):
        scale = "distress"
    span = (offset + match.start(), offset + match.end())
    return FoundScore(
        value=value if inside else None,
        span=span,
        words=match[0],
        scale=scale,
        marked=decimals or high is not None,
        spoken=spoken,
        out_of_range=not inside,
        aside=_ASIDE_BEFORE.search(before) is not None or _ASIDE_AFTER.match(after) is not None,
    )
