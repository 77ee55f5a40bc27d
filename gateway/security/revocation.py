"""Whether a certificate is revoked: lists (CRL) and answers (OCSP) from files and from a loopback address.

Nothing is ever fetched from the web: what a certificate names as its responder is not asked. Where lists and
answers come from outside, a proxy or a job of the operator's brings them. "Revoked" and "could not find out"
are different things: the first is a refusal, the second an error that passes.

Source: RFC 5280, sections 5 and 6.3 (CRL); RFC 6960 (OCSP).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.security.errors import RevocationUnknownError, SignatureRefusedError
from gateway.security.trust import TrustedPath

log = structlog.get_logger()

_CLOCK_SKEW: Final = timedelta(minutes=5)
_WITHOUT_NEXT_UPDATE: Final = timedelta(hours=24)
"""How long an answer counts that does not say"""
_HASHES: Final = (SHA256, SHA384, SHA512)
_UNDERSTOOD: Final = (x509.IssuingDistributionPoint, x509.CRLNumber, x509.AuthorityKeyIdentifier)

ListSource = Callable[[], bytes | None]
"""The current list in PEM or DER; None where there is none"""
AnswerSource = Callable[[bytes], Sequence[bytes]]
"""Answers in DER to a request in DER"""


class Revocation:
    """Asks all sources; as soon as there is one, every certificate must be found to be good."""

    def __init__(
        self,
        lists: Sequence[ListSource] = (),
        answers: Sequence[AnswerSource] = (),
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Sources, each of which may have nothing; the clock tells what is out of date."""
        self._lists = [_ParsedList(source) for source in lists]
        self._answers = tuple(answers)
        self._clock = clock

    def check(self, path: TrustedPath) -> None:
        """Look up every certificate of a path but its root.

        Raises:
            SignatureRefusedError: certificate-revoked.
            RevocationUnknownError: no source has an answer that is genuine and in date.
        """
        if not self._lists and not self._answers:
            return
        now = self._clock()
        for certificate, issuer in zip(path.certificates, path.certificates[1:], strict=False):
            if not (
                self._listed_good(certificate, issuer, now) or self._answered_good(certificate, issuer, now)
            ):
                raise RevocationUnknownError

    def _listed_good(self, certificate: x509.Certificate, issuer: x509.Certificate, now: datetime) -> bool:
        good = False
        for parsed in self._lists:
            listed = parsed.by(issuer)
            if listed is None or not _in_scope(listed, certificate):
                continue
            # An old list still counts for what it holds: what is revoked stays so.
            if listed.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None:
                raise SignatureRefusedError("certificate-revoked")
            good = good or _is_current(listed.last_update_utc, listed.next_update_utc, now)
        return good

    def _answered_good(self, certificate: x509.Certificate, issuer: x509.Certificate, now: datetime) -> bool:
        for source in self._answers:
            for der in source(_request(certificate, issuer)):
                status = _status(der, certificate, issuer, now)
                if status is ocsp.OCSPCertStatus.REVOKED:
                    raise SignatureRefusedError("certificate-revoked")
                if status is ocsp.OCSPCertStatus.GOOD:
                    return True
        return False


class _ParsedList:
    """A list, taken apart once for each version of it."""

    def __init__(self, source: ListSource) -> None:
        self._source = source
        self._read: bytes | None = None
        self._parsed: x509.CertificateRevocationList | None = None
        self._genuine: dict[x509.Certificate, bool] = {}

    def by(self, issuer: x509.Certificate) -> x509.CertificateRevocationList | None:
        """The list, if it is the issuer's; a large one takes long to check, so that is remembered."""
        content = self._source()
        if content is not self._read:
            self._read, self._parsed, self._genuine = content, _parse(content), {}
        if self._parsed is None:
            return None
        if issuer not in self._genuine:
            self._genuine[issuer] = _is_by(self._parsed, issuer)
        return self._parsed if self._genuine[issuer] else None


def _parse(content: bytes | None) -> x509.CertificateRevocationList | None:
    if content is None:
        return None
    try:
        if content.startswith(b"-----BEGIN"):
            return x509.load_pem_x509_crl(content)
        return x509.load_der_x509_crl(content)
    except ValueError:
        log.warning("revocation-list-unreadable")
        return None


def _is_by(listed: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    """Whether a list is genuine."""
    key = issuer.public_key()
    if listed.issuer != issuer.subject or not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        return False
    if not isinstance(listed.signature_hash_algorithm, _HASHES) or not listed.is_signature_valid(key):
        log.warning("revocation-list-not-genuine")
        return False
    return _may_sign_lists(issuer)


def _may_sign_lists(issuer: x509.Certificate) -> bool:
    try:
        return issuer.extensions.get_extension_for_class(x509.KeyUsage).value.crl_sign
    except x509.ExtensionNotFound:
        return False


def _in_scope(listed: x509.CertificateRevocationList, certificate: x509.Certificate) -> bool:
    """RFC 5280, sections 5.2 and 6.3.3: no delta, not indirect, nothing critical that is not understood."""
    if any(e.critical and not isinstance(e.value, _UNDERSTOOD) for e in listed.extensions):
        return False
    try:
        point = listed.extensions.get_extension_for_class(x509.IssuingDistributionPoint).value
    except x509.ExtensionNotFound:
        return True
    if point.indirect_crl or point.only_contains_attribute_certs or point.only_some_reasons is not None:
        return False
    authority = _is_authority(certificate)
    if (point.only_contains_ca_certs and not authority) or (point.only_contains_user_certs and authority):
        return False
    return point.full_name is None or not _names_of_points(certificate).isdisjoint(point.full_name)


def _names_of_points(certificate: x509.Certificate) -> set[x509.GeneralName]:
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return set()
    return {name for point in points for name in point.full_name or ()}


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _is_current(since: datetime, until: datetime | None, now: datetime) -> bool:
    return since - _CLOCK_SKEW <= now <= (until or since + _WITHOUT_NEXT_UPDATE)


def _request(certificate: x509.Certificate, issuer: x509.Certificate) -> bytes:
    # SHA-1 only names the issuer here; it is what every responder understands.
    builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, SHA1())  # noqa: S303 - as above
    return builder.build().public_bytes(Encoding.DER)


def _status(
    der: bytes, certificate: x509.Certificate, issuer: x509.Certificate, now: datetime
) -> ocsp.OCSPCertStatus | None:
    """What a genuine answer in date says of a certificate; None where it says nothing."""
    try:
        response = ocsp.load_der_ocsp_response(der)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return None
        if not _is_genuine(response, issuer, now):
            log.warning("revocation-answer-not-genuine")
            return None
        for single in response.responses:
            if single.serial_number != certificate.serial_number or not _names(single, certificate, issuer):
                continue
            if single.certificate_status is ocsp.OCSPCertStatus.REVOKED:
                return single.certificate_status
            if _is_current(single.this_update_utc, single.next_update_utc, now):
                return single.certificate_status
    except (ValueError, TypeError, UnsupportedAlgorithm):
        log.warning("revocation-answer-unreadable")
    return None


def _names(single: ocsp.OCSPSingleResponse, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the answer is about a certificate of this issuer."""
    wanted = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, single.hash_algorithm).build()
    return (single.issuer_name_hash, single.issuer_key_hash) == (
        wanted.issuer_name_hash,
        wanted.issuer_key_hash,
    )


def _is_genuine(response: ocsp.OCSPResponse, issuer: x509.Certificate, now: datetime) -> bool:
    """Signed by the issuer itself, or by one whom it has told to (RFC 6960, section 4.2.2.2)."""
    algorithm = response.signature_hash_algorithm
    if not isinstance(algorithm, _HASHES):
        return False
    signers = [issuer, *(c for c in response.certificates if _is_responder(c, issuer, now))]
    return any(_is_signed_by(response, signer, algorithm) for signer in signers)


def _is_responder(certificate: x509.Certificate, issuer: x509.Certificate, now: datetime) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (InvalidSignature, ValueError, TypeError, x509.ExtensionNotFound):
        return False
    in_date = certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
    return in_date and ExtendedKeyUsageOID.OCSP_SIGNING in usage


def _is_signed_by(response: ocsp.OCSPResponse, signer: x509.Certificate, algorithm: HashAlgorithm) -> bool:
    key = signer.public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(response.signature, response.tbs_response_bytes, PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(algorithm))
        else:
            return False
    except InvalidSignature:
        return False
    return True
