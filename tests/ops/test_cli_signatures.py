"""`sign` and `verify`."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.ops.initialise import initialise
from tests.conftest import NOTES
from tests.ops.conftest import Pakkehjem

NOTE = next(NOTES.glob("dips/01-*.xml"))
HOSPITAL = "310000107"


@pytest.fixture
def root(config: Path) -> Path:
    return config.parent / "pki" / "root.pem"


@pytest.fixture
def signed(pakkehjem: Pakkehjem, config: Path, tmp_path: Path) -> Path:
    file = tmp_path / "signed.xml"
    done = pakkehjem("sign", NOTE, "-c", config, "-o", file)
    assert (done.code, done.out) == (0, "")
    assert f"pakkehjem verify {file}" in done.err
    return file


def test_a_good_signature_says_who_and_what(pakkehjem: Pakkehjem, signed: Path, root: Path) -> None:
    done = pakkehjem("verify", signed, "--trust", root, "--json")
    assert (done.code, done.err) == (0, "")
    document = done.json()
    assert list(document) == ["valid", "code", "signer", "covers"]
    assert (document["valid"], document["code"], document["covers"]) == (True, "ok", "whole message")
    assert list(document["signer"]) == ["subject", "org_no", "serial", "not_after"]
    assert document["signer"]["org_no"] == HOSPITAL
    assert "Nordvik universitetssykehus" in document["signer"]["subject"]
    text = pakkehjem("verify", signed, "--trust", root)
    assert text.code == 0
    assert "good signature" in text.out
    assert HOSPITAL in text.out
    assert max(map(len, text.out.splitlines()[1:])) <= 100


def test_the_configurations_roots_are_trusted_too(pakkehjem: Pakkehjem, signed: Path, config: Path) -> None:
    assert pakkehjem("verify", signed, "-c", config).code == 0


def test_the_signature_goes_to_standard_output_too(pakkehjem: Pakkehjem, signed: Path, config: Path) -> None:
    done = pakkehjem("sign", NOTE, "-c", config)
    assert (done.code, done.err) == (0, "")
    assert done.out.encode() == signed.read_bytes()


def test_another_organisations_key_is_used_on_request(
    pakkehjem: Pakkehjem, config: Path, root: Path, tmp_path: Path
) -> None:
    file = tmp_path / "other.xml"
    assert pakkehjem("sign", NOTE, "-c", config, "--org-no", "310009999", "-o", file).code == 0
    document = pakkehjem("verify", file, "--trust", root, "--json").json()
    assert document["signer"]["org_no"] == "310009999"
    done = pakkehjem("sign", NOTE, "-c", config, "--org-no", "999999999")
    assert done.code == 3
    assert "no key for organisation 999999999" in done.err
    assert done.out == ""


def test_one_changed_letter_is_refused(pakkehjem: Pakkehjem, signed: Path, root: Path) -> None:
    content = signed.read_bytes()
    assert content.count(b"Fiskebolle") >= 1
    signed.write_bytes(content.replace(b"Fiskebolle", b"Fiskebille", 1))
    done = pakkehjem("verify", signed, "--trust", root, "--json")
    assert done.code == 1
    assert done.json() == {"valid": False, "code": "digest-mismatch", "signer": None, "covers": None}
    assert "[digest-mismatch]" in done.err
    text = pakkehjem("verify", signed, "--trust", root)
    assert (text.code, text.out, text.err) == (1, "", done.err)


def test_another_root_is_not_trusted(pakkehjem: Pakkehjem, signed: Path, tmp_path: Path, root: Path) -> None:
    other = initialise(tmp_path / "other").parent / "pki" / "root.pem"
    done = pakkehjem("verify", signed, "--trust", other, "--json")
    assert (done.code, done.json()["code"]) == (1, "certificate-untrusted")
    assert pakkehjem("verify", signed, "--trust", other, "--trust", root).code == 0


def test_the_certificate_is_checked_now_or_when_the_message_was_made(
    pakkehjem: Pakkehjem, signed: Path, root: Path, config: Path, tmp_path: Path
) -> None:
    assert pakkehjem("verify", signed, "--trust", root).code == 0
    old = tmp_path / "old.xml"
    old.write_bytes(NOTE.read_bytes().replace(b"<GenDate>20", b"<GenDate>19"))
    file = tmp_path / "old-signed.xml"
    assert pakkehjem("sign", old, "-c", config, "-o", file).code == 0
    assert pakkehjem("verify", file, "--trust", root).code == 0
    done = pakkehjem("verify", file, "--trust", root, "--when-sent", "--json")
    assert (done.code, done.json()["code"]) == (1, "certificate-not-yet-valid")


def test_without_a_signature_there_is_none(pakkehjem: Pakkehjem, root: Path) -> None:
    done = pakkehjem("verify", NOTE, "--trust", root, "--json")
    assert done.code == 1
    assert done.json()["valid"] is False
    assert done.json()["code"] == "no-signature"


@pytest.mark.parametrize("content", [b"", b"text", b"<a/>", b"<!DOCTYPE a><a/>"])
def test_what_is_no_message_has_a_code(
    content: bytes, pakkehjem: Pakkehjem, root: Path, tmp_path: Path
) -> None:
    file = tmp_path / "x.xml"
    file.write_bytes(content)
    for more in ((), ("--when-sent",)):
        done = pakkehjem("verify", file, "--trust", root, "--json", *more)
        assert done.code == 1
        assert done.json()["valid"] is False
        assert done.json()["code"] in {"not-well-formed", "not-msghead", "no-signature", "doctype"}


def test_somebody_must_be_trusted(pakkehjem: Pakkehjem, signed: Path, tmp_path: Path) -> None:
    done = pakkehjem("verify", signed, "--json")
    assert (done.code, done.json()["valid"], done.json()["code"]) == (1, False, "certificate-untrusted")
    assert "--trust CA.pem" in done.err
    done = pakkehjem("verify", next(NOTES.glob("dips/01-*.xml")), "--json")
    assert (done.code, done.json()["code"]) == (1, "no-signature")
    for content in (b"", b"no certificate"):
        (tmp_path / "ca.pem").write_bytes(content)
        done = pakkehjem("verify", signed, "--trust", tmp_path / "ca.pem")
        assert done.code == 3
        assert "ca.pem" in done.err
    done = pakkehjem("verify", signed, "--trust", tmp_path / "none.pem")
    assert done.code == 3
    assert "none.pem" in done.err


def test_what_can_not_be_signed_is_named(
    pakkehjem: Pakkehjem, config: Path, signed: Path, tmp_path: Path
) -> None:
    epikrise = next(NOTES.glob("doculive/01-*.xml"))
    broken = next(NOTES.glob("doculive/08-*.xml"))
    for file, said in (
        (epikrise, "Only a MsgHead message can be signed."),
        (signed, "The message is signed already."),
        (broken, "not well-formed"),
    ):
        done = pakkehjem("sign", file, "-c", config, "-o", tmp_path / "out.xml")
        assert done.code == 1
        assert done.err.startswith(f"pakkehjem: {file}: ")
        assert said in done.err
    assert not (tmp_path / "out.xml").exists()


def test_a_place_that_can_not_be_written_is_named(pakkehjem: Pakkehjem, config: Path) -> None:
    done = pakkehjem("sign", NOTE, "-c", config, "-o", "/no/such/folder/out.xml")
    assert done.code == 1
    assert done.err == "pakkehjem: /no/such/folder/out.xml: No such file or directory\n"
