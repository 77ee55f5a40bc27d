"""The components that MsgHead, PLO and Dialogmelding share, written.

The same components stand in two namespaces: `Prefixes` says which element gets which prefix.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.contracts.last import of_last
from gateway.contracts.messages import (
    CodedValue,
    CodeList,
    Identifier,
    PatientRecord,
    Person,
    PostalAddress,
    ProfessionalEntry,
    ProfessionalFunction,
    Telecom,
    Unit,
)
from gateway.formats import codes
from gateway.formats.times import is_date
from gateway.formats.xml_writing import code, simple, text, value, wrap


@dataclass(frozen=True, slots=True)
class Prefixes:
    """Namespace prefixes, each with its colon."""

    own: str
    """Of the children of a person or an organisation"""
    parts: str
    """Of what stands in their Ident, Address and TeleCom"""


HEAD = Prefixes("", "")
PLO = Prefixes("fk1:", "fk1:")
DIALOG = Prefixes("", "fk1:")


def identifiers(p: Prefixes, found: tuple[Identifier, ...]) -> str:
    """Ident, once for each."""
    return "".join(
        wrap(
            p.own + "Ident",
            text(p.parts + "Id", i.id),
            code(p.parts + "TypeId", codes.type_of(i, with_list=True)),
        )
        for i in codes.complete(found)
    )


def address(p: Prefixes, found: PostalAddress | None) -> str:
    """Address."""
    if found is None:
        return ""
    content = (
        text(p.parts + "StreetAdr", found.street)
        + text(p.parts + "PostalCode", found.postal_code)
        + text(p.parts + "City", found.city)
        + simple(p.parts + "County", found.municipality)
    )
    return wrap(p.own + "Address", simple(p.parts + "Type", found.type), content) if content else ""


def telecoms(p: Prefixes, found: tuple[Telecom, ...]) -> str:
    """TeleCom, once for each."""
    return "".join(
        wrap(
            p.own + "TeleCom",
            simple(p.parts + "TypeTelecom", t.type),
            value(p.parts + "TeleAddress", t.address),
        )
        for t in found
        if t.address.strip()
    )


def date(tag: str, written: str | None) -> str:
    """An xs:date, from a date or a time."""
    day = written.strip()[:10] if written else ""
    return text(tag, day) if is_date(day) else ""


def person(p: Prefixes, found: Person, role: CodedValue | None = None) -> str:
    """The children of a HealthcareProfessional; those of a Person are the same, without type and role."""
    return (
        simple(p.own + "TypeHealthcareProfessional", found.type)
        + code(p.own + "RoleToPatient", role)
        + _names_and_more(p, found, _names(p, found))
    )


def given_name_first(p: Prefixes, found: Person) -> str:
    """The children of the Person of a Dialogmelding, which has the given name first."""
    family, middle, given = _names(p, found)
    return _names_and_more(p, found, (given, middle, family))


@of_last
def patient(found: PatientRecord) -> str:
    """The children of the Patient of a MsgHead."""
    return _names_and_more(HEAD, found, _names(HEAD, found))


def _names(p: Prefixes, found: Person | PatientRecord) -> tuple[str, str, str]:
    given, middle, family = found.given_name, found.middle_name, found.family_name
    if not (given or middle or family) and found.name:
        given, family = split_name(found.name)
    return (
        text(p.own + "FamilyName", family),
        text(p.own + "MiddleName", middle),
        text(p.own + "GivenName", given),
    )


def _names_and_more(p: Prefixes, found: Person | PatientRecord, names: tuple[str, str, str]) -> str:
    return (
        "".join(names)
        + date(p.own + "DateOfBirth", found.birth_date)
        + simple(p.own + "Sex", found.sex)
        + identifiers(p, found.identifiers)
        + address(p, found.address)
        + telecoms(p, found.telecoms)
    )


def split_name(name: str) -> tuple[str | None, str]:
    """Given and family name of `Danser, Line` or `Line Danser`."""
    if "," in name:
        family, _, given = name.partition(",")
    else:
        given, _, family = name.strip().rpartition(" ")
    return given.strip() or None, family.strip()


def unit_is_complete(unit: Unit | None) -> bool:
    """Whether a unit has what an Organisation must have: name and identifier."""
    return unit is not None and bool((unit.name or "").strip()) and bool(codes.complete(unit.identifiers))


def unit(p: Prefixes, found: Unit, *, type_first: bool) -> str:
    """The children of an Organisation, but for those below it (felleskomponent1 has the type first)."""
    name, kind = text(p.own + "OrganisationName", found.name), code(p.own + "TypeOrganisation", found.type)
    return (
        (kind + name if type_first else name + kind)
        + identifiers(p, found.identifiers)
        + address(p, found.address)
        + telecoms(p, found.telecoms)
    )


def role_to_patient(entry: ProfessionalEntry) -> CodedValue | None:
    """RoleToPatient (9034) of a professional, where the entry says one."""
    role = entry.person.role
    if role is not None and role.code_list == CodeList.ROLE_TO_PATIENT:
        return role
    return codes.GP if entry.function is ProfessionalFunction.GP else None
