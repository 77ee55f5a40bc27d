"""Secrets of the configuration: where they may stand, and how a password gets into its URL."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

from gateway.contracts.errors import ConfigurationError
from gateway.ops.environment import PREFIX

SECRETS = (("queues", "password"), ("journal", "password"), ("journal", "key"))
"""Keys that the environment alone may set"""


def refuse_secrets(document: Mapping[str, object]) -> None:
    """A secret does not stand in the file, which anyone may read.

    Raises:
        ConfigurationError: one does.
    """
    for section, key in SECRETS:
        table = document.get(section)
        if isinstance(table, Mapping) and key in table:
            variable = f"{PREFIX}{section}__{key}".upper()
            raise ConfigurationError(
                f"{section}.{key} is a secret, which this file is not for",
                hint=f"name a file that holds nothing else as {section}.{key}_file, or set {variable}",
            )


def url_parts(key: str, url: str) -> SplitResult:
    """A URL taken apart.

    Raises:
        ConfigurationError: it is none. The text does not show it: it may hold a password.
    """
    try:
        return urlsplit(url)
    except ValueError:
        raise ConfigurationError(
            f"{key}: the URL can not be read", hint="for example amqps://user@host/vhost"
        ) from None


def with_password(key: str, url: str, password: str) -> str:
    """The URL of the key with the password of its user.

    Raises:
        ConfigurationError: it names no user, or has a password.
    """
    parts = url_parts(key, url)
    if not parts.username or parts.password is not None:
        raise ConfigurationError(
            f"{key}: with a password of its own it names a user, and no password",
            hint="for example amqps://user@host/vhost",
        )
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}"))
