"""CMS signatures: SignedData that holds its content, by one signer.

Source: RFC 5652, section 5. All structures are asn1crypto's, all arithmetic is cryptography's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from asn1crypto import cms
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, Hash, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder

from gateway.contracts.ports import Signer
from gateway.security.certificates import SigningPublicKey, signing_key
from gateway.security.errors import CmsRefusedError
from gateway.security.keys import SigningKey
from gateway.security.signers import SignerCheck

_MAX_CERTIFICATES: Final = 8
_HASHES: Final[dict[str, type[HashAlgorithm]]] = {"sha256": SHA256, "sha384": SHA384, "sha512": SHA512}
_RSA: Final = frozenset({"rsassa_pkcs1v15", *(f"{name}_rsa" for name in _HASHES)})
_ECDSA: Final = frozenset(f"{name}_ecdsa" for name in _HASHES)
_SET_OF: Final = b"\x31"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedContent:
    """What a good CMS signature says."""

    content: bytes
    signer: Signer


def sign(data: bytes, key: SigningKey) -> bytes:
    """Sign with SHA-256; the content and the key's certificates go along.

    Returns:
        ContentInfo of SignedData in DER.
    """
    certificate, *issuers = key.certificates
    builder = PKCS7SignatureBuilder().set_data(data).add_signer(certificate, key.private, SHA256())
    for issuer in issuers:
        builder = builder.add_certificate(issuer)
    return builder.sign(Encoding.DER, [PKCS7Options.Binary, PKCS7Options.NoCapabilities])


def read_signed(data: bytes) -> Callable[[SignerCheck, datetime], SignedContent]:
    """Take signed data apart.

    Returns:
        What checks it: structure, digest, certificate, signature.

    Raises:
        Exception: it is no signed data (the caller turns that into a refusal).
    """
    info = cms.ContentInfo.load(data, strict=True)
    if info["content_type"].native != "signed_data":
        raise ValueError("not signed data")
    signed = info["content"]
    # What is lazy in the library is read here, so that what can not be read shows itself now.
    content_type = signed["encap_content_info"]["content_type"].native
    return lambda signers, at: _checked(signed, content_type, signers, at)


def _checked(signed: Any, content_type: str, signers: SignerCheck, at: datetime) -> SignedContent:  # noqa: ANN401 - asn1crypto ships no type information
    infos = signed["signer_infos"]
    if len(infos) != 1 or content_type != "data" or not signed["encap_content_info"]["content"]:
        raise CmsRefusedError("cms-structure")
    content = bytes(signed["encap_content_info"]["content"])
    info = infos[0]
    algorithm = _HASHES.get(info["digest_algorithm"]["algorithm"].native)
    if algorithm is None:
        raise CmsRefusedError("cms-algorithm-not-allowed")
    covered = _covered(info, content, algorithm())
    certificates = _certificates(signed["certificates"], info["sid"])
    path, signer = signers.check(certificates, at)
    key = signing_key(path.certificates[0])
    if path.certificates[0].public_bytes(Encoding.DER) != certificates[0]:
        # Several certificates that are no authority's: the signer is the one that is named.
        raise CmsRefusedError("cms-structure")
    _verify(key, info, covered, algorithm())
    return SignedContent(content=content, signer=signer)


def _covered(info: Any, content: bytes, algorithm: HashAlgorithm) -> bytes:  # noqa: ANN401 - asn1crypto ships no type information
    """The bytes that the signature is made over (RFC 5652, section 5.4)."""
    attributes = info["signed_attrs"]
    if not attributes:
        # Signed attributes passed off as content: a signature over the one is a signature over the other.
        if content.startswith(_SET_OF):
            raise CmsRefusedError("cms-structure")
        return content
    values: dict[str, Any] = {}
    for attribute in attributes:
        name = attribute["type"].native
        if name in values or len(attribute["values"]) != 1:
            raise CmsRefusedError("cms-structure")
        values[name] = attribute["values"][0].native
    if values.get("content_type") != "data" or "message_digest" not in values:
        raise CmsRefusedError("cms-structure")
    digest = Hash(algorithm)
    digest.update(content)
    if digest.finalize() != values["message_digest"]:
        raise CmsRefusedError("cms-digest-mismatch")
    return bytes(attributes.untag().dump())


def _certificates(found: Any, sid: Any) -> tuple[bytes, ...]:  # noqa: ANN401 - asn1crypto ships no type information
    """The certificates in DER, the signer's first."""
    if len(found) > _MAX_CERTIFICATES:
        raise CmsRefusedError("cms-structure")
    certificates = [choice.chosen for choice in found if choice.name == "certificate"]
    own = [certificate for certificate in certificates if _is_by(sid, certificate)]
    if not own:
        raise CmsRefusedError("cms-no-certificate")
    others = [certificate for certificate in certificates if certificate is not own[0]]
    return tuple(bytes(certificate.dump()) for certificate in (own[0], *others))


def _is_by(sid: Any, certificate: asn1_x509.Certificate) -> bool:  # noqa: ANN401 - asn1crypto ships no type information
    if sid.name == "issuer_and_serial_number":
        return bool(
            sid.chosen["serial_number"].native == certificate.serial_number
            and sid.chosen["issuer"] == certificate.issuer
        )
    wanted = bytes(sid.chosen.native)
    if certificate.key_identifier is not None:
        return bool(certificate.key_identifier == wanted)
    public = x509.load_der_x509_certificate(certificate.dump()).public_key()
    return x509.SubjectKeyIdentifier.from_public_key(public).digest == wanted


def _verify(key: SigningPublicKey, info: Any, covered: bytes, algorithm: HashAlgorithm) -> None:  # noqa: ANN401 - asn1crypto ships no type information
    method = info["signature_algorithm"]
    name = method["algorithm"].native
    value = bytes(info["signature"])
    if name.startswith("sha") and not name.startswith(f"{algorithm.name}_"):
        raise CmsRefusedError("cms-algorithm-not-allowed")
    try:
        if isinstance(key, rsa.RSAPublicKey) and name in _RSA:
            key.verify(value, covered, PKCS1v15(), algorithm)
        elif isinstance(key, rsa.RSAPublicKey) and name == "rsassa_pss":
            key.verify(value, covered, _pss(method["parameters"], algorithm), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey) and name in _ECDSA:
            key.verify(value, covered, ec.ECDSA(algorithm))
        else:
            raise CmsRefusedError("cms-algorithm-not-allowed")
    except InvalidSignature:
        raise CmsRefusedError("cms-signature-invalid") from None


def _pss(parameters: Any, algorithm: HashAlgorithm) -> PSS:  # noqa: ANN401 - asn1crypto ships no type information
    """One hash throughout, as RFC 4056, section 3, recommends."""
    mask = parameters["mask_gen_algorithm"]
    hashes = (parameters["hash_algorithm"]["algorithm"].native, mask["parameters"]["algorithm"].native)
    if hashes != (algorithm.name, algorithm.name) or mask["algorithm"].native != "mgf1":
        raise CmsRefusedError("cms-algorithm-not-allowed")
    return PSS(MGF1(algorithm), parameters["salt_length"].native)
