"""What to render, for whom."""

from __future__ import annotations

from datetime import datetime

from gateway.contracts.messages import Attachment, Conversation, Format, Party
from gateway.contracts.summary import Action
from gateway.contracts.values import value

DISCHARGE_REPORT = "UTSKRIVNINGSRAPPORT"
"""PLO Utskrivningsrapport (root TverrfagligEpikrise)"""
APPLICATION = "HELSEOPPL_SOKNAD"
"""PLO Helseopplysninger (root HelseopplysningerVedSoknad)"""


@value
class RenderingOrder:
    """An outgoing message: its format, its parties, and what it does."""

    format: Format
    msg_id: str
    at: datetime
    """GenDate; with a zone"""
    sender: Party
    receiver: Party
    receiver_is_gp: bool = False
    document_id: str | None = None
    """ServProvId of an epikrise: the same when the note is changed or cancelled (HISD 1154:2018)"""
    action: Action = Action.NEW
    """A change or a cancellation of a sending of ours"""
    conversation: Conversation | None = None
    """Points to the sending that is changed or cancelled"""
    attach_summary: bool = False
    """Whether the canonical XML goes along: only where the register says that the receiver takes it"""
    processing_status: str = "P"
    """8113: P production, D debugging, T training"""
    other: str = DISCHARGE_REPORT
    """The kind of PLO message: `DISCHARGE_REPORT` or `APPLICATION`"""
    attachments: tuple[Attachment, ...] = ()
    """Documents of the note that go along"""

    def __post_init__(self) -> None:
        """Refuse what no message can hold.

        Raises:
            ValueError: a time without zone, or a kind that is none of PLO's two.
        """
        if self.at.tzinfo is None:
            raise ValueError("the time of a message needs a zone")
        if self.other not in (DISCHARGE_REPORT, APPLICATION):
            raise ValueError("a PLO rendering is a discharge report or an application")
