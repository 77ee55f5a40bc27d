"""Keys, trust and protection, made from the configuration; read again when their files change."""

from __future__ import annotations

from pathlib import Path

from gateway.contracts.errors import ConfigurationError
from gateway.contracts.ports import MessageOpener, MessageProtector, MessageSigner, MessageVerifier
from gateway.contracts.registry import Registry
from gateway.ops.configuration import Configuration
from gateway.pipeline.packing import Packing
from gateway.security.cms import CmsOpener, CmsProtector
from gateway.security.gate import Limits
from gateway.security.keys import DecryptionKeyStore, KeyStore
from gateway.security.recipients import RecipientCertificates
from gateway.security.revocation import Revocation
from gateway.security.revocation_sources import AddressSource, FileSource, is_address
from gateway.security.signature import XmlSigner, XmlVerifier
from gateway.security.signers import SignerCheck
from gateway.security.trust import TrustStore, is_of_test_pki
from gateway.security.watched import Watched


def key_store(configuration: Configuration) -> KeyStore:
    """The keys that we sign with.

    Raises:
        ConfigurationError: a key of the test PKI in production.
        LocalError: a key can not be used.
    """
    keys = KeyStore(
        configuration.path(configuration.signing.keys), default_org_no=configuration.gateway.org_no
    )
    for name, certificate in keys.certificates().items():
        if _is_production(configuration) and is_of_test_pki(certificate):
            raise ConfigurationError(
                f"the signing certificate of {name} is one for tests, and gateway.profile is production",
                hint="put the certificates of a real issuer into signing.keys",
            )
    return keys


def trust_store(configuration: Configuration) -> Watched[TrustStore]:
    """The configured roots, and the revocation lists beside them."""
    signing = configuration.signing
    roots = [configuration.path(path) for path in signing.trust]
    test_roots = [configuration.path(path) for path in signing.trust_test]
    return Watched(
        lambda: TrustStore.from_files(roots, production=_is_production(configuration), test_paths=test_roots),
        lambda: [*roots, *test_roots],
    )


def revocation(configuration: Configuration) -> Revocation:
    """The configured lists and responders.

    Raises:
        ConfigurationError: an address that is not the loopback's.
    """
    signing = configuration.signing
    return Revocation(
        lists=[_source(configuration, text).content for text in signing.crl],
        answers=[_source(configuration, text).answers for text in signing.ocsp],
    )


def _source(configuration: Configuration, text: str) -> FileSource | AddressSource:
    return AddressSource(text) if is_address(text) else FileSource(configuration.path(Path(text)))


def message_signer(configuration: Configuration) -> MessageSigner:
    """Signs with the key of a party."""
    return XmlSigner(key_store(configuration))


def message_verifier(configuration: Configuration) -> MessageVerifier:
    """Trusts the configured roots."""
    return XmlVerifier(
        trust_store(configuration),
        revocation=revocation(configuration),
        limits=Limits(max_bytes=configuration.limits.message_bytes),
    )


def message_opener(configuration: Configuration) -> MessageOpener | None:
    """Opens what came encrypted; None where there is no folder of decryption keys."""
    directory = configuration.path(configuration.signing.encryption_keys)
    if not directory.is_dir():
        return None
    return CmsOpener(
        DecryptionKeyStore(directory),
        SignerCheck(trust_store(configuration), revocation=revocation(configuration)),
        max_bytes=configuration.limits.message_bytes,
        allow_pkcs1=configuration.signing.allow_pkcs1,
    )


def message_protector(configuration: Configuration) -> MessageProtector | None:
    """Encrypts for receivers; None where there is no folder of their certificates."""
    directory = configuration.path(configuration.signing.encryption_certificates)
    if not directory.is_dir():
        return None
    certificates = RecipientCertificates(
        directory, trust_store(configuration), revocation=revocation(configuration)
    )
    return CmsProtector(key_store(configuration), certificates)


def packing(configuration: Configuration, registry: Registry) -> Packing:
    """Puts on what goes out the protection that its receiver wants."""
    return Packing(registry, message_protector(configuration))


def _is_production(configuration: Configuration) -> bool:
    return configuration.gateway.profile == "production"
