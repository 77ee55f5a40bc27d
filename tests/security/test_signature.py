from __future__ import annotations

import io
import logging
from base64 import b64decode
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from signxml.algorithms import CanonicalizationMethod
from signxml.signer import XMLSigner
from signxml.verifier import SignatureConfiguration, XMLVerifier

from gateway.contracts.errors import FormatError
from gateway.contracts.messages import Attachment, CodedValue, Format, Message, TextBlock
from gateway.contracts.ports import MessageSigner, MessageVerifier
from gateway.formats import write_message
from gateway.security.gate import GateRefusedError, parse, parse_own
from gateway.security.keys import KeyStore, TrustStore
from gateway.security.signature import SignatureRefusedError, XmlSigner, XmlVerifier, has_signature
from gateway.security.signature_structure import DS, MSGHEAD
from tests.conftest import NOTES
from tests.formats import strategies
from tests.security import pki
from tests.security.messages import MESSAGE, NAMESPACES, PATIENT, find, tampered

EXCLUSIVE = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0
INCLUSIVE = CanonicalizationMethod.CANONICAL_XML_1_0


def by_signxml(
    message: bytes, issued: pki.Issued, *issuers: pki.Issued, c14n: CanonicalizationMethod = EXCLUSIVE
) -> bytes:
    method = "rsa-sha256" if isinstance(issued.key, rsa.RSAPrivateKey) else "ecdsa-sha256"
    signed = XMLSigner(signature_algorithm=method, c14n_algorithm=c14n).sign(
        etree.fromstring(message),
        key=issued.key,
        cert=[one.certificate for one in (issued, *issuers)],
    )
    text = etree.tostring(signed, encoding="UTF-8", xml_declaration=False)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + text


def with_root(opening: str) -> bytes:
    name = opening.split(maxsplit=1)[0]
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{opening}><x>1</x></{name}>'.encode()


ROOTS = {
    "default-namespace": MESSAGE,
    "prefix": with_root(f'mh:MsgHead xmlns:mh="{MSGHEAD}"'),
    "xmldsig-declared": with_root(f'MsgHead xmlns="{MSGHEAD}" xmlns:ds="{DS}"'),
    "prefix-taken": with_root(f'MsgHead xmlns="{MSGHEAD}" xmlns:ds="urn:other" ds:x="1"'),
    "bom": b"\xef\xbb\xbf" + MESSAGE,
    "latin-1": MESSAGE.replace(b"UTF-8", b"ISO-8859-1").decode().encode("latin-1"),
    "empty": f'<MsgHead xmlns="{MSGHEAD}"/>'.encode(),
    "around": MESSAGE.replace(b"<MsgHead", b"<!-- before --><MsgHead") + b"<!-- after -->",
}


@pytest.mark.parametrize("message", ROOTS.values(), ids=ROOTS.keys())
def test_signs_byte_for_byte_as_signxml(message: bytes, keys: KeyStore, verifier: XmlVerifier) -> None:
    signed = XmlSigner(keys).sign(message, org_no=pki.ORG_NO)
    assert signed == by_signxml(message, pki.hospital(), pki.issuing())
    assert verifier.verify(signed, at=pki.NOW).signer.org_no == pki.ORG_NO


@pytest.mark.parametrize(
    "message",
    [
        with_root(f'MsgHead xmlns="{MSGHEAD}" xmlns:sig="{DS}"'),
        with_root(f'm:MsgHead xmlns:m="{MSGHEAD}" xmlns="{DS}"').replace(b"<x>1</x>", b'<x xmlns="">1</x>'),
    ],
)
def test_signs_where_the_message_has_its_own_prefix_for_xmldsig(
    message: bytes, keys: KeyStore, verifier: XmlVerifier
) -> None:
    signed = XmlSigner(keys).sign(message, org_no=pki.ORG_NO)
    assert signed.count(DS.encode() + b'"') == 1
    assert verifier.verify(signed, at=pki.NOW).signer.org_no == pki.ORG_NO


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=30)


@given(text=texts, attribute=texts, tail=texts)
@settings(max_examples=60, deadline=None)
def test_signs_any_text_as_signxml(
    text: str, attribute: str, tail: str, keys: KeyStore, verifier: XmlVerifier
) -> None:
    root = etree.fromstring(f'<MsgHead xmlns="{MSGHEAD}"/>')
    child = etree.SubElement(root, "{urn:x}a", attrib={"b": attribute, "{urn:y}c": tail})
    child.text, child.tail = text, tail
    message = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    signed = XmlSigner(keys).sign(message, org_no=None)
    assert signed == by_signxml(message, pki.hospital(), pki.issuing())
    read = parse(verifier.verify(signed, at=pki.NOW).signed)
    assert (read[0].text or "", read[0].get("b"), read[0].tail or "") == (text, attribute, tail)


@given(
    message=strategies.dialogues(Format.DIALOGMELDING_1_0)
    | strategies.dialogues(Format.DIALOGMELDING_1_1)
    | strategies.plo(Format.PLO_1_5, "HelseopplysningerVedSoknad")
    | strategies.plo(Format.PLO_1_6, "TverrfagligEpikrise"),
    attachments=strategies.attachments,
    prose=texts,
)
@settings(max_examples=100, deadline=None)
def test_signs_what_the_gateway_writes_as_it_is(
    message: Message, attachments: tuple[Attachment, ...], prose: str, keys: KeyStore
) -> None:
    block = TextBlock(text=f"{prose}\r\n\t\"'&<>]]>{prose}", heading=CodedValue(value=prose, name=prose))
    body = write_message(replace(message, texts=(*message.texts, block), attachments=attachments))
    signed = XmlSigner(keys).sign(body, org_no=None, tree=parse_own(body))
    assert signed == by_signxml(body, pki.hospital(), pki.issuing())
    assert signed == XmlSigner(keys).sign(body, org_no=None)


def test_every_note_can_be_signed_and_verified(keys: KeyStore, verifier: XmlVerifier) -> None:
    signer = XmlSigner(keys)
    count = 0
    for path in sorted(NOTES.rglob("*.xml")):
        message = path.read_bytes()
        if b"<MsgHead" not in message:
            continue
        try:
            root = parse(message)
        except GateRefusedError:
            continue
        verified = verifier.verify(signer.sign(message, org_no=None), at=pki.NOW)
        assert verified.signed == etree.tostring(root, method="c14n", exclusive=True, with_comments=False)
        count += 1
    assert count > 20


@pytest.mark.parametrize("message", ROOTS.values(), ids=ROOTS.keys())
@pytest.mark.parametrize("c14n", [EXCLUSIVE, INCLUSIVE])
def test_covers_what_signxml_alone_covers_and_leaves_the_tree_as_it_is(
    message: bytes, c14n: CanonicalizationMethod, verifier: XmlVerifier
) -> None:
    signed = by_signxml(message, pki.hospital(), pki.issuing(), c14n=c14n)
    tree = parse(signed)
    before = etree.tostring(tree.getroottree())
    verified = verifier.verify(signed, at=pki.NOW, tree=tree)
    assert etree.tostring(tree.getroottree()) == before
    alone = XMLVerifier().verify(
        signed,
        x509_cert=pki.hospital().certificate,
        expect_config=SignatureConfiguration(verification_time=pki.NOW),
    )
    assert not isinstance(alone, list)
    assert alone.signed_xml is not None
    assert verified.tree is not None
    assert verified.signed == alone.signed_data
    assert etree.tostring(verified.tree) == etree.tostring(alone.signed_xml)


def test_says_who_signed_and_what(signed: bytes, verifier: XmlVerifier) -> None:
    verified = verifier.verify(signed, at=pki.NOW)
    certificate = pki.hospital().certificate
    assert verified.covers == "whole message"
    assert verified.signer.org_no == pki.ORG_NO
    assert verified.signer.subject == certificate.subject.rfc4514_string()
    assert int(verified.signer.serial, 16) == certificate.serial_number
    assert verified.signer.not_after == certificate.not_valid_after_utc
    root = parse(verified.signed)
    assert root.tag == f"{{{MSGHEAD}}}MsgHead"
    assert not has_signature(root)
    assert root.findtext(".//mh:Id", namespaces=NAMESPACES) == PATIENT[1]


def test_signing_is_deterministic(keys: KeyStore, signed: bytes) -> None:
    assert XmlSigner(keys).sign(MESSAGE, org_no=None) == signed


def test_the_ports_are_met(keys: KeyStore, verifier: XmlVerifier) -> None:
    signer: MessageSigner = XmlSigner(keys)
    checker: MessageVerifier = verifier
    assert signer
    assert checker


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (b"<a/>", FormatError),
        (b'<Message xmlns="http://www.kith.no/xmlstds/epikrise/2012-02-15"/>', FormatError),
        (MESSAGE[:-20], GateRefusedError),
    ],
)
def test_signs_nothing_but_msghead(message: bytes, error: type[Exception], keys: KeyStore) -> None:
    with pytest.raises(error):
        XmlSigner(keys).sign(message, org_no=None)


def test_signs_nothing_twice(signed: bytes, keys: KeyStore) -> None:
    with pytest.raises(FormatError):
        XmlSigner(keys).sign(signed, org_no=None)


@pytest.mark.parametrize("c14n", [EXCLUSIVE, INCLUSIVE])
def test_verifies_both_canonicalizations(c14n: CanonicalizationMethod, verifier: XmlVerifier) -> None:
    signed = by_signxml(MESSAGE, pki.hospital(), pki.issuing(), c14n=c14n)
    assert PATIENT[0].encode() in verifier.verify(signed, at=pki.NOW).signed


def test_verifies_elliptic_curves(verifier: XmlVerifier) -> None:
    issued = pki.issue("EC", pki.ec_key(1), pki.issuing())
    signed = by_signxml(MESSAGE, issued, pki.issuing())
    assert verifier.verify(signed, at=pki.NOW).signer.org_no is None


def test_verifies_certificates_in_any_order(verifier: XmlVerifier) -> None:
    signed = by_signxml(MESSAGE, pki.issuing(), pki.hospital())
    with pytest.raises(SignatureRefusedError) as caught:
        verifier.verify(signed, at=pki.NOW)
    assert caught.value.reason == "signature-invalid"

    def reverse(_root: etree._Element, signature: etree._Element) -> None:
        data = find(signature, "KeyInfo/X509Data")
        data.append(data[0])

    good = by_signxml(MESSAGE, pki.hospital(), pki.issuing())
    assert verifier.verify(tampered(good, reverse), at=pki.NOW)


def test_verifies_with_what_others_put_into_x509_data(signed: bytes, verifier: XmlVerifier) -> None:
    def add(_root: etree._Element, signature: etree._Element) -> None:
        data = find(signature, "KeyInfo/X509Data")
        etree.SubElement(data, f"{{{DS}}}X509SubjectName").text = "CN=Someone else"

    assert verifier.verify(tampered(signed, add), at=pki.NOW)


def test_equal_ids_in_xhtml_are_no_matter(keys: KeyStore, verifier: XmlVerifier) -> None:
    xhtml = b'<div xmlns="http://www.w3.org/1999/xhtml"><p id="a">1</p><p id="a">2</p></div>'
    message = MESSAGE.replace(b"</Content>", xhtml + b"</Content>")
    assert verifier.verify(XmlSigner(keys).sign(message, org_no=None), at=pki.NOW)


def test_the_time_is_now_by_default_and_utc_without_a_zone(signed: bytes, verifier: XmlVerifier) -> None:
    naive = pki.NOW.replace(tzinfo=None)
    assert verifier.verify(signed, at=naive) == verifier.verify(signed, at=pki.NOW)
    end = pki.hospital().certificate.not_valid_after_utc
    if datetime.now(end.tzinfo) < end:
        assert verifier.verify(signed).signer.org_no == pki.ORG_NO


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        ("9999-12-31T23:59:59.999999-12:00", "certificate-expired"),
        ("9999-12-31T23:59:59", "certificate-expired"),
        ("0001-01-01T00:00:00+12:00", "certificate-not-yet-valid"),
        ("0001-01-01T00:00:00", "certificate-not-yet-valid"),
        ("1949-12-31T00:00:00Z", "certificate-not-yet-valid"),
    ],
)
def test_any_time_that_a_message_may_give(at: str, reason: str, signed: bytes, trust_file: Path) -> None:
    verifier = XmlVerifier(TrustStore.from_files([trust_file]))
    for _ in range(2):
        with pytest.raises(SignatureRefusedError) as caught:
            verifier.verify(signed, at=datetime.fromisoformat(at))
        assert caught.value.reason == reason
        verifier.verify(signed, at=pki.NOW)


def test_the_encoding_is_no_part_of_what_is_signed(signed: bytes, verifier: XmlVerifier) -> None:
    latin_1 = signed.replace(b"UTF-8", b"ISO-8859-1").decode().encode("latin-1")
    assert verifier.verify(latin_1, at=pki.NOW) == verifier.verify(signed, at=pki.NOW)


def test_large_certificates_are_not_remembered(verifier: XmlVerifier) -> None:
    comment = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"x" * 20_000)
    large = pki.issue("Large", pki.rsa_key(3), pki.issuing(), extra=comment)
    before = len(verifier._signers._known)
    assert verifier.verify(by_signxml(MESSAGE, large, pki.issuing()), at=pki.NOW)
    assert len(verifier._signers._known) == before


@pytest.mark.parametrize(
    ("days", "reason"), [(366, "certificate-expired"), (-366, "certificate-not-yet-valid")]
)
def test_a_remembered_certificate_still_expires(
    days: int, reason: str, signed: bytes, verifier: XmlVerifier
) -> None:
    for _ in range(2):
        verifier.verify(signed, at=pki.NOW)
        with pytest.raises(SignatureRefusedError) as caught:
            verifier.verify(signed, at=pki.NOW + timedelta(days=days))
        assert caught.value.reason == reason


def test_signxml_can_not_log_the_document(signed: bytes, keys: KeyStore, verifier: XmlVerifier) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    names = ("", "signxml", "signxml.processor")
    before = [logging.getLogger(name).level for name in names]
    logging.getLogger().addHandler(handler)
    try:
        for name in names:
            logging.getLogger(name).setLevel(logging.DEBUG)
        verifier.verify(signed, at=pki.NOW)
        XmlSigner(keys).sign(MESSAGE, org_no=None)
    finally:
        logging.getLogger().removeHandler(handler)
        for name, level in zip(names, before, strict=True):
            logging.getLogger(name).setLevel(level)
    assert stream.getvalue() == ""


def _leaf(path: Path) -> x509.Certificate:
    text = etree.parse(path).findtext(".//ds:X509Certificate", namespaces=NAMESPACES)
    assert text is not None
    return x509.load_der_x509_certificate(b64decode(text))


def _official(standards: Path, pattern: str) -> Path:
    return next((standards / "examples" / "signed").glob(pattern))


@pytest.mark.parametrize(
    ("pattern", "when"),
    [("M22*.xml", "2020-01-28T15:46:12+01:00"), ("M23*.xml", "2020-01-29T08:55:04+01:00")],
)
def test_official_examples_verify_as_of_their_time(pattern: str, when: str, standards: Path) -> None:
    path = _official(standards, pattern)
    at = datetime.fromisoformat(when)
    # The issuer's certificate is not in the message: the signer's own is trusted as it is.
    trust = TrustStore([_leaf(path)])
    verified = XmlVerifier(trust, allow_sha1=True).verify(path.read_bytes(), at=at)
    assert verified.signer.org_no == "889640782"
    assert b"Signature" not in verified.signed
    with pytest.raises(SignatureRefusedError) as caught:
        XmlVerifier(trust).verify(path.read_bytes(), at=at)
    assert caught.value.reason == "algorithm-not-allowed"


def test_an_official_example_that_was_indented_does_not_verify(standards: Path) -> None:
    path = _official(standards, "M3*.xml")
    at = datetime.fromisoformat("2019-07-17T12:00:00+02:00")
    with pytest.raises(SignatureRefusedError) as caught:
        XmlVerifier(TrustStore([_leaf(path)]), allow_sha1=True).verify(path.read_bytes(), at=at)
    assert caught.value.reason in {"signature-invalid", "digest-mismatch"}
    assert caught.value.faults[0].code == "S01"


def test_official_examples_are_not_trusted_without_their_issuer(standards: Path, trust_file: Path) -> None:
    verifier = XmlVerifier(TrustStore.from_files([trust_file]), allow_sha1=True)
    for path in sorted((standards / "examples" / "signed").glob("*.xml")):
        with pytest.raises(SignatureRefusedError) as caught:
            verifier.verify(path.read_bytes())
        assert caught.value.reason == "certificate-untrusted"
        assert caught.value.faults[0].code == "S02"
