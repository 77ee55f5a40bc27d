"""Every certificate that the service works with: what for, whose, how long, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from cryptography import x509

from gateway.contracts.errors import LocalError
from gateway.ops.configuration import Configuration
from gateway.ops.counted import counted
from gateway.security.certificates import check_usage, organisation_number
from gateway.security.errors import SignatureRefusedError
from gateway.security.files import read_public
from gateway.security.keys import load_pair
from gateway.security.trust import TrustStore, is_of_test_pki, read_roots

SOON = timedelta(days=30)
"""So long before its end a certificate is to be renewed"""

_KEY, _CERTIFICATE = ".key.pem", ".cert.pem"


class Purpose(StrEnum):
    """What a certificate is for."""

    SIGNING = "signing"
    """Our signatures, for a party"""
    DECRYPTION = "decryption"
    """What others encrypt for us with"""
    RECEIVER = "receiver"
    """What we encrypt for a receiver with"""
    ROOT = "root"
    """Whom we trust"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong, and what to do."""

    text: str
    hint: str
    grave: bool = True
    """Whether the service is stopped by it, now or for some messages"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A certificate, or a file that should hold one."""

    purpose: Purpose
    name: str
    """Number in the file's name, or the file's name"""
    file: Path
    certificate: x509.Certificate | None
    """None: it can not be read"""
    problems: tuple[Problem, ...]

    @property
    def not_after(self) -> datetime | None:
        """The end of its validity."""
        return self.certificate.not_valid_after_utc if self.certificate is not None else None

    def days_left(self, now: datetime) -> int | None:
        """Whole days until its end; below 0 when it has ended."""
        return None if self.not_after is None else (self.not_after - now) // timedelta(days=1)


def certificates(configuration: Configuration, now: datetime | None = None) -> list[Listed]:
    """All of them, by purpose and name; whatever is wrong with one is told of that one."""
    return list(_Looking(configuration, now or datetime.now(UTC)).everything())


class _Looking:
    def __init__(self, configuration: Configuration, now: datetime) -> None:
        self._configuration = configuration
        self._now = now
        self._production = configuration.gateway.profile == "production"
        self._trust = self._trusted()

    def everything(self) -> Iterator[Listed]:
        signing = self._configuration.signing
        yield from self._pairs(Purpose.SIGNING, self._configuration.path(signing.keys))
        yield from self._pairs(Purpose.DECRYPTION, self._configuration.path(signing.encryption_keys))
        yield from self._receivers(self._configuration.path(signing.encryption_certificates))
        for path in (*signing.trust, *signing.trust_test):
            yield from self._roots(self._configuration.path(path))

    def _trusted(self) -> TrustStore | None:
        signing = self._configuration.signing
        try:
            return TrustStore.from_files(
                [self._configuration.path(path) for path in signing.trust],
                production=self._production,
                test_paths=[self._configuration.path(path) for path in signing.trust_test],
            )
        except LocalError:
            return None  # told of its files

    def _pairs(self, purpose: Purpose, folder: Path) -> Iterator[Listed]:
        for path in sorted(folder.glob(f"*{_KEY}")):
            name = path.name.removesuffix(_KEY)
            try:
                pair = load_pair(path)
            except LocalError as error:
                problem = Problem(text=error.message, hint=error.hint or f"replace {path}")
                yield Listed(purpose=purpose, name=name, file=path, certificate=None, problems=(problem,))
                continue
            own, *issuers = pair.certificates
            file = path.with_name(name + _CERTIFICATE)
            problems = [*self._times(own, file), *self._path(own, issuers, file)]
            if purpose is Purpose.SIGNING:
                problems += _for_signing(own, name, file)
            else:
                problems += _for_encryption(own, file)
            yield Listed(purpose=purpose, name=name, file=file, certificate=own, problems=tuple(problems))

    def _receivers(self, folder: Path) -> Iterator[Listed]:
        for path in sorted(folder.glob(f"*{_CERTIFICATE}")):
            if path.with_name(path.name.removesuffix(_CERTIFICATE) + _KEY).exists():
                continue  # our own
            name = path.name.removesuffix(_CERTIFICATE)
            try:
                own, *issuers = x509.load_pem_x509_certificates(read_public(path))
            except (ValueError, LocalError):
                problem = Problem(text=f"{path} holds no certificate in PEM", hint=f"replace {path}")
                yield Listed(
                    purpose=Purpose.RECEIVER, name=name, file=path, certificate=None, problems=(problem,)
                )
                continue
            problems = (
                *self._times(own, path),
                *self._path(own, issuers, path),
                *_for_encryption(own, path),
            )
            yield Listed(purpose=Purpose.RECEIVER, name=name, file=path, certificate=own, problems=problems)

    def _roots(self, path: Path) -> Iterator[Listed]:
        try:
            found = read_roots(path)
        except LocalError as error:
            problem = Problem(text=error.message, hint="signing.trust names the files of roots")
            yield Listed(
                purpose=Purpose.ROOT, name=path.name, file=path, certificate=None, problems=(problem,)
            )
            return
        for root in found:
            yield Listed(
                purpose=Purpose.ROOT,
                name=path.name,
                file=path,
                certificate=root,
                problems=tuple(self._times(root, path)),
            )

    def _times(self, certificate: x509.Certificate, file: Path) -> Iterator[Problem]:
        begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        if self._now > ends:
            yield Problem(text=f"{file.name} has expired {ends:%Y-%m-%d}", hint=f"replace {file}; no restart")
        elif self._now + SOON > ends:
            days = (ends - self._now) // timedelta(days=1)
            yield Problem(
                text=f"{file.name} expires in {counted(days, 'day')}, {ends:%Y-%m-%d}",
                hint="order a new one now; it is taken without a restart",
                grave=False,
            )
        if self._now < begins:
            yield Problem(
                text=f"{file.name} is not valid before {begins:%Y-%m-%d %H:%M} UTC",
                hint="see that the clock is right, or wait with it",
            )

    def _path(
        self, certificate: x509.Certificate, issuers: list[x509.Certificate], file: Path
    ) -> Iterator[Problem]:
        if self._production and is_of_test_pki(certificate):
            yield Problem(
                text=f"{file.name} is one for tests, and gateway.profile is production",
                hint="put the certificate of a real issuer there",
            )
        if self._trust is None:
            return
        at = min(max(self._now, certificate.not_valid_before_utc), certificate.not_valid_after_utc)
        try:
            self._trust.check_revocation(self._trust.path(certificate, issuers, at))
        except SignatureRefusedError as error:
            if error.reason == "certificate-test":
                return  # told above
            what = "is revoked" if error.reason == "certificate-revoked" else "leads to no root that we trust"
            yield Problem(
                text=f"{file.name} {what}",
                hint="append its issuers to the file, or add its root to signing.trust",
                grave=error.reason == "certificate-revoked",
            )


def _for_signing(certificate: x509.Certificate, name: str, file: Path) -> Iterator[Problem]:
    try:
        check_usage(certificate, accept_digital_signature=False)
    except SignatureRefusedError:
        yield Problem(
            text=f"{file.name} is not for signing (key usage nonRepudiation): receivers refuse it",
            hint="use the certificate for signing (virksomhetssertifikat, signering) and its key",
        )
    number = organisation_number(certificate)
    if number is None:
        yield Problem(text=f"{file.name} names no organisation number", hint="order one with it", grave=False)
    elif name.isdecimal() and len(name) == len(number) and number != name:
        yield Problem(
            text=f"{file.name} was issued to {number}: signatures for {name} would be another's",
            hint=f"name the files {number}{_KEY} and {number}{_CERTIFICATE}, or put the right pair there",
        )


def _for_encryption(certificate: x509.Certificate, file: Path) -> Iterator[Problem]:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        usage = None
    if usage is None or not usage.key_encipherment:
        yield Problem(
            text=f"{file.name} is not for encryption (key usage keyEncipherment)",
            hint="use the certificate for encryption (virksomhetssertifikat, kryptering)",
        )
