"""What a signing certificate says, and what it must be like.

Source: SEID «Anbefalte sertifikatprofiler» 1.x (organisation number in serialNumber) and 2.0 (in
organizationIdentifier: ETSI EN 319 412-1, section 5.1.4); RFC 5280, section 4.2.1.3, for key usage.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from gateway.contracts.ports import Signer
from gateway.security.errors import SignatureRefusedError

_ORGANISATION_NUMBER: Final = re.compile(r"(?:NTRNO-)?([0-9]{9})")
_ORGANISATION_ATTRIBUTES: Final = (NameOID.ORGANIZATION_IDENTIFIER, NameOID.SERIAL_NUMBER)
_CURVES: Final = frozenset({"secp256r1", "secp384r1", "secp521r1"})
_RSA_BITS: Final = range(2048, 8192 + 1)

SigningPublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


def read_certificates(encoded: Sequence[bytes]) -> tuple[x509.Certificate, tuple[x509.Certificate, ...]]:
    """Tell the signer's certificate from those of its issuers.

    Args:
        encoded: DER, in any order (XML-DSig, section 4.5.4, implies none).

    Returns:
        The signer's certificate, and the others.

    Raises:
        SignatureRefusedError: certificate-unreadable or certificate-ambiguous.
    """
    certificates = [_read(der) for der in encoded]
    if len(certificates) == 1:
        return certificates[0], ()
    own = [certificate for certificate in certificates if not _is_authority(certificate)]
    if len(own) != 1:
        raise SignatureRefusedError("certificate-ambiguous")
    return own[0], tuple(certificate for certificate in certificates if certificate is not own[0])


def signing_key(certificate: x509.Certificate) -> SigningPublicKey:
    """The public key, if it is one that a signature may be made with: RSA from 2048 bits, or a NIST curve.

    Raises:
        SignatureRefusedError: weak-key.
    """
    key: object
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if isinstance(key, rsa.RSAPublicKey) and key.key_size in _RSA_BITS:
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES:
        return key
    raise SignatureRefusedError("weak-key")


def check_usage(certificate: x509.Certificate, *, accept_digital_signature: bool) -> None:
    """Signing certificates carry nonRepudiation (now called contentCommitment).

    Raises:
        SignatureRefusedError: key-usage.
    """
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        usage = None
    if usage is None or not (
        usage.content_commitment or (accept_digital_signature and usage.digital_signature)
    ):
        raise SignatureRefusedError("key-usage")


def organisation_number(certificate: x509.Certificate) -> str | None:
    """The organisation number of the subject; None where there is none, or where two differ."""
    found = {
        match[1]
        for oid in _ORGANISATION_ATTRIBUTES
        for attribute in certificate.subject.get_attributes_for_oid(oid)
        if (match := _ORGANISATION_NUMBER.fullmatch(str(attribute.value)))
    }
    return found.pop() if len(found) == 1 else None


def describe(certificate: x509.Certificate) -> Signer:
    """Who a certificate was issued to."""
    return Signer(
        subject=certificate.subject.rfc4514_string(),
        org_no=organisation_number(certificate),
        serial=format(certificate.serial_number, "X"),
        not_after=certificate.not_valid_after_utc,
    )


def _read(der: bytes) -> x509.Certificate:
    try:
        certificate = x509.load_der_x509_certificate(der)
        # These are read when they are asked for: what can not be read is to be refused here, not later.
        _ = (
            certificate.extensions,
            certificate.issuer,
            certificate.not_valid_before_utc,
            describe(certificate),
        )
    except Exception:  # noqa: BLE001 - a stranger's bytes: whatever the library makes of them is a refusal
        raise SignatureRefusedError("certificate-unreadable") from None
    # A certificate ends with its signature, of whole octets (RFC 5280, section 4.1.1.3). The library takes
    # one with bits to ignore, too, and then two texts would be one certificate.
    if not der.endswith(b"\0" + certificate.signature):
        raise SignatureRefusedError("certificate-unreadable")
    return certificate


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False
