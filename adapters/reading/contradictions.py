"""What the words of a note say against a coded field: the code holds, and somebody has to know."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import cast

from adapters.reading.model import Statement, Topic
from adapters.reading.roles import speaks_of_cancer
from adapters.reading.vocabulary import Choice, Sieve, Words
from gateway.contracts.summary import Action, Diagnosis
from mappings import table, vocabulary

EARLIER = Words("diagnosis", "earlier")
METASTASIS = Words("diagnosis", "metastasis")
_NO_DIAGNOSIS = Words("diagnosis", "no_diagnosis")
_NONE_YET = Words("diagnosis", "no_diagnosis", "in_work_up")
_WITHDRAWS = Words("action", "withdraws_this")
_REPLACES = Words("action", "replaces_another")
_CANCEL = Words("action", "cancel")
_CHANGE = Words("action", "change")
_TELLS_AN_ACTION = Sieve(_WITHDRAWS, _REPLACES, _CANCEL, _CHANGE)


@cache
def sites() -> Choice[str]:
    """Where in the body a cancer may be."""
    return Choice((site, Words("sites", site)) for site in vocabulary("sites"))


def says_none_yet(statement: Statement) -> bool:
    """Whether a statement says that there is no diagnosis yet, or that work-up goes on."""
    return statement.low in _NONE_YET


def denies_diagnosis(statements: Sequence[Statement]) -> bool:
    """Whether the words say outright that no cancer is diagnosed.

    Which illness the patient has, the code tells; that it is certain, it does not, and a municipality is not
    told of a cancer that its author calls none.
    """
    return any(s.low in _NO_DIAGNOSIS and s.low not in METASTASIS for s in statements)


def against_certainty(
    statements: Sequence[Statement], uncertain: Sequence[Statement], sure: Sequence[Statement]
) -> Statement | None:
    """The first statement that says of a coded cancer that it is none yet.

    Args:
        statements: those that may tell of the patient's illness.
        uncertain: of these, those that call it uncertain; they count where they name the cancer.
        sure: of these, those that name the cancer and doubt nothing.
    """
    none_yet = [s for s in statements if says_none_yet(s)]
    doubted = [] if sure else [s for s in uncertain if speaks_of_cancer(s.low)]
    return next((s for s in (*none_yet, *doubted) if s.low not in METASTASIS), None)


def against_action(action: Action, statements: Sequence[Statement]) -> Statement | None:
    """The first statement that says that the message does something else than its code to an earlier one."""
    for statement in statements:
        if not _TELLS_AN_ACTION.passes(statement.low):
            continue
        titles = statement.topic is Topic.TITLE
        withdraws = statement.low in _WITHDRAWS or (titles and statement.low in _CANCEL)
        replaces = statement.low in _REPLACES or (titles and statement.low in _CHANGE)
        if (withdraws and action is not Action.CANCEL) or (replaces and action is not Action.CHANGE):
            return statement
    return None


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
