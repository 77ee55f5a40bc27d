"""Values in the headers and properties of messages that others wrote, as text."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable
from typing import cast

import pika.data

_NUMBERS = {b"T": ">Q", b"f": ">f", b"d": ">d"}
"""Kinds of value that pika can fail on, and how they are packed"""

_Decode = Callable[[bytes, int], tuple[object, int]]
_decode = cast("_Decode", pika.data.decode_value)


def _decode_value(encoded: bytes, offset: int) -> tuple[object, int]:
    """As pika's, without its failures.

    A time after the year 9999 (a peer that counts in milliseconds) or a number that is none would cost the
    connection, and the next one, as the message comes again. Here they are numbers.
    """
    with contextlib.suppress(ValueError, OverflowError, OSError):
        return _decode(encoded, offset)
    form = _NUMBERS.get(encoded[offset : offset + 1])
    if form is None:
        return _decode(encoded, offset)
    (value,) = struct.unpack_from(form, encoded, offset + 1)
    return value, offset + 1 + struct.calcsize(form)


# pika looks the function up for each value, nested ones too.
pika.data.decode_value = _decode_value


def text(value: object) -> str:
    """A value as text: peers may write numbers and truths as such, and bytes that are no UTF-8."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return str(value).lower()
        case bytes():
            return value.decode("utf-8", "replace")
        case _:
            return str(value)
