"""What the words of a note say against a coded field: the code holds, and somebody has to know."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import cast

from adapters.reading.model import Statement, Topic
from adapters.reading.roles import speaks_of_cancer
from adapters.reading.vocabulary import Choice, Words
from gateway.contracts.summary import Diagnosis
from mappings import table, vocabulary

EARLIER = Words("diagnosis", "earlier")
METASTASIS = Words("diagnosis", "metastasis")


@cache
def sites() -> Choice[str]:
    """Where in the body a cancer may be."""
    return Choice((site, Words("sites", site)) for site in vocabulary("sites"))


def against_diagnosis(statements: Sequence[Statement], diagnosis: Diagnosis | None) -> Statement | None:
    """The first statement that names the illness by another site than its code does.

    Args:
        statements: those that may tell of the patient's illness.
        diagnosis: what was read; a code of no site that is known contradicts nothing.

    Returns:
        None where any of the statements names the code's own site, or none names a site at all.
    """
    category = (diagnosis.code or "")[:3] if diagnosis is not None else ""
    codes = cast("dict[str, list[str]]", table("site_codes"))
    own = {site for site, categories in codes.items() if category in categories}
    if not own:
        return None
    against = None
    for statement in statements:
        named = {site for site, _ in sites().all(statement.low)}
        if named & own:
            return None
        tells = statement.topic is Topic.DIAGNOSIS or speaks_of_cancer(statement.low)
        if named and tells and statement.low not in EARLIER and statement.low not in METASTASIS:
            against = against or statement
    return against
