from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters.reading.phones import find_phones, to_e164
from tests.conftest import NOTES


def numbers(text: str) -> list[str]:
    return [phone.e164 for phone in find_phones(text)]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Mob 900 00 012.", "+4790000012"),
        ("40000161", "+4740000161"),
        ("nummer 900 00 68 1", "+4790000681"),
        ("mob 9 00 00 571, treffes best 16-18", "+4790000571"),
        ("tlf 9 0 0 0 0 0 1 2", "+4790000012"),
        ("mob. 40 00 05 11", "+4740000511"),
        ("+47 400 00 601", "+4740000601"),
        ("(+47) 400 00 601", "+4740000601"),
        ("+4740000601", "+4740000601"),
        ("0047 400 00 601", "+4740000601"),
        ("tel:+4740000121", "+4740000121"),
        ("tel:004790000521", "+4790000521"),
        ("4790000012", "+4790000012"),
        ("Tlf.:73 00 00 21", "+4773000021"),
        ("900.00.012", "+4790000012"),
        ("900-00-012", "+4790000012"),
        ("900\u00a000\u00a0012", "+4790000012"),
        ("ring 900 00 012 18-20", "+4790000012"),
        ("i uke 33 900 00 012", "+4790000012"),
        ("(kona)90000012", "+4790000012"),
        ("+46 70 123 45 67", "+46701234567"),
        ("+45 12 34 56 78", "+4512345678"),
        # A series that no operator has been given: the library calls it possible, not valid.
        ("tlf 31 00 00 01", "+4731000001"),
    ],
)
def test_numbers_in_text(text: str, number: str) -> None:
    (found,) = find_phones(text)
    assert found.e164 == number
    assert text[slice(*found.span)] == found.words


@pytest.mark.parametrize(
    "text",
    [
        "900 00 012 / 900 00 013",
        "900 00 012, 900 00 013",
        "900 00 012 900 00 013",
        "90000012 og 90000013",
        "900 00 012\n900 00 013",
        "mor 900 00 012, far 900 00 013",
    ],
)
def test_several_numbers_keep_their_order(text: str) -> None:
    assert numbers(text) == ["+4790000012", "+4790000013"]


@pytest.mark.parametrize(
    "text",
    [
        "ring 02000 eller 116117",
        "14896112148",
        "148961 12148",
        "f.nr 14.89.61 12148",
        "HPR 99000110, HPR-nr: 9910101",
        "HER-id 89000120",
        "org.nr 310 000 107",
        "24.03.2026, 2026-03-24, 02.03.26 10.15",
        "kl. 10.15-11.30",
        "BT 120 80 70 5",
        "10000000 IE, 20000000 kr, 40 00 00 00 mg",
        "12345678",
        "1,90000012",
        "C90000012",
        "uke 29-30, 3-4 mnd, 2 til 3 dager",
        "saksnr. 40000012",
        "",
    ],
)
def test_what_is_no_number(text: str) -> None:
    assert find_phones(text) == []


def test_a_label_is_seen() -> None:
    labelled = {
        phone.words: phone.labelled for phone in find_phones("Tlf: 900 00 501   (ektefelle 900 00 502)")
    }
    assert labelled == {"900 00 501": True, "900 00 502": False}


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        ("tel:90000001", "+4790000001"),
        ("tel:+4740000121", "+4740000121"),
        ("tel:004790000521", "+4790000521"),
        ("tel:+47 40 00 06 71", "+4740000671"),
        ("90000001", "+4790000001"),
        ("900 00 001", "+4790000001"),
        ("+47 (0) 90000001", "+4790000001"),
        ("mobil: 900.00.012", "+4790000012"),
        ("900 00 012 (kona)", "+4790000012"),
        ("900 00 012 / 900 00 013", "+4790000012"),
        ("tel:+46701234567", "+46701234567"),
        ("mailto:kari@example.no", None),
        ("fax:73000011", None),
        ("tel:02000", None),
        ("tel:", None),
        ("ukjent", None),
        ("", None),
        (None, None),
    ],
)
def test_numbers_of_fields(raw: str | None, number: str | None) -> None:
    assert to_e164(raw) == number


GROUPS = [(8,), (3, 2, 3), (2, 2, 2, 2), (4, 4), (3, 3, 2)]


@given(
    digits=st.from_regex(r"[2-9][0-9]{7}", fullmatch=True),
    groups=st.sampled_from(GROUPS),
    prefix=st.sampled_from(["", "+47 ", "0047 ", "tel:+47", "tlf ", "Mobil: "]),
    around=st.sampled_from(
        [("", ""), ("(", ")"), ("Ring ", "."), ("kona, ", ", er hjemme"), ("\n", "\nBehov")]
    ),
)
@settings(max_examples=100, deadline=None)
def test_every_way_of_writing_reads_back(
    digits: str, groups: tuple[int, ...], prefix: str, around: tuple[str, str]
) -> None:
    parts, rest = [], digits
    for size in groups:
        parts.append(rest[:size])
        rest = rest[size:]
    words = f"{prefix}{' '.join(parts)}"
    assert numbers(f"{around[0]}{words}{around[1]}") == [f"+47{digits}"]
    assert to_e164(words) == f"+47{digits}"


@given(st.text(st.sampled_from("0123456789+ .-()tlfC/,\n"), max_size=60))
@settings(max_examples=100, deadline=None)
def test_any_text_can_be_read(text: str) -> None:
    last = 0
    for phone in find_phones(text):
        assert phone.span[0] >= last
        assert text[slice(*phone.span)] == phone.words
        assert phone.e164.startswith("+")
        assert 5 <= len(phone.e164) <= 16
        last = phone.span[1]


def test_the_numbers_of_the_fixtures() -> None:
    read = 0
    for expected_path in sorted(NOTES.glob("*/*.expected.json")):
        summary = json.loads(expected_path.read_bytes())["summary"]
        if not summary:
            continue
        root = etree.parse(
            expected_path.parent / expected_path.name.replace(".expected.json", ".xml")
        ).getroot()
        words = (
            "{*}Notat",
            "{*}TekstNotatInnhold",
            "{*}TextResultValue",
            "{*}Merknad",
            "{*}Tema",
            "{*}td",
            "{*}p",
        )
        found = {
            phone.e164
            for element in root.iter(*words)
            for phone in find_phones("".join(map(str, element.itertext())))
        }
        found |= {number for field in root.iter("{*}TeleAddress") if (number := to_e164(field.get("V")))}
        wanted = {*summary["patient"]["phones"], *(kin["phone"] for kin in summary["next_of_kin"])} - {None}
        assert wanted <= found, expected_path.name
        assert all(number[:6] in {"+47900", "+47400", "+47730"} for number in found), expected_path.name
        read += len(wanted)
    assert read > 50
