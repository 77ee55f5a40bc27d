"""Who answers how: positively, negatively, late, twice, in contradictions or never, and who writes back.

Answers are cards of a deck that is shuffled by the seed: every twenty sendings hold each kind of answer in
its share, so that a short run shows them all, and the same seed gives the same cards to the same sendings.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.contracts.receipts import ERROR_TEXTS


class Answer(StrEnum):
    """How a receiver answers a sending."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    LATE = "late"
    """Positive, after a while"""
    TWICE = "twice"
    """The same receipt again, as a transport repeats it, and a second one with an id of its own"""
    CONTRADICTS = "contradicts"
    """Positive, and after a while negative"""
    NEVER = "never"


class Decision(StrEnum):
    """What a person decides on a note that is held."""

    RELEASE = "release"
    DISCARD = "discard"
    LEAVE = "leave"
    """It goes on waiting"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """What a receiver does with one sending."""

    answer: Answer
    error: str | None = None
    """Code of list 8221 of a negative answer"""
    replies: int = 0
    """How many dialogue messages it writes back"""
    referring: bool = True
    """Whether they say what they answer"""
    delay_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How many of twenty sendings are answered how; the rest positively."""

    negative: int = 2
    late: int = 2
    twice: int = 2
    contradicts: int = 1
    never: int = 1
    replies: int = 4
    """How many of twenty are answered with a reply besides (none of them negatively or never)"""
    thrice: int = 1
    """How many of those write three times"""
    unreferenced: int = 1
    """How many of those do not say what they answer"""
    answered: int = 10
    """How many of twenty replies a hospital answers"""
    followed_up: int = 10
    """How many of twenty of those answers their receiver follows up with another reply"""
    repeated: int = 1
    """How many of twenty notes a hospital's transport puts on the queue twice"""
    late_seconds: tuple[float, float] = (0.5, 2.0)


_DECK = 20
_ERRORS = tuple(ERROR_TEXTS)
"""Every code of list 8221 in turn"""
_THRICE = 3
_TAKEN_OVER = frozenset({Answer.POSITIVE, Answer.LATE, Answer.TWICE, Answer.CONTRADICTS})


class Behaviour:
    """Deals the cards."""

    def __init__(self, seed: int, shares: Shares | None = None) -> None:
        """The same seed deals the same cards."""
        self._shares = shares or Shares()
        self._chance = random.Random(f"behaviour:{seed}")  # noqa: S311 - chance, not secrets
        self._deck: deque[Conduct] = deque()
        self._transport = random.Random(f"transport:{seed}")  # noqa: S311 - as above
        self._person = random.Random(f"person:{seed}")  # noqa: S311 - as above
        self._dialogue = random.Random(f"dialogue:{seed}")  # noqa: S311 - as above
        self._decisions: deque[Decision] = deque()
        self._negative = 0
        self._planned: dict[tuple[str, str], deque[Conduct]] = {}

    def plan(self, receiver: str, patient: str) -> None:
        """Deal a card for a sending that is to come to a receiver (HER-id) for a patient."""
        self._planned.setdefault((receiver, patient), deque()).append(self._deal())

    def conduct(self, receiver: str, patient: str) -> Conduct:
        """What to do with a sending that has come: the planned card, else the next of the deck."""
        planned = self._planned.get((receiver, patient))
        return planned.popleft() if planned else self._deal()

    def repeats(self) -> bool:
        """Whether the next note is put on the queue twice."""
        return self._transport.random() * _DECK < self._shares.repeated

    def answers(self) -> bool:
        """Whether a hospital answers the next reply."""
        return self._dialogue.random() * _DECK < self._shares.answered

    def follows_up(self) -> bool:
        """Whether a receiver writes again when a hospital has answered."""
        return self._dialogue.random() * _DECK < self._shares.followed_up

    def decision(self) -> Decision:
        """What a person decides on the next note that is held: each in its turn, in a mixed order."""
        if not self._decisions:
            self._decisions.extend(self._person.sample(list(Decision), len(Decision)))
        return self._decisions.popleft()

    def one_of(self, choices: Sequence[str]) -> str:
        """A choice that a person makes."""
        return self._person.choice(choices)

    def _deal(self) -> Conduct:
        if not self._deck:
            self._deck.extend(self._shuffled())
        return self._deck.popleft()

    def _shuffled(self) -> Sequence[Conduct]:
        shares = self._shares
        answers = [
            *[Answer.NEGATIVE] * shares.negative,
            *[Answer.LATE] * shares.late,
            *[Answer.TWICE] * shares.twice,
            *[Answer.CONTRADICTS] * shares.contradicts,
            *[Answer.NEVER] * shares.never,
        ]
        answers += [Answer.POSITIVE] * (_DECK - len(answers))
        self._chance.shuffle(answers)
        may_reply = [i for i, answer in enumerate(answers) if answer in _TAKEN_OVER]
        replies = self._chance.sample(may_reply, min(shares.replies, len(may_reply)))
        thrice = set(replies[: shares.thrice])
        unreferenced = set(replies[shares.thrice : shares.thrice + shares.unreferenced])
        return [
            self._card(
                answer,
                replies=0 if i not in replies else _THRICE if i in thrice else 1,
                referring=i not in unreferenced,
            )
            for i, answer in enumerate(answers)
        ]

    def _card(self, answer: Answer, *, replies: int, referring: bool) -> Conduct:
        error = None
        if answer is Answer.NEGATIVE:
            error = _ERRORS[self._negative % len(_ERRORS)]
            self._negative += 1
        later = answer in {Answer.LATE, Answer.CONTRADICTS}
        delay = self._chance.uniform(*self._shares.late_seconds) if later else 0.0
        return Conduct(answer=answer, error=error, replies=replies, referring=referring, delay_seconds=delay)
