"""Adapters: what each record system does inside the formats."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.metadata import EntryPoint, entry_points

from adapters.dips import Dips
from adapters.doculive import Doculive
from adapters.helseplattformen import Helseplattformen
from gateway.contracts.errors import ConfigurationError
from gateway.contracts.messages import Message
from gateway.contracts.ports import Adapter

ENTRY_POINTS = "pakkehjem.adapters"
"""The group of entry points that further systems are registered in."""

_BUILT_IN: tuple[type[Adapter], ...] = (Dips, Doculive, Helseplattformen)
_MEMBERS = ("name", "title", "source_url", "recognises", "read")


class AdapterRegistry:
    """The adapters of this deployment, by name."""

    def __init__(self, adapters: Iterable[Adapter]) -> None:
        """Take adapters.

        Raises:
            ConfigurationError: two have the same name.
        """
        self._by_name: dict[str, Adapter] = {}
        for adapter in adapters:
            if adapter.name in self._by_name:
                raise ConfigurationError(f"two adapters have the name {adapter.name}")
            self._by_name[adapter.name] = adapter

    @property
    def adapters(self) -> tuple[Adapter, ...]:
        """All of them, the built-in ones first."""
        return tuple(self._by_name.values())

    def named(self, name: str) -> Adapter | None:
        """The adapter of a name."""
        return self._by_name.get(name)

    def choose(self, message: Message, *, system_hint: Sequence[str] = ()) -> Adapter | None:
        """The adapter that recognises a message best; the sender's own systems are asked first.

        Args:
            message: the message.
            system_hint: the record systems of the sender, by the address register.
        """
        hinted = [adapter for name in system_hint if (adapter := self._by_name.get(name))]
        for candidates in (hinted, self.adapters):
            scored = [
                (adapter.recognises(message), -order, adapter) for order, adapter in enumerate(candidates)
            ]
            best = max(scored, key=lambda one: one[:2], default=None)
            if best is not None and best[0] > 0:
                return best[2]
        return None


def installed() -> AdapterRegistry:
    """The built-in adapters and those of the entry points.

    Raises:
        ConfigurationError: an entry point can not be used; it names which.
    """
    found: dict[str, Adapter] = {adapter.name: adapter() for adapter in _BUILT_IN}
    for entry in entry_points(group=ENTRY_POINTS):
        made = _load(entry)
        if type(made) not in _BUILT_IN:
            if made.name in found:
                raise ConfigurationError(
                    f"the adapter {entry.value} has the name {made.name}, which another adapter has"
                )
            found[made.name] = made
    return AdapterRegistry(found.values())


def _load(entry: EntryPoint) -> Adapter:
    where = f"the adapter {entry.name} ({entry.value})"
    try:
        adapter: Adapter = entry.load()()
    except Exception as error:
        raise ConfigurationError(
            f"{where} can not be loaded: {type(error).__name__}",
            hint="uninstall the package that registers it, or install one that works",
        ) from error
    missing = [member for member in _MEMBERS if not hasattr(adapter, member)]
    if missing:
        raise ConfigurationError(f"{where} is no adapter: it has no {', '.join(missing)}")
    if adapter.name != entry.name:
        raise ConfigurationError(f"{where} calls itself {adapter.name}")
    return adapter
