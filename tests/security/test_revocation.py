"""Revoked, and could not find out: two different things."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.contracts.errors import ConfigurationError, TransientError
from gateway.security.errors import RevocationUnknownError, SignatureRefusedError
from gateway.security.revocation import Revocation
from gateway.security.revocation_sources import AddressSource, FileSource
from gateway.security.signature import XmlVerifier
from gateway.security.trust import TrustedPath, TrustStore
from tests.security import pki
from tests.security.pki import NOW, Issued

DAY = timedelta(days=1)
SIGNER, ISSUER, ROOT = pki.hospital(), pki.issuing(), pki.root()


@pytest.fixture(scope="module")
def path() -> TrustedPath:
    return TrustStore([ROOT.certificate]).path(SIGNER.certificate, [ISSUER.certificate], NOW)


def verdict(revocation: Revocation, path: TrustedPath) -> str:
    try:
        revocation.check(path)
    except SignatureRefusedError as error:
        return error.reason
    except RevocationUnknownError as error:
        return error.code
    return "good"


def by_lists(*lists: bytes | None, at: datetime = NOW) -> Revocation:
    def source(content: bytes | None) -> Callable[[], bytes | None]:
        return lambda: content

    return Revocation([source(content) for content in lists], clock=lambda: at)


OF_ISSUER = pki.revocation_list(ISSUER, at=NOW)
OF_ROOT = pki.revocation_list(ROOT, at=NOW)
UNKNOWN = "revocation-unknown"
REVOKED = "certificate-revoked"


def scoped(**changes: object) -> bytes:
    """The issuer's list with an IssuingDistributionPoint."""
    point: dict[str, object] = {
        "full_name": None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }
    extension = x509.IssuingDistributionPoint(**(point | changes))  # type: ignore[arg-type] # passed on
    return with_extension(extension)


def with_extension(extension: x509.ExtensionType) -> bytes:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(ISSUER.certificate.subject)
        .last_update(NOW)
        .next_update(NOW + DAY)
        .add_extension(extension, critical=True)
    )
    return builder.sign(ISSUER.key, SHA256()).public_bytes(Encoding.DER)


ELSEWHERE = [x509.UniformResourceIdentifier("http://crl.example/2")]
LISTS = {
    "good": ((OF_ISSUER, OF_ROOT), "good"),
    "of-users-only": ((scoped(only_contains_user_certs=True), OF_ROOT), "good"),
    "revoked": ((pki.revocation_list(ISSUER, SIGNER, at=NOW), OF_ROOT), REVOKED),
    "issuer-revoked": ((OF_ISSUER, pki.revocation_list(ROOT, ISSUER, at=NOW)), REVOKED),
    "revoked-in-an-old-list": ((pki.revocation_list(ISSUER, SIGNER, at=NOW - 9 * DAY), OF_ROOT), REVOKED),
    "missing": ((OF_ROOT,), UNKNOWN),
    "not-there": ((None, OF_ROOT), UNKNOWN),
    "of-the-issuer-only": ((OF_ISSUER,), UNKNOWN),
    "stale": ((pki.revocation_list(ISSUER, at=NOW - 9 * DAY), OF_ROOT), UNKNOWN),
    "from-the-future": ((pki.revocation_list(ISSUER, at=NOW + DAY), OF_ROOT), UNKNOWN),
    "forged": ((pki.revocation_list(ISSUER, at=NOW, key=pki.rsa_key(7)), OF_ROOT), UNKNOWN),
    "forged-revocation": (
        (pki.revocation_list(ISSUER, SIGNER, at=NOW, key=pki.rsa_key(7)), OF_ISSUER, OF_ROOT),
        "good",
    ),
    "by-a-party": ((pki.revocation_list(SIGNER, at=NOW), OF_ROOT), UNKNOWN),
    "unreadable": ((b"no list", OF_ROOT), UNKNOWN),
    "of-authorities-only": ((scoped(only_contains_ca_certs=True), OF_ROOT), UNKNOWN),
    "indirect": ((scoped(indirect_crl=True), OF_ROOT), UNKNOWN),
    "of-another-point": ((scoped(full_name=ELSEWHERE), OF_ROOT), UNKNOWN),
    "delta": ((with_extension(x509.DeltaCRLIndicator(1)), OF_ROOT), UNKNOWN),
    "old-and-new": ((pki.revocation_list(ISSUER, at=NOW - 9 * DAY), OF_ISSUER, OF_ROOT), "good"),
}


@pytest.mark.parametrize(("lists", "expected"), LISTS.values(), ids=LISTS.keys())
def test_lists(lists: tuple[bytes | None, ...], expected: str, path: TrustedPath) -> None:
    assert verdict(by_lists(*lists), path) == expected


def test_without_sources_nothing_is_asked(path: TrustedPath) -> None:
    assert verdict(Revocation(), path) == "good"


def answer(
    certificate: Issued = SIGNER,
    issuer: Issued = ISSUER,
    *,
    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
    at: datetime = NOW,
    until: datetime | None = NOW + DAY,
    by: Issued | None = None,
    along: tuple[Issued, ...] = (),
) -> bytes:
    revoked = status is ocsp.OCSPCertStatus.REVOKED
    responder = by or issuer
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            certificate.certificate,
            issuer.certificate,
            SHA1(),  # noqa: S303 - names the issuer only
            status,
            at,
            until,
            at if revoked else None,
            x509.ReasonFlags.key_compromise if revoked else None,
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, responder.certificate)
    )
    if along:
        builder = builder.certificates([one.certificate for one in along])
    return builder.sign(responder.key, SHA256()).public_bytes(Encoding.DER)


def responder(number: int, issuer: Issued, **changes: object) -> Issued:
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING])
    return pki.issue("Responder", pki.rsa_key(number), issuer, **({"extra": usage} | changes))  # type: ignore[arg-type] # passed on


DELEGATED = responder(13, ISSUER)
NOT_DELEGATED = responder(13, ISSUER, extra=None)
OF_ANOTHER = responder(13, ROOT)
EXPIRED = responder(13, ISSUER, end=NOW - DAY)
IMPOSTOR = pki.issue("Issuing", pki.rsa_key(7), ca=True, key_usage=pki.CERT_SIGN)
ANSWERS = {
    "good": (answer(), "good"),
    "by-one-who-was-told-to": (answer(by=DELEGATED, along=(DELEGATED,)), "good"),
    "revoked": (answer(status=ocsp.OCSPCertStatus.REVOKED), REVOKED),
    "unknown": (answer(status=ocsp.OCSPCertStatus.UNKNOWN), UNKNOWN),
    "stale": (answer(at=NOW - 9 * DAY, until=NOW - 8 * DAY), UNKNOWN),
    "from-the-future": (answer(at=NOW + DAY, until=NOW + 2 * DAY), UNKNOWN),
    "old-without-an-end": (answer(at=NOW - 9 * DAY, until=None), UNKNOWN),
    "new-without-an-end": (answer(until=None), "good"),
    "forged": (answer(by=IMPOSTOR), UNKNOWN),
    "forged-revocation": (
        answer(
            status=ocsp.OCSPCertStatus.REVOKED,
            by=IMPOSTOR,
        ),
        UNKNOWN,
    ),
    "by-a-party": (answer(by=SIGNER, along=(SIGNER,)), UNKNOWN),
    "by-one-who-was-not-told-to": (answer(by=NOT_DELEGATED, along=(NOT_DELEGATED,)), UNKNOWN),
    "by-anothers-responder": (answer(by=OF_ANOTHER, along=(OF_ANOTHER,)), UNKNOWN),
    "by-an-expired-responder": (answer(by=EXPIRED, along=(EXPIRED,)), UNKNOWN),
    "about-another-certificate": (answer(ISSUER, ROOT, by=ISSUER), UNKNOWN),
    "try-later": (
        ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER).public_bytes(
            Encoding.DER
        ),
        UNKNOWN,
    ),
    "unreadable": (b"no answer", UNKNOWN),
    "changed": (answer()[:-1] + bytes([answer()[-1] ^ 1]), UNKNOWN),
}


@pytest.mark.parametrize(("content", "expected"), ANSWERS.values(), ids=ANSWERS.keys())
def test_answers(content: bytes, expected: str, path: TrustedPath) -> None:
    of_issuer = answer(ISSUER, ROOT)
    revocation = Revocation(
        answers=[lambda _request: (content,), lambda _request: (of_issuer,)], clock=lambda: NOW
    )
    assert verdict(revocation, path) == expected


def test_lists_and_answers_make_up_for_each_other(path: TrustedPath) -> None:
    revocation = Revocation(
        lists=[lambda: OF_ROOT], answers=[lambda _request: (answer(),)], clock=lambda: NOW
    )
    assert verdict(revocation, path) == "good"


def test_a_file_is_read_again_when_it_changes(tmp_path: Path, path: TrustedPath) -> None:
    file = tmp_path / "issuing.crl"
    revocation = Revocation([FileSource(file).content, lambda: OF_ROOT], clock=lambda: NOW)
    assert verdict(revocation, path) == UNKNOWN
    file.write_bytes(OF_ISSUER)
    assert verdict(revocation, path) == "good"
    file.write_bytes(pki.revocation_list(ISSUER, SIGNER, at=NOW))
    assert verdict(revocation, path) == REVOKED
    file.unlink()
    assert verdict(revocation, path) == UNKNOWN


class Responder:
    """A server on the loopback address whose answer a test sets; None is a fault."""

    def __init__(self) -> None:
        self.content: bytes | None = b""
        self.location: str | None = None
        self.requests: list[tuple[str, bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(b"")

            def do_POST(self) -> None:
                self._answer(self.rfile.read(int(self.headers["Content-Length"])))

            def _answer(self, request: bytes) -> None:
                outer.requests.append((self.path, request))
                self.send_response(302 if outer.location else 200 if outer.content is not None else 500)
                if outer.location:
                    self.send_header("Location", outer.location)
                self.end_headers()
                self.wfile.write(outer.content or b"")

            def log_message(self, *_arguments: object) -> None:
                """Quiet."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/ocsp?x=1"


@pytest.fixture
def server() -> Iterator[Responder]:
    running = Responder()
    thread = threading.Thread(target=running.server.serve_forever, args=(0.01,))
    thread.start()
    yield running
    running.server.shutdown()
    thread.join()
    running.server.server_close()


def test_a_responder_is_asked_about_the_certificate_once(server: Responder, path: TrustedPath) -> None:
    server.content = answer()
    source = AddressSource(server.address)
    revocation = Revocation([lambda: OF_ROOT], [source.answers], clock=lambda: NOW)
    assert verdict(revocation, path) == "good"
    assert verdict(revocation, path) == "good"
    ((target, request),) = server.requests
    assert target == "/ocsp?x=1"
    assert ocsp.load_der_ocsp_request(request).serial_number == SIGNER.certificate.serial_number


def test_a_list_is_fetched_once(server: Responder, path: TrustedPath) -> None:
    server.content = OF_ISSUER
    revocation = Revocation([AddressSource(server.address).content, lambda: OF_ROOT], clock=lambda: NOW)
    assert [verdict(revocation, path) for _ in range(3)] == ["good"] * 3
    assert len(server.requests) == 1


def test_a_responder_that_fails_is_not_an_answer(server: Responder, path: TrustedPath) -> None:
    server.content = None
    revocation = Revocation([lambda: OF_ROOT], [AddressSource(server.address).answers], clock=lambda: NOW)
    assert [verdict(revocation, path) for _ in range(3)] == [UNKNOWN] * 3
    assert len(server.requests) == 1


def test_a_responder_can_not_send_us_elsewhere(server: Responder, path: TrustedPath) -> None:
    server.location = "http://example.com/"
    revocation = Revocation([lambda: OF_ROOT], [AddressSource(server.address).answers], clock=lambda: NOW)
    assert verdict(revocation, path) == UNKNOWN
    assert len(server.requests) == 1


def test_nobody_there(path: TrustedPath) -> None:
    source = AddressSource("http://127.0.0.1:9/")
    assert verdict(Revocation([lambda: OF_ROOT], [source.answers], clock=lambda: NOW), path) == UNKNOWN


@pytest.mark.parametrize(
    "address",
    [
        "https://127.0.0.1/",
        "http://example.com/",
        "http://10.0.0.1/",
        "ftp://127.0.0.1/",
        "http://[::1/",
        "http://127.0.0.1.example.com/",
        "http://user@example.com/",
        "http://127.0.0.1:x/",
    ],
)
def test_never_the_web(address: str) -> None:
    with pytest.raises(ConfigurationError, match="loopback"):
        AddressSource(address)


def test_a_signature_waits_until_it_can_be_found_out(signed: bytes) -> None:
    lists: list[bytes | None] = [None, OF_ROOT]
    revocation = Revocation([lambda: lists[0], lambda: lists[1]], clock=lambda: NOW)
    verifier = XmlVerifier(TrustStore([ROOT.certificate]), revocation=revocation)
    with pytest.raises(TransientError):
        verifier.verify(signed, at=NOW)
    lists[0] = OF_ISSUER
    assert verifier.verify(signed, at=NOW).signer.org_no == pki.ORG_NO
    lists[0] = pki.revocation_list(ISSUER, SIGNER, at=NOW)
    with pytest.raises(SignatureRefusedError) as caught:
        verifier.verify(signed, at=NOW)
    assert (caught.value.reason, caught.value.faults[0].code) == (REVOKED, "S03")
