"""Application receipts (AppRec): what they say, whatever version they are written in.

Source: HIS 80415:2012 «Applikasjonskvittering», chapters 3.3, 4.3 and 6; HITS 1168:2016, chapters 5, 6, 8.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from gateway.contracts.values import value
from mappings import code_list

if TYPE_CHECKING:
    from gateway.contracts.messages import CodedValue, Party

CODE_LIST_ERRORS = code_list("8221").oid


class ReceiptStatus(StrEnum):
    """Status of an AppRec (code list 8258); other values are kept as they are written."""

    OK = "1"
    REJECTED = "2"
    PARTLY = "3"


class ErrorCode(StrEnum):
    """Codes of list 8221 that the gateway uses."""

    NOT_READABLE = "T01"
    NOT_VALID = "T02"
    NOT_SUPPORTED = "T10"
    OTHER_FORMAT_ERROR = "T99"
    SIGNATURE = "S01"
    CERTIFICATE_INVALID = "S02"
    CERTIFICATE_REVOKED = "S03"
    OTHER_SIGNATURE_ERROR = "S99"
    MESSAGE_ID = "E10"
    RECEIVER_UNKNOWN = "E21"
    PATIENT_INSUFFICIENT = "E36"
    OTHER = "X99"


ERROR_TEXTS = code_list("8221").codes
"""The text (DN) of each code of list 8221."""


@value
class Fault:
    """One error of an AppRec."""

    code: str
    """V: a code of list 8221 (a foreign receipt may hold others)."""
    text: str | None = None
    """DN: the text of the code."""
    detail: str | None = None
    """OT: what a person needs to know besides; in Norwegian, never patient data."""
    code_list: str | None = CODE_LIST_ERRORS
    """S: OID of the list; some senders leave it out."""


def fault(code: ErrorCode, detail: str | None = None) -> Fault:
    """An error of ours: code, its text, and a sentence for the sender."""
    return Fault(code=code.value, text=ERROR_TEXTS[code.value], detail=detail)


@value
class ReceiptParty:
    """Sender or receiver of an AppRec."""

    role: CodedValue | None
    """PRIM, COP, AVS (1.1); REQ, SPR, COP, SENDER, RECEIVER (1.0)."""
    party: Party


@value
class OriginalMessage:
    """OriginalMsgId: the message that is answered."""

    msg_type: CodedValue
    issued_at: str
    """GenDate of the message as an xs:dateTime, as it was written."""
    id: str


@value
class AppRec:
    """An application receipt."""

    version: str
    """"1.0" (2004-11-21) or "1.1" (2012-02-15)."""
    id: str
    generated_at: str
    """GenDate as an xs:dateTime, as written."""
    sender: ReceiptParty
    receiver: ReceiptParty
    status: str
    """A `ReceiptStatus`, or what a foreign system wrote."""
    status_text: str | None
    faults: tuple[Fault, ...]
    original: OriginalMessage

    @property
    def positive(self) -> bool:
        """Whether the receiver took the message over (status 1, or 3: with a fault in a part)."""
        return self.status in (ReceiptStatus.OK, ReceiptStatus.PARTLY)
