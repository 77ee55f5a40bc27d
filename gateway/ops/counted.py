"""A number with what it counts, as people write it."""

from __future__ import annotations


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 fault`, `2 faults`; `many` where the plural is not made with an s."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"
