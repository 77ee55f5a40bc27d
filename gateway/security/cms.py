"""Protection on the way: signed, then enveloped (CMS), as messages on the AMQP of the health network are.

Source: Norsk Helsenett, «Meldingsutveksling over AMQP», content type signed-and-enveloped-data; RFC 5652.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import Message
from typing import ClassVar, Final, Protocol

from cryptography import x509

from gateway.contracts.errors import GatewayError
from gateway.contracts.ports import Verified
from gateway.contracts.registry import ContentCipher, Endpoint
from gateway.security.cms_envelope import envelop, open_envelope
from gateway.security.cms_signature import read_signed, sign
from gateway.security.errors import CmsRefusedError
from gateway.security.keys import DecryptionKey, KeyStore, SigningKey
from gateway.security.signers import SignerCheck

__all__ = [
    "CONTENT_TYPE",
    "CmsOpener",
    "CmsProtector",
    "CmsRefusedError",
    "ContentCipher",
    "DecryptionKey",
    "protect",
]

CONTENT_TYPE: Final = "application/pkcs7-mime; smime-type=signed-and-enveloped-data"
_MEDIA_TYPES: Final = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_COVERS: Final = "whole message"
_OVERHEAD: Final = 64 * 1024
"""What envelope, signature and certificates may add to a message"""


def protect(data: bytes, key: SigningKey, recipient: x509.Certificate, cipher: ContentCipher) -> bytes:
    """Sign, then encrypt for one receiver.

    Args:
        data: the message.
        key: signs; its certificates go along.
        recipient: the receiver's encryption certificate.
        cipher: what the receiver takes.

    Returns:
        CMS in DER.
    """
    return envelop(sign(data, key), recipient, cipher)


class EncryptionCertificates(Protocol):
    """Where the receivers' certificates are."""

    def of(self, receiver: Endpoint) -> x509.Certificate:
        """The certificate to encrypt for a receiver with.

        Raises:
            LocalError: there is none that can be used.
            TransientError: it can not be found out now whether it is revoked.
        """


class CmsProtector:
    """Signs with our keys, encrypts for receivers."""

    content_type: ClassVar[str] = CONTENT_TYPE

    def __init__(self, keys: KeyStore, certificates: EncryptionCertificates) -> None:
        """Sign with the keys, encrypt for the certificates."""
        self._keys = keys
        self._certificates = certificates

    def protect(self, message: bytes, *, org_no: str | None, receiver: Endpoint) -> bytes:
        """Sign for the organisation, encrypt for the receiver.

        Raises:
            LocalError: no certificate of the receiver can be used.
            TransientError: it can not be found out now whether it is revoked.
        """
        key = self._keys.for_organisation(org_no)
        return protect(message, key, self._certificates.of(receiver), receiver.encryption)


class DecryptionKeys(Protocol):
    """Where the keys are."""

    def current(self) -> Sequence[DecryptionKey]:
        """All keys that read, the older ones too."""


class CmsOpener:
    """Decrypts and verifies."""

    def __init__(
        self,
        keys: DecryptionKeys,
        signers: SignerCheck,
        *,
        max_bytes: int,
        allow_pkcs1: bool = True,
    ) -> None:
        """Read with the keys, believe the signers.

        Args:
            keys: current and older ones.
            signers: decides whether a certificate is good.
            max_bytes: of the message that comes out; what arrives may be a little larger.
            allow_pkcs1: take content keys carried with RSAES-PKCS1-v1_5, which most senders use.
        """
        self._keys = keys
        self._signers = signers
        self._max_bytes = max_bytes
        self._allow_pkcs1 = allow_pkcs1

    def opens(self, content_type: str) -> bool:
        """Whether a content type, with or without parameters, says that the body is CMS."""
        header = Message()
        header["Content-Type"] = content_type
        return header.get_content_type() in _MEDIA_TYPES

    def open(self, data: bytes, *, at: datetime | None = None) -> Verified:
        """The message and its signer.

        Args:
            data: CMS, DER or BER.
            at: when the certificate must be valid; now by default.

        Raises:
            CmsRefusedError: `reason` is a key of `CMS_REASONS`.
            SignatureRefusedError: the certificate is not good.
            RevocationUnknownError: it can not be found out now whether it is revoked.
            LocalError: our own keys can not be read.
        """
        if len(data) > self._max_bytes + _OVERHEAD:
            raise CmsRefusedError("cms-too-large")
        try:
            inner = open_envelope(data, self._keys.current(), allow_pkcs1=self._allow_pkcs1)
        except GatewayError:
            raise
        except Exception:  # noqa: BLE001 - a stranger's bytes: whatever the library makes of them is a refusal
            raise CmsRefusedError("cms-not-readable") from None
        try:
            checked = read_signed(inner)
        except Exception:  # noqa: BLE001 - as above; and no more is told than of a wrong key
            raise CmsRefusedError("cms-decryption-failed") from None
        try:
            signed = checked(self._signers, at or datetime.now(UTC))
        except GatewayError:
            raise
        except Exception:  # noqa: BLE001 - as above
            raise CmsRefusedError("cms-structure") from None
        if len(signed.content) > self._max_bytes:
            raise CmsRefusedError("cms-too-large")
        return Verified(signer=signed.signer, covers=_COVERS, signed=signed.content)
