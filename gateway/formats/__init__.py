"""What the standards say: MsgHead, epikrise, PLO, Dialogmelding, AppRec, read and written."""

from gateway.formats.answer import answer
from gateway.formats.apprec_read import read_apprec
from gateway.formats.apprec_write import write_apprec
from gateway.formats.identify import Identified, identify
from gateway.formats.read import read_head, read_message
from gateway.formats.write import write_message

__all__ = [
    "Identified",
    "answer",
    "identify",
    "read_apprec",
    "read_head",
    "read_message",
    "write_apprec",
    "write_message",
]
