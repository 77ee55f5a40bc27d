"""Protection on the way, against openssl both ways."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from asn1crypto import cms as asn1
from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.contracts.registry import ContentCipher
from gateway.security.cms import (
    CONTENT_TYPE,
    CmsOpener,
    CmsRefusedError,
    DecryptionKey,
    protect,
)
from gateway.security.cms_envelope import envelop
from gateway.security.cms_signature import sign
from gateway.security.errors import SignatureRefusedError, transport_condition
from gateway.security.keys import SigningKey
from gateway.security.signers import SignerCheck
from gateway.security.trust import TrustStore
from tests.security import pki
from tests.security.messages import MESSAGE, PATIENT, assert_tells_nothing
from tests.security.pki import NOW, Issued

OPENSSL = shutil.which("openssl")
with_openssl = pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed")
KEY_ENCIPHERMENT = pki.usage(key_encipherment=True)
BOTH = list(ContentCipher)


def encryption(number: int) -> Issued:
    return pki.issue(f"Encryption {number}", pki.rsa_key(number), pki.issuing(), key_usage=KEY_ENCIPHERMENT)


CURRENT, PREVIOUS, ANOTHERS = encryption(10), encryption(11), encryption(12)


def decryption_key(issued: Issued) -> DecryptionKey:
    assert isinstance(issued.key, rsa.RSAPrivateKey)
    return DecryptionKey(issued.key, issued.certificate)


def signing_key(issued: Issued, *issuers: Issued) -> SigningKey:
    assert isinstance(issued.key, rsa.RSAPrivateKey)
    return SigningKey(issued.key, tuple(one.certificate for one in (issued, *issuers)))


@dataclass(frozen=True)
class Keys:
    keys: tuple[DecryptionKey, ...]

    def current(self) -> Sequence[DecryptionKey]:
        return self.keys


OURS = Keys((decryption_key(CURRENT), decryption_key(PREVIOUS)))
HOSPITAL = signing_key(pki.hospital(), pki.issuing())


def opener(keys: Keys = OURS, *, max_bytes: int = 1_000_000, allow_pkcs1: bool = True) -> CmsOpener:
    signers = SignerCheck(TrustStore([pki.root().certificate]))
    return CmsOpener(keys, signers, max_bytes=max_bytes, allow_pkcs1=allow_pkcs1)


def protected(cipher: ContentCipher = ContentCipher.AES_256_CBC, recipient: Issued = CURRENT) -> bytes:
    return protect(MESSAGE, HOSPITAL, recipient.certificate, cipher)


def reason(data: bytes, opened_by: CmsOpener | None = None) -> str:
    """The reason why something is refused; it must tell nothing of the patient."""
    try:
        (opened_by or opener()).open(data, at=NOW)
    except (CmsRefusedError, SignatureRefusedError) as error:
        assert_tells_nothing(error)
        return error.reason if error.faults else "no-fault"
    return "ok"


@pytest.mark.parametrize("cipher", BOTH)
@pytest.mark.parametrize("recipient", [CURRENT, PREVIOUS], ids=["current", "previous"])
def test_what_is_protected_is_read_with_its_signer(cipher: ContentCipher, recipient: Issued) -> None:
    data = protected(cipher, recipient)
    assert not [value for value in PATIENT if value.encode() in data]
    opened = opener().open(data, at=NOW)
    assert opened.signed == MESSAGE
    assert opened.signer.org_no == pki.ORG_NO


def test_no_two_messages_are_encrypted_alike() -> None:
    assert protected() != protected()


@pytest.mark.parametrize("cipher", BOTH)
def test_what_is_for_another_is_not_read(cipher: ContentCipher) -> None:
    assert reason(protected(cipher, ANOTHERS)) == "cms-not-for-us"
    assert reason(protected(cipher), opener(Keys(()))) == "cms-not-for-us"


class OpenSsl:
    """The command, with a folder for its files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.roots = self.file("root.pem", pki.root().pem)

    def file(self, name: str, content: bytes) -> str:
        path = self._folder / name
        path.write_bytes(content)
        return str(path)

    def cms(self, data: bytes, *arguments: str) -> bytes:
        assert OPENSSL is not None
        command = [OPENSSL, "cms", "-binary", "-in", self.file("in", data), *arguments]
        return subprocess.run(command, capture_output=True, check=True).stdout

    def signed(self, data: bytes, issued: Issued, *options: str, chain: bytes = b"") -> bytes:
        certificate = self.file("signer.pem", issued.pem)
        key = self.file("signer.key", issued.private_pem)
        files = ("-certfile", self.file("chain.pem", chain)) if chain else ()
        form = ("-sign", "-nodetach", "-outform", "DER", "-signer", certificate, "-inkey", key)
        return self.cms(data, *form, *files, *options)

    def encrypted(self, data: bytes, recipient: Issued, *options: str) -> bytes:
        certificate = self.file("recipient.pem", recipient.pem)
        return self.cms(data, "-encrypt", "-outform", "DER", *options, "-recip", certificate)

    def decrypted(self, data: bytes, recipient: Issued) -> bytes:
        certificate = self.file("recipient.pem", recipient.pem)
        key = self.file("recipient.key", recipient.private_pem)
        return self.cms(data, "-decrypt", "-inform", "DER", "-recip", certificate, "-inkey", key)

    def verified(self, data: bytes) -> bytes:
        time = str(int(NOW.timestamp()))
        trust = ("-CAfile", self.roots, "-purpose", "any", "-attime", time)
        return self.cms(data, "-verify", "-inform", "DER", *trust)


@pytest.fixture
def openssl(tmp_path: Path) -> OpenSsl:
    return OpenSsl(tmp_path)


@with_openssl
@pytest.mark.parametrize("cipher", BOTH)
def test_openssl_reads_ours(cipher: ContentCipher, openssl: OpenSsl) -> None:
    signed = openssl.decrypted(protected(cipher), CURRENT)
    assert openssl.verified(signed) == MESSAGE


ENCRYPTED = {
    "aes-256-cbc": ("-aes-256-cbc",),
    "aes-128-cbc": ("-aes-128-cbc",),
    "aes-256-gcm": ("-aes-256-gcm",),
    "aes-128-gcm": ("-aes-128-gcm",),
    "by-key-identifier": ("-aes-256-cbc", "-keyid"),
    "streamed": ("-aes-256-cbc", "-stream"),
}
PADDED = {
    "oaep": (),
    "oaep-sha256": ("-keyopt", "rsa_oaep_md:sha256"),
}
SIGNED = {
    "plain": (),
    "sha384": ("-md", "sha384"),
    "sha512": ("-md", "sha512"),
    "by-key-identifier": ("-keyid",),
    "no-attributes": ("-noattr",),
    "streamed": ("-stream",),
    "pss": ("-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:32"),
}


def with_identifier(number: int, usage: x509.KeyUsage, issued: Issued) -> Issued:
    """Openssl names a key by its identifier only where the certificate holds one."""
    identifier = x509.SubjectKeyIdentifier.from_public_key(issued.key.public_key())
    return pki.issue("By identifier", pki.rsa_key(number), pki.issuing(), key_usage=usage, extra=identifier)


SIGNER = with_identifier(2, pki.NON_REPUDIATION, pki.hospital())
RECIPIENT = with_identifier(10, KEY_ENCIPHERMENT, CURRENT)
THEIRS = Keys((decryption_key(PREVIOUS), decryption_key(RECIPIENT)))


@with_openssl
@pytest.mark.parametrize("options", ENCRYPTED.values(), ids=ENCRYPTED.keys())
def test_what_openssl_encrypted_is_read(options: tuple[str, ...], openssl: OpenSsl) -> None:
    signed = openssl.signed(MESSAGE, SIGNER, chain=pki.issuing().pem)
    data = openssl.encrypted(signed, RECIPIENT, *options)
    assert opener(THEIRS).open(data, at=NOW).signed == MESSAGE


@with_openssl
@pytest.mark.parametrize("options", PADDED.values(), ids=PADDED.keys())
def test_what_openssl_encrypted_with_oaep_is_read(options: tuple[str, ...], openssl: OpenSsl) -> None:
    signed = openssl.signed(MESSAGE, SIGNER, chain=pki.issuing().pem)
    certificate = openssl.file("recipient.pem", RECIPIENT.pem)
    padding = ("-keyopt", "rsa_padding_mode:oaep", *options)
    data = openssl.cms(signed, "-encrypt", "-outform", "DER", "-aes-256-cbc", "-recip", certificate, *padding)
    assert opener(THEIRS, allow_pkcs1=False).open(data, at=NOW).signed == MESSAGE


@with_openssl
@pytest.mark.parametrize("options", SIGNED.values(), ids=SIGNED.keys())
def test_what_openssl_signed_is_read(options: tuple[str, ...], openssl: OpenSsl) -> None:
    signed = openssl.signed(MESSAGE, SIGNER, *options, chain=pki.issuing().pem)
    data = openssl.encrypted(signed, RECIPIENT, "-aes-256-cbc")
    opened = opener(THEIRS).open(data, at=NOW)
    assert opened.signed == MESSAGE
    assert opened.signer.serial == format(SIGNER.certificate.serial_number, "X")


@with_openssl
@pytest.mark.parametrize("option", ["-des3", "-aes-256-ofb", "-camellia256"])
def test_weak_or_strange_ciphers_are_refused(option: str, openssl: OpenSsl) -> None:
    data = openssl.encrypted(sign(MESSAGE, HOSPITAL), CURRENT, option)
    assert reason(data) == "cms-algorithm-not-allowed"


OLD_CIPHERS = {
    "des": core.OctetString(b"x" * 8),
    "tripledes_3key": core.OctetString(b"x" * 8),
    "rc2": {"iv": b"x" * 8},
    "rc4": core.Null(),
    "aes256_ecb": core.Null(),
    "aes256_gcm": core.Null(),
}


@pytest.mark.parametrize("algorithm", OLD_CIPHERS)
def test_ciphers_outside_the_list_are_refused_whatever_they_hold(algorithm: str) -> None:
    info = asn1.ContentInfo.load(protected())
    content = info["content"]["encrypted_content_info"]
    content["content_encryption_algorithm"] = {
        "algorithm": algorithm,
        "parameters": OLD_CIPHERS[algorithm],
    }
    assert reason(info.dump(force=True)) == "cms-algorithm-not-allowed"


def test_pkcs1_key_transport_is_a_setting() -> None:
    strict = opener(allow_pkcs1=False)
    assert reason(protected(ContentCipher.AES_256_CBC), strict) == "cms-algorithm-not-allowed"
    assert strict.open(protected(ContentCipher.AES_256_GCM), at=NOW).signed == MESSAGE


def enveloped(signed: bytes) -> bytes:
    return envelop(signed, CURRENT.certificate, ContentCipher.AES_256_CBC)


@with_openssl
@pytest.mark.parametrize("digest", ["sha1", "md5", "sha224"])
def test_weak_digests_are_refused(digest: str, openssl: OpenSsl) -> None:
    signed = openssl.signed(MESSAGE, SIGNER, "-md", digest, chain=pki.issuing().pem)
    assert reason(enveloped(signed)) == "cms-algorithm-not-allowed"


@with_openssl
def test_a_signer_without_certificate(openssl: OpenSsl) -> None:
    signed = openssl.signed(MESSAGE, SIGNER, "-nocerts")
    assert reason(enveloped(signed)) == "cms-no-certificate"
    assert transport_condition("cms-no-certificate") == "transport:missing-certificate"


def test_two_signers() -> None:
    info = asn1.ContentInfo.load(sign(MESSAGE, HOSPITAL))
    signers = info["content"]["signer_infos"]
    signers.append(signers[0].copy())
    assert reason(enveloped(info.dump(force=True))) == "cms-structure"
    info["content"]["signer_infos"] = []
    assert reason(enveloped(info.dump(force=True))) == "cms-structure"


def test_signed_but_not_encrypted_and_encrypted_but_not_signed() -> None:
    assert reason(sign(MESSAGE, HOSPITAL)) == "cms-not-encrypted"
    assert reason(enveloped(MESSAGE)) == "cms-decryption-failed"
    assert reason(enveloped(protected())) == "cms-decryption-failed"


def test_content_and_signature_of_two_messages() -> None:
    info = asn1.ContentInfo.load(sign(MESSAGE, HOSPITAL))
    info["content"]["encap_content_info"]["content"] = MESSAGE.replace(b"Kari", b"Ola ")
    assert reason(enveloped(info.dump(force=True))) == "cms-digest-mismatch"


def with_attributes(*changes: tuple[str, bytes | str | None]) -> bytes:
    """A message whose signed attributes were changed: without (None), or with another value."""
    info = asn1.ContentInfo.load(sign(MESSAGE, HOSPITAL))
    signer = info["content"]["signer_infos"][0]
    attributes = {a["type"].native: a["values"] for a in signer["signed_attrs"]}
    for name, value in changes:
        attributes.pop(name)
        if value is not None:
            attributes[name] = [value]
    signer["signed_attrs"] = [{"type": name, "values": values} for name, values in attributes.items()]
    return enveloped(info.dump(force=True))


def test_signed_attributes_are_what_they_must_be() -> None:
    digest = Hash(SHA256())
    digest.update(MESSAGE)
    good = digest.finalize()
    assert opener().open(enveloped(sign(MESSAGE, HOSPITAL)), at=NOW).signed == MESSAGE
    assert reason(with_attributes(("message_digest", b"x" * 32))) == "cms-digest-mismatch"
    assert reason(with_attributes(("message_digest", None))) == "cms-structure"
    assert reason(with_attributes(("content_type", None))) == "cms-structure"
    assert reason(with_attributes(("content_type", "signed_data"))) == "cms-structure"
    assert reason(with_attributes(("message_digest", good), ("signing_time", None))) == (
        "cms-signature-invalid"
    )


def test_attributes_passed_off_as_content() -> None:
    """A signature over signed attributes is one over the same bytes as content, and must not pass."""
    info = asn1.ContentInfo.load(sign(MESSAGE, HOSPITAL))
    signer = info["content"]["signer_infos"][0]
    attributes = signer["signed_attrs"].untag().dump()
    info["content"]["encap_content_info"]["content"] = attributes
    del signer["signed_attrs"]
    assert reason(enveloped(info.dump(force=True))) == "cms-structure"


def test_the_signers_certificate_must_be_good() -> None:
    def signed_by(issued: Issued, *issuers: Issued) -> str:
        return reason(enveloped(sign(MESSAGE, signing_key(issued, *issuers))))

    def leaf(key: int = 13, **changes: object) -> Issued:
        return pki.issue("Leaf", pki.rsa_key(key), pki.issuing(), **changes)  # type: ignore[arg-type] # passed on

    assert signed_by(leaf(end=NOW - timedelta(days=1)), pki.issuing()) == "certificate-expired"
    assert signed_by(leaf(start=NOW + timedelta(days=1)), pki.issuing()) == "certificate-not-yet-valid"
    assert signed_by(leaf(key_usage=KEY_ENCIPHERMENT), pki.issuing()) == "key-usage"
    assert signed_by(pki.issue("Self", pki.rsa_key(13))) == "certificate-untrusted"
    assert signed_by(leaf()) == "certificate-untrusted"
    weak = pki.issue("Weak", pki.rsa_key(8, 1024), pki.issuing())
    assert signed_by(weak, pki.issuing()) == "weak-key"


@pytest.mark.parametrize(
    ("ground", "condition"),
    [
        ("certificate-expired", "transport:expired-certificate"),
        ("certificate-revoked", "transport:revoked-certificate"),
        ("certificate-untrusted", "transport:invalid-certificate"),
        ("key-usage", "transport:invalid-certificate"),
        ("cms-not-readable", "transport:unsupported-message"),
        ("spoofing", "abuse:spoofing-attack"),
    ],
)
def test_grounds_have_transport_conditions(ground: str, condition: str) -> None:
    assert transport_condition(ground) == condition


def test_content_types() -> None:
    assert opener().opens(CONTENT_TYPE)
    assert opener().opens('Application/PKCS7-mime; name="smime.p7m"')
    assert opener().opens("application/x-pkcs7-mime")
    for other in ("text/plain", "text/xml; charset=utf-8", "", "application/pkcs7", "nonsense"):
        assert not opener().opens(other)


def test_certificates_in_der_are_those_of_the_key() -> None:
    info = asn1.ContentInfo.load(sign(MESSAGE, HOSPITAL))
    sent = {choice.chosen.dump() for choice in info["content"]["certificates"]}
    assert sent == {c.public_bytes(Encoding.DER) for c in HOSPITAL.certificates}
