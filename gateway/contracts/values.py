"""Values: what is made once and never changed, very many times for each message."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, TypeVar, cast, dataclass_transform

_T = TypeVar("_T")


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def value(cls: type[_T]) -> type[_T]:
    """Make a class a dataclass of keywords that nobody changes: mypy, not the interpreter, sees to that.

    A frozen dataclass sets each field by a call of its own: a row of the outbox takes ten times as long to
    make, and all values of a note 4 % of its whole time. What is made less often than several times for
    each message is a frozen dataclass.

    To the interpreter its fields are positional, too, in their order: twenty keywords take it four times as
    long to put in place. `replace` and the journal's rows make use of that.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)


def maker(cls: Callable[..., _T], names: Sequence[str]) -> Callable[[Iterable[Any]], _T]:
    """What makes values of a class from these fields, in this order; the others have their defaults."""
    made_of = fields(cast("Any", cls))
    others = [each for each in made_of if each.name not in names]
    defaults = [each.default for each in others]
    given = [*names, *(each.name for each in others)]
    in_order = itemgetter(*(given.index(each.name) for each in made_of))
    return lambda values: cls(*in_order([*values, *defaults]))


if TYPE_CHECKING:
    from dataclasses import replace as replace  # noqa: PLC0414 - mypy knows what it does
else:
    _known: dict[type, tuple[dict[str, int], Callable[[Any], tuple[Any, ...]]]] = {}
    """By class: the places of its fields, and what reads them"""

    def replace(old: _T, **changes: object) -> _T:
        """A value with some fields changed: as `dataclasses.replace`, in a third of its time.

        Raises:
            TypeError: there is no such field, or this is no `value`.
        """
        cls = type(old)
        known = _known.get(cls)
        if known is None:
            names = [each.name for each in fields(cls)]
            known = _known[cls] = {name: place for place, name in enumerate(names)}, _reader(names)
        places, read = known
        values = list(read(old))
        for name, changed in changes.items():
            if name not in places:
                raise TypeError(f"{cls.__name__} has no field {name!r}")
            values[places[name]] = changed
        return cls(*values)

    def _reader(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
        if len(names) > 1:
            return attrgetter(*names)
        return lambda old: tuple(getattr(old, name) for name in names)
