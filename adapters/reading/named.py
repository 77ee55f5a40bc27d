"""The parties that words name: who is to do something."""

from __future__ import annotations

from adapters.reading.vocabulary import Words, remembered
from gateway.contracts.summary import Responsible

PARTIES = {
    Responsible.NAV: Words("parties", "nav"),
    Responsible.GP: Words("parties", "gp"),
    Responsible.HOSPITAL: Words("parties", "hospital"),
    Responsible.MUNICIPALITY: Words("parties", "municipality"),
    Responsible.OTHER: Words("parties", "other"),
}
"""Named parties, the ones that are said in few ways first."""


@remembered
def party_in(words: str) -> Responsible | None:
    """The first party that lower-case words name."""
    found = [
        (match.start(), order, party)
        for order, (party, names) in enumerate(PARTIES.items())
        if (match := names.find(words))
    ]
    return min(found)[2] if found else None
