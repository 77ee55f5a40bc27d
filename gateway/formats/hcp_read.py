"""HCP, the party of epikrise and AppRec: an institution with department and person, or a person (HCProf).

Source: Epikrise-v1.1.xsd, Epikrise-v1.2.xsd, AppRec-v1-2004-11-21.xsd, AppRec-v1.1.xsd.
"""

from __future__ import annotations

from gateway.contracts.messages import Identifier, Party, Person, PostalAddress, Telecom, Unit
from gateway.formats.components_read import read_address
from gateway.formats.element_names import Element
from gateway.formats.xml_reading import Reader, attribute


def read_party(reader: Reader, parent: Element | None) -> Party | None:
    """The HCP of a role (ServProvider, Requester, Sender, Receiver, …); None where there is none."""
    hcp = reader.child(parent, "HCP")
    if hcp is None:
        return None
    reader.skip(hcp, "PartyIdByRequester", "PartyIdByServProv")
    address, telecoms = read_contact(reader, hcp)
    institution = reader.child(hcp, "Inst")
    if institution is None:
        professional = reader.child(hcp, "HCProf")
        if professional is None:
            return Party(organisation=Unit(address=address, telecoms=telecoms))
        return Party(person=_person(reader, professional, address, telecoms))
    department, person = reader.child(institution, "Dept"), reader.child(institution, "HCPerson")
    return Party(
        organisation=_unit(reader, institution, address, telecoms),
        unit=None if department is None else _unit(reader, department),
        person=None if person is None else _person(reader, person),
    )


def read_contact(reader: Reader, parent: Element) -> tuple[PostalAddress | None, tuple[Telecom, ...]]:
    """Address with the telephone numbers and mail addresses in it."""
    address = reader.child(parent, "Address")
    if address is None:
        return None, ()
    telecoms: list[Telecom] = []
    for element in reader.children(address, "TeleAddress"):
        reader.done(element)
        written = attribute(element, "V")
        if written is not None:
            telecoms.append(Telecom(address=written))
    reader.skip(address, "Country")
    return read_address(reader, parent), tuple(telecoms)


def read_identifiers(reader: Reader, parent: Element) -> tuple[Identifier, ...]:
    """Id with TypeId, then each AdditionalId."""
    first = _identifier(reader, parent, "TypeId")
    return (() if first is None else (first,)) + read_additional(reader, parent)


def read_additional(reader: Reader, parent: Element) -> tuple[Identifier, ...]:
    """Each AdditionalId."""
    found = [_identifier(reader, further, "Type") for further in reader.children(parent, "AdditionalId")]
    return tuple(i for i in found if i is not None)


def _identifier(reader: Reader, parent: Element, type_name: str) -> Identifier | None:
    number, kind = reader.text(parent, "Id"), reader.coded(parent, type_name)
    if number is None and kind is None:
        return None
    return Identifier(
        id=number or "",
        type=(kind.value if kind else None) or "",
        type_name=kind.name if kind else None,
        code_list=kind.code_list if kind else None,
    )


def _unit(
    reader: Reader, element: Element, address: PostalAddress | None = None, telecoms: tuple[Telecom, ...] = ()
) -> Unit:
    return Unit(
        name=reader.text(element, "Name"),
        type=reader.coded(element, "Type"),
        identifiers=read_identifiers(reader, element),
        address=address,
        telecoms=telecoms,
    )


def _person(
    reader: Reader, element: Element, address: PostalAddress | None = None, telecoms: tuple[Telecom, ...] = ()
) -> Person:
    return Person(
        name=reader.text(element, "Name"),
        type=reader.coded(element, "Type"),
        identifiers=read_identifiers(reader, element),
        address=address,
        telecoms=telecoms,
    )
