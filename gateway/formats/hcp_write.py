"""HCP, the party of epikrise and AppRec, written.

An Inst has its persons before the further identifiers in an epikrise, and after them in an AppRec.
"""

from __future__ import annotations

from functools import lru_cache

from gateway.contracts.messages import CodedValue, Identifier, Party, Person, PostalAddress, Telecom, Unit
from gateway.formats import codes
from gateway.formats.codes import simple_code
from gateway.formats.uri import is_uri
from gateway.formats.xml_writing import simple, text, value, wrap

HOME = simple_code("3401", "H")
WORK = simple_code("3401", "WP")


@lru_cache(maxsize=1024)
def party(found: Party, *, persons_last: bool, unit_type: bool = False) -> str:
    """HCP: an Inst where there is an organisation, else a HCProf.

    Args:
        found: organisation, unit and person.
        persons_last: the order of an AppRec.
        unit_type: Inst may have a Type (epikrise 1.1).
    """
    organisation, person = found.organisation, found.person
    if organisation.name is None and not codes.complete(organisation.identifiers) and found.unit is None:
        if person is None:
            return ""
        professional = wrap("HCProf", simple("Type", person.type), named(person))
        return (
            wrap("HCP", professional, address(person.address, person.telecoms, WORK)) if professional else ""
        )
    first, further = _identifiers(organisation.identifiers)
    department = (
        "" if found.unit is None else wrap("Dept", simple("Type", found.unit.type), named(found.unit))
    )
    people = "" if person is None else wrap("HCPerson", named(person))
    institution = wrap(
        "Inst",
        text("Name", organisation.name),
        simple("Type", organisation.type) if unit_type else "",
        first,
        department,
        further + people if persons_last else people + further,
    )
    written = address(organisation.address, organisation.telecoms, WORK)
    if not written and person is not None:
        written = address(person.address, person.telecoms, WORK)
    return wrap("HCP", institution, written) if institution else ""


def named(found: Unit | Person) -> str:
    """Name, Id with TypeId, and each AdditionalId."""
    first, further = _identifiers(found.identifiers)
    name = found.name if isinstance(found, Unit) else found.full_name
    return text("Name", name) + first + further


def _identifiers(found: tuple[Identifier, ...]) -> tuple[str, str]:
    complete = codes.complete(found)
    if not complete:
        return "", ""
    first = complete[0]
    written = text("Id", first.id) + simple("TypeId", codes.type_of(first, with_list=False))
    return written, additional(complete[1:])


def additional(found: tuple[Identifier, ...]) -> str:
    """AdditionalId, once for each."""
    return "".join(
        wrap("AdditionalId", text("Id", i.id), simple("Type", codes.type_of(i, with_list=False)))
        for i in codes.complete(found)
    )


def address(found: PostalAddress | None, telecoms: tuple[Telecom, ...], kind: CodedValue) -> str:
    """Address with its telephone numbers; `kind` is its type where it says none.

    What can be no address of telecommunication, in a message that does not follow its schema, is left out.
    """
    found = found or PostalAddress()
    content = (
        text("StreetAdr", found.street)
        + text("PostalCode", found.postal_code)
        + text("City", found.city)
        + simple("County", found.municipality)
        + simple("CityDistr", found.city_district)
        + "".join(value("TeleAddress", t.address) for t in telecoms if is_uri(t.address))
    )
    return wrap("Address", simple("Type", found.type) or simple("Type", kind), content) if content else ""
