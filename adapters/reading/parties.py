"""The people and parties around the note: the patient, the GP, the author, the source."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence

from adapters.reading.envelope import place_of_patient, place_of_receiver, written_address
from adapters.reading.model import Statement, Topic, Trace
from adapters.reading.people import Signature, gp_name, without_roles
from adapters.reading.phones import find_phones, to_e164
from gateway.contracts.messages import (
    CodedValue,
    Message,
    Party,
    PatientRecord,
    Person,
    PostalAddress,
    ProfessionalEntry,
    ProfessionalFunction,
    Receiver,
    Telecom,
    Unit,
)
from gateway.contracts.registry import PartyKind, Registry
from gateway.contracts.summary import (
    Address,
    Author,
    GeneralPractitioner,
    Participant,
    Patient,
    PersonIdentifierType,
    Sex,
)
from gateway.contracts.text import line_or_none
from gateway.formats.person_identifier import classify, normalise

GP_ROLE = "6"
"""RoleToPatient (9034): fastlege"""
_SEXES = {"1": Sex.MALE, "2": Sex.FEMALE}
_DAY = re.compile(r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})")
_POSTAL_CODE = re.compile(r"[0-9]{4}")
_MUNICIPALITY_CODE = re.compile(r"[0-9]{4}(?:[0-9]{2})?")
_HPR = re.compile(r"[1-9][0-9]{0,8}")
_DECIDES = tuple(PersonIdentifierType)
"""The kinds of a patient's identifiers, the one that decides first"""
_COORDINATOR = "17"


def read_patient(record: PatientRecord | None, phones: Sequence[str], municipality: str | None) -> Patient:
    """The patient of the envelope."""
    if record is None:
        return Patient(phones=tuple(phones), municipality_code=municipality)
    number, kind = _identifier(record)
    born = read_day(record.birth_date)
    if born is None and number is not None and (told := classify(number)):
        born = told.birth_date
    given, middle, family = _names(record)
    return Patient(
        id=number,
        id_type=kind,
        given_name=given,
        middle_name=middle,
        family_name=family,
        birth_date=born,
        sex=_SEXES.get((record.sex.value if record.sex else None) or "", Sex.UNKNOWN),
        phones=tuple(phones),
        address=_address(record.address),
        municipality_code=municipality,
    )


def read_day(written: str | None) -> datetime.date | None:
    """The day of an xs:date, xs:dateTime or TS (`20260302`)."""
    found = _DAY.match((written or "").strip())
    try:
        return datetime.date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def _identifier(record: PatientRecord) -> tuple[str | None, PersonIdentifierType | None]:
    """The identifier that decides, of the kind that its digits say where its type does not.

    A fødselsnummer goes before a D-number, that before a felles hjelpenummer, and an H-number, which one
    hospital gives, comes last, in whatever order they stand.
    """
    found: list[tuple[str, PersonIdentifierType]] = []
    for identifier in record.identifiers:
        number = normalise(identifier.id)
        if not number:
            continue
        if identifier.type in PersonIdentifierType.__members__:
            found.append((number, PersonIdentifierType(identifier.type)))
        elif (told := classify(number)) is not None:
            found.append((number, told.kind))
    return min(found, key=lambda each: _DECIDES.index(each[1]), default=(None, None))


def _names(record: PatientRecord) -> tuple[str | None, str | None, str | None]:
    if record.family_name or record.given_name:
        return tuple(_cased(n) for n in (record.given_name, record.middle_name, record.family_name))  # type: ignore[return-value]  # three in, three out
    whole = line_or_none(record.name)
    if whole is None:
        return None, None, None
    family, comma, given = (part.strip() for part in whole.partition(","))
    if not comma:
        given, _, family = whole.rpartition(" ")
    first, _, middle = given.partition(" ")
    return _cased(first), _cased(middle), _cased(family)


def _cased(name: str | None) -> str | None:
    """A name as names are written, where the system gives capitals only."""
    line = line_or_none(name)
    return line.title() if line is not None and line.isupper() and len(line) > 1 else line


def _address(address: PostalAddress | None) -> Address | None:
    if address is None:
        return None
    code = line_or_none(address.postal_code)
    read = Address(
        line=line_or_none(address.street),
        postal_code=code if code and _POSTAL_CODE.fullmatch(code) else None,
        city=line_or_none(address.city),
    )
    return None if read == Address() else read


def municipality_code(message: Message, registry: Registry | None, trace: Trace) -> str | None:
    """The home municipality: of the address, else the receiver's, else that of the postal code.

    In a city with a way in for each bydel the receiver says which.
    """
    field, place = "patient.municipality_code", f"{place_of_patient(message)}/Address"
    record = message.head.patient
    address = record.address if record else None
    own = _of_address(address)
    known = None if own is not None and len(own.value or "") == 6 else _of_receivers(message, registry)
    if own is not None and not (known is not None and _is_bydel_of(known[0], own.value)):
        trace.structured(field, f"{own.value} {own.name or ''}".strip(), place)
        return own.value
    if known is not None:
        code, receiver = known
        organisation = receiver.party.organisation
        words = organisation.name or organisation.her_id
        trace.structured(field, words, place_of_receiver(message, receiver), rule="register")
        return code
    if registry is None or address is None:
        return None
    found = registry.municipality_code(postal_code=address.postal_code, city=address.city)
    if found is not None:
        trace.structured(field, written_address(address), place, rule="register")
    return found


def _is_bydel_of(code: str, municipality: str | None) -> bool:
    return municipality is not None and len(code) == 6 and code.startswith(municipality)


def _of_address(address: PostalAddress | None) -> CodedValue | None:
    if address is None:
        return None
    codes = [c for c in (address.city_district, address.municipality) if c is not None and c.value]
    return next((c for c in codes if _MUNICIPALITY_CODE.fullmatch(c.value or "")), None)


def _of_receivers(message: Message, registry: Registry | None) -> tuple[str, Receiver] | None:
    if registry is None:
        return None
    for receiver in message.head.receivers:
        for her_id in receiver.party.her_ids:
            endpoint = registry.endpoint(her_id)
            if endpoint is not None and endpoint.kind is PartyKind.MUNICIPALITY:
                code = endpoint.municipality_code
                return (code, receiver) if code is not None else None
    return None


def read_gp(
    message: Message,
    statements: Sequence[Statement],
    registry: Registry | None,
    trace: Trace,
    *,
    any_person: bool,
) -> GeneralPractitioner | None:
    """The GP: of the content, of the receivers (their HER-id), else by name in the words.

    Args:
        message: the message.
        statements: its words.
        registry: tells the HER-id of an HPR number and the other way.
        trace: what gave which field.
        any_person: whether every person among the receivers is the GP (a format without roles).
    """
    stated = [p for p in message.professionals if p.function is ProfessionalFunction.GP]
    receiving = [
        r.party.person
        for r in message.head.receivers
        if r.party.person is not None and (any_person or _is_gp(r.party.person))
    ]
    persons = [*(p.person for p in stated), *receiving]
    if not persons:
        return _gp_by_name(statements, trace)
    name = next((line for p in persons if (line := line_or_none(without_roles(p.full_name)))), None)
    same = [p for p in persons if _same_person(name, p)]
    her_id = next((p.her_id for p in same if p.her_id), None)
    hpr = next((p.hpr for p in same if p.hpr and _HPR.fullmatch(p.hpr)), None)
    known = registry.gp(her_id=her_id, hpr=hpr) if registry else None
    if known is not None:
        her_id, hpr = her_id or known.her_id, hpr or known.hpr
    for entry in stated:
        trace.structured("gp", name, entry.place)
    for receiver in message.head.receivers:
        person = receiver.party.person
        if person is not None and any(person is one for one in receiving):
            trace.structured("gp", person.full_name or person.her_id, place_of_receiver(message, receiver))
    return GeneralPractitioner(name=_cased(name), her_id=her_id, hpr=hpr) if name or her_id or hpr else None


def _is_gp(person: Person) -> bool:
    return person.role is not None and person.role.value == GP_ROLE


def _same_person(name: str | None, person: Person) -> bool:
    other = line_or_none(without_roles(person.full_name))
    if name is None or other is None:
        return True
    return set(name.lower().split()) == set(other.lower().replace(",", " ").split())


def _gp_by_name(statements: Sequence[Statement], trace: Trace) -> GeneralPractitioner | None:
    for statement in statements:
        label = f"{statement.label}: " if statement.topic is Topic.GP else ""
        name = gp_name(f"{label}{statement.text}")
        if name is not None:
            trace.add("gp.name", statement, "people.gp", words=name)
            return GeneralPractitioner(name=name)
    return None


def read_author(
    entry: ProfessionalEntry | None, signature: Signature | None, sender: Party | None, trace: Trace
) -> Author | None:
    """The author: the structured one, with what only the signature says; else the signature."""
    unit = line_or_none(_lower_unit(sender).name) or line_or_none(
        sender.organisation.name if sender else None
    )
    if entry is None:
        if signature is None:
            return Author(unit=unit) if unit else None
        return Author(
            name=signature.name, role=signature.role, unit=signature.unit or unit, phone=signature.phone
        )
    person = entry.person
    name = line_or_none(without_roles(person.full_name))
    signed = signature if signature and name and _alike(signature.name, name) else None
    own_unit = line_or_none(entry.unit.name) if entry.unit else None
    trace.structured("author", name, entry.place)
    phone = first_phone(person.telecoms) or (signed.phone if signed else None)
    role = role_name(entry)
    if signed and signed.role and (role is None or role.casefold() in signed.role.casefold()):
        role = signed.role  # `overlege` says more than «Lege»
    return Author(
        name=_cased(name),
        role=line_or_none(role),
        unit=own_unit or (signed.unit if signed else None) or unit,
        phone=phone,
        hpr=person.hpr if person.hpr and _HPR.fullmatch(person.hpr) else None,
    )


def _alike(one: str, other: str) -> bool:
    return bool(set(one.lower().split()) & set(other.lower().split()))


def _lower_unit(sender: Party | None) -> Unit:
    return (sender.unit if sender else None) or Unit()


def role_name(entry: ProfessionalEntry) -> str | None:
    """What the author is: a coordinator by role, else by category of health personnel."""
    role, kind = entry.person.role, entry.person.type
    if role is not None and role.value == _COORDINATOR and role.name:
        return role.name
    if kind is not None and kind.name:
        return kind.name
    return role.name if role is not None else None


def first_phone(telecoms: Sequence[Telecom]) -> str | None:
    """The first number that can be called."""
    return next((number for t in telecoms if (number := to_e164(t.address))), None)


def numbers(telecoms: Sequence[Telecom]) -> list[str]:
    """All numbers, in E.164 form."""
    return [number for t in telecoms if (number := to_e164(t.address))]


def numbers_of_others(message: Message, signature: Signature | None) -> frozenset[str]:
    """Numbers that the message gives as those of health personnel and wards."""
    found = [n for p in message.professionals for n in numbers(p.person.telecoms)]
    found += [n for p in message.professionals if p.unit for n in numbers(p.unit.telecoms)]
    parties = [r.party for r in message.head.receivers]
    if message.head.sender is not None:
        parties.append(message.head.sender)
    for party in parties:
        for level in (party.organisation, party.unit, party.person):
            found += numbers(level.telecoms) if level is not None else []
    if signature is not None:
        found += [phone.e164 for line in signature.lines for phone in find_phones(line)]
    return frozenset(found)


def participant(unit: Unit | None) -> Participant:
    """A level of the sender."""
    if unit is None:
        return Participant()
    return Participant(name=line_or_none(unit.name), her_id=unit.her_id)
