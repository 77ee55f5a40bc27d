"""The code lists: complete in what they tell of themselves, and as the official ones say."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest

from gateway.contracts.messages import CodeList
from gateway.contracts.receipts import ERROR_TEXTS, ErrorCode
from gateway.formats.codes import is_listed, listed_code, simple_code
from gateway.formats.diagnosis_code import is_cancer
from mappings import code_list, table
from tests.conftest import ROOT

BASE = "2.16.578.1.12.4.1.1."
NUMBERS = sorted(path.stem for path in (ROOT / "mappings" / "codes").glob("[0-9]*.toml"))
OIDS = {name: oid for name, oid in vars(CodeList).items() if not name.startswith("_")}
OURS = {("8279", "PAKKEFORLOP_HJEM")}


@pytest.mark.parametrize("number", NUMBERS)
def test_a_list_tells_what_it_is(number: str) -> None:
    found = code_list(number)
    assert found.oid == BASE + number
    assert found.name
    assert found.source
    assert date.fromisoformat(found.date) <= date(2026, 12, 31)
    assert found.codes
    assert all(code.strip() and text.strip() for code, text in found.codes.items())


@pytest.mark.parametrize("number", NUMBERS)
def test_a_list_says_what_the_official_one_says(number: str, standards: Path) -> None:
    lists = json.loads((standards / "codelists" / "kodeverk.json").read_text(encoding="utf-8"))["lists"]
    if number not in lists:
        assert number in {"3101", "7275", "7317", "9033"}, "a list that nothing compares with"
        return
    official = lists[number]
    assert official["oid"] == BASE + number
    ours = {code: text for code, text in code_list(number).codes.items() if (number, code) not in OURS}
    assert ours == {code: official["codes"][code] for code in ours}


@pytest.mark.parametrize("name", OIDS)
def test_every_list_that_is_named_has_its_file(name: str) -> None:
    number = OIDS[name].removeprefix(BASE)
    if name in {"ICD_10", "ICPC_2"}:
        assert OIDS[name] in {section["oid"] for section in table("codes/cancer").values()}  # type: ignore[index]
    else:
        assert code_list(number).oid == OIDS[name]


def test_every_error_of_ours_has_its_text() -> None:
    assert {code.value for code in ErrorCode} <= set(ERROR_TEXTS)


def test_no_code_of_a_list_stands_in_the_code_with_a_text_of_its_own() -> None:
    """A text that one of the lists has is written by its list, not again."""
    listed = {pair for number in NUMBERS for pair in code_list(number).codes.items()}
    again = [
        f"{path.relative_to(ROOT)}: {found[0]}"
        for folder in ("gateway", "adapters")
        for path in (ROOT / folder).rglob("*.py")
        for found in re.finditer(
            r'CodedValue\(\s*value="([^"]+)",[^()]*name="([^"]+)"', path.read_text(encoding="utf-8")
        )
        if (found[1], found[2]) in listed
    ]
    assert again == []


def test_a_code_is_written_with_its_text_and_list() -> None:
    assert simple_code("7309", "C").name == "Kansellering"
    written = listed_code(CodeList.DIALOGUE_TOPIC_DEVIATION, "2")
    assert (written.code_list, written.name) == (BASE + "8117", "Mangelfulle opplysninger")
    assert is_listed(CodeList.PROCEDURES, "WMFG11")
    assert not is_listed(CodeList.PROCEDURES, "WMFG12")
    with pytest.raises(KeyError):
        simple_code("7309", "Q")


@pytest.mark.parametrize("system", ["ICD-10", "ICPC-2"])
def test_a_cancer_list_tells_what_it_is(system: str) -> None:
    found = table("codes/cancer")[system]
    assert isinstance(found, dict)
    assert set(found) == {"oid", "source", "date", "ranges"}
    assert all(first <= last and len(first) == len(last) for first, last in found["ranges"])


@pytest.mark.parametrize(
    ("code", "cancer"),
    [
        ("C00", True),
        ("C97", True),
        ("C98", False),
        ("C18.7", True),
        ("C79.51", True),
        ("D09.9", True),
        ("D10", False),
        ("D31.9", False),
        ("D32", True),
        ("D33.9", True),
        ("D34", False),
        ("D35", False),
        ("D35.1", False),
        ("D35.2", True),
        ("D35.4", True),
        ("D35.5", False),
        ("D36.9", False),
        ("D37", True),
        ("D48.9", True),
        ("D49", False),
        ("B97", False),
    ],
)
def test_the_ends_of_the_ranges(code: str, *, cancer: bool) -> None:
    """ICD-10 C00-C97, D00-D09, D32-D33, D35.2-D35.4, D37-D48."""
    assert is_cancer(code, "ICD-10") is cancer
