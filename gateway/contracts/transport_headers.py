"""The AMQP headers of the Norwegian health network, for what we send."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

OSLO = ZoneInfo("Europe/Oslo")
_LONGEST = 255
"""Characters of a value: what every AMQP client takes"""


def transport_headers(  # noqa: PLR0913 - one argument for each header that differs
    *,
    from_her_id: str,
    to_her_id: str,
    msg_type: str,
    msg_id: str,
    at: datetime,
    namespace: str,
    sender_levels: tuple[str | None, str | None],
    receiver_levels: tuple[str | None, str | None],
    parent: str | None = None,
    conversation: str | None = None,
    original_msg_id: str | None = None,
    original_msg_type: str | None = None,
    attachments: tuple[int, int] = (0, 0),
) -> dict[str, str]:
    """The headers of one message. HER-id levels: enterprise, then service or person."""
    values = {
        "fromHerId": from_her_id,
        "toHerId": to_her_id,
        "applicationTimeStamp": at.astimezone(OSLO).isoformat(timespec="seconds"),
        "X-MessageInfo-Type": msg_type,
        "X-MessageInfo-MsgId": msg_id,
        "X-MessageInfo-RefToParent": parent,
        "X-MessageInfo-RefToConversation": conversation,
        "X-MessageInfo-SchemaNamespace": namespace,
        "X-MessageInfo-OriginalMsgId": original_msg_id,
        "X-MessageInfo-OriginalMsgType": original_msg_type,
        "X-Sender-Lvl1Id": sender_levels[0],
        "X-Sender-Lvl2Id": sender_levels[1],
        "X-Receiver-Lvl1Id": receiver_levels[0],
        "X-Receiver-Lvl2Id": receiver_levels[1],
        "X-AttachmentInfo-Count": str(attachments[0]),
        "X-AttachmentInfo-TotalSizeInBytes": str(attachments[1]),
        "X-AttachmentInfo-HasExternalReference": "false",
    }
    return {name: _one_line(value) for name, value in values.items() if value is not None}


def _one_line(value: str) -> str:
    """A value as a header may hold it: some are echoed from messages, as whoever sent them wrote them."""
    return "".join(character for character in value if character.isprintable())[:_LONGEST]
