"""The certificates that we encrypt for receivers with."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from gateway.contracts.errors import LocalError
from gateway.contracts.registry import Endpoint
from gateway.security.errors import SignatureRefusedError
from gateway.security.files import read_public
from gateway.security.signers import RevocationCheck
from gateway.security.trust import TrustStore
from gateway.security.watched import LOOK_SECONDS, Watched

_SUFFIX: Final = ".cert.pem"
_RSA_BITS: Final = 2048


class RecipientCertificates:
    """A directory of `<number>.cert.pem`, read again when it changes.

    The number is the HER-id of the receiver or its organisation, or its organisation number. The receiver's
    certificate stands first in its file, then those of its issuers.
    """

    def __init__(
        self,
        directory: Path,
        trust: TrustStore | Watched[TrustStore],
        *,
        revocation: RevocationCheck | None = None,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        """Read the directory.

        Raises:
            LocalError: a file holds no certificate.
        """
        self._directory = directory
        self._trust = trust
        self._revocation = revocation
        self._watched = Watched(self._load, self._files, look_seconds=look_seconds)

    def of(self, receiver: Endpoint) -> x509.Certificate:
        """The certificate to encrypt for a receiver with: valid now, trusted, and for that use.

        Raises:
            LocalError: there is none, or it can not be used.
            RevocationUnknownError: it can not be found out now whether it is revoked.
        """
        known = self._watched.get()
        names = (receiver.her_id, receiver.organisation_her_id, receiver.org_no)
        chain = next((known[name] for name in names if name is not None and name in known), None)
        if chain is None:
            raise LocalError(
                f"There is no encryption certificate for {receiver.her_id}.",
                hint=f"Put {receiver.her_id}{_SUFFIX} into {self._directory}.",
            )
        self._check(chain, receiver.her_id)
        return chain[0]

    def _check(self, chain: tuple[x509.Certificate, ...], her_id: str) -> None:
        own, *others = chain
        public = own.public_key()
        if not isinstance(public, rsa.RSAPublicKey) or public.key_size < _RSA_BITS:
            raise LocalError(
                f"The encryption certificate of {her_id} is for no RSA key of 2048 bits or more."
            )
        try:
            usage = own.extensions.get_extension_for_class(x509.KeyUsage).value
        except x509.ExtensionNotFound:
            usage = None
        if usage is None or not usage.key_encipherment:
            raise LocalError(
                f"The certificate of {her_id} is not for encryption (key usage keyEncipherment)."
            )
        trust = self._trust if isinstance(self._trust, TrustStore) else self._trust.get()
        try:
            path = trust.path(own, others, datetime.now(UTC))
            trust.check_revocation(path)
            if self._revocation is not None:
                self._revocation.check(path)
        except SignatureRefusedError as error:
            raise LocalError(
                f"The encryption certificate of {her_id} can not be used: {error.reason}.",
                hint="Ask the receiver for a new one.",
            ) from None

    def _files(self) -> list[Path]:
        return sorted(self._directory.glob(f"*{_SUFFIX}"))

    def _load(self) -> dict[str, tuple[x509.Certificate, ...]]:
        loaded = {}
        for path in self._files():
            try:
                chain = tuple(x509.load_pem_x509_certificates(read_public(path)))
            except ValueError:
                raise LocalError(f"{path} holds no certificate in PEM.") from None
            loaded[path.name.removesuffix(_SUFFIX)] = chain
        return loaded
