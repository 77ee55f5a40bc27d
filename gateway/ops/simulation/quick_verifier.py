"""Signatures checked at the speed of a simulation: in full for a new certificate, and now and then.

In between it is the sums alone: that what came is what was signed, and by whose key. A bad signature is found
in every message.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from lxml import etree

from gateway.contracts.ports import MessageVerifier, Signer, Verified
from gateway.security.gate import parse

_DS = "{http://www.w3.org/2000/09/xmldsig#}"
_IN_FULL = 20
"""One of so many of a signer is checked in full"""

Check = Callable[[bytes, bytes], None]
"""Checks a signature value over bytes; raises InvalidSignature"""


class QuickVerifier:
    """A `MessageVerifier` for what the gateway and the simulation sign (RSA-SHA256, exclusive c14n)."""

    def __init__(self, full: MessageVerifier) -> None:
        """`full` has the last word: on every new certificate, on what looks otherwise, and on what is bad."""
        self._full = full
        self._known: dict[str, tuple[Signer, Check]] = {}
        self._count = 0

    def verify(
        self, message: bytes, *, at: datetime | None = None, tree: etree._Element | None = None
    ) -> Verified:
        """Check the signature of a MsgHead message.

        Raises:
            SignatureRefusedError: it is not good.
        """
        self._count += 1
        quick = self._quick(message) if at is None and self._count % _IN_FULL else None
        return quick or self._in_full(message, at, tree)

    def _in_full(self, message: bytes, at: datetime | None, tree: etree._Element | None) -> Verified:
        verified = self._full.verify(message, at=at, tree=tree)
        text = parse(message).findtext(f"{_DS}Signature/{_DS}KeyInfo/{_DS}X509Data/{_DS}X509Certificate")
        if text is not None:
            key = x509.load_der_x509_certificate(b64decode(text)).public_key()
            if isinstance(key, RSAPublicKey):
                self._known[text] = (verified.signer, _checked_by(key))
        return verified

    def _quick(self, message: bytes) -> Verified | None:
        """None: it is for the other one to say."""
        root = parse(message)
        signature = root[-1]
        known = self._known.get(signature.findtext(f"{_DS}KeyInfo/{_DS}X509Data/{_DS}X509Certificate") or "")
        info = signature.find(f"{_DS}SignedInfo")
        if known is None or info is None:
            return None
        signer, check = known
        try:
            check(b64decode(signature.findtext(f"{_DS}SignatureValue") or ""), _c14n(info))
        except (InvalidSignature, ValueError):
            return None
        digest = info.findtext(f"{_DS}Reference/{_DS}DigestValue") or ""
        root.remove(signature)
        signed = _c14n(root)
        if b64decode(digest) != sha256(signed).digest():
            return None
        return Verified(signer=signer, covers="whole message", signed=signed, tree=root)


def _checked_by(key: RSAPublicKey) -> Check:
    return lambda value, signed: key.verify(value, signed, PKCS1v15(), SHA256())


def _c14n(element: etree._Element) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False)
