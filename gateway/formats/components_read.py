"""The components that MsgHead, PLO and Dialogmelding share: persons, organisations, addresses.

Source: MsgHead-v1_2.xsd and felleskomponent1.xsd, which define the same components in two namespaces.
"""

from __future__ import annotations

from gateway.contracts.messages import (
    CodedValue,
    Identifier,
    Party,
    PatientRecord,
    Person,
    PostalAddress,
    Telecom,
    Unit,
)
from gateway.formats.element_names import Element
from gateway.formats.xml_reading import Reader


def read_identifiers(reader: Reader, parent: Element | None) -> tuple[Identifier, ...]:
    """Every Ident that says anything, as it is written."""
    found: list[Identifier] = []
    for ident in reader.children(parent, "Ident"):
        number, kind = reader.text(ident, "Id"), reader.coded(ident, "TypeId")
        if number is None and kind is None:
            continue
        kind = kind or CodedValue()
        found.append(
            Identifier(id=number or "", type=kind.value or "", type_name=kind.name, code_list=kind.code_list)
        )
    return tuple(found)


def read_address(reader: Reader, parent: Element | None) -> PostalAddress | None:
    """Address; None where it holds nothing but its type."""
    address = reader.child(parent, "Address")
    if address is None:
        return None
    kind = reader.coded(address, "Type")
    street, box = reader.text(address, "StreetAdr"), None
    if street is None:
        box = reader.text(address, "Postbox")
    postal_code, city = reader.text(address, "PostalCode"), reader.text(address, "City")
    municipality, district = reader.coded(address, "County"), reader.coded(address, "CityDistr")
    if not (street or box or postal_code or city or municipality or district):
        return None
    return PostalAddress(
        type=kind,
        street=street or box,
        postal_code=postal_code,
        city=city,
        municipality=municipality,
        city_district=district,
    )


def read_telecoms(reader: Reader, parent: Element | None) -> tuple[Telecom, ...]:
    """Every TeleCom that has an address."""
    found: list[Telecom] = []
    for telecom in reader.children(parent, "TeleCom"):
        kind, address = reader.coded(telecom, "TypeTelecom"), reader.value(telecom, "TeleAddress")
        if address is not None:
            found.append(Telecom(address=address, type=kind))
    return tuple(found)


def read_unit(reader: Reader, organisation: Element) -> Unit:
    """An Organisation, without what stands below it."""
    return Unit(
        name=reader.text(organisation, "OrganisationName"),
        type=reader.coded(organisation, "TypeOrganisation"),
        identifiers=read_identifiers(reader, organisation),
        address=read_address(reader, organisation),
        telecoms=read_telecoms(reader, organisation),
    )


def read_person(reader: Reader, person: Element, role: CodedValue | None = None) -> Person:
    """A Person or a HealthcareProfessional; `role` is taken where it has no RoleToPatient of its own."""
    own = reader.coded(person, "RoleToPatient")
    return Person(
        family_name=reader.text(person, "FamilyName"),
        middle_name=reader.text(person, "MiddleName"),
        given_name=reader.text(person, "GivenName"),
        type=reader.coded(person, "TypeHealthcareProfessional"),
        role=own or role,
        birth_date=reader.text(person, "DateOfBirth"),
        sex=reader.coded(person, "Sex"),
        identifiers=read_identifiers(reader, person),
        address=read_address(reader, person),
        telecoms=read_telecoms(reader, person),
    )


def read_patient(reader: Reader, patient: Element) -> PatientRecord:
    """The Patient of a MsgHead."""
    return PatientRecord(
        family_name=reader.text(patient, "FamilyName"),
        middle_name=reader.text(patient, "MiddleName"),
        given_name=reader.text(patient, "GivenName"),
        birth_date=reader.text(patient, "DateOfBirth"),
        sex=reader.coded(patient, "Sex"),
        identifiers=read_identifiers(reader, patient),
        address=read_address(reader, patient),
        telecoms=read_telecoms(reader, patient),
    )


def read_organisation_party(reader: Reader, organisation: Element) -> Party:
    """Organisation with the lowest organisation below it, and the person of either."""
    lowest, person = organisation, reader.child(organisation, "HealthcareProfessional")
    below = reader.child(organisation, "Organisation")
    while below is not None:
        lowest, below = below, reader.child(below, "Organisation")
        person = reader.child(lowest, "HealthcareProfessional") if person is None else person
    return Party(
        organisation=read_unit(reader, organisation),
        unit=None if lowest is organisation else read_unit(reader, lowest),
        person=None if person is None else read_person(reader, person),
    )
