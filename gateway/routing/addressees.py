"""Who a named receiver is to us: one of ours, an unknown service of an organisation of ours, or another's.

Source: HITS 1168:2016, chapter 5.3 (no receipt for what is not ours); HIS 80415:2012, chapter 3.3.4 (E21: an
unknown service or person at a known organisation). Old messages have no HER-id on the upper level: an
organisation is known by its organisation number, too.
"""

from __future__ import annotations

from enum import StrEnum

from gateway.contracts.messages import Head, Party
from gateway.contracts.registry import Endpoint, Hospital, Registry


class Standing(StrEnum):
    """What a named receiver is to us."""

    OURS = "ours"
    """A receiver of the register, or the gateway itself"""
    UNKNOWN_SERVICE = "unknown-service"
    """The organisation is in the register; the service or person is not, or is not said"""
    OTHERS = "others"


class Addressees:
    """Tells who is ours, by the register."""

    def __init__(self, registry: Registry, own_her_id: str) -> None:
        """Index the organisations."""
        self._registry = registry
        self._own_her_id = own_her_id
        self._organisations: dict[str, list[Endpoint]] = {}
        for endpoint in registry.endpoints:
            for number in {endpoint.organisation_her_id, endpoint.org_no} - {None, ""}:
                self._organisations.setdefault(str(number), []).append(endpoint)

    def standing(self, party: Party) -> Standing:
        """What a receiver is to us."""
        if self._own_her_id in party.her_ids or self.endpoint(party) is not None:
            return Standing.OURS
        return Standing.UNKNOWN_SERVICE if self.organisation(party) else Standing.OTHERS

    def endpoint(self, party: Party) -> Endpoint | None:
        """The receiver of the register: by its own HER-id, or at its own office by its HPR number.

        An address on one level is the organisation's only way in.
        """
        below = [level for level in (party.unit, party.person) if level is not None]
        if not below:
            known = self.organisation(party)
            return known[0] if len({endpoint.her_id for endpoint in known}) == 1 else None
        for level in below:
            her_id = level.her_id
            found = self._registry.endpoint(her_id)
            if found is not None and her_id == found.her_id:
                return found
        doctor = self._registry.gp(her_id=None, hpr=party.person.hpr) if party.person is not None else None
        return doctor if doctor in self.organisation(party) else None

    def organisation(self, party: Party) -> list[Endpoint]:
        """The receivers of the register at an organisation, by its HER-id or organisation number."""
        level = party.organisation
        for number in (level.her_id, level.org_no):
            if number and (known := self._organisations.get(number)):
                return known
        same = self._registry.endpoint(level.her_id)
        return [same] if same is not None else []

    def serves(self, head: Head) -> bool:
        """Whether any receiver of a message is ours to answer for."""
        return any(self.standing(r.party) is not Standing.OTHERS for r in head.receivers)


def sending_hospital(registry: Registry, party: Party | None) -> Hospital | None:
    """The hospital of a sender: by any of its HER-ids; where it has none, by its organisation number."""
    if party is None:
        return None
    her_ids = party.her_ids
    for her_id in her_ids:
        if (hospital := registry.hospital(her_id)) is not None:
            return hospital
    number = None if her_ids else party.organisation.org_no
    return next((h for h in registry.hospitals if number and h.org_no == number), None)
