"""What a database gives to the journal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine

from gateway.journal.exclusive import ExclusiveHold
from gateway.journal.session import Meaning


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """Connections to a database, and what is particular to it."""

    writer: Engine
    """Connections that write; a transaction of theirs excludes the others as the journal needs it"""
    reader: Engine
    """Connections that can not write"""
    meaning: Meaning
    exclusive: Callable[[str], ExclusiveHold]
    """Be the only one of a name that works on the journal"""
