"""A message as a page: all that it says, and nothing that runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from gateway.formats import read_apprec, read_message
from gateway.rendering import apprec_page, message_page
from gateway.security.gate import parse
from tests.conftest import FIXTURES, STANDARDS

APPRECS = sorted((STANDARDS / "examples" / "apprec").glob("1.*/*.xml"))
MESSAGES = sorted((FIXTURES / "golden").glob("[dpe]*.xml"))


def read(page: str) -> Any:
    tree: Any = html.document_fromstring(page)
    assert not tree.xpath("//script | //iframe | //img | //link | //@onclick | //@href")
    assert len(tree.xpath("//h1")) == 1
    assert tree.get("lang") == "nb"
    return tree


@pytest.mark.parametrize("file", MESSAGES, ids=lambda p: p.stem)
def test_a_message_is_shown_with_all_its_text(file: Path) -> None:
    message = read_message(parse(file.read_bytes()))
    shown = " ".join(read(message_page(message)).text_content().split())
    for text in message.texts:
        assert " ".join(text.text.split()) in shown
    assert message.head.msg_id in shown
    for receiver in message.head.receivers:
        assert receiver.party.her_id is None or receiver.party.her_id in shown


@pytest.mark.parametrize("file", APPRECS, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_a_receipt_is_shown_with_its_errors(file: Path, standards: Path) -> None:
    del standards
    apprec = read_apprec(parse(file.read_bytes()))
    shown = read(apprec_page(apprec)).text_content()
    assert ("Mottatt" in shown) or not apprec.positive or apprec.status == "3"
    for fault in apprec.faults:
        assert fault.code in shown
    assert apprec.original.id in shown


def test_nothing_in_a_message_is_markup() -> None:
    data = (FIXTURES / "golden" / "dialogmelding-1.1-rich.xml").read_bytes()
    hostile = b"&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;"
    changed = re.sub(rb"(<(?:\w+:)?(?:TekstNotatInnhold|Sporsmal)[^>]*>)", rb"\1" + hostile, data)
    changed = re.sub(rb"<FamilyName>[^<]*<", b"<FamilyName>" + hostile + b"<", changed)
    assert changed != data
    page = message_page(read_message(parse(changed)))
    read(page)
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("mark", ["\u202e", "\u2067", "\u200f"])
def test_a_name_does_not_turn_our_words_beside_it_around(mark: str) -> None:
    data = (FIXTURES / "golden" / "dialogmelding-1.1-rich.xml").read_bytes()
    changed = re.sub(rb"<FamilyName>", f"<FamilyName>{mark}".encode(), data)
    assert changed != data
    page = message_page(read_message(parse(changed)))
    assert mark not in page
    assert "\N{REPLACEMENT CHARACTER}" in page


def test_dates_times_and_numbers_are_written_as_in_the_note() -> None:
    data = (FIXTURES / "golden" / "dialogmelding-1.1-rich.xml").read_bytes()
    changed = re.sub(rb"<GenDate>[^<]+", b"<GenDate>2026-03-02T12:45:00Z", data)
    message = read_message(parse(changed))
    assert message.head.patient is not None
    shown = read(message_page(message)).text_content()
    assert "02.03.2026 kl. 13.45" in shown
    born = str(message.head.patient.birth_date)
    assert f"{born[8:10]}.{born[5:7]}.{born[:4]}" in shown
    assert born not in shown
    assert "tel:" not in shown
