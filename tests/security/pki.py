"""Certificates of every kind, good and bad, made for one test each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
YEAR = timedelta(days=365)
ORG_NO = "310000107"

KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def rsa_key(number: int, bits: int = 2048) -> rsa.RSAPrivateKey:
    """Keys are slow to make: the same ones serve every test."""
    del number
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ec_key(number: int) -> ec.EllipticCurvePrivateKey:
    del number
    return ec.generate_private_key(ec.SECP256R1())


@dataclass(frozen=True, kw_only=True)
class Issued:
    certificate: x509.Certificate
    key: PrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def private_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def usage(**flags: bool) -> x509.KeyUsage:
    return x509.KeyUsage(**{name: flags.get(name, False) for name in KEY_USAGES})


NON_REPUDIATION = usage(content_commitment=True)
CERT_SIGN = usage(key_cert_sign=True, crl_sign=True)


def issue(
    name: str,
    key: PrivateKey,
    issuer: Issued | None = None,
    *,
    ca: bool = False,
    path_length: int | None = None,
    key_usage: x509.KeyUsage | None = NON_REPUDIATION,
    organisation: dict[x509.ObjectIdentifier, str] | None = None,
    start: datetime = NOW - YEAR,
    end: datetime = NOW + YEAR,
    extra: x509.ExtensionType | None = None,
) -> Issued:
    attributes = {NameOID.COUNTRY_NAME: "NO", NameOID.COMMON_NAME: name, **(organisation or {})}
    subject = x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes.items()])
    signing = key if issuer is None else issuer.key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=path_length), critical=True)
    )
    if key_usage is not None:
        builder = builder.add_extension(key_usage, critical=True)
    if extra is not None:
        builder = builder.add_extension(extra, critical=False)
    return Issued(certificate=builder.sign(signing, SHA256()), key=key)


@cache
def root() -> Issued:
    return issue("Root", rsa_key(0), ca=True, key_usage=CERT_SIGN, start=NOW - 5 * YEAR, end=NOW + 5 * YEAR)


@cache
def issuing() -> Issued:
    return issue(
        "Issuing",
        rsa_key(1),
        root(),
        ca=True,
        path_length=0,
        key_usage=CERT_SIGN,
        start=NOW - 5 * YEAR,
        end=NOW + 5 * YEAR,
    )


@cache
def hospital() -> Issued:
    return issue(
        "Sykehus", rsa_key(2), issuing(), organisation={NameOID.ORGANIZATION_IDENTIFIER: f"NTRNO-{ORG_NO}"}
    )


def key_directory(directory: Path, issued: Issued, *issuers: Issued, name: str = "gateway") -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    key = directory / f"{name}.key.pem"
    key.write_bytes(issued.private_pem)
    key.chmod(0o600)
    chain = b"".join(one.pem for one in (issued, *issuers))
    (directory / f"{name}.cert.pem").write_bytes(chain)
    return directory


def revocation_list(issuer: Issued, *revoked: Issued, at: datetime, key: PrivateKey | None = None) -> bytes:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(at)
        .next_update(at + timedelta(days=1))
    )
    for one in revoked:
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder()
            .serial_number(one.certificate.serial_number)
            .revocation_date(at)
            .build()
        )
    return builder.sign(key or issuer.key, SHA256()).public_bytes(Encoding.PEM)
