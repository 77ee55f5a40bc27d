"""What a database gives to the journal."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, make_url
from sqlalchemy.exc import ArgumentError

from gateway.contracts.errors import ConfigurationError
from gateway.journal.exclusive import Hold
from gateway.journal.session import Meaning

_BACKENDS = ("sqlite", "postgresql")
"""Modules of this package: a database's driver is loaded where it is used"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """Connections to a database, and what is particular to it."""

    writer: Engine
    """Connections that write; a transaction of theirs excludes the others as the journal needs it"""
    reader: Engine
    """Connections that can not write"""
    meaning: Meaning
    hold: Callable[[str], Hold]
    """Work on the journal under a name: alone, or where the database is `shared`, beside others"""
    shared: bool
    """Several processes work on it, and take what is due by leases"""
    backup: Callable[[Path], None]
    """Write all that is committed to a new file"""


def open_store(url: str) -> Store:
    """What the database at this URL gives; nothing is asked of it yet.

    Raises:
        ConfigurationError: the URL can not be used.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigurationError("The journal's URL can not be read: write sqlite:///path/to/file.") from None
    name = parsed.get_backend_name()
    if name not in _BACKENDS:
        raise ConfigurationError(f"There is no journal of kind {name!r}; known: {', '.join(_BACKENDS)}.")
    store: Store = importlib.import_module(f"gateway.journal.{name}").open_store(parsed)
    return store
