"""The address register of a running service: it follows its file, and keeps the last good one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from gateway.contracts.registry import Endpoint, Hospital, HospitalUnit, Registry
from gateway.routing.register_file import RegisterFile
from gateway.security.watched import LOOK_SECONDS, Watched

Key = TypeVar("Key")
Value = TypeVar("Value")


class WatchedRegister:
    """A `Registry` (gateway.contracts.registry) whose file is looked at every two seconds.

    Where it has changed it is read anew. One that can not be used is refused, which is said once in the log
    (`register-not-reloaded`), and the one before stays in use until the file changes again.
    """

    def __init__(self, path: Path, *, look_seconds: float = LOOK_SECONDS) -> None:
        """Read it.

        Raises:
            ConfigurationError: it can not be used the first time.
        """
        self._watched = Watched(
            lambda: RegisterFile.load(path), lambda: [path], look_seconds=look_seconds, what="register"
        )

    @property
    def current(self) -> RegisterFile:
        """The register as it is now; the same object as long as it does not change."""
        return self._watched.get()

    def municipality(self, code: str | None) -> Endpoint | None:
        """The one way in of a municipality or bydel, by its code."""
        return self.current.municipality(code)

    def gp(self, *, her_id: str | None, hpr: str | None) -> Endpoint | None:
        """A GP by HER-id, or by HPR number."""
        return self.current.gp(her_id=her_id, hpr=hpr)

    def endpoint(self, her_id: str | None) -> Endpoint | None:
        """A receiver by the HER-id of the service, the GP, or the organisation."""
        return self.current.endpoint(her_id)

    def unit(self, her_id: str | None) -> HospitalUnit | None:
        """A hospital's department by its HER-id or its mailbox's."""
        return self.current.unit(her_id)

    def hospital(self, her_id: str | None) -> Hospital | None:
        """A hospital by its own HER-id, or that of a unit or mailbox."""
        return self.current.hospital(her_id)

    def municipality_code(self, *, postal_code: str | None, city: str | None) -> str | None:
        """The code of the municipality of a postal code or a city."""
        return self.current.municipality_code(postal_code=postal_code, city=city)

    @property
    def hospitals(self) -> tuple[Hospital, ...]:
        """All hospitals, in the order of the register."""
        return self.current.hospitals

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """All receivers, in the order of the register."""
        return self.current.endpoints


class OfRegister(Mapping[Key, Value]):
    """A table that is made from a register, and made anew when the register has changed."""

    def __init__(self, registry: Registry, make: Callable[[], Mapping[Key, Value]]) -> None:
        """Make it."""
        self._registry = registry
        self._make = make
        self._of = self._current()
        self._table = make()

    def __getitem__(self, key: Key) -> Value:
        """As of now."""
        return self._now()[key]

    def __iter__(self) -> Iterator[Key]:
        """As of now."""
        return iter(self._now())

    def __len__(self) -> int:
        """As of now."""
        return len(self._now())

    def _current(self) -> Registry:
        return self._registry.current if isinstance(self._registry, WatchedRegister) else self._registry

    def _now(self) -> Mapping[Key, Value]:
        if (current := self._current()) is not self._of:
            self._of, self._table = current, self._make()
        return self._table
