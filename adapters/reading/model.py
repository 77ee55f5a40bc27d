"""What a note is taken apart into: statements, each with the heading that it stands under."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from enum import StrEnum

from adapters.reading.dates import FoundDate, find_dates
from gateway.contracts.reading import Evidence
from gateway.contracts.summary import Responsible, StrainArea
from gateway.contracts.values import value


class Topic(StrEnum):
    """What a heading, a label or a column is about.

    The values are the entries of `mappings/headings.toml`.
    """

    TITLE = "title"
    DIAGNOSIS = "diagnosis"
    PLAN = "plan"
    STATUS = "status"
    SURVEY = "survey"
    SCORE = "score"
    STRAIN = "strain"
    MATTERS = "matters"
    NEED = "need"
    REFERRAL = "referral"
    CONTACT = "contact"
    FOLLOW_UP = "follow_up"
    PHONE = "phone"
    KIN = "kin"
    GP = "gp"
    LANGUAGE = "language"
    CONSENT = "consent"
    PATIENT = "patient"
    BACKGROUND = "background"
    AUTHOR = "author"
    RECIPIENT = "recipient"
    DENIED = "denied"
    SCALE = "scale"


LISTS = frozenset({Topic.STRAIN, Topic.NEED, Topic.REFERRAL})
"""Topics whose lines are items."""


@value
class Heading:
    """A heading as written, and what it is about."""

    topic: Topic
    words: str
    party: Responsible | None = None
    area: StrainArea | None = None


@dataclass(slots=True, kw_only=True)
class Statement:
    """A sentence, or an item of a list."""

    text: str
    """As written, on one line"""
    low: str
    """The same in lower case: what vocabularies are matched against"""
    heading: Heading | None
    weak: bool = False
    """The heading stands some way above: the words of the statement itself weigh more"""
    bullet: bool = False
    paragraph: int = 0
    place: str = ""
    label: str = ""
    """The label on the same line, in lower case: `diagnosedato`"""
    question: str = ""
    """The heading line right before, in lower case: `skår på termometeret`"""
    placed: bool = False
    """Whether a field of the summary holds it"""
    _dates: tuple[FoundDate, ...] | None = None

    section: Topic | None = field(init=False)
    """What the last heading above is about, however far"""
    topic: Topic | None = field(init=False)
    """What its heading says that it is about; None where the heading stands too far above to say"""
    whole: str = field(init=False)
    """Label (or the heading line before) and text, in lower case"""

    def __post_init__(self) -> None:
        """Derive what is asked of every statement, many times."""
        self.section = self.heading.topic if self.heading is not None else None
        self.topic = None if self.weak else self.section
        before = self.label or self.question
        self.whole = f"{before}: {self.low}" if before else self.low

    def dates(self, sent_on: datetime.date) -> tuple[FoundDate, ...]:
        """The dates in the text; years and days are counted from the message's date."""
        if self._dates is None:
            self._dates = tuple(find_dates(self.text, sent_on=sent_on))
        return self._dates


@dataclass(slots=True)
class Trace:
    """Remembers which words gave which field."""

    evidence: list[Evidence] = field(default_factory=list)

    def add(
        self, name: str, statement: Statement, rule: str | None = None, *, words: str | None = None
    ) -> None:
        """A field came from a statement."""
        statement.placed = True
        self.evidence.append(Evidence(name, words or statement.text, statement.place, rule))

    def as_of(self, name: str, other: str, rule: str) -> None:
        """A field follows from another, which has its evidence already."""
        found = next((one for one in self.evidence if one.field == other), None)
        if found is not None:
            self.evidence.append(Evidence(name, found.words, found.place, f"{rule}, from {other}"))

    def structured(self, name: str, words: str | None, place: str, *, rule: str | None = None) -> None:
        """A field came from a structured place of the message, or from words that no statement holds."""
        if words:
            self.evidence.append(Evidence(name, words, place, rule))
