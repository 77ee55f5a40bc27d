"""Where a RabbitMQ is and how to talk to it: read from the URL that the configuration gives.

`amqps://user:password@one.example:5671,two.example/vhost?ca=…&certificate=…&key=…`: the nodes of a cluster
stand beside each other, and every setting in the query has a default.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import SplitResult, parse_qsl, unquote

import pika

from gateway.contracts.errors import ConfigurationError

_PORTS = {"amqp": 5672, "amqps": 5671}
_SECONDS = ("heartbeat", "connect_seconds", "confirm_seconds", "blocked_seconds")
_FILES = ("ca", "certificate", "key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A broker: one node or the nodes of a cluster, and the settings of connections to it."""

    nodes: tuple[tuple[str, int], ...]
    """Host and port; tried in turn"""
    user: str
    password: str = field(repr=False)
    vhost: str
    tls: ssl.SSLContext | None = None
    declare: bool = True
    """Whether queues are made; where the broker is managed by others they are only looked for"""
    heartbeat: int = 30
    """Seconds; the broker and we give a silent connection up after two of these"""
    connect_seconds: float = 5.0
    """For one node to take the connection"""
    confirm_seconds: float = 10.0
    """How long no confirm may come before messages count as not confirmed"""
    blocked_seconds: float = 300.0
    """How long the broker may block a connection (memory or disk alarm) before it is given up"""

    @classmethod
    def of(cls, url: SplitResult) -> Self:
        """Read a URL.

        Raises:
            ConfigurationError: it can not be used. The text shows no part that may be secret.
        """
        settings = _settings(url)
        user, _, hosts = url.netloc.rpartition("@")
        name, _, password = user.partition(":")
        vhost = unquote(url.path.removeprefix("/"))
        return cls(
            nodes=tuple(_node(each, _PORTS[url.scheme]) for each in hosts.split(",")),
            user=unquote(name) or "guest",
            password=unquote(password) or "guest",
            vhost=vhost or "/",
            tls=_context(url.scheme, {key: settings.pop(key) for key in _FILES if key in settings}),
            **{key: _READERS[key](key, value) for key, value in settings.items()},
        )

    def parameters(self, node: tuple[str, int], role: str) -> pika.ConnectionParameters:
        """What pika needs for a connection to one node; the broker's lists show the role."""
        host, port = node
        return pika.ConnectionParameters(
            host=host,
            port=port,
            virtual_host=self.vhost,
            credentials=pika.PlainCredentials(self.user, self.password, erase_on_connect=True),
            heartbeat=self.heartbeat,
            blocked_connection_timeout=self.blocked_seconds,
            connection_attempts=1,
            socket_timeout=self.connect_seconds,
            stack_timeout=2 * self.connect_seconds,
            ssl_options=pika.SSLOptions(self.tls, host) if self.tls is not None else None,
            client_properties={"connection_name": f"pakkehjem {role}"},
        )


def _settings(url: SplitResult) -> dict[str, str]:
    try:
        settings = dict(parse_qsl(url.query, strict_parsing=bool(url.query)))
    except ValueError:
        raise ConfigurationError("The settings in the broker's URL can not be read.") from None
    unknown = sorted(set(settings) - {"declare", *_SECONDS, *_FILES})
    if unknown:
        known = ", ".join(("declare", *_SECONDS, *_FILES))
        raise ConfigurationError(f"The broker's URL has an unknown setting {unknown[0]!r}; known: {known}.")
    return settings


def _node(text: str, default: int) -> tuple[str, int]:
    """`host`, `host:port`, `[::1]:port`."""
    host, port = text, ""
    if not text.endswith("]") and ":" in text:
        host, _, port = text.rpartition(":")
    if not host.strip("[]") or (port and not (port.isascii() and port.isdigit() and int(port) < 65536)):
        raise ConfigurationError("The broker's URL names a host, or hosts with commas between them.")
    return host.strip("[]"), int(port or default)


def _context(scheme: str, files: dict[str, str]) -> ssl.SSLContext | None:
    """TLS with the broker's certificate checked, and our own shown where there is one."""
    if scheme == "amqp":
        if files:
            raise ConfigurationError("The broker's URL has settings of TLS: then it begins with amqps://.")
        return None
    if ("certificate" in files) != ("key" in files):
        raise ConfigurationError("A client certificate for the broker needs both certificate and key.")
    try:
        context = ssl.create_default_context(cafile=files.get("ca"))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if "certificate" in files:
            # A key with a passphrase is refused rather than asked for on a terminal.
            context.load_cert_chain(files["certificate"], files["key"], password="")
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
        raise ConfigurationError(f"The certificates for the broker can not be used: {reason}.") from None
    return context


def _declare(key: str, text: str) -> bool:
    if text not in ("true", "false"):
        raise ConfigurationError(f"{key} in the broker's URL is true or false.")
    return text == "true"


def _positive(key: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 86400:
        raise ConfigurationError(f"{key} in the broker's URL is a number of seconds.")
    return value


def _whole(key: str, text: str) -> int:
    return max(1, round(_positive(key, text)))


_READERS: dict[str, Callable[[str, str], Any]] = {
    "declare": _declare,
    **dict.fromkeys(_SECONDS, _positive),
    "heartbeat": _whole,
}
