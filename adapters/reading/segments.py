"""From lines to statements: which words stand under which heading."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from types import MappingProxyType

from adapters.reading.headings import area_named, classify, introduction, is_heading_line, says_aim
from adapters.reading.lines import Line, read_lines
from adapters.reading.model import LISTS, Heading, Statement, Topic
from adapters.reading.people import is_greeting
from adapters.reading.phones import find_phones
from adapters.reading.splitting import enumerated, sentences
from adapters.reading.vocabulary import Words, lower
from gateway.contracts.messages import CodedValue, CodeList, TextBlock
from gateway.contracts.values import replace

_STANDARD_HEADINGS = frozenset(
    {CodeList.PLO_HEADING_NURSING, CodeList.PLO_HEADING_MEDICAL, CodeList.PLO_HEADING_HEALTH}
)
"""Code lists of headings that say where in a report a text stands, not what this note says there"""

_COLON = re.compile(r"(?P<label>[^:=\t]{1,75}?)\s*(?:(?<![0-9]):|:(?![0-9])|(?<=[\w)\]])\s*=)\s*(?P<rest>.*)")
_TAB = re.compile(r"(?P<label>[^\t]{1,75})\t+(?P<rest>.*)")
_COLUMNS = re.compile(r"(?P<label>\S(?:[^\n]{0,38}?\S)?)\s{2,}(?P<rest>\S.*)")
_QUESTION = re.compile(r"(?P<label>[^?]{3,75}\?)\s*(?P<rest>\S.*)")
_CAPITALS = re.compile(r"(?P<label>[A-ZÆØÅ]{4}[A-ZÆØÅ/.]*(?:\s[A-ZÆØÅ/]{1,})*)\s+(?P<rest>\S*[a-zæøå0-9].*)")
_PIPE = re.compile(r"(?P<label>[^|]{1,75}?)\s*\|\s*(?P<rest>.*)")
_DASH = re.compile(r"(?P<label>\S.{0,38}?)\s+[-–—>]+\s+(?P<rest>\S.*)")
_SHORT = re.compile(
    r"(?P<label>dx|dg|diagn|diag|henv|tilv|(?:tlf|mob)(?=[^\d\n]{0,12}\+?\d[\d ]{4})|pf|p\.f|pfh|beh)\b\.?"
    r"\s+(?P<rest>\S.*)",
    re.IGNORECASE,
)
_DATE = re.compile(r"\d{1,2}[./]\s?\d")
_NAME = re.compile(r"(?:dr\.?\s+|lege\s+)?[A-ZÆØÅ][\w'’-]+(?:\s+[A-ZÆØÅ][\w'’.-]*)+")
_STOP_INSIDE = re.compile(r"[.!?]\s+[^\W\d_a-zæøå]")
_SET_OFF = re.compile(r"[:=\t]\s*\S")
"""What tells a label with words after it from a heading line"""
_INNER_BULLET = re.compile(r"(?:[-–—•*·]|\(?[1a][.)])\s+(?=[^\W\d_])")
_CLOCK_OR_LINK = re.compile(r"(?i)\b(?:kl|https?|www)\.?\s*[\d.]*$")

_NARROW_PAGE = 55
_ONE_SENTENCE = frozenset({Topic.SCORE, Topic.SCALE, Topic.PHONE, Topic.LANGUAGE, Topic.GP, Topic.AUTHOR})
"""Labels within a line that hold for the sentence they stand in"""

_BARE_HEADINGS = 2
_SECTIONS = frozenset({Topic.NEED, Topic.REFERRAL, Topic.CONTACT})
"""What a heading of one word, in a list, may be about"""

_NEED = Topic.NEED
_WITH_ITEMS = LISTS | {Topic.CONTACT}
_OF_RECEIVERS = frozenset({Topic.GP, Topic.RECIPIENT})
_KEEP_PARTY = frozenset({Topic.REFERRAL, Topic.CONTACT})
"""Sections in which a party's name is no heading of its own"""


def segment(blocks: Iterable[TextBlock], codes: Mapping[str, str] = MappingProxyType({})) -> list[Statement]:
    """Take the pieces of a note apart, in their order.

    Args:
        blocks: the pieces.
        codes: what a record system's own codes of headings are about, by code.
    """
    blocks = list(blocks)
    segmenter = _Segmenter(codes)
    last = -1
    for line, following in pairwise([*read_lines(blocks), None]):
        if line is None:
            break
        if line.block != last:
            segmenter.begin(blocks[line.block])
            last = line.block
        below = following if following is not None and following.block == line.block else None
        segmenter.add(
            line,
            above=line.bullet and below is not None and below.lead > line.lead,
            before_bullets=not line.bullet and below is not None and below.bullet,
        )
    return segmenter.statements


_State = tuple[Heading | None, bool, int, bool | None, bool]


class _Segmenter:
    """Carries the heading from line to line."""

    def __init__(self, codes: Mapping[str, str]) -> None:
        self._codes = codes
        self.statements: list[Statement] = []
        self._heading: Heading | None = None
        self._indent = 0
        self._inline = False  # the heading stood on the line of its first words
        self._bullets: bool | None = None  # whether what stands below the heading are bullets; None before
        self._weak = False
        self._bare = 0  # headings of one word, with no blank line before them
        self._paragraph = 0
        self._question = ""  # the heading line right before
        self._beside: Heading | None = None  # the label of the line before
        self._wrapped = False  # the line before was as long as a narrow page's

    def begin(self, block: TextBlock) -> None:
        """A new piece of the note: what came before has ended."""
        heading = _coded_heading(block.heading, self._codes)
        self._set(heading, inline=False)
        self._question = _plain(heading.words) if heading is not None else ""
        self._paragraph += 1

    def add(self, line: Line, *, above: bool = False, before_bullets: bool = False) -> None:
        """Read a line.

        Args:
            line: the line.
            above: it is a bullet with bullets below it.
            before_bullets: it is none, and a bullet follows.
        """
        self._paragraph += line.gap
        if is_greeting(line.text):
            self._set(Heading(topic=Topic.AUTHOR, words=line.text), inline=False, indent=line.indent)
        label = self._label(line, above=above, before_bullets=before_bullets)
        if label is None and before_bullets and self._introduce(line):
            return
        self._beside = label[0] if label is not None else None
        if label is None:
            self._carry(line)
            self._emit(line.text, line, bullet=line.bullet, label="", after=self._heading)
            self._wrapped = len(line.text) >= _NARROW_PAGE
            return
        self._wrapped = len(line.text) >= _NARROW_PAGE
        heading, rest = label
        section = self._state()
        self._set(None if heading.topic is Topic.TITLE else heading, inline=bool(rest), indent=line.indent)
        if not rest:
            self._question = _plain(heading.words)
            return
        # `Termometer: 1. Bor alene`: a score, and no list.
        lists = heading.topic is not Topic.SCORE and not enumerated(rest)
        inner = _INNER_BULLET.match(rest) if lists else None
        after = section[0] if heading.topic in _ONE_SENTENCE else self._heading
        text = rest[inner.end() :] if inner else rest
        self._emit(text, line, bullet=inner is not None, label=_plain(heading.words), after=after)
        if line.bullet or (section[0] is not None and not section[1] and _same_section(section[0], heading)):
            # The label was one item's of a section that goes on.
            self._restore(section, bullets=line.bullet)

    def _introduce(self, line: Line) -> bool:
        """Take the last sentence of a line, if unfinished, as the heading of the bullets below it."""
        *before, last = sentences(line.text)
        heading = introduction(last)
        if heading is None:
            return False
        if before:
            self._carry(line)
            self._emit(" ".join(before), line, bullet=False, label="", after=self._heading)
        self._set(heading, inline=False, indent=line.indent)
        self._question = _plain(last)
        return True

    def _state(self) -> _State:
        return self._heading, self._inline, self._indent, self._bullets, self._weak

    def _restore(self, state: _State, *, bullets: bool) -> None:
        self._heading, self._inline, self._indent, self._bullets, self._weak = state
        self._bullets = bullets

    def _set(self, heading: Heading | None, *, inline: bool, indent: int = 0) -> None:
        self._heading, self._inline, self._indent = heading, inline, indent
        self._bullets, self._weak = None, False
        self._question = ""

    def _carry(self, line: Line) -> None:
        """Decide whether the heading still holds for a line without one."""
        if self._heading is None:
            return
        deeper = line.indent > self._indent + 1
        after_label = self._inline and not deeper and not (line.bullet and not line.gap)
        after_bullets = bool(self._bullets) and not line.bullet and not deeper
        if after_label and self._wrapped and not line.gap and not line.bullet:
            self._weak = True  # the page was narrow: the words of the label may go on
        elif after_label or (not self._inline and after_bullets):
            self._set(None, inline=False)
        else:
            self._weak = self._weak or (line.gap and self._bullets is not None)
            self._bullets = line.bullet

    def _label(self, line: Line, *, above: bool, before_bullets: bool) -> tuple[Heading, str] | None:
        """The heading or label that a line begins with, and what follows it."""
        text = line.text
        if (not line.bullet or line.numbered or above or text.endswith(":")) and not _SET_OFF.search(text):
            in_list = self._in_section()
            heading = is_heading_line(text)
            if _names_a_party(heading) and self._heading is not None and self._heading.topic in _KEEP_PARTY:
                heading = None
            if in_list and _names_a_party(heading) and not above and not before_bullets and not line.gap:
                heading = None if not text.endswith(":") else heading
            if heading is not None and not (in_list and self._may_be_item(text, heading, line, above=above)):
                self._bare += not line.gap
                return heading, ""
        return self._inline_label(text, first=True)

    def _may_be_item(self, text: str, heading: Heading, line: Line, *, above: bool) -> bool:
        """Whether a line in a list, of a heading's one word, is an item: not where all headings look so."""
        if " " in text or line.gap or above:
            return False
        plain = heading.party is None and heading.area is None and heading.topic in _SECTIONS
        return self._bare < _BARE_HEADINGS or not plain

    def _inline_label(self, text: str, *, first: bool) -> tuple[Heading, str] | None:
        for pattern, strict in _forms(text, first=first):
            found = pattern.match(text)
            if found is None:
                continue
            label, rest = found["label"].strip(), found["rest"].strip()
            if (_STOP_INSIDE.search(label) and len(sentences(label)) > 1) or _CLOCK_OR_LINK.search(label):
                continue
            if find_phones(label) or (pattern is _COLUMNS and _SET_OFF.search(label)):
                continue  # two labels on one line: `Tlf: 900 00 123   Pårørende: …`
            heading = is_heading_line(label) if strict else classify(label)
            if heading is None and pattern is _CAPITALS and " " not in label:
                heading = classify(label)
            if pattern is _DASH and self._in_section() and not _names_a_party(heading):
                continue
            heading = self._meant(heading, label, rest)
            if heading is not None:
                return heading, text if _DATE.search(label) else rest
        return None

    def _in_section(self) -> bool:
        """Whether a list goes on under a heading of its own: a dash or a word in its lines is no label."""
        topic = self._heading.topic if self._heading else None
        return topic in _WITH_ITEMS and not self._inline

    def _meant(self, heading: Heading | None, label: str, rest: str) -> Heading | None:
        """What a label means here: a party's name in a list of needs, a GP's name, a referral's receiver."""
        if heading is None:
            return None
        current = self._heading.topic if self._heading else None
        if self._beside is not None and self._beside.area is not None:
            current = current or self._beside.topic
        if (other := _in_its_place(heading, current, label, rest)) is not None:
            return other
        named = heading.topic is _NEED and heading.party is not None and not _speaks_of_need(label)
        if named and current in _KEEP_PARTY:
            return None
        if heading.topic in _OF_RECEIVERS and heading.party and not _NAME.match(rest):
            return (
                replace(heading, topic=Topic.NEED)
                if rest[:1].islower() or heading.topic is Topic.GP
                else heading
            )
        if heading.topic is Topic.FOLLOW_UP and current is Topic.NEED and len(label.split()) == 1 and rest:
            return replace(heading, topic=Topic.NEED)
        return heading

    def _emit(self, text: str, line: Line, *, bullet: bool, label: str, after: Heading | None) -> None:
        """Make statements of a line's words; a label within the line changes what the rest is about.

        `after` is the heading of the sentences after the first.
        """
        outer, inline = self._heading, label
        for number, sentence in enumerate(self._sentences(text, bullet=bullet, heading=outer)):
            if number == 1 and after is not outer:
                self._heading = after
            before, words = self._heading, sentence
            own = self._inline_label(sentence, first=False)
            if own is not None and inline and before is outer and _names_a_party(own[0]) and _is_need(outer):
                own = None  # `Behov: NAV: sykepenger, støttekontakt`: the party is that of one item
            if own is not None and own[1]:
                self._heading, words, inline = own[0], own[1], _plain(own[0].words)
            self.statements.append(
                Statement(
                    text=words,
                    low=lower(words),
                    heading=self._heading,
                    weak=self._weak,
                    bullet=bullet,
                    paragraph=self._paragraph,
                    place=line.place,
                    label=inline,
                    question=self._question,
                )
            )
            self._question = ""
            if own is not None and own[0].topic in _ONE_SENTENCE:
                self._heading = before
            inline = ""
        if outer is not None:
            self._heading = outer
        elif self._heading is not None:
            self._inline, self._indent, self._bullets = True, line.indent, None

    @staticmethod
    def _sentences(text: str, *, bullet: bool, heading: Heading | None) -> list[str]:
        if bullet and heading is not None and heading.topic in LISTS:
            return [text]
        return sentences(text)


def _forms(text: str, *, first: bool) -> list[tuple[re.Pattern[str], bool]]:
    """How a label may be set off in this text; with whether it must hold a heading's words only."""
    forms: list[tuple[re.Pattern[str], bool]] = []
    if "  " in text and first:
        forms.append((_COLUMNS, False))
    if "\t" in text:
        forms.append((_TAB, False))
    if "|" in text and first:
        forms.append((_PIPE, False))
    if ":" in text or "=" in text:
        forms.append((_COLON, False))
    if "?" in text and first:
        forms.append((_QUESTION, True))
    if text[:2].isupper():
        forms.append((_CAPITALS, True))
    if " -" in text or " –" in text or "->" in text:
        forms.append((_DASH, True))
    if first or text[:1].islower():
        forms.append((_SHORT, False))
    return forms


def _in_its_place(heading: Heading, current: Topic | None, label: str, rest: str) -> Heading | None:
    """What a label means by what stands beside it: an area of a problem list, a patient's own aim."""
    if heading.topic is Topic.PLAN and _plain(label) == "mål" and not says_aim(rest):
        return replace(heading, topic=Topic.MATTERS)
    if heading.topic is Topic.KIN and current is Topic.STRAIN and (area := area_named(label)):
        return replace(heading, topic=Topic.STRAIN, area=area)
    return None


def _names_a_party(heading: Heading | None) -> bool:
    return heading is not None and heading.topic is _NEED and heading.party is not None


def _is_need(heading: Heading | None) -> bool:
    return heading is not None and heading.topic is _NEED and heading.party is None


def _same_section(section: Heading, heading: Heading) -> bool:
    """Whether a label names a party within a list of needs, or an area within a list of strains."""
    return section.topic is heading.topic and section.topic in LISTS


def _speaks_of_need(label: str) -> bool:
    heading = classify(label)
    return heading is not None and heading.party is None


def _coded_heading(code: CodedValue | None, codes: Mapping[str, str]) -> Heading | None:
    """A heading that the record system gave as a code, where it is one of its own."""
    if code is None or code.code_list in _STANDARD_HEADINGS:
        return None
    heading = classify(code.name) if code.name else None
    if heading is None and code.value and code.value in codes:
        heading = Heading(topic=Topic(codes[code.value]), words=code.name or code.value)
    if heading is None or heading.topic is Topic.TITLE or (heading.topic is Topic.STATUS and _is_title(code)):
        return None
    return heading


def _is_title(code: CodedValue) -> bool:
    return bool(code.name and lower(code.name) in Words("title", "title"))


def _plain(label: str) -> str:
    return lower(label.strip(" :=?-–"))
