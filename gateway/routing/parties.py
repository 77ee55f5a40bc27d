"""Registered parties as addresses on two levels (HIS 1153-2 «Tjenestebasert adressering», AD2.2-AD2.8)."""

from __future__ import annotations

from gateway.contracts.messages import CodeList, Identifier, Party, Person, Unit
from gateway.contracts.registry import Endpoint, Hospital, HospitalUnit, PartyKind, Registry
from gateway.formats.codes import GP


def her_id_identifier(her_id: str) -> Identifier:
    """A HER-id as an Ident."""
    return Identifier(id=her_id, type="HER", type_name="HER-id", code_list=CodeList.ORGANISATION_IDENTIFIERS)


def _organisation(name: str, her_id: str, org_no: str | None) -> Unit:
    identifiers = [her_id_identifier(her_id)]
    if org_no:
        identifiers.append(
            Identifier(
                id=org_no,
                type="ENH",
                type_name="Organisasjonsnummeret i Enhetsregisteret",
                code_list=CodeList.ORGANISATION_IDENTIFIERS,
            )
        )
    return Unit(name=name, identifiers=tuple(identifiers))


def hospital_party(hospital: Hospital, unit: HospitalUnit | None) -> Party:
    """The hospital and its department."""
    lower = None
    if unit is not None:
        lower = Unit(name=unit.name, identifiers=(her_id_identifier(unit.her_id),))
    return Party(organisation=_organisation(hospital.name, hospital.her_id, hospital.org_no), unit=lower)


def mailbox_party(registry: Registry, mailbox: str) -> Party:
    """A department's mailbox, under the department's name; a hospital that has none, on both levels."""
    hospital, unit = registry.hospital(mailbox), registry.unit(mailbox)
    identifier = her_id_identifier(mailbox)
    if hospital is None:
        return Party(organisation=Unit(name=mailbox, identifiers=(identifier,)))
    name = unit.name if unit is not None else hospital.name
    return Party(
        organisation=_organisation(hospital.name, hospital.her_id, hospital.org_no),
        unit=Unit(name=name, identifiers=(identifier,)),
    )


def endpoint_party(endpoint: Endpoint) -> Party:
    """The municipality and its service, or the office and its GP."""
    organisation = _organisation(endpoint.organisation_name, endpoint.organisation_her_id, endpoint.org_no)
    if endpoint.kind is not PartyKind.GP:
        service = Unit(name=endpoint.name, identifiers=(her_id_identifier(endpoint.her_id),))
        return Party(organisation=organisation, unit=service)
    given, _, family = endpoint.name.rpartition(" ")
    identifiers = [her_id_identifier(endpoint.her_id)]
    if endpoint.hpr:
        identifiers.append(
            Identifier(
                id=endpoint.hpr, type="HPR", type_name="HPR-nummer", code_list=CodeList.PERSON_IDENTIFIERS
            )
        )
    doctor = Person(family_name=family, given_name=given or None, role=GP, identifiers=tuple(identifiers))
    return Party(organisation=organisation, person=doctor)


def parties_of(registry: Registry, receiver: str) -> set[str]:
    """Every HER-id that an answer to what was sent to a receiver may come from."""
    parties = {receiver}
    if (endpoint := registry.endpoint(receiver)) is not None:
        parties.add(endpoint.organisation_her_id)
    if (hospital := registry.hospital(receiver)) is not None:
        parties.add(hospital.her_id)
        if (unit := registry.unit(receiver)) is not None:
            parties.update({unit.her_id, unit.mailbox})
    return parties
