"""Certificates for tests and demonstrations: a root, an issuing authority, and what each party needs.

Made like those of the Norwegian health sector: certificates for signing carry key usage nonRepudiation and
nothing else, those for encryption keyEncipherment, and the organisation number stands in
organizationIdentifier. Source: SEID «Anbefalte sertifikatprofiler» 2.0; ETSI EN 319 412-1, section 5.1.4.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from gateway.contracts.errors import ConfigurationError
from gateway.security.files import write_private, write_public
from gateway.security.keys import DEFAULT_NAME
from gateway.security.trust import TEST_PKI_NAME

SIGNING: Final = "signing"
ENCRYPTION: Final = "encryption"
ROOT_FILE: Final = "root.pem"
GATEWAY: Final = ("Pakkeforløp hjem gateway", "310009999")
"""Name and (made up) organisation number of the gateway's own certificate"""

_ORGANISATION_DIGITS: Final = 9
_NUMBER: Final = re.compile(r"[0-9]{5,9}")
_ROOT_LIFE: Final = timedelta(days=3650)
_PARTY_LIFE: Final = timedelta(days=1095)
_CLOCK_SKEW: Final = timedelta(hours=1)
_WORKERS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class _Authority:
    certificate: x509.Certificate
    key: rsa.RSAPrivateKey


def create(
    directory: Path,
    parties: Sequence[tuple[str, str]],
    *,
    now: datetime,
    key_size: int = 2048,
    gateway: tuple[str, str] = GATEWAY,
) -> None:
    """Write a test PKI.

    `root.pem` is the file to trust. `signing/` is a directory for `KeyStore`: for each party
    `<number>.key.pem` and `.cert.pem` (the certificate, then the issuing authority's, which so goes along
    with every signature), and the gateway's own under `gateway` where it is none of the parties.
    `encryption/` holds the same for encryption. Keys have mode 0600. The keys of the authorities are not
    kept: nothing more can be issued.

    Args:
        directory: made where it is missing.
        parties: name and number of each: the organisation number (nine digits), or the HER-id of a party that
            has none, which then stands in the subject's serialNumber and is no organisation number.
        now: when the certificates become valid (an hour before, for clocks that differ); for three years.
        key_size: bits of the RSA keys.
        gateway: name and organisation number of the gateway.

    Raises:
        ConfigurationError: a number is not five to nine digits, or stands twice.
        LocalError: a file can not be written, or is there already.
    """
    named = [(name, number, number) for name, number in parties]
    if gateway[1] not in (number for _, number in parties):
        named.append((*gateway, DEFAULT_NAME))
    numbers = [number for _, number, _ in named]
    if not all(map(_NUMBER.fullmatch, numbers)) or len(numbers) != len(set(numbers)):
        raise ConfigurationError("Every party needs a number of its own, of five to nine digits.")
    wanted = [(kind, *party) for party in named for kind in (SIGNING, ENCRYPTION)]
    # Making keys is nearly all of the work, and leaves the interpreter free meanwhile.
    with ThreadPoolExecutor(_WORKERS) as pool:
        root_key, issuing_key, *keys = pool.map(_new_key, [key_size] * (len(wanted) + 2))
    start = now - _CLOCK_SKEW
    root = _authority("Pakkeforløp hjem Test Root", root_key, issuer=None, start=start)
    issuing = _authority("Pakkeforløp hjem Test Issuing CA", issuing_key, issuer=root, start=start)
    for folder in (directory, directory / SIGNING, directory / ENCRYPTION):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_public(directory / ROOT_FILE, _pem(root.certificate))
    for (kind, name, number, file_name), key in zip(wanted, keys, strict=True):
        certificate = _party(name, number, key, issuing, kind=kind, start=start)
        stem = directory / kind / file_name
        write_private(stem.with_suffix(".key.pem"), _private_pem(key))
        write_public(stem.with_suffix(".cert.pem"), _pem(certificate) + _pem(issuing.certificate))


def _new_key(size: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=size)


def _authority(
    name: str, key: rsa.RSAPrivateKey, *, issuer: _Authority | None, start: datetime
) -> _Authority:
    """A root where there is no issuer, else an authority that issues to parties only."""
    subject = _name((NameOID.ORGANIZATION_NAME, TEST_PKI_NAME), (NameOID.COMMON_NAME, name))
    constraints = x509.BasicConstraints(ca=True, path_length=None if issuer is None else 0)
    builder = (
        _certificate(subject, key, start, _ROOT_LIFE, usage=_usage(key_cert_sign=True, crl_sign=True))
        .issuer_name(subject if issuer is None else issuer.certificate.subject)
        .add_extension(constraints, critical=True)
        .add_extension(_issued_by(key if issuer is None else issuer.key), critical=False)
    )
    return _Authority(certificate=builder.sign(key if issuer is None else issuer.key, SHA256()), key=key)


def _party(
    name: str, number: str, key: rsa.RSAPrivateKey, issuer: _Authority, *, kind: str, start: datetime
) -> x509.Certificate:
    is_organisation = len(number) == _ORGANISATION_DIGITS
    subject = _name(
        (NameOID.ORGANIZATION_NAME, name),
        (NameOID.ORGANIZATION_IDENTIFIER, f"NTRNO-{number}")
        if is_organisation
        else (NameOID.SERIAL_NUMBER, number),
        (NameOID.COMMON_NAME, name),
    )
    usage = _usage(content_commitment=True) if kind == SIGNING else _usage(key_encipherment=True)
    return (
        _certificate(subject, key, start, _PARTY_LIFE, usage=usage)
        .issuer_name(issuer.certificate.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_issued_by(issuer.key), critical=False)
        .sign(issuer.key, SHA256())
    )


def _certificate(
    subject: x509.Name, key: rsa.RSAPrivateKey, start: datetime, life: timedelta, *, usage: x509.KeyUsage
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + life)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(*attributes: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    country = x509.NameAttribute(NameOID.COUNTRY_NAME, "NO")
    # X.520 allows no more than 64 characters in these; the library counts bytes.
    short = ((oid, value.encode()[:64].decode(errors="ignore")) for oid, value in attributes)
    return x509.Name([country, *(x509.NameAttribute(oid, value) for oid, value in short)])


def _usage(
    *,
    content_commitment: bool = False,
    key_encipherment: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=content_commitment,
        key_encipherment=key_encipherment,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _issued_by(key: rsa.RSAPrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def _private_pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
