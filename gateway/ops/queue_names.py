"""The queues that a gateway reads and needs: as the configuration and the register name them."""

from __future__ import annotations

from gateway.contracts.registry import Registry
from gateway.contracts.states import InboundKind
from gateway.ops.configuration import Configuration


def returned_queues(configuration: Configuration, registry: Registry) -> dict[str, InboundKind]:
    """Our own error and dead-letter queues, the gateway's and every hospital's, with what comes there."""
    own = configuration.gateway.her_id
    found = {f"{own}_error": InboundKind.FAULT, f"{own}_dl": InboundKind.DEAD_LETTER}
    for hospital in registry.hospitals:
        found[hospital.error_queue] = InboundKind.FAULT
        found[hospital.dead_letter_queue] = InboundKind.DEAD_LETTER
    return found


def inbound_queues(configuration: Configuration, registry: Registry) -> list[str]:
    """The queues that are read: the record systems', every hospital's, our own, and what comes back there."""
    own = f"{configuration.gateway.her_id}_async"
    hospitals = (h.queue for h in registry.hospitals)
    return [configuration.queues.inbound, *hospitals, own, *returned_queues(configuration, registry)]


def all_queues(configuration: Configuration, registry: Registry) -> list[str]:
    """Every queue that the configuration and the register need."""
    names = inbound_queues(configuration, registry)
    for hospital in registry.hospitals:
        names += [hospital.record_system_queue, hospital.record_system_error_queue]
    for endpoint in registry.endpoints:
        names += [endpoint.queue, endpoint.error_queue]
    return list(dict.fromkeys(names))
