"""A byte changed on the way, wherever it stands."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.security.gate import GateRefusedError
from gateway.security.signature import SignatureRefusedError, XmlVerifier
from tests.security import pki
from tests.security.messages import assert_tells_nothing


def _text_positions(signed: bytes) -> list[int]:
    """Where a byte of content stands: within texts and attribute values, white space in base64 left out."""
    positions = []
    inside = False
    for position, byte in enumerate(signed):
        if byte in b"<":
            inside = False
        elif byte in b">":
            inside = True
        elif inside and byte not in b" \r\n\t&;#":
            positions.append(position)
    return positions


@given(data=st.data())
@settings(max_examples=250, deadline=None)
def test_a_changed_byte_anywhere_in_the_content_is_found(
    data: st.DataObject, signed: bytes, verifier: XmlVerifier
) -> None:
    position = data.draw(st.sampled_from(_text_positions(signed)))
    bit = data.draw(st.integers(0, 7))
    changed = bytearray(signed)
    changed[position] ^= 1 << bit
    with pytest.raises((SignatureRefusedError, GateRefusedError)) as caught:
        verifier.verify(bytes(changed), at=pki.NOW)
    assert_tells_nothing(caught.value)


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_a_changed_byte_anywhere_gives_a_refusal_or_the_same_content(
    data: st.DataObject, signed: bytes, verifier: XmlVerifier
) -> None:
    position = data.draw(st.integers(0, len(signed) - 1))
    changed = bytearray(signed)
    changed[position] = data.draw(st.integers(0, 255))
    try:
        verified = verifier.verify(bytes(changed), at=pki.NOW)
    except (SignatureRefusedError, GateRefusedError) as error:
        assert_tells_nothing(error)
    else:
        assert verified == verifier.verify(signed, at=pki.NOW)
