"""What follow-up the patient already has; whether the kreftkoordinator is there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from adapters.reading.contact import initiator_in
from adapters.reading.model import LISTS, Statement, Topic, Trace
from adapters.reading.named import party_in
from adapters.reading.roles import ALREADY, HAS, HAS_NOT, KK, REFERRED, SERVICE, WISH
from adapters.reading.vocabulary import Words
from gateway.contracts.summary import ExistingFollowUp
from gateway.contracts.text import line_or_none

_SURE = Words("follow_up", "has_surely")
_UNWANTED = Words("follow_up", "unwanted")
_CLAUSE = re.compile(r",\s+men\s+|;\s+|\s+men\s+")
_NOT_KNOWN_WHETHER = re.compile(
    r"\W*(?:ukjent|ukjend|usikkert|uvisst|uklart|(?:vi )?(?:vet|veit) (?:ikke|ikkje))\W*(?:$|om\b)"
)
_CLOSED = frozenset({Topic.STRAIN, Topic.DENIED, Topic.MATTERS, Topic.AUTHOR, Topic.RECIPIENT, Topic.SCALE})


def read_follow_up(statements: Sequence[Statement], trace: Trace) -> ExistingFollowUp:
    """Read it; a wish for a kreftkoordinator, and a call by one, say nothing of what is there."""
    for statement in statements:
        if statement.topic in _CLOSED or not _about_coordinator(statement):
            continue
        there = _there(statement)
        if there is not None:
            trace.add("existing_follow_up", statement, "follow_up.has" if there else "follow_up.has_not")
            return ExistingFollowUp(kreftkoordinator=there, text=line_or_none(statement.text))
    for statement in statements:
        if statement.topic not in _CLOSED and _has_service(statement):
            trace.add("existing_follow_up.text", statement, "follow_up.service")
            return ExistingFollowUp(text=line_or_none(statement.text))
    return ExistingFollowUp()


def _about_coordinator(statement: Statement) -> bool:
    return statement.whole in KK


def _about_it(low: str) -> str:
    """From the clause that names the coordinator on: what is said before, of other things, does not count."""
    clauses = _CLAUSE.split(low)
    first = next((index for index, clause in enumerate(clauses) if clause in KK), 0)
    return low if first == 0 else ", ".join(clauses[first:])


def _item_of_it(low: str) -> str:
    """Of a list, the item that names the coordinator, with what goes on about them."""
    parts = low.split(", ")
    first = next((index for index, part in enumerate(parts) if part in KK), 0)
    following = takewhile(lambda part: party_in(part) is None, parts[first + 1 :])
    return ", ".join((parts[first], *following))


def _there(statement: Statement) -> bool | None:
    low = _about_it(statement.low)
    if statement.topic in LISTS:
        low = _item_of_it(low)
    if low in _UNWANTED or _NOT_KNOWN_WHETHER.match(low):
        return None
    if low in HAS_NOT:
        return False
    if low in _SURE:
        return True
    if low in WISH or initiator_in(low) is not None or low in REFERRED:
        return None
    return True if low in HAS else None


def _has_service(statement: Statement) -> bool:
    low = statement.low
    headed = statement.topic is Topic.FOLLOW_UP and not statement.weak and statement.whole not in KK
    if not headed and not (low in SERVICE and low in ALREADY):
        return False
    return not (low in HAS_NOT or low in REFERRED or low in WISH or initiator_in(low) is not None)
