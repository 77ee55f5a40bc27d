"""Signature wrapping (XSW 1 to 8) reshaped for MsgHead, and the smaller tricks; the untouched twin passes.

The numbers are those of Somorovsky and others, «On Breaking SAML: Be Whoever You Want to Be» (USENIX Security
2012): where they put the signed original and the forged part, in terms of MsgHead and its parts.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from copy import deepcopy

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml import etree
from signxml.signer import XMLSigner

from gateway.security.gate import parse
from gateway.security.signature import SignatureRefusedError, XmlVerifier
from gateway.security.signature_structure import DS, EXCLUSIVE_C14N, MSGHEAD
from tests.security import pki
from tests.security.messages import (
    MESSAGE,
    NAMESPACES,
    PATIENT,
    Change,
    assert_tells_nothing,
    ds,
    find,
    tampered,
)

Element = etree._Element
REFERENCE = "SignedInfo/Reference"
FORGED = "Ola Forged"


def part(root: Element, name: str) -> Element:
    found = root.find(f"mh:{name}", NAMESPACES)
    assert found is not None
    return found


def forge(element: Element) -> None:
    for name in element.iter(f"{{{MSGHEAD}}}Name"):
        name.text = FORGED


def bare(root: Element) -> Element:
    """The message as it was signed, without its signature."""
    copy = original_of(root)
    copy.remove(part_signature(copy))
    return copy


def original_of(element: Element) -> Element:
    """A copy that canonical XML can not tell from the original; comments would give it away at once."""
    copy = deepcopy(element)
    etree.strip_tags(copy, etree.Comment)
    return copy


def part_signature(root: Element) -> Element:
    found = root.find("ds:Signature", NAMESPACES)
    assert found is not None
    return found


def xsw1(root: Element, signature: Element) -> None:
    """A forged root; the original inside the signature."""
    original = bare(root)
    forge(root)
    signature.append(original)


def xsw2(root: Element, signature: Element) -> None:
    """A forged root; the original beside the signature."""
    original = bare(root)
    forge(root)
    signature.addprevious(original)


def xsw3(root: Element, _signature: Element) -> None:
    """A forged part before the original one."""
    info = part(root, "MsgInfo")
    forged = deepcopy(info)
    forge(forged)
    info.addprevious(forged)


def xsw4(root: Element, _signature: Element) -> None:
    """A forged part around the original one."""
    info = part(root, "MsgInfo")
    original = original_of(info)
    forge(info)
    info.append(original)


def xsw5(root: Element, signature: Element) -> None:
    """A forged part in its place; the original after the signature."""
    info = part(root, "MsgInfo")
    original = original_of(info)
    forge(info)
    signature.addnext(original)


def xsw6(root: Element, signature: Element) -> None:
    """A forged part in its place; the original inside the signature."""
    info = part(root, "MsgInfo")
    original = original_of(info)
    forge(info)
    signature.append(original)


def xsw7(root: Element, _signature: Element) -> None:
    """A forged part where the schema leaves room for anything."""
    content = root.find("mh:Document/mh:RefDoc/mh:Content", NAMESPACES)
    assert content is not None
    forged = deepcopy(part(root, "MsgInfo"))
    forge(forged)
    content.append(forged)


def xsw8(root: Element, signature: Element) -> None:
    """A forged part in its place; the original in an Object of the signature."""
    info = part(root, "MsgInfo")
    holder = ds("Object")
    holder.append(original_of(info))
    forge(info)
    signature.append(holder)


WRAPPED: dict[str, tuple[Change, str, str]] = {
    "xsw1": (xsw1, "signature-structure", "ambiguous-ids"),
    "xsw2": (xsw2, "digest-mismatch", "ambiguous-ids"),
    "xsw3": (xsw3, "digest-mismatch", "ambiguous-ids"),
    "xsw4": (xsw4, "digest-mismatch", "ambiguous-ids"),
    "xsw5": (xsw5, "signature-wrapped", "signature-wrapped"),
    "xsw6": (xsw6, "signature-structure", "ambiguous-ids"),
    "xsw7": (xsw7, "digest-mismatch", "ambiguous-ids"),
    "xsw8": (xsw8, "signature-structure", "ambiguous-ids"),
}


def by_reference() -> bytes:
    """Signed by a good key over a part that is named by its id, as SAML does: the soil for wrapping."""
    message = MESSAGE.replace(b"<MsgInfo>", b'<MsgInfo Id="part">')
    signed = XMLSigner(signature_algorithm="rsa-sha256", c14n_algorithm=EXCLUSIVE_C14N).sign(
        etree.fromstring(message),
        key=pki.hospital().key,
        cert=[pki.hospital().certificate, pki.issuing().certificate],
        reference_uri="#part",
    )
    return etree.tostring(signed)


def reason(verifier: XmlVerifier, data: bytes) -> str:
    with pytest.raises(SignatureRefusedError) as caught:
        verifier.verify(data, at=pki.NOW)
    assert_tells_nothing(caught.value)
    assert FORGED not in str(caught.value)
    return caught.value.reason


@pytest.mark.parametrize(("change", "expected"), [w[:2] for w in WRAPPED.values()], ids=WRAPPED.keys())
def test_wrapping_a_message_signed_as_a_whole(
    change: Change, expected: str, signed: bytes, verifier: XmlVerifier
) -> None:
    assert PATIENT[0].encode() in verifier.verify(signed, at=pki.NOW).signed
    attacked = tampered(signed, change)
    assert FORGED.encode() in attacked
    assert reason(verifier, attacked) == expected


@pytest.mark.parametrize(("change", "expected"), [w[::2] for w in WRAPPED.values()], ids=WRAPPED.keys())
def test_wrapping_a_part_signed_by_its_id(change: Change, expected: str, verifier: XmlVerifier) -> None:
    attacked = tampered(by_reference(), change)
    assert FORGED.encode() in attacked
    assert reason(verifier, attacked) == expected


def test_a_part_signed_by_its_id_is_no_signed_message(verifier: XmlVerifier) -> None:
    assert reason(verifier, by_reference()) == "reference-not-allowed"


def instruction_in(path: str) -> Change:
    def change(_root: Element, signature: Element) -> None:
        element = find(signature, path)
        text = element.text or ""
        element.text = text[:5]
        instruction = etree.ProcessingInstruction("x", "y")
        instruction.tail = text[5:]
        element.append(instruction)

    return change


def algorithm(path: str, uri: str) -> Change:
    return lambda _root, signature: find(signature, path).set("Algorithm", uri)


def reference(uri: str) -> Change:
    return lambda _root, signature: find(signature, REFERENCE).set("URI", uri)


def without_uri(_root: Element, signature: Element) -> None:
    del find(signature, REFERENCE).attrib["URI"]


def hmac_with_public_key(digest: str, uri: str, *, bits: int | None = None) -> Change:
    """The oldest trick: the public key, which everyone has, used as if it were a shared secret."""

    def change(_root: Element, signature: Element) -> None:
        info = find(signature, "SignedInfo")
        method = find(signature, "SignedInfo/SignatureMethod")
        method.set("Algorithm", uri)
        if bits is not None:
            length = ds("HMACOutputLength")
            length.text = str(bits)
            method.append(length)
        secret = pki.hospital().key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        canonical = etree.tostring(info, method="c14n", exclusive=True)
        value = hmac.new(secret, canonical, digest).digest()
        find(signature, "SignatureValue").text = b64encode(value[: bits // 8 if bits else None]).decode()

    return change


MORE = "http://www.w3.org/2001/04/xmldsig-more#"
TRICKS: dict[str, tuple[Change, str]] = {
    "instruction-in-digest": (instruction_in(f"{REFERENCE}/DigestValue"), "comment-in-signature"),
    "instruction-in-value": (instruction_in("SignatureValue"), "comment-in-signature"),
    "instruction-in-certificate": (
        instruction_in("KeyInfo/X509Data/X509Certificate"),
        "comment-in-signature",
    ),
    "reference-to-the-web": (reference("http://127.0.0.1:9/x.xml"), "reference-not-allowed"),
    "reference-by-xpointer-id": (reference("#xpointer(id('x'))"), "reference-not-allowed"),
    "reference-without-uri": (without_uri, "reference-not-allowed"),
    "unknown-transform": (
        algorithm(f"{REFERENCE}/Transforms/Transform[2]", "urn:unknown"),
        "transform-not-allowed",
    ),
    "md5": (algorithm("SignedInfo/SignatureMethod", f"{MORE}rsa-md5"), "algorithm-not-allowed"),
    "digest-md5": (algorithm(f"{REFERENCE}/DigestMethod", f"{MORE}md5"), "algorithm-not-allowed"),
    "sha224": (algorithm("SignedInfo/SignatureMethod", f"{MORE}rsa-sha224"), "algorithm-not-allowed"),
    "dsa": (algorithm("SignedInfo/SignatureMethod", f"{DS}dsa-sha1"), "algorithm-not-allowed"),
    "unknown-algorithm": (algorithm("SignedInfo/SignatureMethod", "urn:none"), "algorithm-not-allowed"),
    "hmac-with-the-public-key": (
        hmac_with_public_key("sha256", f"{MORE}hmac-sha256"),
        "algorithm-not-allowed",
    ),
    "hmac-sha1-with-the-public-key": (
        hmac_with_public_key("sha1", f"{DS}hmac-sha1"),
        "algorithm-not-allowed",
    ),
    "truncated-hmac": (
        hmac_with_public_key("sha256", f"{MORE}hmac-sha256", bits=8),
        "algorithm-not-allowed",
    ),
    "relative-namespace": (
        lambda root, _signature: root.insert(0, etree.Element("{relative}x")),
        "canonicalization-failed",
    ),
}


@pytest.mark.parametrize(("change", "expected"), TRICKS.values(), ids=TRICKS.keys())
def test_smaller_tricks(change: Change, expected: str, signed: bytes, verifier: XmlVerifier) -> None:
    verifier.verify(signed, at=pki.NOW)
    assert reason(verifier, tampered(signed, change)) == expected


NAME = PATIENT[0].encode()
SPLIT = {
    "comment": NAME.replace(b"Canary", b"Can<!-- x -->ary"),
    "cdata": NAME.replace(b"Canary", b"<![CDATA[Canary]]>"),
    "reference": NAME.replace(b"Canary", b"&#67;anary"),
}


@pytest.mark.parametrize("name", SPLIT.values(), ids=SPLIT.keys())
def test_a_name_that_is_split_is_read_as_it_was_signed(
    name: bytes, signed: bytes, verifier: XmlVerifier
) -> None:
    """What is read on is the canonical form: whole, without the comment that would cut a name short."""
    read = parse(verifier.verify(signed.replace(NAME, name), at=pki.NOW).signed)
    assert read.findtext(".//{*}Patient/{*}Name") == PATIENT[0]


def test_an_instruction_in_a_name_is_refused(signed: bytes, verifier: XmlVerifier) -> None:
    assert reason(verifier, signed.replace(NAME, NAME.replace(b"Canary", b"Can<?x?>ary"))) == (
        "digest-mismatch"
    )


def test_cdata_in_the_digest_says_what_the_digest_says(signed: bytes, verifier: XmlVerifier) -> None:
    """Canonical XML knows no CDATA: the same signature, written otherwise."""
    digest = find(part_signature(etree.fromstring(signed)), f"{REFERENCE}/DigestValue").text
    assert digest is not None
    other = signed.replace(digest.encode(), b"<![CDATA[" + digest.encode() + b"]]>")
    assert verifier.verify(other, at=pki.NOW).signed == verifier.verify(signed, at=pki.NOW).signed
    forged = signed.replace(digest.encode(), b"<![CDATA[" + b64encode(b"x" * 32) + b"]]>")
    assert reason(verifier, forged) == "signature-invalid"


def test_cdata_in_the_value_says_what_the_value_says(signed: bytes, verifier: XmlVerifier) -> None:
    value = find(part_signature(etree.fromstring(signed)), "SignatureValue").text
    assert value is not None
    other = signed.replace(value.encode(), b"<![CDATA[" + value.encode() + b"]]>")
    assert verifier.verify(other, at=pki.NOW).signed == verifier.verify(signed, at=pki.NOW).signed
    forged = signed.replace(value.encode(), b"<![CDATA[" + b64encode(b"x" * 256) + b"]]>")
    assert reason(verifier, forged) == "signature-invalid"


HALF = pki.YEAR / 2
LEAF = {
    "weak-rsa": (pki.issue("W", pki.rsa_key(8, 1024), pki.issuing()), "weak-key"),
    "expired": (
        pki.issue("X", pki.rsa_key(2), pki.issuing(), end=pki.NOW - HALF),
        "certificate-expired",
    ),
    "future": (
        pki.issue("F", pki.rsa_key(2), pki.issuing(), start=pki.NOW + HALF),
        "certificate-not-yet-valid",
    ),
    "self-signed": (pki.issue("S", pki.rsa_key(2)), "certificate-untrusted"),
    "wrong-issuer": (
        pki.issue("I", pki.rsa_key(2), pki.Issued(certificate=pki.issuing().certificate, key=pki.rsa_key(7))),
        "certificate-untrusted",
    ),
    "wrong-usage": (
        pki.issue("U", pki.rsa_key(2), pki.issuing(), key_usage=pki.usage(key_encipherment=True)),
        "key-usage",
    ),
}


def signed_by(*chain: pki.Issued) -> bytes:
    signed = XMLSigner(signature_algorithm="rsa-sha256", c14n_algorithm=EXCLUSIVE_C14N).sign(
        etree.fromstring(MESSAGE), key=chain[0].key, cert=[one.certificate for one in chain]
    )
    return etree.tostring(signed)


@pytest.mark.parametrize(("leaf", "expected"), LEAF.values(), ids=LEAF.keys())
def test_certificates(leaf: pki.Issued, expected: str, verifier: XmlVerifier) -> None:
    assert verifier.verify(signed_by(pki.hospital(), pki.issuing()), at=pki.NOW)
    assert reason(verifier, signed_by(leaf, pki.issuing())) == expected


def test_a_hospital_as_an_issuer(verifier: XmlVerifier) -> None:
    """Another's name, issued with a hospital's own good key."""
    leaf = pki.issue("L", pki.rsa_key(3), pki.hospital())
    assert reason(verifier, signed_by(leaf, pki.issuing())) == "certificate-untrusted"
    assert reason(verifier, signed_by(leaf, pki.hospital(), pki.issuing())) == "certificate-ambiguous"
