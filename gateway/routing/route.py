"""Who gets a note, and in which format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.contracts.messages import Format
from gateway.contracts.registry import Endpoint, Registry
from gateway.contracts.summary import Summary


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where a note would go."""

    municipality: Endpoint | None = None
    gp: Endpoint | None = None

    @property
    def receivers(self) -> tuple[Endpoint, ...]:
        """The municipality first, then the GP."""
        return tuple(e for e in (self.municipality, self.gp) if e is not None)


def find_route(summary: Summary, registry: Registry | None) -> Route:
    """The municipality by its code; the GP by HER-id or HPR number, never by name alone."""
    if registry is None:
        return Route()
    gp = summary.gp
    return Route(
        municipality=registry.municipality(summary.patient.municipality_code),
        gp=registry.gp(her_id=gp.her_id, hpr=gp.hpr) if gp is not None else None,
    )


def choose_format(endpoint: Endpoint, preference: Sequence[Format]) -> Format | None:
    """The first format of the deployment's preference that the receiver accepts."""
    return next((f for f in preference if f in endpoint.accepts), None)
