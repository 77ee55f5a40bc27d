"""One AMQP connection with a thread of its own.

The thread does all reading and writing, and answers heartbeats whatever its owner does meanwhile: a group
that takes minutes costs no connection. Everything that touches pika's objects runs on that thread; the owner
hands work over with `ask` and `tell`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import ssl
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from typing import Any, Protocol, TypeVar

import pika
import pika.exceptions
from pika.adapters.select_connection import IOLoop, SelectConnection
from pika.channel import Channel

from gateway.contracts.errors import GatewayError, LocalError, QueueUnavailableError

T = TypeVar("T")

ANSWER_SECONDS = 30.0
"""How long the broker may take for an answer"""

# Every attempt that fails would be logged with a traceback; what matters is raised.
logging.getLogger("pika").setLevel(logging.CRITICAL)

_REFUSED = 403
_PRECONDITION_FAILED = 406


class _Loop(IOLoop):  # type: ignore[misc] # pika ships no types
    """Knows its connection's sockets."""

    def __init__(self) -> None:
        super().__init__()
        self.sockets: set[int] = set()

    def add_handler(self, fd: int, handler: Callable[[int, int], None], events: int) -> None:
        self.sockets.add(fd)
        super().add_handler(fd, handler, events)

    def remove_handler(self, fd: int) -> None:
        self.sockets.discard(fd)
        super().remove_handler(fd)


class Side(Protocol):
    """What a connection is for. All of this is called on the link's thread."""

    def opened(self, channel: Channel) -> None:
        """The channel is open; nothing else has happened on it."""

    def unblocked(self) -> None:
        """The broker takes messages again."""

    def lost(self) -> None:
        """The connection is lost."""


class Link:
    """A connection with one channel; lost once, lost for good."""

    def __init__(self, parameters: pika.ConnectionParameters, side: Side, *, seconds: float) -> None:
        """Connect, and open the channel.

        Args:
            parameters: node, credentials, timeouts.
            side: what it is for.
            seconds: how long all of that may take.

        Raises:
            QueueUnavailableError: the node can not be reached.
            LocalError: it refuses us (user, virtual host, certificate).
        """
        self.blocked = False
        """Whether the broker has told us to publish nothing (memory or disk alarm)"""
        self.refused = False
        """Whether it was lost because the broker would not have a message (too large)"""
        self._side = side
        self._lock = threading.Lock()
        self._waiting: set[Future[Any]] = set()
        self._error: GatewayError | None = None
        self._given_up = False
        self._loop = _Loop()
        self._opened: Future[Any] = Future()
        self._waiting.add(self._opened)
        self.connection: Any = None
        """pika's; for use on the thread only"""
        self._thread = threading.Thread(
            target=self._run, args=(parameters,), name="pakkehjem-amqp", daemon=True
        )
        self._thread.start()
        _links.add(self)
        self._answer(self._opened, seconds)

    @property
    def lost(self) -> bool:
        """Whether the connection is gone."""
        return self._given_up or self._error is not None

    def tell(self, work: Callable[[], None]) -> None:
        """Do something on the thread, some time soon; where the connection is lost: never."""
        with contextlib.suppress(RuntimeError, OSError):
            self._loop.add_callback_threadsafe(lambda: self._guarded(work))

    def ask(self, work: Callable[[Future[T]], None], seconds: float = ANSWER_SECONDS) -> T:
        """Do something on the thread that ends by setting the future; its result.

        Raises:
            QueueUnavailableError: the connection is lost, or no answer came (then it is given up).
            LocalError: the broker refused it.
        """
        future: Future[T] = Future()
        with self._lock:
            if self._error is not None:
                raise type(self._error)(self._error.message, hint=self._error.hint)
            self._waiting.add(future)
        self.tell(lambda: work(future))
        return self._answer(future, seconds)

    def abort(self) -> None:
        """Cut the connection without a word. From now on it is lost, before its thread has noticed."""
        self._given_up = True
        for descriptor in list(self._loop.sockets):
            with contextlib.suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as copy:
                copy.shutdown(socket.SHUT_RDWR)

    def close(self, seconds: float = 5.0) -> None:
        """Disconnect in good order; never fails."""
        self.tell(self._close)
        self._thread.join(seconds)
        if self._thread.is_alive():
            self.abort()
            self._thread.join(seconds)

    def let_go(self) -> None:
        """In a child of this process: the connection is the parent's, and ends with the parent."""
        self._error = QueueUnavailableError("The connection belongs to another process.")
        with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a descriptor is wanted, not a path
            for descriptor in self._loop.sockets:
                os.dup2(nothing.fileno(), descriptor)

    def _answer(self, future: Future[T], seconds: float) -> T:
        try:
            return future.result(seconds)
        except Late:
            self.abort()
            raise QueueUnavailableError("The broker does not answer.") from None
        finally:
            with self._lock:
                self._waiting.discard(future)

    # What follows runs on the thread.

    def _run(self, parameters: pika.ConnectionParameters) -> None:
        try:
            self.connection = SelectConnection(
                parameters,
                on_open_callback=self._connected,
                on_open_error_callback=lambda _connection, error: self._gone(error),
                on_close_callback=lambda _connection, error: self._gone(error),
                custom_ioloop=self._loop,
            )
            self._loop.start()
        except Exception as error:  # noqa: BLE001 - whatever it is, the owner must learn that it is over
            self.abort()
            self._gone(error)
            with contextlib.suppress(Exception):
                # pika sees the end of its sockets, and closes them.
                self._loop.start()
        finally:
            with contextlib.suppress(Exception):
                self._loop.close()

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except pika.exceptions.AMQPError as error:
            # The channel or the connection is closed or closing.
            self._gone(error)
            self._close()

    def _connected(self, connection: SelectConnection) -> None:
        connection.add_on_connection_blocked_callback(lambda *_: self._stopped(blocked=True))
        connection.add_on_connection_unblocked_callback(lambda *_: self._stopped(blocked=False))
        channel = connection.channel(on_open_callback=self._channel_open)
        channel.add_on_close_callback(self._channel_closed)

    def _stopped(self, *, blocked: bool) -> None:
        self.blocked = blocked
        if not blocked:
            self._side.unblocked()

    def _channel_open(self, channel: Channel) -> None:
        self._side.opened(channel)
        finish(self._opened, channel)

    def _channel_closed(self, _channel: Channel, reason: Exception) -> None:
        # Its tags are dead, and with them what the connection was for.
        self.refused = getattr(reason, "reply_code", None) == _PRECONDITION_FAILED
        self._gone(reason)
        self._close()

    def _close(self) -> None:
        if self.connection.is_open:
            self.connection.close()
        elif self.connection.is_closed:
            self._loop.stop()

    def _gone(self, error: BaseException) -> None:
        with self._lock:
            first, self._error = self._error is None, self._error or explain(error)
            waiting, self._waiting = self._waiting, set()
        for future in waiting:
            fail(future, self._error)
        if first:
            self._side.lost()
        if self.connection is None or not (self.connection.is_open or self.connection.is_closing):
            self._loop.stop()


_REFUSALS = {
    pika.exceptions.ProbableAuthenticationError: "The broker refuses the user or the password.",
    pika.exceptions.AuthenticationError: "The broker refuses the user or the password.",
    pika.exceptions.ProbableAccessDeniedError: "The broker refuses the user in this virtual host.",
}


def explain(error: BaseException) -> GatewayError:
    """What a failure of pika's means for us."""
    error = _cause(error)
    if isinstance(error, GatewayError):
        return error
    if type(error) in _REFUSALS:
        return LocalError(_REFUSALS[type(error)])
    code = getattr(error, "reply_code", None)
    if code == _REFUSED:
        return LocalError(f"The broker refuses: {getattr(error, 'reply_text', '')}")
    if isinstance(error, ssl.SSLCertVerificationError):
        return LocalError(f"The broker's certificate is not trusted: {error.verify_message}.")
    words = [type(error).__name__] if code is None else [type(error).__name__, str(code)]
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or " ".join(words)
    return QueueUnavailableError(f"The broker can not be reached ({reason}).")


def _cause(error: BaseException) -> BaseException:
    """The innermost error: pika wraps what went wrong in what it was doing."""
    while type(error) not in _REFUSALS:
        within = [getattr(error, "exception", None), *(getattr(error, "exceptions", None) or ()), *error.args]
        found = [each for each in within if isinstance(each, BaseException)]
        if not found:
            break
        error = found[-1]
    return error


def finish(future: Future[T], result: T) -> None:
    """Set a result, where nothing is set yet."""
    if not future.done():
        future.set_result(result)


def fail(future: Future[Any], error: BaseException) -> None:
    """Set an error, where nothing is set yet."""
    if not future.done():
        future.set_exception(error)


_links: weakref.WeakSet[Link] = weakref.WeakSet()


def _forked() -> None:
    for link in list(_links):
        link.let_go()


os.register_at_fork(after_in_child=_forked)
