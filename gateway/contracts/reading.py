"""What an adapter gives back: the summary, what it noticed, and where each field came from."""

from __future__ import annotations

from typing import NamedTuple

from gateway.contracts.summary import Summary
from gateway.contracts.values import value


class Evidence(NamedTuple):
    """Where a field of the summary came from (`convert --explain`)."""

    field: str
    """`strains[2].text`"""
    words: str
    """The words in the message; patient data: shown on request only, never logged"""
    place: str
    """`Sykepleierdokumentasjon/InfoFraSykepleier/Journaltekst[5]/Notat, line 2`, or a path of the head"""
    rule: str | None = None
    """Key of the mapping entry that recognised it"""


@value
class Reading:
    """A message as an adapter reads it."""

    summary: Summary
    noticed: tuple[str, ...] = ()
    """Codes of findings that only the reader can see: PH001, PH061, PH090. All others come from the rules."""
    evidence: tuple[Evidence, ...] = ()
    unplaced: tuple[str, ...] = ()
    """Pieces of the note that fit no field (they stay in `summary.note`)"""
