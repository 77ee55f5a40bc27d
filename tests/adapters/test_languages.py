from __future__ import annotations

import json
import re

import pytest

from adapters.reading.languages import find_interpreter, language_of
from mappings import table
from tests.conftest import NOTES


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("tolk i arabisk", "ar"),
        ("treng tolk (somali)", "so"),
        ("somalitolk", "so"),
        ("snakker polsk, tolk bestilt", "pl"),
        ("Hun snakker somalisk og lite norsk, må ha tolk når dere ringer.", "so"),
        ("Språk: Ukrainsk, trenger tolk.", "uk"),
        ("Trenger tolk. Snakker tigrinja.", "ti"),
        ("Snakker dari. Tolk bestilles.", "prs"),
        ("arabisktalende, telefontolk brukt", "ar"),
        ("Behov for tolk: ja, språk: farsi", "fa"),
        ("Tolkebehov: Ja (kurdisk sorani)", "ckb"),
        ("Ikke kontakt med KK. Tolk i urdu.", "ur"),
        ("trenger ikke transport, men tolk i thai", "th"),
        ("TEGNSPRÅKTOLK", "nsl"),
        ("nordsamisk tolk", "se"),
    ],
)
def test_an_interpreter_is_asked_for(text: str, code: str) -> None:
    assert find_interpreter(text) == code


@pytest.mark.parametrize(
    "text",
    [
        "snakker polsk, trenger ikke tolk",
        "treng ikkje tolk, snakkar litauisk",
        "uten tolk, polsk",
        "ikke behov for tolk (engelsk)",
        "tolk er ikke nødvendig, snakker engelsk",
        "Tolk: nei. Polsk.",
        "CT ble tolket som lungekreft, engelsk svar",
        "tolkes som godartet, dansk studie",
        "savner mamma i Somalia, tolk var med på skjerm",
        "med tolk på telefon",
        "Han snakker polsk og norsk.",
        "Trenger tolk. Datteren spiller fransk horn.",
        "",
    ],
)
def test_no_interpreter_or_no_language(text: str) -> None:
    assert find_interpreter(text) is None


@pytest.mark.parametrize(
    ("code", "display", "language"),
    [
        ("so", "Somali", "so"),
        ("SO", None, "so"),
        ("SE", "NORDSAMISK", "se"),
        ("SME", "Nordsamisk", "se"),
        ("AR", None, "ar"),
        ("pol", None, "pl"),
        ("Polsk", None, "pl"),
        ("99", "Tamil", "ta"),
        ("ZU", "Zulu", "zu"),
        ("NO", "NORSK", None),
        ("NB", None, None),
        ("NNO", "Norsk, nynorsk", None),
        ("99", "Ukjent", None),
        (None, None, None),
    ],
)
def test_coded_languages(code: str | None, display: str | None, language: str | None) -> None:
    assert language_of(code, display) == language


def test_the_table_names_each_language_once() -> None:
    names, codes = table("languages")["names"], table("languages")["codes"]
    assert isinstance(names, dict)
    assert isinstance(codes, dict)
    every = [name for all_names in names.values() for name in all_names]
    assert len(every) == len(set(every))
    assert all(re.fullmatch("[a-z]{2,3}", code) for code in names)
    assert set(codes.values()) <= set(names)
    assert not set(codes) & set(names)


def test_the_fixtures() -> None:
    for path in sorted(NOTES.glob("*/*.expected.json")):
        summary = json.loads(path.read_bytes())["summary"]
        if summary:
            text = (path.parent / path.name.replace(".expected.json", ".xml")).read_bytes()
            decoded = text.decode("iso-8859-1" if b"8859-1" in text[:100] else "utf-8")
            assert find_interpreter(decoded) == summary["patient"]["language"], path.name
