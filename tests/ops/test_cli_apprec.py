"""`apprec`: the receipt that the gateway would answer with."""

from __future__ import annotations

import json
import re
from pathlib import Path
from uuid import UUID

import pytest
from lxml import etree

from gateway.contracts.receipts import AppRec
from gateway.formats import read_apprec
from gateway.security.gate import parse
from schemas import SchemaSet
from tests.conftest import NOTES
from tests.ops.conftest import Outcome, Pakkehjem

GOOD = next(NOTES.glob("dips/01-*.xml"))


def note(name: str) -> Path:
    folder, number = name.split("/")
    return next((NOTES / folder).glob(f"{number}-*.xml"))


def receipt(done: Outcome) -> AppRec:
    assert (done.code, done.err) == (0, "")
    root = parse(done.out.encode())
    assert SchemaSet().faults(root) == ()
    return read_apprec(root)


def refused(done: Outcome) -> str:
    assert done.code == 1
    assert done.out == ""
    return done.err


@pytest.mark.parametrize(
    ("name", "version", "status", "codes"),
    [
        ("dips/01", "1.1", "1", []),
        ("dips/03", "1.0", "1", []),
        ("doculive/02", "1.0", "1", []),
        ("helseplattformen/01", "1.1", "1", []),
        ("helseplattformen/03", "1.0", "1", []),
        ("dips/07", "1.1", "2", ["X99"]),
        ("doculive/06", "1.1", "2", ["X99"]),
        ("doculive/17", "1.1", "2", ["X99"]),
        ("helseplattformen/17", "1.1", "2", ["E36"]),
        ("dips/08", "1.1", "2", ["T02"]),
        ("doculive/08", "1.0", "2", ["T01"]),
        ("helseplattformen/20", "1.1", "2", ["T01"]),
    ],
)
def test_the_answer_to_each_kind_of_message(
    name: str, version: str, status: str, codes: list[str], pakkehjem: Pakkehjem
) -> None:
    file = note(name)
    apprec = receipt(pakkehjem("apprec", file, "--any-receiver"))
    assert (apprec.version, apprec.status) == (version, status)
    assert [f.code for f in apprec.faults] == codes
    UUID(apprec.id)
    found = re.search(rb"<MsgId>([^<]+)</MsgId>", file.read_bytes())
    assert found is not None
    if not name.startswith("doculive"):
        assert apprec.original.id == found[1].decode()


def test_other_messages_are_accepted_where_they_are_forwarded(pakkehjem: Pakkehjem) -> None:
    for name in ("dips/07", "doculive/07", "helseplattformen/07"):
        assert receipt(pakkehjem("apprec", note(name), "--any-receiver")).status == "2"
        both = pakkehjem("apprec", note(name), "--any-receiver", "--accept-other")
        assert receipt(both).status == "1"
    # What is a note is judged as one.
    for name in ("doculive/06", "dips/08"):
        assert receipt(pakkehjem("apprec", note(name), "--any-receiver", "--accept-other")).status == "2"


def test_nobody_is_ours_without_a_register(pakkehjem: Pakkehjem) -> None:
    said = refused(pakkehjem("apprec", GOOD))
    assert said.startswith(f"{GOOD}: no AppRec: no receiver of the message is ours\n")
    assert "-c FILE" in said


def test_the_register_says_who_is_ours(
    pakkehjem: Pakkehjem, config: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert receipt(pakkehjem("apprec", GOOD, "-c", config)).status == "1"
    monkeypatch.setenv("PAKKEHJEM_CONFIG", str(config))
    assert receipt(pakkehjem("apprec", GOOD)).status == "1"
    stranger = tmp_path / "stranger.xml"
    # Neither HER-ids nor organisation numbers of the register.
    content = re.sub(rb">89([12]\d{4})<", rb">77\1<", GOOD.read_bytes())
    stranger.write_bytes(re.sub(rb">3100002(\d\d)<", rb">3200002\1<", content))
    said = refused(pakkehjem("apprec", stranger))
    assert "no receiver of the message is ours" in said
    assert "--any-receiver" in said
    assert receipt(pakkehjem("apprec", stranger, "--any-receiver")).status == "1"


def test_the_receiver_that_is_ours_answers(pakkehjem: Pakkehjem, config: Path, tmp_path: Path) -> None:
    primary = receipt(pakkehjem("apprec", GOOD, "-c", config))
    assert primary.sender.role is not None
    assert primary.sender.role.value == "PRIM"
    # Where the service is not in the register, the GP, who gets a copy, is who answers.
    file = tmp_path / "copy.xml"
    file.write_bytes(re.sub(rb"8910\d\d\d", b"7710000", GOOD.read_bytes()))
    copy = receipt(pakkehjem("apprec", file, "-c", config))
    assert copy.sender.role is not None
    assert copy.sender.role.value == "COP"
    assert copy.sender.party.her_id == "8920031"


def test_the_configuration_sets_the_rules(
    pakkehjem: Pakkehjem, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (file,) = NOTES.glob("dips/03-*.xml")
    assert receipt(pakkehjem("apprec", file, "-c", config)).status == "1"
    monkeypatch.setenv("PAKKEHJEM__RULES__SEVERITY", '{"PH030": "reject"}')
    apprec = receipt(pakkehjem("apprec", file, "-c", config))
    assert apprec.status == "2"
    assert apprec.faults[0].detail == "Pasientens telefonnummer mangler."


def test_a_bad_signature_is_answered_where_roots_are_known(
    pakkehjem: Pakkehjem, config: Path, tmp_path: Path
) -> None:
    file = tmp_path / "signed.xml"
    assert pakkehjem("sign", GOOD, "-c", config, "-o", file).code == 0
    file.write_bytes(file.read_bytes().replace(b"Fiskebolle", b"Fiskebille"))
    apprec = receipt(pakkehjem("apprec", file, "-c", config))
    assert (apprec.status, [f.code for f in apprec.faults]) == ("2", ["S01"])


def test_a_message_id_that_is_none_is_refused(pakkehjem: Pakkehjem, tmp_path: Path) -> None:
    file = tmp_path / "x.xml"
    file.write_bytes(re.sub(rb"<MsgId>[^<]+", b"<MsgId>12345", GOOD.read_bytes()))
    apprec = receipt(pakkehjem("apprec", file, "--any-receiver"))
    assert [f.code for f in apprec.faults] == ["E10"]


def test_nothing_is_answered_where_nobody_can_be_told(pakkehjem: Pakkehjem, tmp_path: Path) -> None:
    file = tmp_path / "x.xml"
    for content in (b"", b"hello", b"<a/>", GOOD.read_bytes()[:300]):
        file.write_bytes(content)
        assert "it can not be told who sent the message" in refused(
            pakkehjem("apprec", file, "--any-receiver")
        )
    without = re.sub(rb"<Sender>.*?</Sender>", b"", GOOD.read_bytes(), flags=re.DOTALL)
    file.write_bytes(without)
    assert "it can not be told who sent" in refused(pakkehjem("apprec", file, "--any-receiver"))
    without = re.sub(rb"<(Other)?Receiver>.*?</(Other)?Receiver>", b"", GOOD.read_bytes(), flags=re.DOTALL)
    file.write_bytes(without)
    assert "names no receiver" in refused(pakkehjem("apprec", file, "--any-receiver"))
    without = re.sub(rb"<MsgId>[^<]+</MsgId>", b"<MsgId></MsgId>", GOOD.read_bytes())
    file.write_bytes(without)
    assert "which message it is" in refused(pakkehjem("apprec", file, "--any-receiver"))


def test_a_receipt_is_never_answered(pakkehjem: Pakkehjem, tmp_path: Path) -> None:
    file = tmp_path / "apprec.xml"
    file.write_text(pakkehjem("apprec", GOOD, "--any-receiver").out)
    assert "never answered" in refused(pakkehjem("apprec", file, "--any-receiver", "--accept-other"))


def test_the_acceptance_cases_are_answered_as_expected(pakkehjem: Pakkehjem, standards: Path) -> None:
    folder = standards / "examples" / "testcases"
    official = etree.XMLSchema(etree.parse(str(standards / "xsd" / "all.xsd")))
    lines = (folder / "expected.jsonl").read_text(encoding="utf-8").splitlines()
    wrong = []
    for case in map(json.loads, lines):
        done = pakkehjem("apprec", folder / case["file"], "--any-receiver", "--accept-other")
        allowed = {"accept", "reject"} if case["expect"] == "either" else {case["expect"]}
        allowed |= {other.partition(":")[0] for other in case.get("also_ok", ())}
        got, right = "no_apprec", True
        if done.code == 0:
            root = parse(done.out.encode())
            assert official.validate(root)
            apprec = read_apprec(root)
            got = "accept" if apprec.positive else "reject"
            right = apprec.version == case["apprec"]["version"]
            right &= apprec.original.id in case["apprec"]["original_id"]
            if got == case["expect"] == "reject":
                right &= apprec.faults[0].code in case["error_codes"]
        if got not in allowed or not right:
            wrong.append((case["category"], case["case"], got))
    assert len(lines) > 30
    # The second coming of a message takes a memory to tell.
    assert wrong == [("duplicate", "1-20b", "accept")]
