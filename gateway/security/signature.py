"""Signatures on MsgHead messages: XML-DSig, enveloped, over the whole message.

Source: HIS 80601 «Hodemelding», element Signature; W3C «XML Signature Syntax and Processing».
"""

from __future__ import annotations

import logging
import re
from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.exceptions import InvalidDigest, InvalidSignature, SignXMLException
from signxml.verifier import SignatureConfiguration, XMLVerifier

from gateway.contracts.errors import FormatError
from gateway.contracts.ports import Verified
from gateway.security import signature_structure as structure
from gateway.security.errors import SignatureRefusedError
from gateway.security.gate import Limits, hardened_parser, parse
from gateway.security.keys import KeyStore, SigningKey
from gateway.security.signature_structure import SignatureParts, check_structure, has_signature
from gateway.security.signers import RevocationCheck, SignerCheck
from gateway.security.trust import TrustStore
from gateway.security.watched import Watched

__all__ = ["SignatureRefusedError", "XmlSigner", "XmlVerifier", "has_signature"]

_DECLARATION: Final = b'<?xml version="1.0" encoding="UTF-8"?>\n'
_COVERS: Final = "whole message"
_PARSER: Final = hardened_parser()
_EMPTY: Final = re.compile(r"<([^ >]+)([^>]*)/>")


def _never(_record: logging.LogRecord) -> bool:
    return False


# signxml writes whole documents, patients and all, at DEBUG. A filter holds whatever level anyone sets later.
for _name in ("signxml", "signxml.processor", "signxml.signer", "signxml.verifier"):
    logging.getLogger(_name).addFilter(_never)


class XmlSigner:
    """Signs as signxml does, without its repeated parsing and copying.

    A test holds the two together, byte for byte (but for a message that itself declares the namespace of
    xmldsig under another prefix than `ds`, where both are right in their own way).

    RSA-SHA256 and exclusive c14n over the whole message; the certificate, and those of its issuers that lie
    beside it, go along. RSA with PKCS#1 v1.5 is deterministic: same message, same key, same bytes.
    """

    def __init__(self, keys: KeyStore) -> None:
        """Sign with these keys."""
        self._keys = keys
        self._templates: dict[SigningKey, _Template] = {}

    def sign(self, message: bytes, *, org_no: str | None, tree: etree._Element | None = None) -> bytes:
        """Sign with the key of the organisation, or with the default where there is none for it.

        Args:
            message: a MsgHead message in UTF-8, without a signature.
            org_no: nine digits.
            tree: the message as its caller has parsed it, where that is written as lxml writes a tree, with a
                declaration: it then goes out as it is.

        Returns:
            The message with the signature as last child of MsgHead, in UTF-8 with a declaration.

        Raises:
            FormatError: it is no MsgHead message, or is signed already.
        """
        root = parse(message) if tree is None else tree
        if root.tag != structure.MSGHEAD_TAG:
            raise FormatError("Only a MsgHead message can be signed.")
        if has_signature(root):
            raise FormatError("The message is signed already.")
        key = self._keys.for_organisation(org_no)
        written = message if tree is not None else _written(root)
        before, _, end = written.rpartition(b"</")
        return b"".join((before, self._signature(root, key), b"</", end))

    def _signature(self, root: etree._Element, key: SigningKey) -> bytes:
        prefixes = [prefix for prefix, namespace in root.nsmap.items() if namespace == structure.DS]
        template = (
            _signature_template(key, prefix=prefixes[0], declared=True) if prefixes else self._template(key)
        )
        digest = b64encode(sha256(_exclusive_c14n(root)).digest())
        signed_info = digest.join(template.canonical_signed_info)
        value = b64encode(key.private.sign(signed_info, PKCS1v15(), SHA256()))
        before_digest, before_value, after = template.written
        return b"".join((before_digest, digest, before_value, value, after))

    def _template(self, key: SigningKey) -> _Template:
        template = self._templates.get(key)
        if template is None:
            template = self._templates[key] = _signature_template(key)
        return template


class _Verifier(XMLVerifier):
    """signxml's verifier for the root of a document: it is not written and parsed once more to begin with.

    Nothing is checked less: signxml takes the signature and the message out of this tree by writing and
    parsing them, and changes and canonicalises only those copies. The copy before is for an element from
    inside a document, which has its parents' namespaces.
    """

    def get_root(self, data: etree._Element) -> etree._Element:
        """The tree itself."""
        return data


class XmlVerifier:
    """Checks signatures: our own structure check, path and policy; the arithmetic is signxml's."""

    def __init__(
        self,
        trust: TrustStore | Watched[TrustStore],
        *,
        revocation: RevocationCheck | None = None,
        accept_digital_signature: bool = False,
        allow_sha1: bool = False,
        limits: Limits | None = None,
    ) -> None:
        """Trust what the store trusts.

        Args:
            trust: roots and revocation lists.
            revocation: further lists and responders.
            accept_digital_signature: take certificates for authentication (key usage digitalSignature), too.
            allow_sha1: take RSA-SHA1, to look at messages of old.
            limits: of the gate.
        """
        self._signers = SignerCheck(
            trust, revocation=revocation, accept_digital_signature=accept_digital_signature
        )
        self._allow_sha1 = allow_sha1
        self._limits = limits or Limits()
        methods, digests = structure.SIGNATURE_METHODS, structure.DIGEST_METHODS
        if allow_sha1:
            methods |= structure.OLD_SIGNATURE_METHODS
            digests |= structure.OLD_DIGEST_METHODS
        self._methods = frozenset(SignatureMethod(method) for method in methods)
        self._digests = frozenset(DigestAlgorithm(digest) for digest in digests)

    def verify(
        self, message: bytes, *, at: datetime | None = None, tree: etree._Element | None = None
    ) -> Verified:
        """Check the signature of a MsgHead message, and its certificate at a time (now by default).

        Args:
            message: as received.
            at: a time without a zone is UTC.
            tree: the message as it came through the gate, where its caller has it; it is not changed.

        Raises:
            GateRefusedError: the message is not let in.
            SignatureRefusedError: `reason` is a key of `SIGNATURE_REASONS`; the fault is S01, S02, S03 or
                S99.
            RevocationUnknownError: it can not be found out now whether the certificate is revoked.
        """
        root = parse(message, self._limits) if tree is None else tree
        parts = check_structure(root, allow_sha1=self._allow_sha1)
        when = _utc(at) if at is not None else datetime.now(UTC)
        path, signer = self._signers.check(parts.certificates, when)
        signed, covered = self._signed(root, parts, path.certificates[0], when)
        return Verified(signer=signer, covers=_COVERS, signed=signed, tree=covered)

    def _signed(
        self, root: etree._Element, parts: SignatureParts, certificate: x509.Certificate, at: datetime
    ) -> tuple[bytes, etree._Element]:
        """The bytes that the signature covers, if it is good, and the tree that they were parsed into."""
        configuration = SignatureConfiguration(
            location="./",
            expect_references=1,
            signature_methods=self._methods,
            digest_algorithms=self._digests,
            # XML-DSig, section 4.4.3.2: where no canonicalization is named it is this one.
            default_reference_c14n_method=CanonicalizationMethod.CANONICAL_XML_1_0,
            verification_time=at,
        )
        try:
            result = _Verifier().verify(
                root, x509_cert=certificate, parser=_PARSER, expect_config=configuration
            )
        except InvalidDigest:
            reason = "digest-mismatch"
        except InvalidSignature:
            reason = "signature-invalid"
        except etree.DocumentInvalid:
            reason = "signature-structure"
        except etree.LxmlError:
            reason = "canonicalization-failed"
        except (SignXMLException, UnsupportedAlgorithm, ValueError, TypeError, LookupError, AttributeError):
            reason = "key-info-not-allowed" if parts.key_value else "signature-structure"
        else:
            if not isinstance(result, list) and result.signed_xml is not None:
                return bytes(result.signed_data), result.signed_xml
            reason = "reference-not-allowed"
        # The library's texts may hold values: they go no further, not even as the context of ours.
        raise SignatureRefusedError(reason)


def _utc(at: datetime) -> datetime:
    """A time in UTC, whatever a message gave: at the ends of the calendar it has no other name there."""
    if at.tzinfo is None:
        return at.replace(tzinfo=UTC)
    try:
        return at.astimezone(UTC)
    except OverflowError:
        return at.replace(tzinfo=UTC)


def _exclusive_c14n(element: etree._Element) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False)


def _written(root: etree._Element) -> bytes:
    if not len(root) and not root.text:
        root.text = ""  # with an end tag of its own
    return _DECLARATION + etree.tostring(root, encoding="UTF-8", xml_declaration=False)


class _Template(NamedTuple):
    """A Signature without its digest and value."""

    written: tuple[bytes, bytes, bytes]
    """What stands before the digest, between it and the value, and after that"""
    canonical_signed_info: tuple[bytes, bytes]
    """What stands before and after the digest where SignedInfo is signed (Exclusive XML Canonicalization)"""


def _signature_template(key: SigningKey, *, prefix: str | None = "ds", declared: bool = False) -> _Template:
    """How a Signature is written; whether its message has `declared` the namespace of xmldsig itself."""
    colon = f"{prefix}:" if prefix else ""
    declaration = f' xmlns:{prefix}="{structure.DS}"' if prefix else f' xmlns="{structure.DS}"'
    certificates = "".join(
        f"<{colon}X509Certificate>{_pem_body(c)}</{colon}X509Certificate>" for c in key.certificates
    )
    before = (
        f'<{colon}CanonicalizationMethod Algorithm="{structure.EXCLUSIVE_C14N}"/>'
        f'<{colon}SignatureMethod Algorithm="{SignatureMethod.RSA_SHA256.value}"/>'
        f'<{colon}Reference URI=""><{colon}Transforms><{colon}Transform Algorithm="{structure.ENVELOPED}"/>'
        f'<{colon}Transform Algorithm="{structure.EXCLUSIVE_C14N}"/></{colon}Transforms>'
        f'<{colon}DigestMethod Algorithm="{DigestAlgorithm.SHA256.value}"/><{colon}DigestValue>'
    )
    after = f"</{colon}DigestValue></{colon}Reference></{colon}SignedInfo>"
    canonical = _EMPTY.sub(r"<\1\2></\1>", before)
    signature = f"<{colon}Signature{'' if declared else declaration}><{colon}SignedInfo>"
    value, key_info = f"{colon}SignatureValue", f"{colon}KeyInfo"
    data = f"<{colon}X509Data>{certificates}</{colon}X509Data>"
    return _Template(
        written=(
            f"{signature}{before}".encode(),
            f"{after}<{value}>".encode(),
            f"</{value}><{key_info}>{data}</{key_info}></{colon}Signature>".encode(),
        ),
        canonical_signed_info=(f"<{colon}SignedInfo{declaration}>{canonical}".encode(), after.encode()),
    )


def _pem_body(certificate: x509.Certificate) -> str:
    return "".join(certificate.public_bytes(Encoding.PEM).decode().splitlines(keepends=True)[1:-1])
