from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.contracts.errors import LocalError
from gateway.security.certificates import (
    check_usage,
    describe,
    organisation_number,
    read_certificates,
    signing_key,
)
from gateway.security.errors import SignatureRefusedError
from gateway.security.keys import KeyStore
from gateway.security.signature import XmlSigner, XmlVerifier
from gateway.security.trust import TrustStore
from tests.security import pki
from tests.security.messages import MESSAGE
from tests.security.pki import CERT_SIGN, NOW, YEAR, Issued, issue, rsa_key

DAY = timedelta(days=1)


def path_reason(leaf: Issued, *others: Issued, trust: TrustStore | None = None, at: datetime = NOW) -> str:
    """The reason why a path is refused; `ok` where it is not."""
    store = trust or TrustStore([pki.root().certificate])
    try:
        path = store.path(leaf.certificate, [one.certificate for one in others], at)
        store.check_revocation(path)
    except SignatureRefusedError as error:
        return error.reason
    return "ok"


def authority(name: str, number: int, issuer: Issued, **changes: object) -> Issued:
    settings_: dict[str, object] = {
        "ca": True,
        "key_usage": CERT_SIGN,
        "start": NOW - 5 * YEAR,
        "end": NOW + 5 * YEAR,
    }
    return issue(name, rsa_key(number), issuer, **(settings_ | changes))  # type: ignore[arg-type] # passed on as they are


def leaf_of(issuer: Issued, **changes: object) -> Issued:
    return issue("Leaf", rsa_key(2), issuer, **changes)  # type: ignore[arg-type] # passed on as they are


def test_a_path_through_the_issuer_that_came_along() -> None:
    assert path_reason(pki.hospital(), pki.issuing()) == "ok"
    assert path_reason(leaf_of(pki.root())) == "ok"


def test_a_path_needs_its_issuer() -> None:
    assert path_reason(pki.hospital()) == "certificate-untrusted"


def test_an_issuer_may_be_trusted_on_its_own() -> None:
    assert path_reason(pki.hospital(), trust=TrustStore([pki.issuing().certificate])) == "ok"


def test_a_single_certificate_may_be_trusted_on_its_own() -> None:
    alone = TrustStore([pki.hospital().certificate])
    assert path_reason(pki.hospital(), trust=alone) == "ok"
    assert path_reason(leaf_of(pki.root()), trust=alone) == "certificate-untrusted"


def test_trusts_no_root_that_came_along() -> None:
    other = issue("Root", rsa_key(5), ca=True, key_usage=CERT_SIGN)
    assert path_reason(leaf_of(other), other) == "certificate-untrusted"


def test_trusts_nothing_self_signed() -> None:
    assert path_reason(issue("Self", rsa_key(5))) == "certificate-untrusted"


@pytest.mark.filterwarnings("ignore:Parsed a serial number")  # of some web roots
def test_trusts_no_web_root() -> None:
    certifi = pytest.importorskip("certifi")
    web_root = x509.load_pem_x509_certificates(Path(certifi.where()).read_bytes())[0]
    with pytest.raises(SignatureRefusedError):
        TrustStore([pki.root().certificate]).path(web_root, [], NOW)


BAD_ISSUERS = {
    "no authority": (authority("I", 6, pki.root(), ca=False), "certificate-untrusted"),
    "no key usage": (authority("I", 6, pki.root(), key_usage=None), "certificate-untrusted"),
    "not for certificates": (
        authority("I", 6, pki.root(), key_usage=pki.NON_REPUDIATION),
        "certificate-untrusted",
    ),
    "expired": (authority("I", 6, pki.root(), end=NOW - DAY), "certificate-expired"),
    "not yet valid": (authority("I", 6, pki.root(), start=NOW + DAY), "certificate-untrusted"),
}


@pytest.mark.parametrize(("issuer", "reason"), BAD_ISSUERS.values(), ids=BAD_ISSUERS.keys())
def test_an_issuer_must_be_one(issuer: Issued, reason: str) -> None:
    assert path_reason(leaf_of(issuer), issuer) == reason


def test_a_party_may_not_issue() -> None:
    """The attack: a hospital's own good certificate used as if it were an authority's."""
    assert path_reason(leaf_of(pki.hospital()), pki.hospital(), pki.issuing()) == "certificate-untrusted"


def test_an_issuer_keeps_to_its_path_length() -> None:
    below = authority("Below", 6, pki.issuing())
    assert path_reason(leaf_of(below), below, pki.issuing()) == "certificate-untrusted"


def test_a_forged_certificate() -> None:
    forger = Issued(certificate=pki.issuing().certificate, key=rsa_key(7))
    assert path_reason(leaf_of(forger), pki.issuing()) == "certificate-untrusted"


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (NOW - YEAR, "ok"),
        (NOW - YEAR - timedelta(seconds=1), "certificate-not-yet-valid"),
        (NOW + YEAR, "ok"),
        (NOW + YEAR + timedelta(seconds=1), "certificate-expired"),
    ],
)
def test_validity_to_the_second(at: datetime, reason: str) -> None:
    assert path_reason(pki.hospital(), pki.issuing(), at=at) == reason


def test_an_expired_certificate_that_was_never_good_is_untrusted() -> None:
    other = issue("Root", rsa_key(5), ca=True, key_usage=CERT_SIGN)
    assert path_reason(leaf_of(other, end=NOW - DAY), other) == "certificate-untrusted"


def test_revoked_certificates(tmp_path: Path) -> None:
    lists = tmp_path / "lists.pem"
    lists.write_bytes(pki.root().pem + pki.revocation_list(pki.issuing(), pki.hospital(), at=NOW))
    trust = TrustStore.from_files([lists])
    assert path_reason(pki.hospital(), pki.issuing(), trust=trust) == "certificate-revoked"
    for at in (NOW - 30 * DAY, NOW + 30 * DAY):
        assert path_reason(pki.hospital(), pki.issuing(), trust=trust, at=at) == "certificate-revoked"
    assert path_reason(leaf_of(pki.issuing()), pki.issuing(), trust=trust) == "ok"


def test_a_revoked_issuer(tmp_path: Path) -> None:
    lists = tmp_path / "lists.pem"
    lists.write_bytes(pki.revocation_list(pki.root(), pki.issuing(), at=NOW))
    roots = tmp_path / "root.pem"
    roots.write_bytes(pki.root().pem)
    trust = TrustStore.from_files([roots, lists])
    assert path_reason(pki.hospital(), pki.issuing(), trust=trust) == "certificate-revoked"


def test_a_list_must_be_its_issuers(tmp_path: Path) -> None:
    forged = pki.revocation_list(pki.issuing(), pki.hospital(), at=NOW, key=rsa_key(7))
    foreign = pki.revocation_list(pki.root(), pki.hospital(), at=NOW)
    for text in (forged, foreign):
        lists = tmp_path / "lists.pem"
        lists.write_bytes(pki.root().pem + text)
        assert path_reason(pki.hospital(), pki.issuing(), trust=TrustStore.from_files([lists])) == "ok"


def test_a_revoked_signer_is_refused_with_s03(tmp_path: Path, signed: bytes) -> None:
    lists = tmp_path / "lists.pem"
    lists.write_bytes(pki.root().pem + pki.revocation_list(pki.issuing(), pki.hospital(), at=NOW))
    with pytest.raises(SignatureRefusedError) as caught:
        XmlVerifier(TrustStore.from_files([lists])).verify(signed, at=NOW)
    assert caught.value.reason == "certificate-revoked"
    assert caught.value.faults[0].code == "S03"


ORGANISATIONS = {
    "old": ({NameOID.SERIAL_NUMBER: "310000107"}, "310000107"),
    "seid-2": ({NameOID.ORGANIZATION_IDENTIFIER: "NTRNO-310000107"}, "310000107"),
    "both": (
        {NameOID.ORGANIZATION_IDENTIFIER: "NTRNO-310000107", NameOID.SERIAL_NUMBER: "310000107"},
        "310000107",
    ),
    "two": (
        {NameOID.ORGANIZATION_IDENTIFIER: "NTRNO-310000107", NameOID.SERIAL_NUMBER: "310000115"},
        None,
    ),
    "person": ({NameOID.SERIAL_NUMBER: "9578-4050-100012345"}, None),
    "swedish": ({NameOID.ORGANIZATION_IDENTIFIER: "NTRSE-310000107"}, None),
    "long": ({NameOID.SERIAL_NUMBER: "3100001070"}, None),
    "foreign-digits": ({NameOID.ORGANIZATION_IDENTIFIER: "NTRNO-٣١٠٠٠٠١٠٧"}, None),
    "none": ({}, None),
}


@pytest.mark.parametrize(("names", "expected"), ORGANISATIONS.values(), ids=ORGANISATIONS.keys())
def test_organisation_number(names: dict[x509.ObjectIdentifier, str], expected: str | None) -> None:
    certificate = issue("X", rsa_key(2), pki.issuing(), organisation=names).certificate
    assert organisation_number(certificate) == expected
    assert describe(certificate).org_no == expected


def test_key_usage() -> None:
    both = pki.usage(content_commitment=True, digital_signature=True)
    for usage_, default, setting in (
        (pki.NON_REPUDIATION, True, True),
        (both, True, True),
        (pki.usage(digital_signature=True), False, True),
        (pki.usage(key_encipherment=True), False, False),
        (None, False, False),
    ):
        certificate = issue("X", rsa_key(2), key_usage=usage_).certificate
        for accept, expected in ((False, default), (True, setting)):
            if expected:
                check_usage(certificate, accept_digital_signature=accept)
                continue
            with pytest.raises(SignatureRefusedError) as caught:
                check_usage(certificate, accept_digital_signature=accept)
            assert caught.value.reason == "key-usage"


def test_an_encryption_certificate_signs_nothing(tmp_path: Path, verifier: XmlVerifier) -> None:
    issued = issue("Enc", rsa_key(2), pki.issuing(), key_usage=pki.usage(key_encipherment=True))
    keys = KeyStore(pki.key_directory(tmp_path, issued, pki.issuing()))
    with pytest.raises(SignatureRefusedError) as caught:
        verifier.verify(XmlSigner(keys).sign(MESSAGE, org_no=None), at=NOW)
    assert caught.value.reason == "key-usage"
    assert caught.value.faults[0].code == "S02"


def test_weak_keys() -> None:
    assert signing_key(issue("X", rsa_key(2)).certificate)
    assert signing_key(issue("X", pki.ec_key(1)).certificate)
    for key in (rsa_key(8, 1024), ec.generate_private_key(ec.SECP256K1())):
        with pytest.raises(SignatureRefusedError) as caught:
            signing_key(issue("X", key).certificate)
        assert caught.value.reason == "weak-key"


def test_two_signers_can_not_be_told_apart() -> None:
    ders = [one.certificate.public_bytes(Encoding.DER) for one in (pki.hospital(), leaf_of(pki.issuing()))]
    with pytest.raises(SignatureRefusedError) as caught:
        read_certificates(ders)
    assert caught.value.reason == "certificate-ambiguous"


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_a_damaged_certificate_is_refused_and_nothing_else(data: st.DataObject) -> None:
    der = bytearray(pki.hospital().certificate.public_bytes(Encoding.DER))
    position = data.draw(st.integers(0, len(der) - 1))
    der[position] ^= data.draw(st.integers(1, 255))
    store = TrustStore([pki.root().certificate])
    with pytest.raises(SignatureRefusedError):  # noqa: PT012 - any of the steps may find it
        own, others = read_certificates([bytes(der), pki.issuing().certificate.public_bytes(Encoding.DER)])
        signing_key(own)
        store.path(own, others, NOW)
        check_usage(own, accept_digital_signature=False)


def test_a_signature_with_bits_to_ignore_is_refused() -> None:
    ending_in_zero = (leaf_of(pki.issuing()).certificate for _ in range(100))
    certificate = next(each for each in ending_in_zero if not each.signature[-1] & 1)
    der = bytearray(certificate.public_bytes(Encoding.DER))
    assert read_certificates([bytes(der)])[0] == certificate
    der[-len(certificate.signature) - 1] = 1
    assert x509.load_der_x509_certificate(bytes(der)).signature == certificate.signature
    with pytest.raises(SignatureRefusedError) as caught:
        read_certificates([bytes(der)])
    assert caught.value.reason == "certificate-unreadable"


@given(der=st.binary(max_size=100))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_no_certificate(der: bytes) -> None:
    with pytest.raises(SignatureRefusedError) as caught:
        read_certificates([der])
    assert caught.value.reason == "certificate-unreadable"


def test_trust_files_in_der(tmp_path: Path) -> None:
    path = tmp_path / "root.cer"
    path.write_bytes(pki.root().certificate.public_bytes(Encoding.DER))
    trust = TrustStore.from_files([path])
    assert path_reason(pki.hospital(), pki.issuing(), trust=trust) == "ok"


@pytest.mark.parametrize(
    "content", [b"", b"no certificate", b"\x30\x03abc", b"-----BEGIN CERTIFICATE-----\n"]
)
def test_trust_files_that_hold_nothing(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "root.pem"
    path.write_bytes(content)
    with pytest.raises(LocalError, match=r"root\.pem"):
        TrustStore.from_files([path])


def test_trust_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="can not be read"):
        TrustStore.from_files([tmp_path / "root.pem"])
    with pytest.raises(LocalError, match="No certificate is trusted"):
        TrustStore.from_files([])
