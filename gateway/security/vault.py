"""The vault: payloads at rest are unreadable without a key that lies elsewhere.

AES-256-GCM (NIST SP 800-38D) with a random nonce of 96 bits, good for four thousand million payloads a key; a
keyed hash (HMAC-SHA256, RFC 2104) to search by what may not be stored, and another to show that a row was
written by who has the key. Sealed bytes are

    version (1) · key id (8) · nonce (12) · ciphertext and tag (16 longer than the payload)

A key's id is derived from the key, so it needs no name. The first key writes, all of them read: to change
keys, put a new one before the old.
"""

from __future__ import annotations

import binascii
import hmac
import os
import secrets
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.contracts.errors import LocalError
from gateway.security.files import read_private, write_private

_VERSION: Final = b"\x01"
_KEY_BYTES: Final = 32
_ID_BYTES: Final = 8
_NONCE_BYTES: Final = 12
_HEADER_BYTES: Final = len(_VERSION) + _ID_BYTES
_TAG_BYTES: Final = 16
_REFERENCE: Final = "reference"
_HEAD: Final = """\
# Keys of the journal. Whoever has this file can read every payload; without it no one can.
# Keep a copy in a safe place. One key a line, newest first: the first writes, all read.
"""


@dataclass(frozen=True, slots=True)
class VaultKey:
    """A key of 32 bytes."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Check the length."""
        if len(self.secret) != _KEY_BYTES:
            raise LocalError(f"A key of the journal has {_KEY_BYTES} bytes.")

    @classmethod
    def new(cls) -> VaultKey:
        """Make a random key."""
        return cls(secrets.token_bytes(_KEY_BYTES))

    @property
    def id(self) -> bytes:
        """Eight bytes that name the key and tell nothing of it."""
        return sha256(b"pakkehjem vault key id\0" + self.secret).digest()[:_ID_BYTES]


class AesVault:
    """Seals payloads with AES-GCM."""

    def __init__(self, keys: Sequence[VaultKey], reference_key: bytes) -> None:
        """The first key writes, all read; the reference key is for `reference` and never changes.

        Raises:
            LocalError: there is no key, or the reference key is too short.
        """
        if not keys:
            raise LocalError("The journal has no key.", hint="The key file needs at least one key.")
        if len(reference_key) < _KEY_BYTES:
            raise LocalError(f"The reference key of the journal has at least {_KEY_BYTES} bytes.")
        self._ciphers = {key.id: AESGCM(key.secret) for key in keys}
        self._header = _VERSION + keys[0].id
        self._writer = self._ciphers[keys[0].id]
        self._reference = hmac.new(reference_key, digestmod=sha256)

    def seal(self, plain: bytes, *, context: bytes) -> bytes:
        """Encrypt; the same context (what the payload belongs to) is needed to open."""
        nonce = os.urandom(_NONCE_BYTES)
        return self._header + nonce + self._writer.encrypt(nonce, plain, self._header + context)

    def open(self, sealed: bytes, *, context: bytes) -> bytes:
        """Decrypt.

        Raises:
            LocalError: no key opens it, the context is another, or the bytes were changed.
        """
        header = sealed[:_HEADER_BYTES]
        if len(sealed) < _HEADER_BYTES + _NONCE_BYTES + _TAG_BYTES or not header.startswith(_VERSION):
            raise LocalError("A payload in the journal is damaged, or was not sealed by the vault.")
        cipher = self._ciphers.get(header[len(_VERSION) :])
        if cipher is None:
            raise LocalError(
                "The key of a payload is not in the key file.",
                hint="Put the old key back, after the new one.",
            )
        nonce = sealed[_HEADER_BYTES : _HEADER_BYTES + _NONCE_BYTES]
        try:
            return cipher.decrypt(nonce, sealed[_HEADER_BYTES + _NONCE_BYTES :], header + context)
        except InvalidTag:
            raise LocalError("A payload in the journal was changed, or moved to another place.") from None

    def reference(self, value: str) -> str:
        """A keyed hash in 64 hexadecimal digits: equal for equal values, tells nothing without the key."""
        digest = self._reference.copy()
        digest.update(value.encode())
        return digest.hexdigest()

    def authenticate(self, data: bytes, *, context: bytes) -> str:
        """A keyed hash in 64 hexadecimal digits that only who has the key can make, for a purpose.

        The key for each context is made from the reference key: it outlives changes of the keys that seal.
        """
        derived = self._reference.copy()
        # No value that `reference` is asked for begins like this: none is a key of ours.
        derived.update(b"pakkehjem authenticate\0" + context)
        return hmac.digest(derived.digest(), data, "sha256").hex()


def new_key_file(path: Path) -> None:
    """Write a key file with one new key and a new reference key, mode 0600.

    Raises:
        LocalError: the file exists, or can not be written.
    """
    reference = b64encode(secrets.token_bytes(_KEY_BYTES)).decode()
    key = b64encode(VaultKey.new().secret).decode()
    write_private(path, f"{_HEAD}{key}\n{_REFERENCE} {reference}\n".encode())


def load_key_file(path: Path) -> AesVault:
    """Open the vault with a key file.

    Its lines: a key of 32 bytes in base64, newest first; `reference` and the reference key; `#` and a note.

    Raises:
        LocalError: the file is missing, can be read by others than its owner, or is not of this form.
    """
    return open_vault(read_private(path), source=str(path))


def open_vault(text: bytes, *, source: str) -> AesVault:
    """Open the vault with the text of a key file, as it may stand in the environment.

    Raises:
        LocalError: it is not of this form; the error names the source and the line, not what stands there.
    """
    keys: list[VaultKey] = []
    reference: bytes | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words or words[0].startswith(b"#"):
            continue
        secret = _decode(words[-1])
        if secret is not None and words[:-1] == []:
            keys.append(VaultKey(secret))
        elif secret is not None and words[:-1] == [_REFERENCE.encode()] and reference is None:
            reference = secret
        else:
            raise LocalError(f"{source}, line {number}: a base64 key of {_KEY_BYTES} bytes was expected.")
    if reference is None:
        raise LocalError(
            f"{source} has no line with the reference key.",
            hint="Put the copy of the key file in its place: no other reference key fits the journal.",
        )
    return AesVault(keys, reference)


def _decode(word: bytes) -> bytes | None:
    try:
        secret = b64decode(word, validate=True)
    except binascii.Error:
        return None
    return secret if len(secret) == _KEY_BYTES else None
