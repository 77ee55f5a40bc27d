"""Reading a rendering of ours again, from what a person reads in it."""

from __future__ import annotations

import re
from typing import get_args

from lxml import etree

from gateway.contracts.errors import FormatError
from gateway.contracts.messages import Format, Head, Message
from gateway.contracts.summary import Action, Participant, Source, SourceFormat, Summary
from gateway.contracts.text import line_or_none
from gateway.formats.summary_xml import read_summary
from gateway.rendering.text import is_rendering, read_text

_FORMATS: tuple[str, ...] = get_args(SourceFormat)
_HER_ID = re.compile("[0-9]{1,12}")


def read_rendering(message: Message) -> Summary | None:
    """The summary of a message that the gateway rendered.

    Read from the text, never from an attachment. The source has system, hospital and department from the text
    and the rest from the message; a message of format summary-1 holds the whole summary as XML.

    Returns:
        None where the message is no rendering, or its text was changed: it is then read as any note is.

    Raises:
        FormatError: a message of format summary-1 holds no summary that can be read.
    """
    if message.format is Format.SUMMARY_1:
        return None if message.canonical is None else _canonical(message.canonical)
    texts = [block.text for block in message.texts]
    if not is_rendering(texts):
        return None
    read = read_text(texts)
    if read is None:
        return None
    summary, action = read
    return summary.model_copy(update={"source": _source(summary.source, message, action)})


def _canonical(document: bytes) -> Summary:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return read_summary(etree.fromstring(document, parser))
    except etree.XMLSyntaxError:
        # Its text holds what was read: it is not passed on.
        reason = "The summary is no well-formed XML."
    raise FormatError(reason)


def _source(told: Source, message: Message, action: Action) -> Source:
    """Who made the note as the text tells it, and the message that carries it."""
    head = message.head
    conversation = head.conversation
    return told.model_copy(
        update={
            "format": message.format.value if message.format.value in _FORMATS else told.format,
            "action": action,
            "msg_type": line_or_none(head.msg_type.value),
            "msg_id": line_or_none(head.msg_id),
            "conversation_id": line_or_none(conversation.root) if conversation else None,
            "replaces": line_or_none(conversation.parent) if conversation else None,
            "sent_at": head.sent_at,
            "organisation": _participant(told.organisation, head, unit=False),
            "unit": _participant(told.unit, head, unit=True),
        }
    )


def _participant(told: Participant, head: Head, *, unit: bool) -> Participant:
    if told != Participant() or head.sender is None:
        return told
    sender = head.sender.unit if unit else head.sender.organisation
    if sender is None:
        return told
    her_id = sender.her_id if _HER_ID.fullmatch(sender.her_id or "") else None
    return Participant(name=line_or_none(sender.name), her_id=her_id)
