"""The AMQP headers of the Norwegian health network, for what we send."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

OSLO = ZoneInfo("Europe/Oslo")
_LONGEST = 255
"""Characters of a value: what every AMQP client takes"""


class FaultHeader(StrEnum):
    """Headers of a transport fault."""

    ORIGINAL = "originalMessageId"
    """Id, on the transport, of the message that it is about"""
    RECEIVED = "receiverTimeStamp"
    """When that message was received"""
    CONDITION = "errorCondition"
    """One of `CONDITIONS`"""
    DESCRIPTION = "errorDescription"
    """A sentence"""
    DATA = "errorConditionData"
    """More than the condition tells"""


CONDITIONS = frozenset(
    (
        "transport:invalid-field-value",
        "transport:not-well-formed-xml",
        "transport:unsupported-message",
        "transport:internal-error",
        "transport:missing-certificate",
        "transport:expired-certificate",
        "transport:invalid-certificate",
        "transport:revoked-certificate",
        "abuse:spoofing-attack",
    )
)
"""What a transport fault can say"""


def fault_headers(
    *, from_her_id: str, to_her_id: str, at: datetime, received_at: datetime, fault: Mapping[FaultHeader, str]
) -> dict[str, str]:
    """The headers of a transport fault, which has no body. HER-ids: those of the original, swapped."""
    values: dict[str, str] = {
        "fromHerId": from_her_id,
        "toHerId": to_her_id,
        "applicationTimeStamp": at.astimezone(OSLO).isoformat(timespec="seconds"),
        FaultHeader.RECEIVED.value: received_at.astimezone(OSLO).isoformat(timespec="seconds"),
        **{name.value: value for name, value in fault.items()},
    }
    return {name: one_line(value) for name, value in values.items() if value}


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
    return {name: one_line(value) for name, value in values.items() if value is not None}


def one_line(value: str) -> str:
    """A value as a header may hold it: some are echoed from messages, as whoever sent them wrote them."""
    if value.isprintable():
        return value[:_LONGEST]
    return "".join(character for character in value if character.isprintable())[:_LONGEST]
