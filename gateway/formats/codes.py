"""Codes that the formats write themselves, with their texts."""

from __future__ import annotations

from gateway.contracts.messages import CodedValue, CodeList, Identifier
from gateway.contracts.summary import Action

SERVICE_TYPES = {
    Action.NEW: CodedValue(value="N", name="Ny"),
    Action.CHANGE: CodedValue(value="M", name="Endring"),
    Action.CANCEL: CodedValue(value="C", name="Kansellering"),
}
"""Tjenestetype (7309)"""

IDENTIFIER_NAMES = {
    "HER": "HER-id",
    "ENH": "Organisasjonsnummeret i Enhetsregister",
    "RSH": "RESH-id",
    "HPR": "HPR-nummer",
    "FNR": "Fødselsnummer",
    "DNR": "D-nummer",
    "HNR": "H-nummer",
    "FHN": "Felles hjelpenummer",
}
"""Texts of 9051 and 8116"""

_OF_PERSONS = frozenset(("FNR", "DNR", "HNR", "FHN", "HPR", "PNR", "DUF", "SEF", "DKF", "SSN", "FPN", "UID"))

AUTHOR = CodedValue(value="1", code_list=CodeList.ROLE_IN_NOTE, name="Forfatter")
GP = CodedValue(value="6", code_list=CodeList.ROLE_TO_PATIENT, name="Fastlege")
HEALTH_CONTACT = CodedValue(value="21", code_list=CodeList.ROLE_TO_PATIENT, name="Helsefaglig kontakt")
COPY_RECEIVER = CodedValue(value="COP", name="Kopimottaker")
PRIMARY_RECEIVER = CodedValue(value="PRIM", name="Primærmottaker")
XML_INSTANCE = CodedValue(value="XML", name="XML-instans")
ATTACHMENT = CodedValue(value="A", name="Vedlegg")


def type_of(identifier: Identifier, *, with_list: bool) -> CodedValue:
    """TypeId as a code: text and list of its kind where the identifier has none."""
    code_list = None
    if with_list:
        persons = identifier.type in _OF_PERSONS
        known = CodeList.PERSON_IDENTIFIERS if persons else CodeList.ORGANISATION_IDENTIFIERS
        code_list = identifier.code_list or known
    name = identifier.type_name or IDENTIFIER_NAMES.get(identifier.type)
    return CodedValue(value=identifier.type, code_list=code_list, name=name)


def complete(identifiers: tuple[Identifier, ...]) -> tuple[Identifier, ...]:
    """Those that have both: an id never goes without its type, nor the type without the id."""
    return tuple(i for i in identifiers if i.id.strip() and i.type.strip())
