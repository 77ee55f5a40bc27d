"""Values: what is made once and never changed, very many times for each message."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

_T = TypeVar("_T")


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def value(cls: type[_T]) -> type[_T]:
    """Make a class a dataclass of keywords that nobody changes: mypy, not the interpreter, sees to that.

    A frozen dataclass sets each field by a call of its own: a row of the outbox takes ten times as long to
    make, and all values of a note 4 % of its whole time. What is made less often than several times for
    each message is a frozen dataclass.
    """
    return dataclass(slots=True, kw_only=True, unsafe_hash=True)(cls)
