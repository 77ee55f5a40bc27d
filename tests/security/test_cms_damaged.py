"""Protected messages that were damaged on the way, cut, blown up, or never were any."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.contracts.registry import ContentCipher
from gateway.security.cms import CmsRefusedError
from gateway.security.cms_signature import sign
from gateway.security.errors import CMS_REASONS, SignatureRefusedError
from tests.security.messages import MESSAGE, assert_tells_nothing
from tests.security.pki import NOW
from tests.security.test_cms import BOTH, HOSPITAL, enveloped, opener, protected, reason


@pytest.mark.parametrize("cipher", BOTH)
def test_one_flipped_bit_anywhere_is_refused_or_changes_nothing(cipher: ContentCipher) -> None:
    data = protected(cipher)
    for position in range(0, len(data), 7):
        changed = bytearray(data)
        changed[position] ^= 1 << (position % 8)
        try:
            opened = opener().open(bytes(changed), at=NOW)
        except (CmsRefusedError, SignatureRefusedError) as error:
            assert_tells_nothing(error)
        else:
            assert opened.signed == MESSAGE


@pytest.mark.parametrize("cipher", BOTH)
def test_a_flipped_bit_of_the_content_is_refused(cipher: ContentCipher) -> None:
    data = protected(cipher)
    for position in range(len(data) - 1, len(data) - len(MESSAGE), -11):
        changed = bytearray(data)
        changed[position] ^= 0x10
        assert reason(bytes(changed)) not in {"ok", "no-fault"}


def test_a_flipped_bit_inside_the_signed_data_is_refused_or_changes_nothing() -> None:
    signed = sign(MESSAGE, HOSPITAL)
    for position in range(0, len(signed), 13):
        changed = bytearray(signed)
        changed[position] ^= 0x04
        try:
            opened = opener().open(enveloped(bytes(changed)), at=NOW)
        except (CmsRefusedError, SignatureRefusedError) as error:
            assert_tells_nothing(error)
        else:
            assert opened.signed == MESSAGE


@given(data=st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_refused(data: bytes) -> None:
    assert reason(data) in CMS_REASONS


def test_trailing_bytes_are_refused() -> None:
    assert reason(protected() + b"\0") == "cms-not-readable"


def test_deep_nesting_is_refused() -> None:
    data = b""
    for _ in range(2000):
        data = b"\x24\x80" + data + b"\0\0"
    assert reason(data) == "cms-not-readable"


def test_size_is_bounded_before_and_after() -> None:
    assert reason(b"\x30" * 200_000, opener(max_bytes=1000)) == "cms-too-large"
    assert reason(protected(), opener(max_bytes=len(MESSAGE) - 1)) == "cms-too-large"
    assert opener(max_bytes=len(MESSAGE)).open(protected(), at=NOW).signed == MESSAGE
