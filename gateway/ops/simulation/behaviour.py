"""Who answers how: positively, negatively, late, twice or never, and who writes back.

Answers are cards of a deck that is shuffled by the seed: every twenty sendings hold each kind of answer in
its share, so that a short run shows them all, and the same seed gives the same cards to the same sendings.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.contracts.receipts import ErrorCode


class Answer(StrEnum):
    """How a receiver answers a sending."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    LATE = "late"
    """Positive, after a while"""
    TWICE = "twice"
    """The same receipt again, as a transport repeats it, and a second one with an id of its own"""
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """What a receiver does with one sending."""

    answer: Answer
    error: str | None = None
    """Code of list 8221 of a negative answer"""
    reply: bool = False
    """Whether it writes a dialogue message back"""
    delay_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How many of twenty sendings are answered how; the rest positively."""

    negative: int = 2
    late: int = 2
    twice: int = 2
    never: int = 1
    replies: int = 4
    """How many of twenty are answered with a reply besides (none of them negatively or never)"""
    repeated: int = 1
    """How many of twenty notes a hospital's transport puts on the queue twice"""
    late_seconds: tuple[float, float] = (0.5, 2.0)


_DECK = 20
_ERRORS = (ErrorCode.RECEIVER_UNKNOWN, ErrorCode.PATIENT_INSUFFICIENT, ErrorCode.OTHER)
_TAKEN_OVER = frozenset({Answer.POSITIVE, Answer.LATE, Answer.TWICE})


class Behaviour:
    """Deals the cards."""

    def __init__(self, seed: int, shares: Shares | None = None) -> None:
        """The same seed deals the same cards."""
        self._shares = shares or Shares()
        self._chance = random.Random(f"behaviour:{seed}")  # noqa: S311 - chance, not secrets
        self._deck: deque[Conduct] = deque()
        self._transport = random.Random(f"transport:{seed}")  # noqa: S311 - as above
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
            *[Answer.NEVER] * shares.never,
        ]
        answers += [Answer.POSITIVE] * (_DECK - len(answers))
        self._chance.shuffle(answers)
        may_reply = [i for i, answer in enumerate(answers) if answer in _TAKEN_OVER]
        replies = set(self._chance.sample(may_reply, min(shares.replies, len(may_reply))))
        return [self._card(answer, reply=i in replies) for i, answer in enumerate(answers)]

    def _card(self, answer: Answer, *, reply: bool) -> Conduct:
        error = None
        if answer is Answer.NEGATIVE:
            error = _ERRORS[self._negative % len(_ERRORS)].value
            self._negative += 1
        delay = self._chance.uniform(*self._shares.late_seconds) if answer is Answer.LATE else 0.0
        return Conduct(answer=answer, error=error, reply=reply, delay_seconds=delay)
