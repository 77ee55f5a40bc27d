"""Trace context, as the W3C writes it: who follows a message through several systems finds ours by it.

A message that brings a `traceparent` keeps its trace; any other begins one, whose id is our id of it.
What is sent because of it carries the trace on, in the outbox and in its transport headers.
Source: W3C Trace Context, Recommendation 2021-11-23, section 3.2.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

TRACEPARENT: Final = "traceparent"
"""Name of the header"""

_FORM: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-[0-9a-f]{2}(-.*)?"
)
_CURRENT: ContextVar[tuple[str, list[str]] | None] = ContextVar("trace", default=None)


def trace_id(traceparent: str | None, message_id: str) -> str:
    """The trace of a message: that of its header where it is one, else our id of the message.

    Args:
        traceparent: the header that it came with.
        message_id: our id of it, a UUID.
    """
    context = span_context(traceparent)
    return context[0] if context is not None else message_id.replace("-", "")


def span_context(traceparent: str | None) -> tuple[str, str] | None:
    """The ids of trace and span that a header names; None where it is none."""
    match = _FORM.fullmatch(traceparent.strip()) if traceparent else None
    if match is not None and match["trace"].strip("0") and match["span"].strip("0"):
        return match["trace"], match["span"]
    return None


@contextmanager
def traced(trace: str) -> Iterator[list[str]]:
    """What is made inside belongs to a trace; the ids of what is sent are given as they are made."""
    sendings: list[str] = []
    token = _CURRENT.set((trace, sendings))
    try:
        yield sendings
    finally:
        _CURRENT.reset(token)


def child(sending_id: str) -> dict[str, str]:
    """The header of something that is sent; empty where nothing is traced.

    The span's id is made from the sending's, so that the same sending has the same header each time.
    """
    current = _CURRENT.get()
    if current is None:
        return {}
    trace, sendings = current
    sendings.append(sending_id)
    return {TRACEPARENT: f"00-{trace}-{span_id(sending_id)}-01"}


def span_id(of: str) -> str:
    """The id of the span of something that has an id of ours: the same in every process, each time."""
    return hashlib.blake2b(of.encode(), digest_size=8).hexdigest()
