from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from gateway.contracts.errors import ConfigurationError, LocalError
from gateway.security import test_pki
from gateway.security.files import write_private
from gateway.security.keys import KeyStore, TrustStore
from gateway.security.signature import XmlSigner, XmlVerifier
from tests.security import pki
from tests.security.messages import MESSAGE
from tests.security.pki import key_directory

PARTIES = (("Nordvik universitetssykehus HF", "310000107"), ("Sørdal sykehus HF " + "x" * 80, "310000123"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("deployment") / "pki"
    test_pki.create(directory, PARTIES, now=pki.NOW)
    return directory


def test_keys_by_organisation(tmp_path: Path) -> None:
    other = pki.issue("Other", pki.rsa_key(3), pki.issuing())
    key_directory(tmp_path, pki.hospital(), pki.issuing())
    key_directory(tmp_path, other, name="310000123")
    keys = KeyStore(tmp_path)
    assert keys.for_organisation(None).certificates[0] == pki.hospital().certificate
    assert keys.for_organisation("310000123").certificates == (other.certificate,)
    # By the number in the certificate, whatever the file is called.
    assert keys.for_organisation(pki.ORG_NO).certificates[0] == pki.hospital().certificate
    assert keys.for_organisation("999999999").certificates[0] == pki.hospital().certificate
    assert set(keys.certificates()) == {"gateway", "310000123", pki.ORG_NO}


def test_the_default_is_a_setting(tmp_path: Path) -> None:
    key_directory(tmp_path, pki.hospital(), name="310000123")
    assert KeyStore(tmp_path, default_org_no="310000123").for_organisation(None)
    assert KeyStore(tmp_path, default_org_no=pki.ORG_NO).for_organisation(None)
    for missing in (None, "999999999"):
        with pytest.raises(LocalError, match="holds no key") as caught:
            KeyStore(tmp_path, default_org_no=missing)
        assert (missing or "gateway") in str(caught.value)


def test_a_key_must_belong_to_its_certificate(tmp_path: Path) -> None:
    wrong = pki.Issued(certificate=pki.hospital().certificate, key=pki.rsa_key(3))
    with pytest.raises(LocalError, match="does not belong"):
        KeyStore(key_directory(tmp_path, wrong))


def test_the_certificate_of_the_key_stands_first(tmp_path: Path) -> None:
    key_directory(tmp_path, pki.hospital())
    (tmp_path / "gateway.cert.pem").write_bytes(pki.issuing().pem + pki.hospital().pem)
    with pytest.raises(LocalError, match="first"):
        KeyStore(tmp_path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_keys_that_others_may_read(mode: int, tmp_path: Path) -> None:
    key_directory(tmp_path, pki.hospital())
    (tmp_path / "gateway.key.pem").chmod(mode)
    with pytest.raises(LocalError) as caught:
        KeyStore(tmp_path)
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("chmod 600 ")


def _encrypted() -> bytes:
    secret = BestAvailableEncryption(b"canary")
    return pki.rsa_key(2).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, secret)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("gateway.key.pem", b"", "no unencrypted private key"),
        ("gateway.key.pem", _encrypted(), "no unencrypted private key"),
        ("gateway.key.pem", pki.issue("X", pki.ec_key(1)).private_pem, "no RSA key"),
        ("gateway.cert.pem", b"", "no certificate"),
        ("gateway.cert.pem", pki.issue("X", pki.ec_key(1)).pem, "2048 bits"),
        ("gateway.cert.pem", pki.issue("X", pki.rsa_key(8, 1024)).pem, "2048 bits"),
    ],
)
def test_files_that_hold_something_else(name: str, content: bytes, says: str, tmp_path: Path) -> None:
    key_directory(tmp_path, pki.hospital())
    (tmp_path / name).write_bytes(content)
    with pytest.raises(LocalError, match=says):
        KeyStore(tmp_path)


def test_a_certificate_that_is_missing(tmp_path: Path) -> None:
    key_directory(tmp_path, pki.hospital())
    (tmp_path / "gateway.cert.pem").unlink()
    with pytest.raises(LocalError, match=r"gateway\.cert\.pem can not be read"):
        KeyStore(tmp_path)


def test_a_key_shows_nothing_of_itself(keys: KeyStore) -> None:
    assert "private" not in repr(keys.for_organisation(None))


def test_private_files_are_whole_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    write_private(path, b"one")
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(LocalError, match="exists already"):
        write_private(path, b"two")
    assert path.read_bytes() == b"one"
    assert [p.name for p in tmp_path.iterdir()] == ["secret"]
    with pytest.raises(LocalError, match="can not be written"):
        write_private(tmp_path / "no" / "secret", b"one")


def test_a_test_pki_signs_and_is_trusted_by_its_root(made: Path) -> None:
    verifier = XmlVerifier(TrustStore.from_files([made / "root.pem"]))
    signer = XmlSigner(KeyStore(made / "signing"))
    for _, org_no in PARTIES:
        verified = verifier.verify(signer.sign(MESSAGE, org_no=org_no), at=pki.NOW)
        assert verified.signer.org_no == org_no
    own = verifier.verify(signer.sign(MESSAGE, org_no=None), at=pki.NOW)
    assert own.signer.org_no == test_pki.GATEWAY[1]


def test_a_test_pki_is_like_the_real_ones(made: Path) -> None:
    for kind, wanted in (("signing", "content_commitment"), ("encryption", "key_encipherment")):
        names = sorted(p.name for p in (made / kind).glob("*.cert.pem"))
        assert names == ["310000107.cert.pem", "310000123.cert.pem", "gateway.cert.pem"]
        for name in names:
            certificate, issuing = x509.load_pem_x509_certificates((made / kind / name).read_bytes())
            usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
            assert [flag for flag in pki.KEY_USAGES[:7] if getattr(usage, flag)] == [wanted]
            assert certificate.not_valid_before_utc <= pki.NOW < certificate.not_valid_after_utc
            assert certificate.issuer == issuing.subject
            key_file = made / kind / name.replace("cert", "key")
            assert key_file.stat().st_mode & 0o777 == 0o600
            key = load_pem_private_key(key_file.read_bytes(), password=None)
            assert key.public_key() == certificate.public_key()


def test_a_test_pki_keeps_no_key_of_an_authority(made: Path) -> None:
    root = x509.load_pem_x509_certificate((made / "root.pem").read_bytes())
    for path in made.rglob("*.key.pem"):
        key = load_pem_private_key(path.read_bytes(), password=None)
        assert key.public_key() != root.public_key()
        assert key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) == path.read_bytes()


def test_a_test_pki_is_never_written_over(made: Path) -> None:
    before = (made / "root.pem").read_bytes()
    with pytest.raises(LocalError, match="exists already"):
        test_pki.create(made, PARTIES, now=pki.NOW)
    assert (made / "root.pem").read_bytes() == before


@pytest.mark.parametrize(
    "parties", [[("A", "1234")], [("A", "../../x")], [("A", "310000107"), ("B", "310000107")]]
)
def test_a_test_pki_needs_numbers(parties: list[tuple[str, str]], tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="a number of its own"):
        test_pki.create(tmp_path / "pki", parties, now=pki.NOW)
    assert not (tmp_path / "pki").exists()


def test_a_test_pki_for_parties_with_a_her_id_only_and_the_gateway_among_them(tmp_path: Path) -> None:
    test_pki.create(tmp_path, [("Kommune", "8910010"), test_pki.GATEWAY], now=pki.NOW)
    assert sorted(p.name for p in (tmp_path / "signing").glob("*.key.pem")) == [
        f"{test_pki.GATEWAY[1]}.key.pem",
        "8910010.key.pem",
    ]
    signer = XmlSigner(KeyStore(tmp_path / "signing", default_org_no=test_pki.GATEWAY[1]))
    verifier = XmlVerifier(TrustStore.from_files([tmp_path / "root.pem"]))
    verified = verifier.verify(signer.sign(MESSAGE, org_no="8910010"), at=pki.NOW)
    assert "8910010" in verified.signer.subject
    assert verified.signer.org_no is None


def test_a_test_pki_is_valid_now(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    test_pki.create(tmp_path, [], now=now)
    signed = XmlSigner(KeyStore(tmp_path / "signing")).sign(MESSAGE, org_no=None)
    verifier = XmlVerifier(TrustStore.from_files([tmp_path / "root.pem"]))
    assert verifier.verify(signed)
    assert verifier.verify(signed, at=now - timedelta(minutes=30))
