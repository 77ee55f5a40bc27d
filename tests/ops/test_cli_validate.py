"""`validate`: is a message in order, and if not: where, in which way, and never with which value."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import NOTES, REGISTRY
from tests.ops.conftest import Pakkehjem

GOOD = next(NOTES.glob("dips/01-*.xml"))
SCHEMA_ERROR = next(NOTES.glob("dips/08-*.xml"))
NOT_WELL_FORMED = next(NOTES.glob("doculive/08-*.xml"))


def test_json_is_a_list_of_the_contracts_shape(pakkehjem: Pakkehjem) -> None:
    files = [GOOD, SCHEMA_ERROR, NOT_WELL_FORMED]
    done = pakkehjem("validate", *files, "--json")
    reports = done.json()
    assert done.code == 1
    assert done.err == ""
    assert [r["file"] for r in reports] == [str(f) for f in files]
    for report in reports:
        assert list(report) == ["file", "format", "schema_valid", "errors", "findings"]
        assert all(list(e) == ["line", "path", "code", "message"] for e in report["errors"])
        assert all(list(f) == ["code", "severity", "field", "message"] for f in report["findings"])
    good, schema, broken = reports
    assert (good["format"], good["schema_valid"], good["errors"]) == ("plo-1.6", True, [])
    assert (schema["format"], schema["schema_valid"], schema["findings"]) == ("plo-1.6", False, [])
    (error,) = schema["errors"]
    assert error["line"] == 85
    assert error["path"].endswith("/InfoFraSykepleier/Journaltekst/Fritekst")
    assert "expected Notat" in error["message"]
    assert (broken["format"], broken["schema_valid"]) == (None, False)
    assert broken["errors"][0]["line"] == 24
    assert broken["errors"][0]["code"] == "not-well-formed"


def test_one_file_is_a_list_too(pakkehjem: Pakkehjem) -> None:
    (report,) = pakkehjem("validate", GOOD, "--json").json()
    assert report["schema_valid"] is True


@pytest.mark.parametrize(
    ("files", "code"),
    [([GOOD], 0), ([SCHEMA_ERROR], 1), ([NOT_WELL_FORMED], 1), ([GOOD, SCHEMA_ERROR, GOOD], 1), ([], 2)],
)
def test_the_exit_code_tells_whether_all_are_valid(
    files: list[Path], code: int, pakkehjem: Pakkehjem
) -> None:
    assert pakkehjem("validate", *files).code == code


def test_people_get_one_line_for_each_thing(pakkehjem: Pakkehjem) -> None:
    done = pakkehjem("validate", GOOD, SCHEMA_ERROR)
    first, second, error = done.out.splitlines()
    assert first == f"{GOOD}: plo-1.6, valid"
    assert second == f"{SCHEMA_ERROR}: plo-1.6, NOT VALID"
    assert re.fullmatch(
        r"  line 85, /MsgHead/\S+: Fritekst may not stand here; expected Notat \[\S+\]", error
    )


def test_findings_leave_a_message_valid(pakkehjem: Pakkehjem) -> None:
    (work_up,) = NOTES.glob("dips/03-*.xml")
    done = pakkehjem("validate", work_up, "--register", REGISTRY)
    assert done.code == 0
    assert "  hold     PH021 No cancer diagnosis yet" in done.out
    assert "  warning  PH030 No phone number" in done.out
    (other,) = NOTES.glob("dips/07-*.xml")
    done = pakkehjem("validate", other)
    assert done.code == 0
    assert "  reject   PH001 " in done.out


def test_the_register_decides_about_routes(pakkehjem: Pakkehjem, tmp_path: Path) -> None:
    empty = tmp_path / "empty.toml"
    empty.write_text("")
    codes = {
        register: [f["code"] for f in pakkehjem("validate", GOOD, "--json", *register).json()[0]["findings"]]
        for register in ((), ("--register", str(REGISTRY)), ("--register", str(empty)))
    }
    assert codes[()] == codes["--register", str(REGISTRY)] == []
    assert codes["--register", str(empty)] == ["PH050", "PH051"]


@pytest.mark.parametrize("note", ["dips/01", "dips/03", "doculive/01"])
def test_receipts_are_validated_by_their_version(note: str, pakkehjem: Pakkehjem, tmp_path: Path) -> None:
    folder, number = note.split("/")
    (file,) = NOTES.glob(f"{folder}/{number}-*.xml")
    receipt = tmp_path / "apprec.xml"
    receipt.write_text(pakkehjem("apprec", file, "--any-receiver").out)
    version = "1.0" if note == "dips/03" else "1.1"
    done = pakkehjem("validate", receipt, "--json")
    assert done.code == 0
    assert done.json() == [
        {
            "file": str(receipt),
            "format": f"apprec-{version}",
            "schema_valid": True,
            "errors": [],
            "findings": [],
        }
    ]
    receipt.write_text(receipt.read_text().replace("<Status ", "<Staus ", 1).replace("</Status>", "</Staus>"))
    assert pakkehjem("validate", receipt).code == 1


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b"", "not-well-formed", 1),
        (b"\n<a>\n</b>", "not-well-formed", 3),
        (b"<!DOCTYPE a><a/>", "doctype", None),
        (b"<?xml version='1.0' encoding='utf-16'?><a/>", "encoding", 1),
        (b"<a xmlns='urn:x'/>", "no-schema", None),
    ],
)
def test_what_is_no_message_is_told_apart(
    content: bytes, code: str, line: int | None, pakkehjem: Pakkehjem, tmp_path: Path
) -> None:
    file = tmp_path / "x.xml"
    file.write_bytes(content)
    done = pakkehjem("validate", file, "--json")
    assert done.code == 1
    (report,) = done.json()
    assert report["schema_valid"] is False
    assert report["format"] is None
    assert [(e["code"], e["line"]) for e in report["errors"]] == [(code, line)]


def test_names_that_would_steer_a_terminal_do_not(pakkehjem: Pakkehjem, tmp_path: Path) -> None:
    file = tmp_path / "x\x1b[31m.xml"
    file.write_bytes(b"<a/>")
    assert "\x1b" not in pakkehjem("validate", file).out


def test_official_schemas_apply_as_well_where_they_were_added(
    pakkehjem: Pakkehjem, standards: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PAKKEHJEM_SCHEMAS", str(tmp_path / "official"))
    # The own schemas are those parts that the gateway reads; an official one knows the e-prescription.
    prescription = next((standards / "examples" / "signed").glob("*.xml"))
    before = pakkehjem("validate", prescription, "--json")
    assert before.json()[0]["errors"][0]["code"] == "no-schema"
    assert pakkehjem("schemas", "add", standards / "xsd").code == 0
    assert pakkehjem("validate", GOOD).code == 0
    assert pakkehjem("validate", SCHEMA_ERROR).code == 1
