"""Where revocation lists and answers come from: files, and the loopback address. Both are cached."""

from __future__ import annotations

import http.client
import ipaddress
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import structlog

from gateway.contracts.errors import ConfigurationError, LocalError
from gateway.security.files import read_public

log = structlog.get_logger()

_TIMEOUT_SECONDS: Final = 2.0
_FRESH_SECONDS: Final = 300.0
"""How long an answer is used before it is asked for anew"""
_PAUSE_SECONDS: Final = 15.0
"""How long a source that failed is left alone"""
_MAX_BYTES: Final = 20 * 1024 * 1024
_MAX_REMEMBERED: Final = 1024


def is_address(source: str) -> bool:
    """Whether a source of the configuration is an address, and no file."""
    return "://" in source


class FileSource:
    """A file that a job of the operator's keeps up to date; read again when it has changed."""

    def __init__(self, path: Path) -> None:
        """The file may be missing: then there is nothing."""
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._content: bytes | None = None

    def content(self) -> bytes | None:
        """What the file holds; None where it can not be read."""
        try:
            found = self._path.stat()
            stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
            if stamp != self._stamp:
                self._content = read_public(self._path) if found.st_size <= _MAX_BYTES else None
                self._stamp = stamp
        except (OSError, LocalError):
            self._stamp = self._content = None
        return self._content

    def answers(self, request: bytes) -> Sequence[bytes]:
        """The answer in the file, whatever is asked."""
        del request
        content = self.content()
        return () if content is None else (content,)


class AddressSource:
    """A server on the loopback address: no proxy of the environment, no redirection, no other host."""

    def __init__(self, address: str) -> None:
        """Only `http` to the loopback address.

        Raises:
            ConfigurationError: it is another address.
        """
        try:
            parts = urlsplit(address)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            host, port, parts = "", None, urlsplit("")
        if parts.scheme != "http" or not _is_loopback(host):
            raise ConfigurationError(
                "revocation is asked about on the loopback address only (http://127.0.0.1:…)",
                hint="run a proxy there, or let a job fetch the list into a file",
            )
        self._host, self._port = host, port or 80
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._known: dict[bytes, tuple[float, bytes | None]] = {}

    def content(self) -> bytes | None:
        """What a GET gives; the last one where that fails now; None where there is none."""
        return self._cached(b"")

    def answers(self, request: bytes) -> Sequence[bytes]:
        """What the responder answers; the last answer where it fails now."""
        content = self._cached(request)
        return () if content is None else (content,)

    def _cached(self, request: bytes) -> bytes | None:
        until, content = self._known.get(request, (0.0, None))
        now = time.monotonic()
        if now < until:
            return content
        fresh = self._fetch(request)
        if len(self._known) >= _MAX_REMEMBERED:
            self._known.clear()
        if fresh is None:
            # An old answer says itself how long it counts.
            self._known[request] = (now + _PAUSE_SECONDS, content)
            return content
        # The same bytes stay the same object: a list is not taken apart again.
        content = content if fresh == content else fresh
        self._known[request] = (now + _FRESH_SECONDS, content)
        return content

    def _fetch(self, request: bytes) -> bytes | None:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=_TIMEOUT_SECONDS)
        try:
            if request:
                headers = {"Content-Type": "application/ocsp-request", "Accept": "application/ocsp-response"}
                connection.request("POST", self._target, request, headers)
            else:
                connection.request("GET", self._target)
            response = connection.getresponse()
            content = response.read(_MAX_BYTES + 1)
        except (OSError, http.client.HTTPException):
            log.warning("revocation-source-not-reachable")
            return None
        finally:
            connection.close()
        if response.status != http.HTTPStatus.OK or len(content) > _MAX_BYTES:
            log.warning("revocation-source-failed", code=response.status)
            return None
        return content


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
