"""The hospital's message again, as it was received: what a receipt or a reply about it must mirror."""

from __future__ import annotations

from gateway.contracts.journal import InboundMessage
from gateway.contracts.messages import Format, Head
from gateway.formats import identify, read_head
from gateway.security.gate import parse


def original_head(inbound: InboundMessage) -> tuple[Head, Format] | None:
    """The head and the format of a kept message; None where it has none, or its payload was purged."""
    if not inbound.body:
        return None
    root = parse(inbound.body)
    head, found = read_head(root), identify(root).format
    return (head, found) if head is not None and found is not None else None
