from __future__ import annotations

import dataclasses
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.contracts.errors import FormatError
from gateway.contracts.messages import CodedValue, Format, Head, Identifier, Party, Person, Receiver, Unit
from gateway.contracts.receipts import (
    AppRec,
    ErrorCode,
    Fault,
    OriginalMessage,
    ReceiptParty,
    ReceiptStatus,
    fault,
)
from gateway.formats import answer, identify, read_apprec, read_head, write_apprec
from gateway.formats.times import OSLO
from tests.formats import strategies, strategies_hcp
from tests.formats.support import parse, parse_file
from tests.formats.test_official import cases
from tests.formats.test_round_trip import SCHEMAS, no_empty_elements

AT = datetime(2026, 3, 2, 12, tzinfo=OSLO)
ID = str(uuid.UUID(int=7))
_HEAD = Head(
    msg_type=CodedValue(value="DIALOG_NOTAT", name="Notat"),
    msg_id="m1",
    generated_at="2026-03-02T10:00:00",
    sent_at=datetime(2026, 3, 2, 10, tzinfo=OSLO),
    document_id="d1",
    sender=Party(
        organisation=Unit(
            name="Sykehuset",
            identifiers=(Identifier(id="333 555 666", type="ENH"), Identifier(id="8900100", type="HER")),
        ),
        unit=Unit(name="Avdelingen", identifiers=(Identifier(id="8900103", type="HER"),)),
        person=Person(given_name="Rita", family_name="Lin", identifiers=(Identifier(id="1", type="HPR"),)),
    ),
    receivers=(
        Receiver(
            party=Party(organisation=Unit(name="Kommunen", identifiers=(Identifier(id="2", type="HER"),)))
        ),
        Receiver(
            party=Party(
                organisation=Unit(name="Legesenteret"),
                person=Person(
                    given_name="Ingrid", family_name="Lege", identifiers=(Identifier(id="3", type="HER"),)
                ),
            ),
            copy=True,
        ),
    ),
)


def reply(
    head: Head = _HEAD,
    version: Format | None = Format.DIALOGMELDING_1_1,
    index: int = 0,
    status: str = "1",
    faults: tuple[Fault, ...] = (),
) -> AppRec:
    return answer(head, version, receiver_index=index, status=status, faults=faults, id=ID, at=AT)


@pytest.mark.parametrize(
    ("version", "expected", "primary"),
    [
        (Format.PLO_1_5, "1.0", "SPR"),
        (Format.DIALOGMELDING_1_0, "1.0", "SPR"),
        (Format.EPIKRISE_1_1, "1.0", "REQ"),
        (Format.PLO_1_6, "1.1", "PRIM"),
        (Format.DIALOGMELDING_1_1, "1.1", "PRIM"),
        (Format.EPIKRISE_1_2, "1.1", "PRIM"),
        (Format.SUMMARY_1, "1.1", "PRIM"),
        (None, "1.1", "PRIM"),
    ],
)
def test_the_message_standard_decides_version_and_roles(
    version: Format | None, expected: str, primary: str
) -> None:
    found = reply(version=version)
    assert found.version == expected
    assert found.sender.role is not None
    assert found.sender.role.value == primary
    assert found.receiver.role is not None
    assert found.receiver.role.value == ("RECEIVER" if expected == "1.0" else "AVS")
    copy = reply(version=version, index=1)
    assert copy.sender.role is not None
    assert copy.sender.role.value == "COP"


def test_addresses_are_mirrored_and_the_signing_person_left_out() -> None:
    found = reply(index=1)
    assert found.sender.party == _HEAD.receivers[1].party
    assert _HEAD.sender is not None
    assert found.receiver.party.organisation == _HEAD.sender.organisation
    assert found.receiver.party.unit == _HEAD.sender.unit
    assert found.receiver.party.person is None


def test_document_id_of_epikrise_1_1_only() -> None:
    assert reply(version=Format.EPIKRISE_1_1).original.id == "d1"
    assert reply(version=Format.EPIKRISE_1_2).original.id == "m1"
    without = dataclasses.replace(_HEAD, document_id=None)
    assert reply(without, Format.EPIKRISE_1_1).original.id == "m1"


def test_the_type_is_kept_as_it_is_written() -> None:
    odd = dataclasses.replace(_HEAD, msg_type=CodedValue(value="E", name="Epikrise"))
    assert reply(odd, Format.EPIKRISE_1_1).original.msg_type == CodedValue(value="E", name="Epikrise")
    missing = dataclasses.replace(_HEAD, msg_type=CodedValue())
    assert reply(missing, Format.EPIKRISE_1_2).original.msg_type.value == "EPIKRISE"
    assert reply(missing).original.msg_type.name


@pytest.mark.parametrize(
    ("generated_at", "sent_at", "expected"),
    [
        ("2005-11-17T09:30:47.0Z", None, "2005-11-17T09:30:47.0Z"),
        ("2009-02-03", datetime(2009, 2, 3, tzinfo=OSLO), "2009-02-03T00:00:00+01:00"),
        ("i går", None, "2026-03-02T12:00:00+01:00"),
    ],
)
def test_issue_date_is_always_a_time(generated_at: str, sent_at: datetime | None, expected: str) -> None:
    head = dataclasses.replace(_HEAD, generated_at=generated_at, sent_at=sent_at)
    assert reply(head).original.issued_at == expected


def test_faults_are_told_when_the_message_is_not_taken() -> None:
    faults = (fault(ErrorCode.PATIENT_INSUFFICIENT, "Navn mangler."), fault(ErrorCode.MESSAGE_ID))
    found = reply(status="2", faults=faults)
    assert (found.status_text, found.faults) == ("Avvist", faults)
    assert reply(status=ReceiptStatus.OK, faults=faults).faults == ()
    assert reply(status="9").status_text is None


def test_the_time_is_written_with_its_zone() -> None:
    assert reply().generated_at == "2026-03-02T12:00:00+01:00"
    utc = answer(
        _HEAD, None, receiver_index=0, status="1", id=ID, at=datetime(2026, 3, 2, 11, 0, 0, 5, tzinfo=UTC)
    )
    assert utc.generated_at == "2026-03-02T11:00:00+00:00"


@pytest.mark.parametrize("change", [{"sender": None}, {"msg_id": ""}])
def test_nobody_to_answer(change: dict[str, str | None]) -> None:
    with pytest.raises(FormatError):
        reply(dataclasses.replace(_HEAD, **change))  # type: ignore[arg-type]  # the values fit the fields


def test_a_receipt_written(official_schema: etree.XMLSchema) -> None:
    written = write_apprec(reply(status="2", faults=(fault(ErrorCode.OTHER, "a < b"),)))
    root = parse(written)
    assert official_schema.validate(root)
    text = written.decode()
    assert '<Status V="2" DN="Avvist"/>' in text
    assert '<Error V="X99" S="2.16.578.1.12.4.1.1.8221" DN="Annen feil" OT="a &lt; b"/>' in text
    # The order of an AppRec: department, further identifiers, person.
    assert (
        '<Receiver><Role V="AVS" DN="Avsender"/><HCP><Inst><Name>Sykehuset</Name><Id>333 555 666</Id>'
        '<TypeId V="ENH" DN="Organisasjonsnummeret i Enhetsregister"/><Dept><Name>Avdelingen</Name>'
        "<Id>8900103</Id>"
        '<TypeId V="HER" DN="HER-id"/></Dept><AdditionalId><Id>8900100</Id><Type V="HER" DN="HER-id"/>'
        "</AdditionalId>"
        "</Inst></HCP></Receiver>"
    ) in text


def test_receipt_for_every_acceptance_case(standards: Path, official_schema: etree.XMLSchema) -> None:
    answered = 0
    for case in cases(standards):
        expected = case["apprec"]
        assert isinstance(expected, dict)
        try:
            root = parse_file(standards / "examples" / "testcases" / str(case["file"]))
        except etree.XMLSyntaxError:
            continue
        head = read_head(root)
        assert head is not None
        if head.sender is None:
            with pytest.raises(FormatError):
                reply(head, identify(root).format)
            continue
        index = next(i for i, r in enumerate(head.receivers) if r.copy == (expected["role"] == "COP"))
        receipt = reply(head, identify(root).format, index)
        if not head.sender.identifiable:
            continue
        assert receipt.version == expected["version"]
        assert receipt.sender.role is not None
        assert receipt.sender.role.value == expected["role"]
        assert receipt.original.msg_type.value == expected["original_msg_type"]
        assert receipt.original.id == expected["original_id"][0]
        written = parse(write_apprec(receipt))
        assert official_schema.validate(written)
        assert no_empty_elements(written)
        mirrored = read_apprec(written)
        assert mirrored.receiver.party.her_ids == receipt.receiver.party.her_ids
        assert mirrored.sender.party.organisation.org_no == receipt.sender.party.organisation.org_no
        answered += 1
    assert answered == 32


_parties = st.builds(
    ReceiptParty, role=st.none() | strategies.simple, party=strategies_hcp.hcp_parties(st.none())
)
receipts = st.builds(
    AppRec,
    version=st.sampled_from(["1.0", "1.1"]),
    id=strategies.ids,
    generated_at=strategies.moments,
    sender=_parties,
    receiver=_parties,
    status=st.sampled_from(["1", "2", "3", "8"]),
    status_text=st.none() | strategies.lines,
    faults=st.lists(
        st.builds(
            Fault,
            code=st.sampled_from(["T01", "E36", "53"]),
            text=st.none() | strategies.lines,
            detail=st.none() | strategies.lines,
            code_list=st.none() | strategies.oids,
        ),
        max_size=3,
    ).map(tuple),
    original=st.builds(
        OriginalMessage, msg_type=strategies.simple, issued_at=strategies.moments, id=strategies.ids
    ),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(receipts)
def test_a_receipt_comes_back(receipt: AppRec) -> None:
    root = parse(write_apprec(receipt))
    assert SCHEMAS.is_valid(root)
    assert no_empty_elements(root)
    assert read_apprec(root) == receipt


def test_a_receipt_that_is_not_complete_is_not_written() -> None:
    whole = reply()
    empty = ReceiptParty(role=None, party=Party())
    for broken in (
        dataclasses.replace(whole, version="2.0"),
        dataclasses.replace(whole, id=" "),
        dataclasses.replace(whole, receiver=empty),
        dataclasses.replace(whole, original=dataclasses.replace(whole.original, id="")),
    ):
        with pytest.raises(FormatError):
            write_apprec(broken)


def test_other_messages_are_no_receipts() -> None:
    with pytest.raises(FormatError):
        read_apprec(parse("<AppRec/>"))
