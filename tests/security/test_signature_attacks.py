"""What an attacker would try: each changes a message that is signed with a good key."""

from __future__ import annotations

from base64 import b64encode
from copy import deepcopy

import pytest
from lxml import etree

from gateway.security.errors import SIGNATURE_REASONS
from gateway.security.signature import SignatureRefusedError, XmlVerifier
from gateway.security.signature_structure import DS, ENVELOPED, EXCLUSIVE_C14N, MSGHEAD
from tests.security import pki
from tests.security.messages import (
    NAMESPACES,
    PATIENT,
    Change,
    assert_tells_nothing,
    ds,
    find,
    tampered,
)

Element = etree._Element
SHA1 = f"{DS}sha1"


def set_attribute(path: str, name: str, value: str) -> Change:
    return lambda _root, signature: find(signature, path).set(name, value)


def set_text(path: str, text: str) -> Change:
    def change(_root: Element, signature: Element) -> None:
        find(signature, path).text = text

    return change


def append(path: str, child: Element) -> Change:
    return lambda _root, signature: find(signature, path).append(deepcopy(child))


def remove(path: str) -> Change:
    def change(_root: Element, signature: Element) -> None:
        element = find(signature, path)
        parent = element.getparent()
        assert parent is not None
        parent.remove(element)

    return change


def other_text(root: Element, _signature: Element) -> None:
    for name in root.iter(f"{{{MSGHEAD}}}Name"):
        name.text = "Ola Canary"


def unsigned_copy(root: Element) -> Element:
    copy = deepcopy(root)
    for element in copy.findall("ds:Signature", NAMESPACES):
        copy.remove(element)
    etree.strip_tags(copy, etree.Comment)
    return copy


def wrap_root(root: Element, signature: Element) -> None:
    """The signed message moves into an envelope of the attacker's, with the signature still on top."""
    original = unsigned_copy(root)
    other_text(root, signature)
    document = root.find("mh:Document", NAMESPACES)
    assert document is not None
    document.append(original)


def wrap_into_object(root: Element, signature: Element) -> None:
    original = unsigned_copy(root)
    other_text(root, signature)
    holder = ds("Object", Id="original")
    holder.append(original)
    signature.append(holder)
    find(signature, "SignedInfo/Reference").set("URI", "#original")


def move_down(root: Element, signature: Element) -> None:
    document = root.find("mh:Document", NAMESPACES)
    assert document is not None
    document.append(signature)


def move_first(root: Element, signature: Element) -> None:
    root.insert(0, signature)


def after_signature(root: Element, _signature: Element) -> None:
    etree.SubElement(root, f"{{{MSGHEAD}}}Document")


def second_signature(root: Element, signature: Element) -> None:
    root.append(deepcopy(signature))


def nested_signature(root: Element, signature: Element) -> None:
    document = root.find("mh:Document", NAMESPACES)
    assert document is not None
    document.append(deepcopy(signature))


def stray_signed_info(root: Element, signature: Element) -> None:
    root.insert(0, deepcopy(find(signature, "SignedInfo")))


def second_signed_info(_root: Element, signature: Element) -> None:
    copy = deepcopy(find(signature, "SignedInfo"))
    find(copy, "Reference/DigestValue").text = b64encode(b"x" * 32).decode()
    signature.insert(0, copy)


def second_reference(_root: Element, signature: Element) -> None:
    find(signature, "SignedInfo").append(deepcopy(find(signature, "SignedInfo/Reference")))


def comment_in(path: str) -> Change:
    def change(_root: Element, signature: Element) -> None:
        element = find(signature, path)
        text = element.text or ""
        element.text = text[:5]
        comment = etree.Comment("x")
        comment.tail = text[5:]
        element.append(comment)

    return change


def instruction_in_signature(_root: Element, signature: Element) -> None:
    signature.append(etree.ProcessingInstruction("x", "y"))


def same_ids(first: str, second: str) -> Change:
    def change(root: Element, _signature: Element) -> None:
        elements = list(root.iterchildren(f"{{{MSGHEAD}}}*"))
        elements[0].set(first, "same")
        elements[1].set(second, "same")

    return change


def transform(algorithm: str, *, text: str | None = None) -> Change:
    def change(_root: Element, signature: Element) -> None:
        element = ds("Transform", Algorithm=algorithm)
        if text is not None:
            etree.SubElement(element, f"{{{DS}}}XPath").text = text
        find(signature, "SignedInfo/Reference/Transforms").insert(1, element)

    return change


def without_c14n_but(algorithm: str) -> Change:
    def change(_root: Element, signature: Element) -> None:
        transforms = find(signature, "SignedInfo/Reference/Transforms")
        transforms[1].set("Algorithm", algorithm)

    return change


def not_enveloped(_root: Element, signature: Element) -> None:
    transforms = find(signature, "SignedInfo/Reference/Transforms")
    transforms.remove(transforms[0])


def key_value(_root: Element, signature: Element) -> None:
    """The attacker's own key beside the good certificate."""
    numbers = pki.rsa_key(9).public_key().public_numbers()
    value = ds("KeyValue")
    rsa = etree.SubElement(value, f"{{{DS}}}RSAKeyValue")
    for name, number in (("Modulus", numbers.n), ("Exponent", numbers.e)):
        octets = number.to_bytes((number.bit_length() + 7) // 8, "big")
        etree.SubElement(rsa, f"{{{DS}}}{name}").text = b64encode(octets).decode()
    find(signature, "KeyInfo").append(value)


def key_value_alone(root: Element, signature: Element) -> None:
    key_value(root, signature)
    remove("KeyInfo/X509Data")(root, signature)


def other_certificate(issued: pki.Issued) -> Change:
    def change(_root: Element, signature: Element) -> None:
        data = find(signature, "KeyInfo/X509Data")
        body = "".join(issued.pem.decode().splitlines()[1:-1])
        data[0].text = body

    return change


def self_signed() -> pki.Issued:
    return pki.issue("Canary", pki.rsa_key(9))


def split_base64(_root: Element, signature: Element) -> None:
    """The spare bits of the last character: another text for the same bytes, or not quite."""
    value = find(signature, "SignatureValue")
    text = value.text or ""
    assert text.endswith("==")
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    value.text = text[:-3] + digits[digits.index(text[-3]) ^ 1] + "=="


REFERENCE = "SignedInfo/Reference"
ATTACKS: dict[str, tuple[Change, str]] = {
    "changed-text": (other_text, "digest-mismatch"),
    "changed-digest": (
        set_text(f"{REFERENCE}/DigestValue", b64encode(b"x" * 32).decode()),
        "signature-invalid",
    ),
    "changed-value": (set_text("SignatureValue", b64encode(b"x" * 256).decode()), "signature-invalid"),
    "short-value": (set_text("SignatureValue", b64encode(b"x").decode()), "signature-invalid"),
    "empty-value": (set_text("SignatureValue", ""), "value-not-base64"),
    "other-text-for-same-value": (split_base64, "value-not-base64"),
    "noise-in-digest": (set_text(f"{REFERENCE}/DigestValue", "!!!!"), "value-not-base64"),
    "wrapped-in-message": (wrap_root, "digest-mismatch"),
    "wrapped-in-object": (wrap_into_object, "signature-structure"),
    "moved-down": (move_down, "signature-wrapped"),
    "moved-first": (move_first, "signature-wrapped"),
    "content-after-signature": (after_signature, "signature-wrapped"),
    "second-signature": (second_signature, "several-signatures"),
    "nested-signature": (nested_signature, "several-signatures"),
    "stray-signed-info": (stray_signed_info, "signature-wrapped"),
    "second-signed-info": (second_signed_info, "signature-structure"),
    "second-reference": (second_reference, "reference-not-allowed"),
    "reference-to-id": (set_attribute(REFERENCE, "URI", "#x"), "reference-not-allowed"),
    "reference-to-file": (set_attribute(REFERENCE, "URI", "file:///etc/passwd"), "reference-not-allowed"),
    "reference-by-xpointer": (set_attribute(REFERENCE, "URI", "#xpointer(/)"), "reference-not-allowed"),
    "no-reference": (remove(REFERENCE), "reference-not-allowed"),
    "typed-reference": (set_attribute(REFERENCE, "Type", f"{DS}Object"), "signature-structure"),
    "comment-in-digest": (comment_in(f"{REFERENCE}/DigestValue"), "comment-in-signature"),
    "comment-in-value": (comment_in("SignatureValue"), "comment-in-signature"),
    "comment-in-certificate": (comment_in("KeyInfo/X509Data/X509Certificate"), "comment-in-signature"),
    "instruction": (instruction_in_signature, "comment-in-signature"),
    "xpath": (
        transform("http://www.w3.org/TR/1999/REC-xpath-19991116", text="not(ancestor::*)"),
        "transform-not-allowed",
    ),
    "xpath-filter": (transform("http://www.w3.org/2002/06/xmldsig-filter2"), "transform-not-allowed"),
    "xslt": (transform("http://www.w3.org/TR/1999/REC-xslt-19991116"), "transform-not-allowed"),
    "base64": (transform(f"{DS}base64"), "transform-not-allowed"),
    "enveloped-twice": (transform(ENVELOPED), "transform-not-allowed"),
    "c14n-twice": (transform(EXCLUSIVE_C14N), "transform-not-allowed"),
    "with-comments": (without_c14n_but(f"{EXCLUSIVE_C14N}WithComments"), "transform-not-allowed"),
    "xslt-for-c14n": (
        without_c14n_but("http://www.w3.org/TR/1999/REC-xslt-19991116"),
        "transform-not-allowed",
    ),
    "not-enveloped": (not_enveloped, "transform-not-allowed"),
    "no-transforms": (remove(f"{REFERENCE}/Transforms"), "signature-structure"),
    "child-of-transform": (
        append(f"{REFERENCE}/Transforms/Transform", ds("XPath")),
        "transform-not-allowed",
    ),
    "c14n-of-signed-info": (
        set_attribute(
            "SignedInfo/CanonicalizationMethod", "Algorithm", "http://www.w3.org/2006/12/xml-c14n11"
        ),
        "c14n-not-allowed",
    ),
    "c14n-with-comments": (
        set_attribute("SignedInfo/CanonicalizationMethod", "Algorithm", f"{EXCLUSIVE_C14N}WithComments"),
        "c14n-not-allowed",
    ),
    "hmac": (
        set_attribute("SignedInfo/SignatureMethod", "Algorithm", f"{DS}hmac-sha1"),
        "algorithm-not-allowed",
    ),
    "hmac-sha256": (
        set_attribute(
            "SignedInfo/SignatureMethod", "Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"
        ),
        "algorithm-not-allowed",
    ),
    "rsa-sha1": (
        set_attribute("SignedInfo/SignatureMethod", "Algorithm", f"{DS}rsa-sha1"),
        "algorithm-not-allowed",
    ),
    "digest-sha1": (
        set_attribute(f"{REFERENCE}/DigestMethod", "Algorithm", SHA1),
        "algorithm-not-allowed",
    ),
    "truncated-output": (append("SignedInfo/SignatureMethod", ds("HMACOutputLength")), "signature-structure"),
    "ecdsa-with-rsa-key": (
        set_attribute(
            "SignedInfo/SignatureMethod", "Algorithm", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
        ),
        "signature-structure",
    ),
    "object": (lambda _r, s: s.append(ds("Object")), "signature-structure"),
    "no-key-info": (remove("KeyInfo"), "signature-structure"),
    "no-x509": (remove("KeyInfo/X509Data"), "key-info-not-allowed"),
    "two-x509": (append("KeyInfo", ds("X509Data")), "key-info-not-allowed"),
    "no-certificate": (lambda _r, s: find(s, "KeyInfo/X509Data").clear(), "key-info-not-allowed"),
    "key-value-of-another": (key_value, "key-info-not-allowed"),
    "key-value-alone": (key_value_alone, "key-info-not-allowed"),
    "retrieval-method": (
        append("KeyInfo", ds("RetrievalMethod", URI="http://127.0.0.1:9/key")),
        "key-info-not-allowed",
    ),
    "crl": (append("KeyInfo/X509Data", ds("X509CRL")), "key-info-not-allowed"),
    "not-a-certificate": (
        set_text("KeyInfo/X509Data/X509Certificate", b64encode(b"canary").decode()),
        "certificate-unreadable",
    ),
    "certificate-of-another": (other_certificate(self_signed()), "certificate-untrusted"),
    "id-and-id": (same_ids("Id", "Id"), "ambiguous-ids"),
    "id-and-capital-id": (same_ids("Id", "ID"), "ambiguous-ids"),
    "id-and-small-id": (same_ids("id", "Id"), "ambiguous-ids"),
    "id-and-xml-id": (same_ids("{http://www.w3.org/XML/1998/namespace}id", "ID"), "ambiguous-ids"),
    "xml-id-in-signature": (
        set_attribute("SignedInfo", "{http://www.w3.org/XML/1998/namespace}id", "x"),
        "signature-structure",
    ),
}


@pytest.mark.parametrize(("change", "reason"), ATTACKS.values(), ids=ATTACKS.keys())
def test_refuses(change: Change, reason: str, signed: bytes, verifier: XmlVerifier) -> None:
    verifier.verify(signed, at=pki.NOW)
    with pytest.raises(SignatureRefusedError) as caught:
        verifier.verify(tampered(signed, change), at=pki.NOW)
    assert caught.value.reason == reason
    assert reason in SIGNATURE_REASONS
    assert [fault.code for fault in caught.value.faults] == [SIGNATURE_REASONS[reason][1]]
    assert caught.value.faults[0].code in {"S01", "S02", "S03", "S99"}
    assert_tells_nothing(caught.value)
    assert "Canary" not in str(caught.value)


def test_refuses_what_is_not_msghead(signed: bytes, verifier: XmlVerifier) -> None:
    wrapped = b"<Envelope>" + signed[signed.index(b"<MsgHead") :] + b"</Envelope>"
    with pytest.raises(SignatureRefusedError) as caught:
        verifier.verify(wrapped, at=pki.NOW)
    assert caught.value.reason == "not-msghead"


def test_refuses_what_is_not_signed(signed: bytes, verifier: XmlVerifier) -> None:
    bare = tampered(signed, lambda root, signature: root.remove(signature))
    with pytest.raises(SignatureRefusedError) as caught:
        verifier.verify(bare, at=pki.NOW)
    assert caught.value.reason == "no-signature"


def test_what_stands_outside_the_root_or_in_comments_is_not_in_what_was_signed(
    signed: bytes, verifier: XmlVerifier
) -> None:
    noisy = tampered(signed, lambda root, _: root.insert(0, etree.Comment("canary")))
    noisy = noisy.replace(b"<MsgHead", b"<!-- canary --><?canary?><MsgHead", 1) + b"<?canary?>"
    verified = verifier.verify(noisy, at=pki.NOW)
    assert b"canary" not in verified.signed
    assert verified.signed == verifier.verify(signed, at=pki.NOW).signed


def test_the_patient_is_in_the_message_so_that_the_canary_can_sing(signed: bytes) -> None:
    assert all(value.encode() in signed for value in PATIENT)
