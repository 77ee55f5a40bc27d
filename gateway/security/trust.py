"""Whom we trust: the path from a signer's certificate to one of our own roots.

Only what stands in the files that the operator names is trusted; the lists of the operating system and of web
browsers are never asked. Source: RFC 5280, section 6.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from gateway.contracts.errors import LocalError
from gateway.security.errors import SignatureRefusedError
from gateway.security.files import read_public

TEST_PKI_NAME: Final = "Pakkeforløp hjem, for test only"
"""Organisation of the authorities that `init` makes; what they issue is refused in production"""

_MAX_ISSUERS: Final = 4
_PEM_LIST: Final = re.compile(rb"-----BEGIN X509 CRL-----.+?-----END X509 CRL-----", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedPath:
    """A path that was found, and when it holds."""

    certificates: tuple[x509.Certificate, ...]
    """From the signer's to one of our roots"""
    not_before: datetime
    not_after: datetime

    def check_time(self, at: datetime) -> None:
        """Check that every certificate of the path is valid at a time.

        Raises:
            SignatureRefusedError: certificate-expired or certificate-not-yet-valid.
        """
        if at > self.not_after:
            raise SignatureRefusedError("certificate-expired")
        if at < self.not_before:
            raise SignatureRefusedError("certificate-not-yet-valid")


def _may_issue(_policy: Policy, _certificate: x509.Certificate, extension: x509.BasicConstraints) -> None:
    if not extension.ca:
        raise ValueError("not a certificate authority")


def _may_sign_certificates(_policy: Policy, _certificate: x509.Certificate, extension: x509.KeyUsage) -> None:
    if not extension.key_cert_sign:
        raise ValueError("not for signing certificates")


# Our own policies: the ready ones are those of the web, and ask for names of servers and for purposes
# (extended key usage) that the certificates of the health sector do not have.
_ISSUER_POLICY: Final = (
    ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, _may_issue)
    .require_present(x509.KeyUsage, Criticality.AGNOSTIC, _may_sign_certificates)
)
_SIGNER_POLICY: Final = ExtensionPolicy.permit_all()


class TrustStore:
    """Roots, and lists of revoked certificates, from files."""

    def __init__(
        self,
        anchors: Sequence[x509.Certificate],
        revocation_lists: Sequence[x509.CertificateRevocationList] = (),
        *,
        production: bool = False,
        test_anchors: Sequence[x509.Certificate] = (),
    ) -> None:
        """Trust each of the anchors: what it issued and, where it is no authority, itself.

        Args:
            anchors: the trusted certificates.
            revocation_lists: of what is revoked.
            production: refuse what leads to a test root: one of `test_anchors`, or one of our test PKI.
            test_anchors: trusted as well, outside production.

        Raises:
            LocalError: there are no anchors.
        """
        if not anchors:
            raise LocalError("No certificate is trusted.", hint="Name a file of trusted root certificates.")
        self._store = Store([*anchors, *test_anchors])
        self._lists = tuple(revocation_lists)
        self._refused = (
            frozenset([*test_anchors, *filter(is_of_test_pki, anchors)]) if production else frozenset()
        )

    @classmethod
    def from_files(
        cls, paths: Iterable[Path], *, production: bool = False, test_paths: Iterable[Path] = ()
    ) -> TrustStore:
        """Read PEM files of certificates and revocation lists (X509 CRL), or DER files of one certificate.

        Raises:
            LocalError: a file can not be read or holds neither.
        """
        anchors, lists = _from_files(paths)
        test_anchors, _ = _from_files(test_paths)
        return cls(anchors, lists, production=production, test_anchors=test_anchors)

    def path(
        self, certificate: x509.Certificate, others: Sequence[x509.Certificate], at: datetime
    ) -> TrustedPath:
        """Find the way from a certificate to a root, through the certificates that came along.

        Args:
            certificate: the signer's.
            others: candidates for issuers, in any order; they gain no trust by being there.
            at: an aware time.

        Raises:
            SignatureRefusedError: certificate-untrusted, certificate-expired, certificate-not-yet-valid or
                certificate-test.
        """
        found = self._find(certificate, others, at)
        if found is not None:
            if found.certificates[-1] in self._refused:
                raise SignatureRefusedError("certificate-test")
            return found
        # Was it good when it was issued? Then only the time is wrong.
        earlier = self._find(certificate, others, certificate.not_valid_before_utc)
        if earlier is not None:
            earlier.check_time(at)
        raise SignatureRefusedError("certificate-untrusted")

    def check_revocation(self, path: TrustedPath) -> None:
        """Look up the certificates of a path in the lists that we have.

        Nothing proves when a signature was made, so what is listed is refused whatever time the message
        gives. A list that is out of date still counts for what it holds; without a list nothing is known, and
        the certificate passes.

        Raises:
            SignatureRefusedError: certificate-revoked.
        """
        for certificate, issuer in zip(path.certificates, path.certificates[1:], strict=False):
            for listed in self._lists:
                entry = listed.get_revoked_certificate_by_serial_number(certificate.serial_number)
                if entry is not None and _issued(listed, issuer):
                    raise SignatureRefusedError("certificate-revoked")

    def _find(
        self, certificate: x509.Certificate, others: Sequence[x509.Certificate], at: datetime
    ) -> TrustedPath | None:
        verifier = (
            PolicyBuilder()
            .store(self._store)
            .time(at.astimezone(UTC).replace(tzinfo=None))
            .max_chain_depth(_MAX_ISSUERS)
            .extension_policies(ee_policy=_SIGNER_POLICY, ca_policy=_ISSUER_POLICY)
            .build_client_verifier()
        )
        try:
            found = verifier.verify(certificate, list(others)).chain
        except VerificationError:
            return None
        return TrustedPath(
            certificates=tuple(found),
            not_before=max(c.not_valid_before_utc for c in found),
            not_after=min(c.not_valid_after_utc for c in found),
        )


def is_of_test_pki(certificate: x509.Certificate) -> bool:
    """Whether a certificate is issued by, or is, an authority of the test PKI that `init` makes."""
    return any(
        attribute.value == TEST_PKI_NAME
        for name in (certificate.subject, certificate.issuer)
        for attribute in name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    )


def read_roots(path: Path) -> list[x509.Certificate]:
    """The certificates of a file of roots.

    Raises:
        LocalError: it can not be read, or holds none.
    """
    return _from_files([path])[0]


def _from_files(
    paths: Iterable[Path],
) -> tuple[list[x509.Certificate], list[x509.CertificateRevocationList]]:
    anchors: list[x509.Certificate] = []
    lists: list[x509.CertificateRevocationList] = []
    for path in paths:
        content = read_public(path)
        try:
            found_lists = [x509.load_pem_x509_crl(block) for block in _PEM_LIST.findall(content)]
            found = _certificates(content)
        except ValueError:
            raise LocalError(f"{path} can not be read as certificates.") from None
        if not found and not found_lists:
            raise LocalError(f"{path} holds no certificate.")
        anchors += found
        lists += found_lists
    return anchors, lists


def _certificates(content: bytes) -> list[x509.Certificate]:
    if b"-----BEGIN CERTIFICATE-----" in content:
        return x509.load_pem_x509_certificates(content)
    return [x509.load_der_x509_certificate(content)] if content.startswith(b"\x30") else []


def _issued(listed: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    key = issuer.public_key()
    return (
        listed.issuer == issuer.subject
        and isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey)
        and listed.is_signature_valid(key)
    )
