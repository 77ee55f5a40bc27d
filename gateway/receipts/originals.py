"""The hospital's message again, as it was received: what a receipt or a reply about it must mirror."""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Iterable

from gateway.contracts.journal import Journal, JournalTransaction
from gateway.contracts.messages import Format, Head
from gateway.contracts.records import InboundMessage
from gateway.formats import identify, read_head
from gateway.security.gate import parse

_MADE_OF_ONE = 4
"""How many sendings a note has, at most, for most notes"""


class RecentHeads:
    """Heads of notes that were just taken in: their receipts mostly come soon after."""

    def __init__(self, most: int = 1024) -> None:
        """`most`: how many are held."""
        self._heads: OrderedDict[str, tuple[str, Head, Format]] = OrderedDict()
        """By our id, with the hash of the bytes that it was read from"""
        self._sent: OrderedDict[str, None] = OrderedDict()
        """MsgIds of what this process has made of them"""
        self._most = most

    def remember(self, inbound: InboundMessage, head: Head, message_format: Format) -> None:
        """What `original_head` would read from it."""
        self._heads[inbound.id] = (inbound.content_hash, head, message_format)
        if len(self._heads) > self._most:
            self._heads.popitem(last=False)

    def sent(self, msg_ids: Iterable[str]) -> None:
        """These were made of a message that is remembered."""
        self._sent |= dict.fromkeys(msg_ids)
        while len(self._sent) > self._most * _MADE_OF_ONE:
            self._sent.popitem(last=False)

    def read_ahead(self, journal: Journal, answered: Iterable[str]) -> None:
        """Read what `head` will be asked for when sendings with these MsgIds are answered.

        An AppRec comes to whichever process is free. What another has made is read here for a whole group,
        while others may write; without it, each is read by itself when it is their turn to wait.
        """
        of_others = [each for each in dict.fromkeys(answered) if each and each not in self._sent]
        if not of_others:
            return
        # What is wrong shows again where it is needed.
        with contextlib.suppress(Exception):
            with journal.reader() as view:
                found = view.originals(of_others, known=self._heads.keys())
            for each in found:
                with contextlib.suppress(Exception):
                    if (read := original_head(each)) is not None:
                        self.remember(each, *read)

    def head(self, transaction: JournalTransaction, inbound_id: str) -> tuple[Head, Format] | None:
        """The head and the format of a kept message; as `original_head`."""
        row = transaction.inbound(inbound_id, content=False)
        if row is None:
            return None
        known = self._heads.get(row.id)
        if known is not None and known[0] == row.content_hash:
            return known[1:]
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
