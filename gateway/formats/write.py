"""Writing a message of any format."""

from __future__ import annotations

import re

from gateway.contracts.errors import FormatError
from gateway.contracts.messages import Format, Message
from gateway.formats import names
from gateway.formats.dialogmelding_write import write_dialogmelding
from gateway.formats.epikrise_write import write_epikrise_document
from gateway.formats.msghead_write import write_msghead
from gateway.formats.plo_write import write_plo

_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>\s*")


def write_message(message: Message) -> bytes:
    """Write a message in the format that it names: the same message gives the same bytes.

    Returns:
        UTF-8 XML with declaration, without signature, without empty elements.

    Raises:
        FormatError: the message lacks what the format can not do without (a sender, a primary receiver, an
            id, a time; a patient for an epikrise; the summary for summary-1), or the format is a receipt's.
    """
    if message.format in names.EPIKRISE:
        return write_epikrise_document(message)
    return write_msghead(message.head, _business(message), message.attachments)


def _business(message: Message) -> str:
    if message.format in names.DIALOG:
        return write_dialogmelding(message)
    if message.format in names.PLO_DATE:
        return write_plo(message)
    if message.format is not Format.SUMMARY_1 or message.canonical is None:
        raise FormatError("There is no business message to write in this format.")
    return _DECLARATION.sub("", message.canonical.decode("utf-8-sig"), count=1)
