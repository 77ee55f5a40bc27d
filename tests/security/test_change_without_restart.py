"""Keys, roots and receivers' certificates are changed while the gateway runs; test certificates stay out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from gateway.contracts.errors import ConfigurationError, LocalError
from gateway.contracts.registry import ContentCipher, Endpoint, PartyKind
from gateway.ops.configuration import Configuration
from gateway.ops.security import key_store, message_protector, trust_store
from gateway.security.cms import CmsOpener, protect
from gateway.security.errors import CmsRefusedError, SignatureRefusedError
from gateway.security.keys import DecryptionKeyStore, KeyStore
from gateway.security.recipients import RecipientCertificates
from gateway.security.signature import XmlSigner, XmlVerifier
from gateway.security.signers import SignerCheck
from gateway.security.trust import TrustStore
from gateway.security.watched import Watched
from tests.security import pki
from tests.security.messages import MESSAGE
from tests.security.pki import Issued, key_directory

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
START, END = NOW - DAY, NOW + DAY
ROOT = pki.issue("Root of today", pki.rsa_key(0), ca=True, key_usage=pki.CERT_SIGN, start=START, end=END)
OTHER_ROOT = pki.issue("Other root", pki.rsa_key(1), ca=True, key_usage=pki.CERT_SIGN, start=START, end=END)


def leaf(number: int, *, usage: x509.KeyUsage = pki.NON_REPUDIATION, issuer: Issued = ROOT) -> Issued:
    return pki.issue(f"Leaf {number}", pki.rsa_key(number), issuer, key_usage=usage, start=START, end=END)


ENCRYPTION = pki.usage(key_encipherment=True)
RECEIVER = Endpoint(
    kind=PartyKind.GP,
    her_id="8920031",
    name="Lege",
    organisation_her_id="8920030",
    organisation_name="Legekontor",
    accepts=(),
    queue="8920031_async",
    org_no="310000300",
)


def test_a_new_signing_key_is_used_at_once(tmp_path: Path) -> None:
    old, new = leaf(2), leaf(3)
    keys = KeyStore(key_directory(tmp_path, old), look_seconds=0)
    signer, verifier = XmlSigner(keys), XmlVerifier(TrustStore([ROOT.certificate]))
    before = signer.sign(MESSAGE, org_no=None)
    key_directory(tmp_path, new)
    after = signer.sign(MESSAGE, org_no=None)
    for message, issued in ((before, old), (after, new)):
        assert verifier.verify(message).signer.serial == format(issued.certificate.serial_number, "X")


def test_half_a_change_leaves_the_old_key_in_use(tmp_path: Path) -> None:
    old, new = leaf(2), leaf(3)
    keys = KeyStore(key_directory(tmp_path, old), look_seconds=0)
    (tmp_path / "gateway.key.pem").write_bytes(new.private_pem)
    assert keys.for_organisation(None).certificates[0] == old.certificate
    (tmp_path / "gateway.cert.pem").write_bytes(new.pem)
    assert keys.for_organisation(None).certificates[0] == new.certificate


def test_the_previous_decryption_key_reads_until_it_is_taken_away(tmp_path: Path) -> None:
    old, new, signing = leaf(10, usage=ENCRYPTION), leaf(11, usage=ENCRYPTION), leaf(2)
    keys = DecryptionKeyStore(key_directory(tmp_path / "enc", old, name="2025"), look_seconds=0)
    opener = CmsOpener(keys, SignerCheck(TrustStore([ROOT.certificate])), max_bytes=100_000)
    signer = KeyStore(key_directory(tmp_path / "sign", signing)).for_organisation(None)
    for_old = protect(MESSAGE, signer, old.certificate, ContentCipher.AES_256_CBC)
    for_new = protect(MESSAGE, signer, new.certificate, ContentCipher.AES_256_CBC)
    assert opener.open(for_old).signed == MESSAGE
    key_directory(tmp_path / "enc", new, name="2026")
    assert opener.open(for_old).signed == opener.open(for_new).signed == MESSAGE
    for file in (tmp_path / "enc").glob("2025.*"):
        file.unlink()
    assert opener.open(for_new).signed == MESSAGE
    with pytest.raises(CmsRefusedError, match="none of our keys"):
        opener.open(for_old)


def test_a_root_that_is_taken_away_is_trusted_no_longer(tmp_path: Path) -> None:
    file = tmp_path / "root.pem"
    file.write_bytes(ROOT.pem)
    trust = Watched(lambda: TrustStore.from_files([file]), lambda: [file], look_seconds=0)
    verifier = XmlVerifier(trust)
    signed = XmlSigner(KeyStore(key_directory(tmp_path / "keys", leaf(2)))).sign(MESSAGE, org_no=None)
    assert verifier.verify(signed)
    file.write_bytes(OTHER_ROOT.pem)
    with pytest.raises(SignatureRefusedError) as caught:
        verifier.verify(signed)
    assert caught.value.reason == "certificate-untrusted"
    file.write_bytes(OTHER_ROOT.pem + ROOT.pem)
    assert verifier.verify(signed)


@pytest.mark.parametrize("name", ["8920031", "8920030", "310000300"])
def test_a_receivers_certificate_is_found_and_changed(name: str, tmp_path: Path) -> None:
    old, new = leaf(10, usage=ENCRYPTION), leaf(11, usage=ENCRYPTION)
    file = tmp_path / f"{name}.cert.pem"
    file.write_bytes(old.pem)
    certificates = RecipientCertificates(tmp_path, TrustStore([ROOT.certificate]), look_seconds=0)
    assert certificates.of(RECEIVER) == old.certificate
    file.write_bytes(new.pem)
    assert certificates.of(RECEIVER) == new.certificate


BAD_RECEIVERS = {
    "missing": (None, "no encryption certificate"),
    "for-signing": (leaf(10), "keyEncipherment"),
    "weak": (pki.issue("W", pki.rsa_key(8, 1024), ROOT, key_usage=ENCRYPTION), "2048"),
    "elliptic": (pki.issue("E", pki.ec_key(1), ROOT, key_usage=ENCRYPTION), "RSA"),
    "untrusted": (leaf(10, usage=ENCRYPTION, issuer=OTHER_ROOT), "certificate-untrusted"),
    "expired": (
        pki.issue("X", pki.rsa_key(10), ROOT, key_usage=ENCRYPTION, start=START, end=NOW - DAY / 2),
        "certificate-expired",
    ),
}


@pytest.mark.parametrize(("issued", "says"), BAD_RECEIVERS.values(), ids=BAD_RECEIVERS.keys())
def test_nothing_is_encrypted_for_a_bad_certificate(issued: Issued | None, says: str, tmp_path: Path) -> None:
    if issued is not None:
        (tmp_path / "8920031.cert.pem").write_bytes(issued.pem)
    certificates = RecipientCertificates(tmp_path, TrustStore([ROOT.certificate]))
    with pytest.raises(LocalError, match=says) as caught:
        certificates.of(RECEIVER)
    assert "8920031" in str(caught.value)


def test_a_revoked_receiver_gets_nothing(tmp_path: Path) -> None:
    issued = leaf(10, usage=ENCRYPTION)
    (tmp_path / "8920031.cert.pem").write_bytes(issued.pem)
    (tmp_path / "trust.pem").write_bytes(ROOT.pem + pki.revocation_list(ROOT, issued, at=NOW))
    certificates = RecipientCertificates(tmp_path, TrustStore.from_files([tmp_path / "trust.pem"]))
    with pytest.raises(LocalError, match="certificate-revoked"):
        certificates.of(RECEIVER)


@pytest.mark.parametrize("production", [False, True])
def test_a_certificate_under_a_test_root(production: bool) -> None:  # noqa: FBT001 - a parameter of the test
    trust = TrustStore([ROOT.certificate], production=production, test_anchors=[OTHER_ROOT.certificate])
    assert trust.path(leaf(2).certificate, [], NOW)
    of_test = leaf(3, issuer=OTHER_ROOT).certificate
    if not production:
        assert trust.path(of_test, [], NOW)
        return
    with pytest.raises(SignatureRefusedError) as caught:
        trust.path(of_test, [], NOW)
    assert (caught.value.reason, caught.value.faults[0].code) == ("certificate-test", "S02")


def profile(config: Path, name: str) -> Configuration:
    return Configuration.from_document({"gateway": {"profile": name, "org_no": "310009999"}}, config.parent)


def test_the_test_pki_is_refused_in_production_whatever_list_it_stands_in(config: Path) -> None:
    signed = XmlSigner(key_store(profile(config, "test"))).sign(MESSAGE, org_no="310000107")
    assert XmlVerifier(trust_store(profile(config, "test"))).verify(signed).signer.org_no == "310000107"
    with pytest.raises(SignatureRefusedError) as caught:
        XmlVerifier(trust_store(profile(config, "production"))).verify(signed)
    assert caught.value.reason == "certificate-test"


def test_a_test_key_does_not_sign_in_production(config: Path) -> None:
    for make in (key_store, message_protector):
        with pytest.raises(ConfigurationError, match="is one for tests"):
            make(profile(config, "production"))


def test_a_web_address_for_revocation_is_refused_at_the_start(config: Path) -> None:
    document: dict[str, object] = {"signing": {"ocsp": ["http://ocsp.example.com/"]}}
    with pytest.raises(ConfigurationError, match="loopback"):
        message_protector(Configuration.from_document(document, config.parent))
