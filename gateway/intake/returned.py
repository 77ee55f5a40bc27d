"""Reads what comes to our own error and dead-letter queues; its content is not looked into."""

from __future__ import annotations

import hashlib
from datetime import datetime

import orjson

from gateway.contracts.queues import Delivery
from gateway.contracts.states import InboundKind
from gateway.contracts.transport_headers import CONDITIONS, FaultHeader, one_line
from gateway.intake.arrival import Arrival, Returned

OTHER_CONDITION = "transport:other"
"""A condition that the convention does not have"""
_DEATHS = frozenset(("rejected", "expired", "maxlen", "delivery_limit"))
"""Why RabbitMQ gives a message up (`x-first-death-reason`)"""


def returned_arrival(delivery: Delivery, kind: InboundKind, received_at: datetime) -> Arrival:
    """A delivery from a queue of returned messages.

    Its body is kept as it came; of an empty one (a transport fault is told by its headers) the headers are.
    """
    envelope = delivery.envelope
    headers = dict(envelope.headers)
    told = orjson.dumps(headers, option=orjson.OPT_SORT_KEYS)
    identity = hashlib.sha256(b"\0".join((delivery.queue.encode(), envelope.message_id.encode(), told)))
    identity.update(envelope.body)
    if kind is InboundKind.FAULT:
        original = headers.get(FaultHeader.ORIGINAL)
        condition = headers.get(FaultHeader.CONDITION, "")
        condition = condition if condition in CONDITIONS else OTHER_CONDITION
    else:
        original = envelope.message_id or headers.get("X-MessageInfo-MsgId")
        death = headers.get("x-first-death-reason", "")
        condition = f"dead-letter:{death}" if death in _DEATHS else "dead-letter"
    return Arrival(
        body=envelope.body or told,
        queue=delivery.queue,
        from_her_id=headers.get("fromHerId"),
        to_her_id=headers.get("toHerId"),
        message_id=envelope.message_id,
        inside=False,
        content_hash=identity.hexdigest(),
        received_at=received_at,
        returned=Returned(
            kind=kind, original_id=one_line(original or "").strip() or None, condition=condition
        ),
    )
