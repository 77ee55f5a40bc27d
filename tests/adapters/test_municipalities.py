from __future__ import annotations

import json
import re
from typing import Any, cast

from mappings import table
from tests.conftest import NOTES, ROOT

ROWS = cast("list[dict[str, Any]]", table("municipalities")["municipality"])


def codes(row: dict[str, Any]) -> list[int]:
    numbers: list[int] = []
    for entry in row.get("postal_codes", []):
        first, _, last = entry.partition("-")
        assert re.fullmatch("[0-9]{4}", first), row["code"]
        assert re.fullmatch("[0-9]{4}|", last), row["code"]
        numbers += range(int(first), int(last or first) + 1)
    return numbers


def test_every_municipality_and_bydel_is_there_once() -> None:
    every = [row["code"] for row in ROWS]
    assert every == sorted(set(every))
    assert len([code for code in every if len(code) == 4]) == 357
    assert [code for code in every if len(code) == 6] == [f"0301{number:02}" for number in range(1, 16)]


def test_no_postal_code_and_no_town_lies_in_two() -> None:
    numbers = [number for row in ROWS for number in codes(row)]
    assert len(numbers) == len(set(numbers))
    cities = [city.casefold() for row in ROWS for city in row.get("cities", [])]
    assert len(cities) == len(set(cities))


def test_a_town_that_is_called_as_a_municipality_lies_in_it() -> None:
    named: dict[str, set[str]] = {}
    for row in ROWS:
        named.setdefault(row["name"].casefold(), set()).add(row["code"])
    for row in ROWS:
        for city in row.get("cities", []):
            assert row["code"] in named.get(city.casefold(), {row["code"]}), city


def test_oslo_is_told_by_the_bydel_alone() -> None:
    (oslo,) = [row for row in ROWS if row["code"] == "0301"]
    assert set(oslo) == {"code", "name"}
    for row in ROWS:
        if len(row["code"]) == 6:
            assert all(number < 1300 for number in codes(row))
            assert "cities" not in row


def test_the_addresses_of_the_fixtures() -> None:
    by_number = {number: row["code"] for row in ROWS for number in codes(row)}
    by_city = {city.casefold(): row["code"] for row in ROWS for city in row.get("cities", [])}
    read = 0
    for path in sorted(NOTES.glob("*/*.expected.json")):
        patient = (json.loads(path.read_bytes())["summary"] or {}).get("patient", {})
        address = patient.get("address") or {}
        if address.get("postal_code"):
            assert by_number[int(address["postal_code"])] == patient["municipality_code"], path.name
            read += 1
        city = (address.get("city") or "").casefold()
        assert by_city.get(city, patient.get("municipality_code")) == patient.get("municipality_code"), (
            path.name
        )
    assert read > 30


def test_the_municipalities_of_the_register_are_there() -> None:
    named = {row["code"]: row["name"] for row in ROWS}
    register = (ROOT / "fixtures" / "registry.toml").read_text(encoding="utf-8")
    for code, name in re.findall(
        r'code = "([0-9]+)"\nname = "(?:Oslo kommune, )?(.+?)(?: kommune)?"', register
    ):
        assert named[code] == name
