"""Where DIPS puts things inside the PLO formats."""

from __future__ import annotations

from typing import ClassVar, cast

from adapters.base import RecordSystem
from gateway.contracts.messages import Format, Message
from mappings import table

_TABLE = table("dips")


class Dips(RecordSystem):
    """DIPS: one piece of text for each heading, or all in one; the headings may be codes of its own."""

    name: ClassVar[str] = "dips"
    title: ClassVar[str] = "DIPS"
    source_url: ClassVar[str] = "Ahus, «Pakkeforløp hjem for pasienter med kreft», prosedyre, punkt 5"

    formats: ClassVar[frozenset[Format]] = frozenset({Format.PLO_1_5, Format.PLO_1_6})
    author_roles: ClassVar[frozenset[str]] = frozenset(cast("dict[str, str]", _TABLE["author_roles"]))
    heading_codes: ClassVar[dict[str, str]] = cast("dict[str, str]", _TABLE["headings"])

    def marks(self, message: Message) -> int:
        """Codes of the form's own headings."""
        return int(
            any(b.heading is not None and b.heading.value in self.heading_codes for b in message.texts)
        )
