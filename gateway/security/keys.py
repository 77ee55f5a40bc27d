"""The keys that we sign with, and those that we read with; what we trust is beside it in `trust`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.contracts.errors import LocalError
from gateway.security.certificates import organisation_number
from gateway.security.files import read_private, read_public
from gateway.security.trust import TrustStore
from gateway.security.watched import LOOK_SECONDS, Watched

__all__ = ["DecryptionKey", "DecryptionKeyStore", "KeyStore", "SigningKey", "TrustStore", "load_pair"]

DEFAULT_NAME: Final = "gateway"
_KEY_SUFFIX: Final = ".key.pem"
_CERTIFICATE_SUFFIX: Final = ".cert.pem"
_PROBE: Final = b"a key and its certificate belong together"

_proven: set[bytes] = set()
"""Hashes of the files of keys that were seen to belong to their certificates"""


@dataclass(frozen=True, slots=True, eq=False)
class SigningKey:
    """A private key with the certificates that go along with its signatures."""

    private: rsa.RSAPrivateKey = field(repr=False)
    certificates: tuple[x509.Certificate, ...]
    """The signer's own first, then its issuers"""


@dataclass(frozen=True, slots=True, eq=False)
class DecryptionKey:
    """A private key with the certificate that senders encrypt for."""

    private: rsa.RSAPrivateKey = field(repr=False)
    certificate: x509.Certificate


class KeyStore:
    """A directory of `<organisation number>.key.pem` and `.cert.pem`, read again when it changes.

    The certificate file holds the signer's certificate first, then those of its issuers that receivers may
    lack. A key is found by the name of its file and by the organisation number in its certificate. The
    default is that of `default_org_no`, or else the one named `gateway`.
    """

    def __init__(
        self, directory: Path, *, default_org_no: str | None = None, look_seconds: float = LOOK_SECONDS
    ) -> None:
        """Load every key.

        Raises:
            LocalError: a key can not be read or does not match its certificate, or the default is missing.
        """
        self._directory = directory
        self._default_name = default_org_no or DEFAULT_NAME
        self._watched = Watched(self._load, lambda: _files(directory), look_seconds=look_seconds)

    def for_organisation(self, org_no: str | None) -> SigningKey:
        """The key of an organisation, or the default where it has none here."""
        keys = self._watched.get()
        return keys.get(org_no or self._default_name) or keys[self._default_name]

    def certificates(self) -> dict[str, x509.Certificate]:
        """The signing certificates by name of file and organisation number, to look at their validity."""
        return {name: key.certificates[0] for name, key in self._watched.get().items()}

    def _load(self) -> dict[str, SigningKey]:
        keys: dict[str, SigningKey] = {}
        by_number: dict[str, SigningKey] = {}
        for path in sorted(self._directory.glob(f"*{_KEY_SUFFIX}")):
            key = load_pair(path)
            keys[path.name.removesuffix(_KEY_SUFFIX)] = key
            number = organisation_number(key.certificates[0])
            if number is not None:
                by_number.setdefault(number, key)
        keys = by_number | keys
        name = self._default_name
        if name not in keys:
            raise LocalError(
                f"{self._directory} holds no key for {name}, whose key is the default.",
                hint=f"Put {name}{_KEY_SUFFIX} and {name}{_CERTIFICATE_SUFFIX} there.",
            )
        return keys


class DecryptionKeyStore:
    """A directory of `<any name>.key.pem` and `.cert.pem`: every key in it reads.

    To change keys, put the new pair beside the old one; take the old one away when no sender uses it.
    """

    def __init__(self, directory: Path, *, look_seconds: float = LOOK_SECONDS) -> None:
        """Load every key.

        Raises:
            LocalError: a key can not be read or does not match its certificate.
        """
        self._watched = Watched(
            lambda: _decryption_keys(directory), lambda: _files(directory), look_seconds=look_seconds
        )

    def current(self) -> Sequence[DecryptionKey]:
        """All keys."""
        return self._watched.get()


def _decryption_keys(directory: Path) -> tuple[DecryptionKey, ...]:
    loaded = (load_pair(path) for path in sorted(directory.glob(f"*{_KEY_SUFFIX}")))
    return tuple(DecryptionKey(key.private, key.certificates[0]) for key in loaded)


def _files(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.pem"))


def load_pair(path: Path) -> SigningKey:
    """A key with the certificate beside it.

    Raises:
        LocalError: they can not be read, are of another kind, or do not belong together.
    """
    certificate_path = path.with_name(path.name.removesuffix(_KEY_SUFFIX) + _CERTIFICATE_SUFFIX)
    text, certificate_text = read_private(path), read_public(certificate_path)
    try:
        # The check that is skipped takes 36 ms a key and finds keys made to do harm; this one is our own, and
        # the signature below proves that it works.
        private = load_pem_private_key(text, password=None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise LocalError(f"{path} is no unencrypted private key in PEM.") from None
    try:
        certificates = tuple(x509.load_pem_x509_certificates(certificate_text))
    except ValueError:
        raise LocalError(f"{certificate_path} holds no certificate in PEM.") from None
    if not isinstance(private, rsa.RSAPrivateKey):
        raise LocalError(f"{path} is no RSA key.")
    public = certificates[0].public_key()
    if not isinstance(public, rsa.RSAPublicKey) or public.key_size < 2048:
        raise LocalError(f"{certificate_path} is for no RSA key of 2048 bits or more.")
    # Several look at one folder, and a signature takes longer than all the rest.
    pair = sha256(sha256(text).digest() + sha256(certificate_text).digest()).digest()
    if pair in _proven:
        return SigningKey(private, certificates)
    try:
        public.verify(private.sign(_PROBE, PKCS1v15(), SHA256()), _PROBE, PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        raise LocalError(
            f"The key {path.name} does not belong to the first certificate of {certificate_path.name}.",
            hint="The certificate of the key must stand first in its file.",
        ) from None
    _proven.add(pair)
    return SigningKey(private, certificates)
