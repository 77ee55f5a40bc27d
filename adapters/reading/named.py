"""The parties that words name: who is to do something."""

from __future__ import annotations

import re

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
_OF_THE_MUNICIPALITY = re.compile(r"\w*,? (?:i|fra|frå) (?:\w*kommunen|bydelen)\b")
"""After the name of a service that hospitals have, and municipalities, too: `palliativt team i kommunen`"""


def party_in(words: str) -> Responsible | None:
    """The first party that lower-case words name."""
    found = _ANY.earliest(words)
    if found is None:
        return None
    party, named = found
    if party is Responsible.HOSPITAL and _OF_THE_MUNICIPALITY.match(words, named.end()):
        return Responsible.MUNICIPALITY
    return party
