"""Both envelope kinds, encodings, prefixes, times, identifiers and attachments, through the whole gateway."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.contracts.messages import Format
from gateway.contracts.states import InboundState
from gateway.contracts.summary import Summary
from gateway.formats import read_message
from gateway.rendering import read_rendering
from gateway.security.gate import parse
from tests.flow.conftest import Start
from tests.flow.harness import Gateway, note, receipt, with_new_id
from tests.flow.variants import (
    JPEG,
    PDF,
    PNG,
    REJECTED,
    answers,
    configured,
    in_msghead,
    swapped,
    with_document,
    with_other_prefixes,
    with_reference,
)

MUNICIPALITY, GP = "8910031_async", "8920031_async"
ISO = "ISO-8859-1"
HER = '<Id>8920031</Id>\n\t\t\t\t\t\t<TypeId V="HER" DN="HER-id" S="2.16.578.1.12.4.1.1.9051"/>'


def in_iso(data: bytes) -> bytes:
    return data.decode("utf-8").replace('encoding="UTF-8"', f'encoding="{ISO}"', 1).encode(ISO)


def with_bom(data: bytes) -> bytes:
    return b"\xef\xbb\xbf" + data


def sent_summary(gateway: Gateway, queue: str = MUNICIPALITY) -> Summary:
    (message,) = gateway.messages(queue)
    summary = read_rendering(message)
    assert summary is not None
    return summary


@pytest.mark.parametrize("written", [with_bom, in_iso, with_other_prefixes])
@pytest.mark.parametrize("name", ["dips/01", "doculive/01"])
def test_the_same_note_however_it_is_written(
    gateway: Gateway, name: str, written: Callable[[bytes], bytes]
) -> None:
    data = written(note(name))
    gateway.note(data)
    (row,) = gateway.rows()
    assert row.state is InboundState.DELIVERED
    with gateway.worker.journal.reader() as view:
        stored = view.inbound(row.id)
    assert stored is not None
    assert stored.body == data
    assert stored.summary is not None
    plain = read_message(parse(note(name)))
    summary = Summary.from_json(stored.summary)
    assert summary.patient.family_name
    assert summary.patient.family_name in str(plain.head.patient)
    assert "kreft" in (summary.note or "")
    assert "ø" in (summary.note or "")


def test_a_wrong_character_set_is_answered_as_unreadable(gateway: Gateway) -> None:
    gateway.note(note("dips/01").decode().encode(ISO))
    assert answers(gateway, "8900100") == [(REJECTED, ["T01"])] * 2
    assert gateway.rows()[0].state is InboundState.REJECTED


def test_an_epikrise_is_read_bare_and_inside_a_msghead(gateway: Gateway) -> None:
    bare = note("doculive/02")
    wrapped = in_msghead(swapped(bare, "<MsgId>", "<MsgId>inni-"), note("helseplattformen/01"))
    gateway.note(bare)
    gateway.note(wrapped)
    first, second = gateway.rows()
    assert first.state is InboundState.DELIVERED
    assert second.state in {InboundState.DELIVERED, InboundState.HELD}
    assert second.format == first.format
    assert {f.code for f in second.findings} - {f.code for f in first.findings} <= {"PH040"}


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-03-02T13:45:00", datetime(2026, 3, 2, 12, 45, tzinfo=UTC)),
        ("2026-07-02T13:45:00", datetime(2026, 7, 2, 11, 45, tzinfo=UTC)),
        ("2026-03-02T13:45:00Z", datetime(2026, 3, 2, 13, 45, tzinfo=UTC)),
        ("2026-03-02T13:45:00.5-05:00", datetime(2026, 3, 2, 18, 45, 0, 500000, tzinfo=UTC)),
    ],
)
def test_times_with_and_without_zone(gateway: Gateway, written: str, moment: datetime) -> None:
    data = note("dips/07")
    start, end = data.index(b"<GenDate>") + 9, data.index(b"</GenDate>")
    gateway.note(data[:start] + written.encode() + data[end:])
    (row,) = gateway.rows()
    assert row.sent_at == moment
    assert {a.original.issued_at for a in gateway.apprecs("epj_8900100")} == {written}


HER = '<Id>8920031</Id>\n\t\t\t\t\t\t<TypeId V="HER" DN="HER-id" S="2.16.578.1.12.4.1.1.9051"/>'


@pytest.mark.parametrize("under", ["the list of persons", "no list", "an HPR number alone"])
def test_a_doctor_is_known_by_her_id_under_any_list_and_by_hpr_as_a_number(
    gateway: Gateway, under: str
) -> None:
    data = note("dips/01")
    if under == "the list of persons":
        data = swapped(data, HER, HER.replace("9051", "8116"))
    elif under == "no list":
        data = swapped(data, HER, HER.replace(' S="2.16.578.1.12.4.1.1.9051"', ""))
    else:
        data = swapped(data, HER, HER.replace("8920031", "12").replace('"HER"', '"LIN"'))
        data = swapped(data, "<Id>9900031</Id>", "<Id>009900031</Id>")
    gateway.note(data)
    assert gateway.rows()[0].gp == "8920031"
    (to_gp,) = gateway.messages(GP)
    gateway.outside("8900100", receipt(to_gp))
    (answered,) = gateway.apprecs("epj_8900100")
    assert answered.positive
    written = (
        {i.id for i in answered.sender.party.person.identifiers} if answered.sender.party.person else set()
    )
    assert ("009900031" in written) is (under == "an HPR number alone")


def test_xhtml_and_plain_text_say_the_same(gateway: Gateway) -> None:
    data = note("helseplattformen/01")
    start = data.index(b"TekstNotatInnhold>") + len(b"TekstNotatInnhold>")
    end = data.rindex(b"</", 0, data.rindex(b"TekstNotatInnhold>"))
    lines = data[start:end].decode().strip().splitlines()
    body = "".join(f"<p>{line}</p>" if line.strip() else "<br/>" for line in lines)
    xhtml = (
        '<div xmlns="http://www.w3.org/1999/xhtml"><style>p {color: red}</style>'
        f"<script>alert(1)</script>{body}</div>"
    )
    gateway.note(data)
    plain = sent_summary(gateway, "8910011_async")
    rich_note = data[:start] + xhtml.encode() + data[end:]
    gateway.note(with_new_id(swapped(rich_note, "20865711477", "25825130107")))
    rich = sent_summary(gateway, "8910011_async")
    for field in (
        "strains",
        "needs",
        "referrals",
        "pathway",
        "survey",
        "contact",
        "diagnosis",
        "what_matters",
    ):
        assert getattr(rich, field) == getattr(plain, field), field
    assert "alert" not in (rich.note or "")
    assert "color" not in (rich.note or "")


def test_attachments_go_to_those_who_take_them(gateway: Gateway) -> None:
    data = with_document(note("dips/01"), PDF, "application/pdf", "Epikrise som PDF")
    data = with_document(with_document(data, JPEG, "image/jpg"), PNG, None)
    gateway.note(data)
    (to_municipality,) = gateway.messages(MUNICIPALITY)
    (to_gp,) = gateway.messages(GP)
    assert to_municipality.format is Format.PLO_1_6
    assert [a.content for a in to_municipality.attachments] == [PDF, JPEG, PNG]
    assert to_municipality.attachments[0].description == "Epikrise som PDF"
    assert to_gp.format is Format.DIALOGMELDING_1_0
    assert to_gp.attachments == ()


def test_the_attachment_of_an_epikrise_goes_along_in_an_epikrise_and_a_dialogue(gateway: Gateway) -> None:
    gateway.note(with_reference(note("doculive/01"), PDF, "application/pdf"))
    taken = {
        message.format: [a.content for a in message.attachments]
        for endpoint in gateway.registry.endpoints
        for message in gateway.messages(endpoint.queue)
    }
    assert len(taken) == 2
    assert all(
        contents == [PDF] for found, contents in taken.items() if found is not Format.DIALOGMELDING_1_0
    )


@pytest.mark.parametrize(
    ("content", "mime_type"),
    [(b"MZ", "application/x-msdownload"), (b"GIF89a", None), (PDF * 60, "application/pdf")],
)
def test_an_attachment_that_can_not_be_handled_is_refused(
    config: Path, start: Start, content: bytes, mime_type: str | None
) -> None:
    configured(config, "attachment_bytes = 10485760", "attachment_bytes = 1000")
    gateway = start()
    gateway.note(with_document(note("dips/01"), content, mime_type))
    (row,) = gateway.rows()
    assert (row.state, row.reason) == (InboundState.REJECTED, "attachment")
    for answered in gateway.apprecs("epj_8900100"):
        assert [f.code for f in answered.faults] == ["T99"]
        assert "edlegg" in (answered.faults[0].detail or "")


def test_a_deployment_may_take_the_note_without_the_attachment(config: Path, start: Start) -> None:
    configured(config, 'other_attachments = "reject"', 'other_attachments = "accept"')
    gateway = start()
    data = with_document(note("dips/01"), b"MZ", "application/x-msdownload")
    gateway.note(with_document(data, PDF, "application/pdf"))
    (sent,) = gateway.messages(MUNICIPALITY)
    assert [a.content for a in sent.attachments] == [PDF]


def test_a_message_that_is_too_large_is_answered_by_what_its_head_says(config: Path, start: Start) -> None:
    configured(config, "message_bytes = 20971520", "message_bytes = 200000")
    gateway = start()
    gateway.note(with_document(note("dips/01"), bytes(300_000), "application/pdf"))
    (row,) = gateway.rows()
    assert (row.state, row.reason) == (InboundState.REJECTED, "too-large")
    assert answers(gateway, "8900100") == [(REJECTED, ["T99"])] * 2
