"""Who is to meet a need."""

from __future__ import annotations

import re

from adapters.reading.items import Item
from adapters.reading.model import Topic
from adapters.reading.named import PARTIES, party_in
from adapters.reading.vocabulary import Words
from gateway.contracts.summary import Responsible

_HELP = (
    (Responsible.NAV, Words("parties", "nav_help")),
    (Responsible.GP, Words("parties", "gp_help")),
    (Responsible.HOSPITAL, Words("parties", "hospital_help")),
)
_LEADING_PARTY = re.compile(
    r"^(?P<party>[\w./ ]{2,30}?)\s*(?::|[-–]|v/|skal|bør|må|kan|bes|tar|tek|gir|følger|ordner)\s"
)
_VIA = re.compile(r"\b(?:via|gjennom|igjennom) (?P<party>\w.*)$")
_ARROW = re.compile(r"(?:->|→|=>)\s*(?P<party>\w.*)$")


def responsible_for(item: Item, before: Responsible | None) -> Responsible:
    """Who is to meet a need: by its label, its words, its heading, the kind of help; else the municipality.

    Args:
        item: the need.
        before: who was named in the same sentence, before this item.
    """
    heading = item.statement.heading
    labelled = heading.party if heading and heading.topic is Topic.NEED and item.statement.label else None
    own = _named(item.low)
    if labelled is not None and not (own and _ARROW.search(item.low)):
        return labelled
    if own is not None:
        return own
    if before is not None:
        return before
    if heading is not None and heading.topic is Topic.NEED and heading.party is not None:
        return heading.party
    return next((party for party, words in _HELP if item.low in words), Responsible.MUNICIPALITY)


def _named(low: str) -> Responsible | None:
    arrow = _ARROW.search(low)
    if arrow and (party := party_in(arrow["party"])):
        return party
    via = _VIA.search(low)
    if via and (party := party_in(via["party"])):
        return party
    leading = _LEADING_PARTY.match(low)
    if leading and (party := party_in(leading["party"])):
        return party
    for party in (Responsible.NAV, Responsible.GP):
        if low in PARTIES[party]:
            return party
    return party_in(low)
