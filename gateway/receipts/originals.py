"""The hospital's message again, as it was received: what a receipt or a reply about it must mirror."""

from __future__ import annotations

from collections import OrderedDict

from gateway.contracts.journal import JournalTransaction
from gateway.contracts.messages import Format, Head
from gateway.contracts.records import InboundMessage
from gateway.formats import identify, read_head
from gateway.security.gate import parse


class RecentHeads:
    """Heads of notes that were just taken in: their receipts mostly come soon after."""

    def __init__(self, most: int = 1024) -> None:
        """`most`: how many are held."""
        self._heads: OrderedDict[tuple[str, str], tuple[Head, Format]] = OrderedDict()
        self._most = most

    def remember(self, inbound: InboundMessage, head: Head, message_format: Format) -> None:
        """What `original_head` would read from it."""
        self._heads[inbound.id, inbound.content_hash] = (head, message_format)
        if len(self._heads) > self._most:
            self._heads.popitem(last=False)

    def head(self, transaction: JournalTransaction, inbound_id: str) -> tuple[Head, Format] | None:
        """The head and the format of a kept message; as `original_head`."""
        row = transaction.inbound(inbound_id, content=False)
        if row is None:
            return None
        known = self._heads.get((row.id, row.content_hash))
        if known is not None:
            return known
        whole = transaction.inbound(inbound_id)
        return original_head(whole) if whole is not None else None


recent_heads = RecentHeads()
"""Of this process; an id and a hash of the bytes are the same in every journal"""


def original_head(inbound: InboundMessage) -> tuple[Head, Format] | None:
    """The head and the format of a kept message; None where it has none, or its payload was purged."""
    if not inbound.body:
        return None
    root = parse(inbound.body)
    head, found = read_head(root), identify(root).format
    return (head, found) if head is not None and found is not None else None
