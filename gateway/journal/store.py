"""What a database gives to the journal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from gateway.journal.exclusive import Hold
from gateway.journal.session import Meaning


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
