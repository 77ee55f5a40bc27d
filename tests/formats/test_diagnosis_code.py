from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.formats.diagnosis_code import CodeSystem, find_codes, is_cancer, normalise, system_of


@pytest.mark.parametrize(
    ("raw", "system", "code"),
    [
        ("C187", "ICD-10", "C18.7"),
        ("c18.7", "ICD-10", "C18.7"),
        (" C 18.7 ", "ICD-10", "C18.7"),
        ("C18,7", "ICD-10", "C18.7"),
        ("C18-7", "ICD-10", "C18.7"),
        ("C20", "ICD-10", "C20"),
        ("C7951", "ICD-10", "C79.51"),
        ("C79.3*", "ICD-10", "C79.3"),
        ("Z031", "ICD-10", "Z03.1"),
        ("X76", "ICPC-2", "X76"),
        ("x 76", "ICPC-2", "X76"),
        ("-X76", "ICPC-2", "X76"),
        ("X76", None, "X76"),
        ("C509", None, "C50.9"),
        ("ukjent kode", "ICD-10", "UKJENTKODE"),
        ("", None, ""),
    ],
)
def test_codes_are_written_as_their_list_does(raw: str, system: CodeSystem | None, code: str) -> None:
    assert normalise(raw, system) == code
    assert normalise(code, system) == code


@pytest.mark.parametrize(
    ("name", "code", "system"),
    [
        ("2.16.578.1.12.4.1.1.7110", "C187", "ICD-10"),
        ("2.16.578.1.12.4.1.1.7170", "X76", "ICPC-2"),
        ("7110", None, "ICD-10"),
        ("7170", None, "ICPC-2"),
        ("ICD-10", None, "ICD-10"),
        ("icd10", None, "ICD-10"),
        ("ICD 10", None, "ICD-10"),
        ("ICPC-2", None, "ICPC-2"),
        ("icpc2", None, "ICPC-2"),
        ("2.16.578.1.12.4.1.1.7240", "C187", None),
        ("NCSP", "C187", None),
        (None, "C187", "ICD-10"),
        ("", "c50.9", "ICD-10"),
        (None, "C20", "ICD-10"),
        (None, "D05", "ICD-10"),
        (None, "X76", "ICPC-2"),
        (None, "Y77", "ICPC-2"),
        (None, "D75", "ICPC-2"),
        (None, "K57", None),
        (None, "A415", "ICD-10"),
        (None, "WMFG11", None),
        (None, None, None),
    ],
)
def test_the_list_of_a_code(name: str | None, code: str | None, system: CodeSystem | None) -> None:
    assert system_of(name, code) == system


ICD_CANCER = [
    *(f"C{number:02}" for number in range(98)),
    *(f"D{number:02}" for number in [*range(10), 32, 33, *range(37, 49)]),
]


def test_the_chapters_of_cancer_are_these_and_no_others() -> None:
    every = [f"{letter}{number:02}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" for number in range(100)]
    assert [code for code in every if is_cancer(code, "ICD-10")] == ICD_CANCER
    assert all(is_cancer(f"{code}9", "ICD-10") == is_cancer(code, "ICD-10") for code in every)


@pytest.mark.parametrize(
    ("code", "system", "cancer"),
    [
        ("C187", "ICD-10", True),
        ("c50.9", "ICD-10", True),
        ("D051", "ICD-10", True),
        ("D352", "ICD-10", True),
        ("D35.4", "ICD-10", True),
        ("D35", "ICD-10", False),
        ("D35.1", "ICD-10", False),
        ("D355", "ICD-10", False),
        ("D126", "ICD-10", False),
        ("Z031", "ICD-10", False),
        ("R31", "ICD-10", False),
        ("C98", "ICD-10", False),
        ("C187 og mer", "ICD-10", False),
        ("X76", "ICPC-2", True),
        ("y77", "ICPC-2", True),
        ("A79", "ICPC-2", True),
        ("D75", "ICPC-2", True),
        ("N75", "ICPC-2", True),
        ("X78", "ICPC-2", False),
        ("S82", "ICPC-2", False),
        ("C18", "ICPC-2", False),
        ("X76", "ICD-10", False),
        ("", "ICD-10", False),
        ("", "ICPC-2", False),
    ],
)
def test_what_counts_as_cancer(code: str, system: CodeSystem, cancer: bool) -> None:  # noqa: FBT001 - a table
    assert is_cancer(code, system) is cancer


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("akutt lymfatisk leukemi (ALL), C91.0, 4. mai 2026", ["C91.0"]),
        ("karsinom hø. mamma (C50.4). Diagnosedato 12/2-26.", ["C50.4"]),
        ("Ca. testis (C62.1). Op. ferdig.", ["C62.1"]),
        ("Lungekreft (C34.9), stadfesta 21.09.", ["C34.9"]),
        ("ICD-10: C34.1", ["C34.1"]),
        ("icd10 c341", ["C34.1"]),
        ("ICD-10-kode C187 og C787", ["C18.7", "C78.7"]),
        ("ICD 10: Z031", ["Z03.1"]),
        ("C20", ["C20"]),
        ("kode C20.", ["C20"]),
        ("D05.1/C50.9", ["D05.1", "C50.9"]),
        ("Hoveddiagnose C61, bidiagnose I10", ["C61"]),
        ("D352 hypofyseadenom", ["D35.2"]),
        ("Obs. mistanke Z03.1", ["Z03.1"]),
        ("C18-C20", ["C18", "C20"]),
        ("\n-C50.9", ["C50.9"]),
    ],
)
def test_codes_of_icd_in_text(text: str, codes: list[str]) -> None:
    found = find_codes(text)
    assert [code.code for code in found] == codes
    assert all(code.system == "ICD-10" for code in found)


@pytest.mark.parametrize(
    ("text", "code"), [("ICPC-2: X76", "X76"), ("ICPC Y77", "Y77"), ("Brystkreft (X76)", "X76")]
)
def test_codes_of_icpc_in_text(text: str, code: str) -> None:
    assert [(found.code, found.system) for found in find_codes(text)] == [(code, "ICPC-2")]


@pytest.mark.parametrize(
    "text",
    [
        "prostatakreft (cT2b, Gleason 7)",
        "T2N1M0, pT3",
        "brudd i C7-vertebra, C5/C6",
        "C11-PET og C11-kolin",
        "Kode WMFG11 er registrert.",
        "vitamin B12 og D3",
        "CA125 80, CA 19-9, CA15-3 35.2",
        "ligger på rom C20, post C12",
        "HER2+, p53, Th12, L45",
        "C203.5 mg, C20,5",
        "ABC20, XC187",
        "(B12), (K57)",
        "uke C",
        "",
    ],
)
def test_what_only_looks_like_a_code(text: str) -> None:
    assert find_codes(text) == []


@given(st.text(st.sampled_from("CDX ICDP-10:(). 0123456789abcæ"), max_size=40))
@settings(max_examples=100, deadline=None)
def test_a_span_holds_its_code(text: str) -> None:
    for code, system, (start, end) in find_codes(text):
        assert normalise(text[start:end], system) == code
        assert system in ("ICD-10", "ICPC-2")
