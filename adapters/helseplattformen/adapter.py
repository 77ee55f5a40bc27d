"""Where Helseplattformen puts things inside the dialogue message formats."""

from __future__ import annotations

from typing import ClassVar, cast

from adapters.base import RecordSystem
from gateway.contracts.messages import Format, Message
from mappings import table

_TOPICS = frozenset(cast("dict[str, list[str]]", table("helseplattformen")["topics"])["codes"])


class Helseplattformen(RecordSystem):
    """Helseplattformen: no template; the subject is the title, and corrections are told in words."""

    name: ClassVar[str] = "helseplattformen"
    title: ClassVar[str] = "Helseplattformen"
    source_url: ClassVar[str] = "Helsefellesskapet i søndre Trøndelag, «Pakkeforløp hjem», rapport 2024"

    formats: ClassVar[frozenset[Format]] = frozenset({Format.DIALOGMELDING_1_0, Format.DIALOGMELDING_1_1})
    subject_is_title: ClassVar[bool] = True
    action_in_words: ClassVar[bool] = True

    def marks(self, message: Message) -> int:
        """The topics under which it sends notes."""
        return int(message.topic is not None and message.topic.value in _TOPICS)
