"""A note read and judged: what `convert` shows, and what the flow acts on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.contracts.errors import AdapterError
from gateway.contracts.findings import Disposition, Finding, disposition
from gateway.contracts.messages import Message
from gateway.contracts.ports import AdapterSet
from gateway.contracts.reading import Reading
from gateway.contracts.receipts import ErrorCode, fault
from gateway.contracts.registry import Registry
from gateway.contracts.summary import Summary
from gateway.pipeline.rules import RuleSettings, assess
from gateway.rendering import read_rendering
from gateway.routing.route import Route, find_route

_NO_ROUTE = frozenset({Disposition.WITHHOLD, Disposition.REJECT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What was read, what was noticed, what becomes of it, who gets it."""

    reading: Reading
    findings: tuple[Finding, ...]
    disposition: Disposition
    route: Route
    """Where it goes, or (held) would go; empty where nothing may go out"""

    @property
    def is_note(self) -> bool:
        """Whether it is a Pakkeforløp hjem note at all."""
        return "PH001" not in self.reading.noticed

    @property
    def summary(self) -> Summary | None:
        """The summary of a Pakkeforløp hjem note."""
        return self.reading.summary if self.is_note else None


def read_note(
    message: Message,
    adapters: AdapterSet,
    registry: Registry | None,
    *,
    adapter: str | None = None,
) -> Reading:
    """Read a message: a rendering of the gateway as such, anything else by the adapter of its system.

    Raises:
        AdapterError: no adapter takes it, or the one that does can not read it.
    """
    if adapter is None and (summary := read_rendering(message)) is not None:
        return Reading(summary=summary)
    if adapter is not None:
        chosen = adapters.named(adapter)
    else:
        chosen = adapters.choose(message, system_hint=_systems(message, registry))
    if chosen is None:
        raise AdapterError(
            "no adapter recognises the message",
            hint="pakkehjem adapters list shows which systems are read",
            faults=(fault(ErrorCode.NOT_SUPPORTED, "Meldingen er ikke fra et kjent journalsystem."),),
        )
    return chosen.read(message, registry)


def _systems(message: Message, registry: Registry | None) -> Sequence[str]:
    if registry is None or message.head.sender is None:
        return ()
    for her_id in message.head.sender.her_ids:
        if (hospital := registry.hospital(her_id)) is not None:
            return hospital.systems
    return ()


def judge(
    reading: Reading,
    registry: Registry | None,
    settings: RuleSettings,
    earlier: Sequence[Summary] = (),
) -> Assessment:
    """Apply the rules and find the route."""
    route = find_route(reading.summary, registry)
    findings = assess(reading, route, registry, settings, earlier)
    becomes = disposition(findings)
    return Assessment(
        reading=reading,
        findings=findings,
        disposition=becomes,
        route=Route() if becomes in _NO_ROUTE else route,
    )
