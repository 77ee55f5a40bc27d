"""Reading a message of any format."""

from __future__ import annotations

from lxml import etree

from gateway.contracts.errors import FormatError
from gateway.contracts.messages import Format, Head, Message
from gateway.contracts.values import replace
from gateway.formats import names
from gateway.formats.dialogmelding_read import read_dialogmelding
from gateway.formats.element_names import Element, local_name
from gateway.formats.epikrise_read import read_epikrise, read_epikrise_head
from gateway.formats.identify import content_of, identify_with_content
from gateway.formats.msghead_read import read_conversation, read_documents, read_msghead
from gateway.formats.plo_read import read_plo
from gateway.formats.xml_reading import child


def read_message(root: Element) -> Message:
    """Read a message as it is written.

    What the standard has a place for and the contract has not is in `texts`, so that nothing is lost.

    Args:
        root: the root of a parsed message; it need not be valid.

    Raises:
        FormatError: the message is of no format that the gateway reads, or an attachment is not base64.
    """
    known, content = identify_with_content(root)
    if known.format is None or known.envelope == "apprec":
        raise FormatError("The message is of no format that the gateway reads.")
    if known.envelope == "epikrise":
        return read_epikrise(root, known.format)
    if content is None:
        raise FormatError("The message holds no business message.")
    message = _read_content(root, content, known.format)
    texts, attachments = read_documents(root, content)
    return replace(message, texts=(*message.texts, *texts), attachments=(*message.attachments, *attachments))


def _read_content(root: Element, content: Element, version: Format) -> Message:
    if version in names.EPIKRISE:
        message = read_epikrise(content, version)
        head = replace(message.head, conversation=read_conversation(root))
        return replace(message, head=head)
    head = read_msghead(root)
    if version in names.DIALOG:
        return read_dialogmelding(content, head, version)
    if version in names.PLO_DATE:
        return read_plo(content, head, version)
    canonical = etree.tostring(content, method="c14n", exclusive=True, with_comments=False)
    return Message(format=version, head=head, content_root=local_name(content), canonical=canonical)


def read_head(root: Element) -> Head | None:
    """As much of the head as can be read from a message that may not be valid. Never raises.

    Returns:
        None when nothing of a head is there.
    """
    epikrise = root if child(root, "ServRprt") is not None else None
    content = content_of(root)
    if content is not None and child(content, "ServRprt") is not None:
        epikrise = content
    if epikrise is not None:
        head = replace(read_epikrise_head(epikrise), conversation=read_conversation(root))
    else:
        head = read_msghead(root)
    empty = Head(msg_type=head.msg_type, msg_id="", generated_at="", sent_at=None)
    return None if head == empty and head.msg_type.value is None else head
