"""Text of messages on a page: it stays text, and only there where it stands."""

from __future__ import annotations

import re
from html import escape

_DIRECTS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What turns the direction of what follows (Unicode UAX 9, sections 2.1 to 2.6)"""


def escaped(text: str) -> str:
    """For HTML; what would turn our own words around beside it is shown as `\N{REPLACEMENT CHARACTER}`."""
    return escape(_DIRECTS.sub("\N{REPLACEMENT CHARACTER}", text))
