"""The quick check of signatures finds whatever the full one finds."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from lxml import etree

from gateway.contracts.ports import Verified
from gateway.ops.simulation.quick_verifier import QuickVerifier
from gateway.security.errors import SignatureRefusedError
from tests.conftest import NOTES
from tests.ops.simulated_world import HOSPITAL, OTHER_HOSPITAL, Keys, make_keys

NOTE = next((NOTES / "dips").glob("01-*.xml")).read_bytes()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return make_keys(tmp_path_factory.mktemp("pki"))


class Counting:
    """The full verifier, counted."""

    def __init__(self, keys: Keys) -> None:
        self._verifier = keys.verifier
        self.calls = 0

    def verify(
        self, message: bytes, *, at: datetime | None = None, tree: etree._Element | None = None
    ) -> Verified:
        self.calls += 1
        return self._verifier.verify(message, at=at, tree=tree)


def test_a_certificate_is_checked_in_full_at_first_and_now_and_then(keys: Keys) -> None:
    full = Counting(keys)
    quick = QuickVerifier(full)
    message = keys.signer.sign(NOTE, org_no=HOSPITAL)
    expected = keys.verifier.verify(message)
    for _ in range(60):
        verified = quick.verify(message)
        assert verified.signer == expected.signer
        assert verified.signed == expected.signed
    assert full.calls == 1 + 3
    assert quick.verify(keys.signer.sign(NOTE, org_no=OTHER_HOSPITAL)).signer.org_no == OTHER_HOSPITAL
    assert full.calls == 5


@pytest.mark.parametrize(
    "broken",
    [
        lambda data: data.replace(b"<FamilyName>", b"<FamilyName>X", 1),
        lambda data: re.sub(rb"(<ds:DigestValue>)..", rb"\1AA", data),
        lambda data: re.sub(rb"(<ds:SignatureValue>)....", rb"\1AAAA", data),
        lambda data: re.sub(rb"<ds:SignatureValue>.*?</ds:SignatureValue>", b"", data, flags=re.DOTALL),
        lambda data: re.sub(rb"(<ds:X509Certificate>)....", rb"\1AAAA", data),
    ],
)
def test_a_bad_signature_is_found_in_every_message(keys: Keys, broken: object) -> None:
    assert callable(broken)
    quick = QuickVerifier(keys.verifier)
    message = keys.signer.sign(NOTE, org_no=HOSPITAL)
    bad = broken(message)
    assert bad != message
    for _ in range(25):
        quick.verify(message)
        with pytest.raises(SignatureRefusedError):
            quick.verify(bad)
