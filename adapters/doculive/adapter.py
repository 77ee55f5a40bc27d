"""Where Doculive puts things inside the epicrisis formats."""

from __future__ import annotations

from typing import ClassVar, cast

from adapters.base import RecordSystem
from gateway.contracts.messages import Format, Message
from mappings import table

_LETTERS = frozenset(cast("dict[str, list[str]]", table("doculive")["letters"])["names"])


class Doculive(RecordSystem):
    """Doculive: the text of a letter; municipality and GP stand among the receivers without roles."""

    name: ClassVar[str] = "doculive"
    title: ClassVar[str] = "Doculive"
    source_url: ClassVar[str] = "Helsefellesskapet i søndre Trøndelag, «Pakkeforløp hjem», rapport 2024"

    formats: ClassVar[frozenset[Format]] = frozenset({Format.EPIKRISE_1_1, Format.EPIKRISE_1_2})
    receivers_have_roles: ClassVar[bool] = False

    def marks(self, message: Message) -> int:
        """The name of a kind of letter where others give a subject."""
        return int(message.subject in _LETTERS)
