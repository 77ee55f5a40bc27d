"""The broker: reachable, with the queues that configuration and register need, and rights to use them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from gateway.contracts.errors import GatewayError, LocalError
from gateway.contracts.queues import Envelope, PublishOutcome, Queue, QueueStatus
from gateway.ops.configuration import Configuration
from gateway.ops.doctor.lines import Line, failed, fault, ok, warning
from gateway.ops.queue_names import all_queues, inbound_queues
from gateway.ops.secret_values import url_parts
from gateway.ops.stores import connect_queue
from gateway.routing.register_file import RegisterFile

_NAMED = 4
_MANY = 1000


def broker(configuration: Configuration, register: RegisterFile | None) -> Iterator[Line]:
    """What there is to say of it. Without a register only whether it can be reached."""
    url = configuration.queues.url
    if url.startswith("embedded:"):
        path = configuration.path(Path(url.removeprefix("embedded:")))
        if not path.exists():
            if os.access(path.parent, os.W_OK):
                yield ok("broker", f"embedded; {path} is not there yet: the first start makes it")
            else:
                yield fault(
                    "broker",
                    f"{path} is not there, and its folder can not be written",
                    "make the folder and give it to the service's user, or correct queues.url",
                )
            return
    try:
        connection = connect_queue(configuration)
    except GatewayError as error:
        hint = "see that it runs, and queues.url with its user, password and vhost"
        parts = url_parts("queues.url", url)
        if parts.username is not None and parts.password is None:
            hint = "no password is given: queues.password_file names the file that holds it"
        yield failed("broker", error, hint)
        return
    with connection as queue:
        if register is None:
            yield ok("broker", "it can be reached")
            return
        try:
            yield from _queues(configuration, register, queue)
        except GatewayError as error:
            yield failed("broker", error, "see the rights of the user on the broker")


def _queues(configuration: Configuration, register: RegisterFile, queue: Queue) -> Iterator[Line]:
    needed = all_queues(configuration, register)
    there = {status.name: status for status in queue.status(needed)}
    missing = [name for name in needed if name not in there]
    named = ", ".join(missing[:_NAMED]) + (" …" if len(missing) > _NAMED else "")
    if missing and configuration.queues.declare:
        yield warning(
            "broker", f"{len(missing)} of {len(needed)} queues are missing: {named}", "pakkehjem queues setup"
        )
    elif missing:
        yield fault(
            "broker",
            f"{len(missing)} of {len(needed)} queues are missing: {named}",
            "queues.declare is false: those who manage the broker must make them",
        )
    if configuration.queues.declare:
        for name in there:
            try:
                queue.declare([name])
            except LocalError as error:
                yield failed(
                    "broker", error, "delete the queue when it is empty, then: pakkehjem queues setup"
                )
    yield from _rights(configuration, register, queue, there)
    full = [status for status in there.values() if status.ready >= _MANY]
    for status in full:
        yield warning(
            "broker",
            f"{status.ready} messages lie on {status.name}",
            "is who reads it at work? queues status",
        )
    yield ok("broker", f"it can be reached; {len(there)} of {len(needed)} queues are there")


def _rights(
    configuration: Configuration, register: RegisterFile, queue: Queue, there: dict[str, QueueStatus]
) -> Iterator[Line]:
    """To write: by a message for a queue that is not there. To read: by taking from one that is empty."""
    try:
        outcomes = queue.publish([(f"doctor-{uuid4()}", Envelope(body=b"", message_id=str(uuid4())))])
    except GatewayError as error:
        yield fault(
            "broker",
            f"it takes no message from this user: {error.message}",
            "give the user the right to write to the default exchange; the broker's log says what it refused",
            exit_code=error.exit_code,
        )
    else:
        if outcomes == [PublishOutcome.NOT_CONFIRMED]:
            yield fault(
                "broker",
                "it confirms nothing: an alarm of memory or disk, most likely",
                "look at the broker: rabbitmqctl status",
            )
    empty = [
        name for name in inbound_queues(configuration, register) if name in there and not there[name].ready
    ]
    if empty:
        try:
            queue.requeue(queue.take(empty[:1], limit=1, wait_seconds=0.0))
        except LocalError as error:
            yield failed("broker", error, f"give the user the right to read {empty[0]}")
