"""A network between a client and a broker, to be cut."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Self
from urllib.parse import urlsplit, urlunsplit


class Proxy:
    """Passes connections on to a broker, until it is told otherwise."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.port is not None
        self._target = ("127.0.0.1", parts.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._left: int | None = None
        self.silent = False
        """Whether what is sent vanishes"""
        self.connections = 0
        port = self._listener.getsockname()[1]
        self.url = urlunsplit(parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{port}"))
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Be gone, with every connection."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(10)

    def cut(self) -> None:
        """End every connection now."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for each in pair:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def cut_after(self, size: int) -> None:
        """End every connection when so many bytes more have gone to the broker."""
        with self._lock:
            self._left = size

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                broker = socket.create_connection(self._target)
            except OSError:
                client.close()
                continue
            with self._lock:
                self._pairs.append((client, broker))
            self.connections += 1
            for source, sink, counted in ((client, broker, True), (broker, client, False)):
                thread = threading.Thread(target=self._pass, args=(source, sink, counted), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _pass(self, source: socket.socket, sink: socket.socket, counted: bool) -> None:  # noqa: FBT001 - thread
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if self.silent:
                    continue
                cut = False
                if counted:
                    with self._lock:
                        if self._left is not None:
                            data, cut = data[: self._left], len(data) >= self._left
                            self._left = None if cut else self._left - len(data)
                sink.sendall(data)
                if cut:
                    self.cut()
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        # Each direction closes what it reads from.
        source.close()
