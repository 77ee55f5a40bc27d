"""Where a postal code or a city lies, when the message gives no municipality code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NotRequired, Self, TypedDict, cast

from mappings import table


@dataclass(frozen=True, slots=True)
class MunicipalityTable:
    """Postal codes and cities to municipality codes; only what is certain."""

    by_postal_code: Mapping[str, str]
    by_city: Mapping[str, str]

    @classmethod
    def with_own(cls, own: Mapping[str, tuple[Iterable[str], Iterable[str]]]) -> Self:
        """The table that is shipped, with what the register adds: code to (postal codes, cities).

        What a city or a postal code is said to lie in more than one municipality is certain for none.
        """
        rows = [
            (entry["code"], entry.get("postal_codes", ()), entry.get("cities", ())) for entry in _shipped()
        ]
        shipped = cls(
            _index((code, _expanded(codes)) for code, codes, _ in rows),
            _index((code, _folded(cities)) for code, _, cities in rows),
        )
        added_codes = _index((code, _expanded(codes)) for code, (codes, _) in own.items())
        added_cities = _index((code, _folded(cities)) for code, (_, cities) in own.items())
        return cls({**shipped.by_postal_code, **added_codes}, {**shipped.by_city, **added_cities})

    def code(self, *, postal_code: str | None, city: str | None) -> str | None:
        """The municipality of a postal code; where that tells nothing, of a city."""
        found = self.by_postal_code.get(postal_code.strip()) if postal_code else None
        if found is None and city:
            found = self.by_city.get(city.strip().casefold())
        return found


class _Entry(TypedDict):
    code: str
    postal_codes: NotRequired[list[str]]
    cities: NotRequired[list[str]]


def _shipped() -> list[_Entry]:
    return cast("list[_Entry]", table("municipalities")["municipality"])


def _expanded(codes: Iterable[str]) -> Iterable[str]:
    for entry in codes:
        first, _, last = entry.partition("-")
        for number in range(int(first), int(last or first) + 1):
            yield f"{number:04}"


def _folded(cities: Iterable[str]) -> Iterable[str]:
    return (city.strip().casefold() for city in cities)


def _index(rows: Iterable[tuple[str, Iterable[str]]]) -> dict[str, str]:
    index: dict[str, str] = {}
    doubtful = set()
    for code, keys in rows:
        for key in keys:
            if index.setdefault(key, code) != code:
                doubtful.add(key)
    return {key: code for key, code in index.items() if key not in doubtful}
