"""The sample notes and the sample register that come with the gateway."""

from __future__ import annotations

from pathlib import Path

from gateway.contracts.errors import LocalError

_PLACES = (Path(__file__).parent / "samples", Path(__file__).parents[2] / "fixtures")
"""Installed from a wheel; or from the source tree"""


def _place(name: str) -> Path:
    for place in _PLACES:
        if (place / name).exists():
            return place / name
    raise LocalError(f"the sample {name} is not part of this installation")


def notes_directory() -> Path:
    """Synthetic notes of all three systems, each with what a person reads in it."""
    return _place("notes")


def registry_file() -> Path:
    """A fictional address register."""
    return _place("registry.toml")
