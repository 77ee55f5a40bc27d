"""The official examples and the acceptance cases: all of them read, and nothing in them gets lost."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from lxml import etree

from gateway.contracts.errors import FormatError
from gateway.contracts.messages import Format, Message
from gateway.contracts.summary import Action
from gateway.formats import identify, read_apprec, read_head, read_message, write_message
from gateway.formats.element_names import Element, local_name
from tests.formats.support import folded, parse, parse_file, strings

# What says nothing about the patient: versions, ids and dates of documents, codes with fixed values.
_TECHNICAL = re.compile(
    "ActComMethod|Anslag|ApprDate|ComMethod|Consent|DokIdNotat|Forsendelsesstatus|Hoveddiagnose|Id|IssueDate"
    "|MIGversion|MsgType|Role|RolleNotat|ServType|Status|Type|Base64Container"
)
_YES_NO = ("true", "false")


def files(standards: Path) -> dict[str, Element]:
    found = {}
    for path in sorted((standards / "examples").rglob("*.xml")):
        try:
            found[str(path.relative_to(standards / "examples"))] = parse_file(path)
        except etree.XMLSyntaxError:
            continue
    return found


@pytest.fixture(scope="module")
def roots(standards: Path) -> dict[str, Element]:
    return files(standards)


@pytest.fixture(scope="module")
def messages(roots: dict[str, Element]) -> dict[str, Message]:
    found = {}
    for name, root in roots.items():
        try:
            found[name] = read_message(root)
        except FormatError:
            continue
    return found


def test_every_example_reads_or_is_of_no_format_of_ours(
    roots: dict[str, Element], messages: dict[str, Message]
) -> None:
    refused = {name for name in roots if name not in messages}
    assert {name.split("/")[0] for name in refused} == {"apprec", "signed"}
    assert len(messages) == 97
    for name in refused:
        assert (identify(roots[name]).format is None) == name.startswith("signed/")


def test_every_head_reads(roots: dict[str, Element], messages: dict[str, Message]) -> None:
    for name, message in messages.items():
        assert read_head(roots[name]) == message.head
        assert message.head.msg_id
        assert message.head.sent_at is not None
        assert message.head.primary is not None, name


def test_nothing_in_an_example_is_lost(roots: dict[str, Element], messages: dict[str, Message]) -> None:
    for name, message in messages.items():
        have = folded("\n".join(strings(message)))
        for element in roots[name].iter("*"):
            if _TECHNICAL.fullmatch(local_name(element)):
                continue
            shown = element.get("DN") or element.get("V")
            for said in (element.text, element.tail, shown):
                if said and folded(said) and folded(said) not in _YES_NO:
                    assert folded(said) in have, (name, local_name(element))


def cases(standards: Path) -> list[dict[str, object]]:
    lines = (standards / "examples" / "testcases" / "expected.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_what_a_receiver_must_show_is_read(standards: Path, messages: dict[str, Message]) -> None:
    shown = 0
    for case in cases(standards):
        message = messages.get(f"testcases/{case['file']}")
        values = case.get("show_values", [])
        assert isinstance(values, list)
        if message is None:
            continue
        have = folded("\n".join(strings(message)))
        for value in values:
            # "Ny": the code of Forsendelsesstatus, which is read as the action.
            assert folded(value) in have or (value == "Ny" and message.action is Action.NEW), case["file"]
            shown += 1
    assert shown > 150


def test_changes_and_cancellations(messages: dict[str, Message]) -> None:
    for name, message in messages.items():
        expected = {
            "_Endring": Action.CHANGE,
            "_m.xml": Action.CHANGE,
            "_Kansellering": Action.CANCEL,
            "_c.xml": Action.CANCEL,
        }
        for mark, action in expected.items():
            if mark in name:
                assert message.action is action, name


def test_every_example_can_be_written_in_its_own_format(
    messages: dict[str, Message], official_schema: etree.XMLSchema
) -> None:
    written = 0
    for message in messages.values():
        try:
            root = parse(write_message(message))
        except FormatError:
            continue  # another PLO message than those that are written, or an incomplete head
        assert official_schema.validate(root)
        assert read_message(root).format is message.format
        written += 1
    assert written > 50


def test_discharge_report(messages: dict[str, Message]) -> None:
    found = messages["plo/1.6/Utskrivningsrapport_v1-6_Ny.xml"]
    assert found.format is Format.PLO_1_6
    assert [d.code and d.code.value for d in found.diagnoses] == ["A46", "I509"]
    assert found.diagnoses[0].description == "Ve legg"
    headings = [t.heading.value for t in found.texts if t.heading]
    assert headings[:4] == ["PROB", "FO", "FU", "OP"]
    assert [p.function for p in found.professionals] == ["other", "contact"]


def test_epikrise_of_the_acceptance_test(messages: dict[str, Message]) -> None:
    found = messages["testcases/epikrise-1.1/Epikrise1-1-case_1.xml"]
    assert found.head.document_id == "SSMED2002012345"
    assert [(d.code and d.code.value, d.main) for d in found.diagnoses][:2] == [
        ("I330", True),
        ("E119", False),
    ]
    table = next(t.text for t in found.texts if "Blodprøver/dato" in t.text)
    assert "glukose kl 0800\t7.4\t\t7.9\t7.7\t\t7.6\nleukocytter\t8.2" in table
    assert found.head.receivers[0].party.person is not None
    assert found.head.receivers[0].party.her_id == "369767"


def test_attached_picture(messages: dict[str, Message]) -> None:
    name = next(n for n in messages if n.endswith("Spoersmaal_til_behandler.xml"))
    (attachment,) = messages[name].attachments
    assert attachment.mime_type == "image/jpg"
    assert attachment.content.startswith(b"\xff\xd8\xff")
    assert attachment.content.endswith(b"\xff\xd9")


def test_receipts_of_others(roots: dict[str, Element]) -> None:
    read = {n: read_apprec(r) for n, r in roots.items() if identify(r).envelope == "apprec"}
    unknown = read["apprec/1.1/ks-unknown-status.xml"]
    assert unknown.status not in ("1", "2", "3")
    assert not unknown.positive
    partly = read["apprec/1.0/apprec-eksempel.xml"]
    assert (partly.status, partly.positive, len(partly.faults)) == ("3", True, 5)
    assert {f.code_list for f in partly.faults} == {"2.16.578.1.12.4.1.1.8223"}
    assert partly.faults[0].detail == "3"
    rejected = read["apprec/1.0/ks-example-avvist.xml"]
    assert (rejected.status, rejected.positive) == ("2", False)
    whole = read["apprec/1.1/ks-all-data.xml"]
    assert whole.sender.party.her_ids == ("8143060", "123456", "8142987")
    assert whole.original.id == "5d79bd68-a58c-4599-a4e7-9db28ea20099"
    oldest = read["apprec/1.0/AppRec-v1-eksempel-ok.xml"]
    assert oldest.sender.role is not None
    assert oldest.sender.role.value == "SENDER"
    assert oldest.receiver.party.person is not None
    assert oldest.receiver.party.person.hpr == "9144889"
