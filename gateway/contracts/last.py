"""What was made of something, for as long as the same is asked for again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

_Of = TypeVar("_Of")
_Made = TypeVar("_Made")


def of_last(make: Callable[[_Of], _Made]) -> Callable[[_Of], _Made]:
    """A function that makes nothing twice in a row of one and the same object, which never changes.

    The receivers of a note get much that is the same, one after the other.
    """
    last: tuple[_Of, _Made] | None = None

    def made(of: _Of) -> _Made:
        nonlocal last
        known = last
        if known is None or known[0] is not of:
            # Replaced as a whole: another thread finds the one or the other.
            known = last = (of, make(of))
        return known[1]

    return made
