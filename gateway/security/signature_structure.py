"""What a signature may look like: checked by us before the library sees the tree.

The library follows the general standard, which leaves an attacker room: transforms that it passes over in
silence, a signature that covers another element than the one that is read, comments that split a value. A
MsgHead message needs none of that room. What is allowed is listed here; all else is refused.

Source: W3C «XML Signature Best Practices», sections 2 and 3; HIS 80601 «Hodemelding», element Signature.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from lxml import etree

from gateway.security.errors import SignatureRefusedError

DS: Final = "http://www.w3.org/2000/09/xmldsig#"
MSGHEAD: Final = "http://www.kith.no/xmlstds/msghead/2006-05-24"
MSGHEAD_TAG: Final = f"{{{MSGHEAD}}}MsgHead"
SIGNATURE_TAG: Final = f"{{{DS}}}Signature"

ENVELOPED: Final = f"{DS}enveloped-signature"
EXCLUSIVE_C14N: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
INCLUSIVE_C14N: Final = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
_C14N_METHODS: Final = frozenset({EXCLUSIVE_C14N, INCLUSIVE_C14N})
_INCLUSIVE_NAMESPACES: Final = f"{{{EXCLUSIVE_C14N}}}InclusiveNamespaces"

_MORE: Final = "http://www.w3.org/2001/04/xmldsig-more#"
SIGNATURE_METHODS: Final = frozenset(
    f"{_MORE}{key}-{digest}" for key in ("rsa", "ecdsa") for digest in ("sha256", "sha384", "sha512")
)
DIGEST_METHODS: Final = frozenset(
    {
        "http://www.w3.org/2001/04/xmlenc#sha256",
        f"{_MORE}sha384",
        "http://www.w3.org/2001/04/xmlenc#sha512",
    }
)
OLD_SIGNATURE_METHODS: Final = frozenset({f"{DS}rsa-sha1"})
OLD_DIGEST_METHODS: Final = frozenset({f"{DS}sha1"})

_KEY_INFO_CHILDREN: Final = frozenset({"X509Data", "KeyValue"})
_X509_DATA_CHILDREN: Final = frozenset(
    {"X509Certificate", "X509IssuerSerial", "X509SubjectName", "X509SKI"},
)
_ATTRIBUTES: Final = frozenset({"Id", "Algorithm", "URI"})
_MAX_CERTIFICATES: Final = 8

_WHITESPACE: Final = b" \t\r\n"
_DS_ANYWHERE: Final = f"{{{DS}}}*"
# Ids inside xhtml text are an editor's, are often doubled, and can never be what a signature refers to.
_IDS: Final = etree.XPath(
    " | ".join(
        f"/descendant::*/@{name}[namespace-uri(..) != 'http://www.w3.org/1999/xhtml']"
        for name in ("Id", "ID", "id", "xml:id")
    ),
    namespaces={"xml": "http://www.w3.org/XML/1998/namespace"},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureParts:
    """What the rest of the check needs of a signature whose structure is good."""

    element: etree._Element
    certificates: tuple[bytes, ...]
    """DER, in the order of X509Data"""
    key_value: bool
    """Whether the key is also given on its own; it must then be the certificate's"""


def has_signature(root: etree._Element) -> bool:
    """Whether there is a signature, or a part of one, anywhere in a message."""
    return next(root.iter(_DS_ANYWHERE), None) is not None


def check_structure(root: etree._Element, *, allow_sha1: bool = False) -> SignatureParts:
    """Check that a MsgHead message has one signature of the one form that is allowed.

    Args:
        root: the root of a tree that came through the gate.
        allow_sha1: let RSA-SHA1 and SHA-1 digests through, to look at messages of old.

    Raises:
        SignatureRefusedError: with the reason.
    """
    signature = _only_signature(root)
    if next(signature.iter(etree.Comment, etree.ProcessingInstruction, etree.Entity), None) is not None:
        raise SignatureRefusedError("comment-in-signature")
    _check_ids(root)
    signed_info, value, key_info = _children(signature, "SignedInfo", "SignatureValue", "KeyInfo")
    _base64(value)
    _check_signed_info(signed_info, allow_sha1=allow_sha1)
    return _key_info(signature, key_info)


def _only_signature(root: etree._Element) -> etree._Element:
    tags = [element.tag for element in root.iter(_DS_ANYWHERE)]
    if not tags:
        raise SignatureRefusedError("no-signature")
    if root.tag != MSGHEAD_TAG:
        raise SignatureRefusedError("not-msghead")
    if tags.count(SIGNATURE_TAG) > 1:
        raise SignatureRefusedError("several-signatures")
    last = next(root.iterchildren("*", reversed=True))
    if last.tag != SIGNATURE_TAG:
        raise SignatureRefusedError("signature-wrapped")
    # Nothing of xmldsig outside the signature: no SignedInfo, Object or Reference to be taken for its own.
    if len(tags) != sum(1 for _ in last.iter(_DS_ANYWHERE)):
        raise SignatureRefusedError("signature-wrapped")
    return last


def _check_ids(root: etree._Element) -> None:
    found = _IDS(root)
    ids = [str(value) for value in found] if isinstance(found, list) else []
    if len(ids) != len(set(ids)):
        raise SignatureRefusedError("ambiguous-ids")


def _check_signed_info(signed_info: etree._Element, *, allow_sha1: bool) -> None:
    old = allow_sha1
    references = sum(1 for _ in signed_info.iterchildren(f"{{{DS}}}Reference"))
    if references != 1:
        raise SignatureRefusedError("reference-not-allowed")
    c14n, method, reference = _children(signed_info, "CanonicalizationMethod", "SignatureMethod", "Reference")
    _check_c14n(c14n, "c14n-not-allowed")
    _check_algorithm(method, SIGNATURE_METHODS | OLD_SIGNATURE_METHODS if old else SIGNATURE_METHODS)
    if reference.get("URI") != "":
        raise SignatureRefusedError("reference-not-allowed")
    transforms, digest_method, digest = _children(reference, "Transforms", "DigestMethod", "DigestValue")
    _check_transforms(transforms)
    _check_algorithm(digest_method, DIGEST_METHODS | OLD_DIGEST_METHODS if old else DIGEST_METHODS)
    _base64(digest)


def _check_transforms(transforms: etree._Element) -> None:
    """Enveloped-signature first, then at most one canonicalization."""
    children = list(transforms)
    for child in children:
        _check_element(child, "Transform")
    if not 1 <= len(children) <= 2 or children[0].get("Algorithm") != ENVELOPED or len(children[0]):
        raise SignatureRefusedError("transform-not-allowed")
    for transform in children[1:]:
        _check_c14n(transform, "transform-not-allowed")


def _check_c14n(element: etree._Element, reason: str) -> None:
    algorithm = element.get("Algorithm")
    if algorithm not in _C14N_METHODS or len(element) > (algorithm == EXCLUSIVE_C14N):
        raise SignatureRefusedError(reason)
    for child in element:
        if child.tag != _INCLUSIVE_NAMESPACES or len(child) or set(child.attrib) != {"PrefixList"}:
            raise SignatureRefusedError(reason)


def _check_algorithm(element: etree._Element, allowed: Collection[str]) -> None:
    if element.get("Algorithm") not in allowed:
        raise SignatureRefusedError("algorithm-not-allowed")
    if len(element):  # HMACOutputLength, parameters of PSS
        raise SignatureRefusedError("signature-structure")


def _key_info(signature: etree._Element, key_info: etree._Element) -> SignatureParts:
    names = [_name(child) for child in key_info]
    if (
        names.count("X509Data") != 1
        or names.count("KeyValue") > 1
        or not _KEY_INFO_CHILDREN.issuperset(names)
    ):
        raise SignatureRefusedError("key-info-not-allowed")
    data = key_info[names.index("X509Data")]
    kinds = [_name(child) for child in data]
    if not _X509_DATA_CHILDREN.issuperset(kinds):
        raise SignatureRefusedError("key-info-not-allowed")
    certificates = tuple(
        _base64(child) for child, kind in zip(data, kinds, strict=True) if kind == "X509Certificate"
    )
    if not 1 <= len(certificates) <= _MAX_CERTIFICATES:
        raise SignatureRefusedError("key-info-not-allowed")
    return SignatureParts(element=signature, certificates=certificates, key_value="KeyValue" in names)


def _children(parent: etree._Element, *names: str) -> list[etree._Element]:
    """Exactly these children, in this order."""
    children = list(parent)
    if [_name(child) for child in children] != list(names):
        raise SignatureRefusedError("signature-structure")
    for child, name in zip(children, names, strict=True):
        _check_element(child, name)
    return children


def _check_element(element: etree._Element, name: str) -> None:
    if element.tag != f"{{{DS}}}{name}" or not _ATTRIBUTES.issuperset(map(str, element.attrib)):
        raise SignatureRefusedError("signature-structure")


def _name(element: etree._Element) -> str:
    """The local name of an element of xmldsig; empty for any other."""
    tag = str(element.tag)
    return tag.removeprefix(f"{{{DS}}}") if tag.startswith(f"{{{DS}}}") else ""


def _base64(element: etree._Element) -> bytes:
    """The bytes of an element's text; only as an encoder writes them: no two texts mean the same bytes."""
    if len(element):
        raise SignatureRefusedError("signature-structure")
    text = value = b""
    try:
        text = (element.text or "").encode("ascii").translate(None, _WHITESPACE)
        value = b64decode(text, validate=True)
    except ValueError:  # UnicodeEncodeError and binascii.Error among them
        value = b""
    if not value or b64encode(value) != text:
        raise SignatureRefusedError("value-not-base64")
    return value
