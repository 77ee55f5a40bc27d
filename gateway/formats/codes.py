"""Codes as the formats write them, with their texts: the lists themselves are in `mappings/codes`."""

from __future__ import annotations

from functools import cache

from gateway.contracts.messages import CodedValue, CodeList, Identifier
from gateway.contracts.summary import Action
from mappings import CodeTable, code_list


@cache
def simple_code(number: str, code: str) -> CodedValue:
    """A code (CS): the element that it stands in tells its list.

    Args:
        number: of the list, the last part of its OID.
        code: one that the list has.
    """
    return CodedValue(value=code, name=code_list(number).codes[code])


@cache
def listed_code(oid: str, code: str) -> CodedValue:
    """A code (CV), with the OID of its list."""
    return CodedValue(value=code, code_list=oid, name=_list(oid).codes[code])


def is_listed(oid: str, code: str) -> bool:
    """Whether the gateway knows a code of a list."""
    return code in _list(oid).codes


def _list(oid: str) -> CodeTable:
    return code_list(oid.rpartition(".")[2])


SERVICE_TYPES = {
    Action.NEW: simple_code("7309", "N"),
    Action.CHANGE: simple_code("7309", "M"),
    Action.CANCEL: simple_code("7309", "C"),
}
"""Tjenestetype"""

IDENTIFIER_NAMES = {
    **_list(CodeList.PERSON_IDENTIFIERS).codes,
    **_list(CodeList.ORGANISATION_IDENTIFIERS).codes,
}
"""The text of each kind of identifier"""

_OF_PERSONS = frozenset(("FNR", "DNR", "HNR", "FHN", "HPR", "PNR", "DUF", "SEF", "DKF", "SSN", "FPN", "UID"))

AUTHOR = listed_code(CodeList.ROLE_IN_NOTE, "1")
GP = listed_code(CodeList.ROLE_TO_PATIENT, "6")
HEALTH_CONTACT = listed_code(CodeList.ROLE_TO_PATIENT, "21")
COPY_RECEIVER = simple_code("8112", "COP")
PRIMARY_RECEIVER = simple_code("8112", "PRIM")
XML_INSTANCE = simple_code("8114", "XML")
ATTACHMENT = simple_code("8114", "A")


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
