"""Who sent a message: transport header, message, certificate and register must say the same."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.contracts.messages import Party
from gateway.contracts.ports import Signer
from gateway.contracts.registry import Registry


class SenderCheck:
    """Compares what a message says of its sender with what else is known."""

    def __init__(self, registry: Registry) -> None:
        """The register tells which HER-ids and which organisation number belong together."""
        self._registry = registry
        numbers = {hospital.org_no for hospital in registry.hospitals}
        self._organisations = numbers | {endpoint.org_no for endpoint in registry.endpoints}

    def agrees(self, sender: Party, *, header: str | None, signers: Sequence[Signer]) -> bool:
        """Whether nothing speaks against the sender.

        A header that is not there, and a party that the register does not know, say nothing.

        Args:
            sender: of MsgHead, the epikrise or the AppRec.
            header: `fromHerId` of the transport.
            signers: of the message, and of its protection on the way.
        """
        if header is not None and not self._same_party(sender.her_ids, header):
            return False
        return all(self._may_sign(signer, sender) for signer in signers)

    def _same_party(self, her_ids: Sequence[str], header: str) -> bool:
        return header in her_ids or not self._parties(her_ids).isdisjoint(self._parties((header,)))

    def _parties(self, her_ids: Sequence[str]) -> set[str]:
        """The HER-ids, and those of the organisations that they belong to."""
        found = set(her_ids)
        for her_id in her_ids:
            if (hospital := self._registry.hospital(her_id)) is not None:
                found.add(hospital.her_id)
            if (endpoint := self._registry.endpoint(her_id)) is not None:
                found.update((endpoint.her_id, endpoint.organisation_her_id))
        return found

    def _may_sign(self, signer: Signer, sender: Party) -> bool:
        """By the organisation number of the register; who has none there must not use another's."""
        registered = set()
        for her_id in sender.her_ids:
            for known in (self._registry.hospital(her_id), self._registry.endpoint(her_id)):
                if known is not None and known.org_no is not None:
                    registered.add(known.org_no)
        if registered:
            return registered == {signer.org_no}
        return signer.org_no not in self._organisations or signer.org_no == sender.organisation.org_no
