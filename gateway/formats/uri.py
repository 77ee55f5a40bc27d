"""What an xs:anyURI may hold, as libxml2 reads it (RFC 3986)."""

from __future__ import annotations

import re

_CHARACTER = r"(?:[^\x00-\x1f\x7f<>\"{}|\\^`\[\]%#]|%[0-9A-Fa-f]{2})"
_URI = re.compile(rf"(?:[A-Za-z][A-Za-z0-9+.\-]*:(?!//)|(?![^/?#]*:)(?!//)){_CHARACTER}*(?:\#{_CHARACTER}*)?")


def is_uri(value: str) -> bool:
    """Whether a telecom address (`tel:90000001`, `mailto:…`, a bare number) can stand in an xs:anyURI.

    One with an authority (`//host`) is not taken: no telecom address has one.
    """
    return _URI.fullmatch(value.strip()) is not None
