"""One delivery, taken apart before the journal is touched."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.contracts.errors import AdapterError
from gateway.contracts.messages import Format, Head, Message, Party
from gateway.contracts.ports import Signer
from gateway.contracts.reading import Reading
from gateway.contracts.receipts import AppRec
from gateway.contracts.states import InboundKind
from gateway.contracts.values import value
from gateway.intake.intake import Opened, RefusedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What a message on one of our own error or dead-letter queues says."""

    kind: InboundKind
    """`FAULT` or `DEAD_LETTER`"""
    original_id: str | None
    """Id of the message that it is about, on the transport"""
    condition: str
    """Stable code"""


@value
class Arrival:
    """What could be told of a delivery without any memory."""

    body: bytes
    queue: str
    from_her_id: str | None
    """Header of the transport; a claim, no proof"""
    inside: bool
    """From a hospital's record system; otherwise from the health network"""
    content_hash: str
    received_at: datetime
    to_her_id: str | None = None
    """Header of the transport"""
    message_id: str = ""
    """The transport's own id of it"""
    content_type: str = "text/plain"
    returned: Returned | None = None
    """Set where it comes from a queue of messages that were given back: nothing else is looked at then"""
    traceparent: str | None = None
    """Header of the transport: the trace that it belongs to"""
    opened: Opened | None = None
    refused: RefusedError | None = None
    protected_by: Signer | None = None
    """Who signed it for the way (CMS)"""
    reading: Reading | None = None
    reading_error: AdapterError | None = None
    broken: str | None = None
    """Type of an exception that nobody foresaw"""

    @property
    def message(self) -> Message | None:
        """The clinical message, if it is one."""
        return self.opened.message if self.opened is not None else None

    @property
    def apprec(self) -> AppRec | None:
        """The receipt, if it is one."""
        return self.opened.apprec if self.opened is not None else None

    @property
    def head(self) -> Head | None:
        """The head, also of a message that was refused."""
        if (message := self.message) is not None:
            return message.head
        return self.refused.head if self.refused is not None else None

    @property
    def format(self) -> Format | None:
        """The format, also of a message that was refused."""
        if self.opened is not None:
            return self.opened.identified.format
        return self.refused.format if self.refused is not None else None

    @property
    def sender(self) -> str:
        """Who the message id is unique for: the sending enterprise; empty if that is not known."""
        apprec, head = self.apprec, self.head
        if apprec is not None:
            party: Party | None = apprec.sender.party
        else:
            party = head.sender if head is not None else None
        if party is None:
            return ""
        return party.organisation.her_id or party.her_id or party.organisation.org_no or ""

    @property
    def msg_id(self) -> str:
        """MsgId, or Id of a receipt; where there is none, the hash of the bytes."""
        if (apprec := self.apprec) is not None:
            return apprec.id
        head = self.head
        return (head.msg_id.strip() if head is not None else "") or self.content_hash
