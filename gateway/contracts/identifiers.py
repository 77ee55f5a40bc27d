"""Derived ids: the same cause gives the same id, so a repeat after a crash is known as one."""

from __future__ import annotations

import uuid

_NAMESPACE = uuid.UUID("6f0f5f1c-2f57-5d0b-9d53-0f4a1c8a7e11")


def derived_id(*parts: str | int | None) -> str:
    """A UUIDv5 of its parts, in their order."""
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join("" if p is None else str(p) for p in parts)))
