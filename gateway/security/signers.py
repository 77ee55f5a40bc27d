"""Whether a certificate may sign: path, validity, key, usage, revocation; for XML-DSig and CMS alike."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Protocol

from gateway.contracts.ports import Signer
from gateway.security.certificates import check_usage, describe, read_certificates, signing_key
from gateway.security.trust import TrustedPath, TrustStore
from gateway.security.watched import Watched

_MAX_REMEMBERED: Final = 1024
_MAX_REMEMBERED_BYTES: Final = 16 * 1024
"""Of the certificates of one signer; whoever sends more gets no room in memory"""


class RevocationCheck(Protocol):
    """Finds out whether the certificates of a path are revoked."""

    def check(self, path: TrustedPath) -> None:
        """Return where none is.

        Raises:
            SignatureRefusedError: certificate-revoked.
            RevocationUnknownError: it can not be found out now.
        """


class SignerCheck:
    """Checks signers, and remembers them: a sender's certificate is the same from message to message."""

    def __init__(
        self,
        trust: TrustStore | Watched[TrustStore],
        *,
        revocation: RevocationCheck | None = None,
        accept_digital_signature: bool = False,
    ) -> None:
        """Trust what the store trusts, unless it is revoked.

        Args:
            trust: roots, and the revocation lists that lie beside them.
            revocation: further lists and responders; without them, what is not listed passes.
            accept_digital_signature: take certificates for authentication (key usage digitalSignature), too.
        """
        self._watched = trust
        self._trust = trust if isinstance(trust, TrustStore) else trust.get()
        self._revocation = revocation
        self._accept_digital_signature = accept_digital_signature
        self._known: dict[tuple[bytes, ...], tuple[TrustedPath, Signer]] = {}

    def check(self, certificates: tuple[bytes, ...], at: datetime) -> tuple[TrustedPath, Signer]:
        """The way from a signer to a root.

        Args:
            certificates: DER: the signer's and, in any order, those of its issuers.
            at: an aware time.

        Raises:
            SignatureRefusedError: with the reason.
            RevocationUnknownError: it can not be found out now whether the certificate is revoked.
        """
        self._renew()
        known = self._known.get(certificates)
        if known is None:
            own, others = read_certificates(certificates)
            signing_key(own)
            path = self._trust.path(own, others, at)
            check_usage(own, accept_digital_signature=self._accept_digital_signature)
            known = (path, describe(own))
            if sum(map(len, certificates)) <= _MAX_REMEMBERED_BYTES:
                if len(self._known) >= _MAX_REMEMBERED:
                    self._known.clear()
                self._known[certificates] = known
        path, _ = known
        path.check_time(at)
        self._trust.check_revocation(path)
        if self._revocation is not None:
            self._revocation.check(path)
        return known

    def _renew(self) -> None:
        """Where the files of roots have changed, nothing that was believed before counts any longer."""
        if isinstance(self._watched, Watched) and (trust := self._watched.get()) is not self._trust:
            self._trust = trust
            self._known.clear()
