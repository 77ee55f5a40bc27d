"""What the search has found."""

from __future__ import annotations

import re
import time

from gateway.contracts.messages import Format
from gateway.formats import read_apprec
from gateway.ops.answering import Answering
from gateway.ops.conversion import convert_message
from gateway.security.gate import parse
from tests.conftest import FIXTURES, NOTES

_GOLDEN = FIXTURES / "golden"


def test_a_reference_to_a_character_that_no_string_can_hold() -> None:
    note = next((NOTES / "dips").glob("01-*.xml")).read_bytes()
    damaged = note.replace(b' DN="', b' DN="&#xD800;')
    assert damaged != note
    assert convert_message(damaged).refusal is not None


def test_a_zone_that_is_none_does_not_reach_a_receipt() -> None:
    message = (_GOLDEN / "epikrise-1.2-rich.xml").read_bytes()
    for zone in (b"+01:90", b"+23:00"):
        wrong = re.sub(rb'<GenDate V="([^"]*)\+01:00"', rb'<GenDate V="\1' + zone + b'"', message)
        assert wrong != message
        receipt = Answering().receipt_for(wrong, any_receiver=True, accept_other=True)
        assert zone.decode() not in read_apprec(parse(receipt)).original.issued_at


def test_a_her_id_of_any_length_in_a_rendering_of_our_own() -> None:
    document = (_GOLDEN / f"{Format.PLO_1_6.value}-sparse.xml").read_bytes()
    longer = document.replace(b"8900100", b"8900100" * 3)
    assert longer != document
    summary = convert_message(longer).summary
    assert summary is not None
    assert summary.source.organisation.her_id is None


def test_time_grows_with_the_length_of_a_note_and_not_with_its_square() -> None:
    note = next((NOTES / "dips").glob("01-*.xml")).read_text("utf-8")
    start = note.index("<epj2:Notat>") + len("<epj2:Notat>") if "<epj2:Notat>" in note else None
    assert start is not None
    words = "Diagnose: brystkreft, påvist ved biopsi. Kartleggingssamtale holdt 02.03.2026.\n"

    def seconds(times: int) -> float:
        message = (note[:start] + words * times + note[start:]).encode()
        begun = time.process_time()
        convert_message(message)
        return time.process_time() - begun

    seconds(1)
    assert seconds(1600) < 10 * seconds(400)
