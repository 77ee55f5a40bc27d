"""The parties that words name: who is to do something."""

from __future__ import annotations

from adapters.reading.vocabulary import Choice, Words
from gateway.contracts.summary import Responsible

PARTIES = {
    Responsible.NAV: Words("parties", "nav"),
    Responsible.GP: Words("parties", "gp"),
    Responsible.HOSPITAL: Words("parties", "hospital"),
    Responsible.MUNICIPALITY: Words("parties", "municipality"),
    Responsible.OTHER: Words("parties", "other"),
}
"""Named parties, the ones that are said in few ways first."""
_ANY = Choice(PARTIES.items())


def party_in(words: str) -> Responsible | None:
    """The first party that lower-case words name."""
    found = _ANY.earliest(words)
    return found[0] if found is not None else None
