"""Why a message is not valid: the errors of xmlschema and libxml2, told without the values they hold.

The texts of the libraries quote the message, so they are not passed on: from them come the place and the kind
of the error, the names of attributes, and what the *schema* says.
"""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import xmlschema
from lxml import etree
from xmlschema.validators import (
    XMLSchemaChildrenValidationError,
    XsdAnyElement,
    XsdAttribute,
    XsdAttributeGroup,
    XsdElement,
    XsdGroup,
    XsdUnion,
)
from xmlschema.validators.facets import XsdEnumerationFacets, XsdPatternFacets

from schemas.faults import FaultCode, SchemaFault, fault, local_name

_MOST_FAULTS = 50
"""A person reads the first; a message with more than this is broken as a whole."""

_VALUES = {
    "boolean": "true or false",
    "date": "a date such as 2026-03-02",
    "Date": "a date such as 2026-03-02",
    "dateTime": "a date with a time such as 2026-03-02T13:45:00+01:00",
    "Time": "a date with a time and its zone, such as 2026-03-02T13:45:00+01:00",
    "Moment": "a date such as 2026-03-02, a date with a time, a year, a month or a time",
    "gYear": "a year",
    "integer": "a whole number",
    "decimal": "a number",
    "double": "a number",
    "base64Binary": "base64",
    "anyURI": "an address (URI)",
    "oid": "an object identifier: numbers with dots between them",
    "ID": "an identifier that no other element has",
    "Line": "a line of text that is not empty",
    "Text": "text that is not empty",
    "Phone": "a telephone number in international form, without blanks",
}
"""What the types of the schemas want, by their names."""

_VALUE_OF_ATTRIBUTE = re.compile(r"attribute (?:\w+:)?([\w.-]+)=")
_FIXED_ATTRIBUTE = re.compile(r"attribute '(?:\{[^}]*\})?([\w.-]+)' has a fixed value")
_MISSING_ATTRIBUTE = re.compile(r"missing required attribute '(?:\{[^}]*\})?([\w.-]+)'")
_STRANGE_ATTRIBUTE = re.compile(r"'(?:\{[^}]*\})?([\w.-]+)' attribute not allowed")
# These read the names of attributes out of xmlschema's reasons, and nothing else of them.


@functools.cache
def validator(driver: Path) -> xmlschema.XMLSchema:
    """The schemas of a driver for xmlschema: half a second to build, wanted only when something is wrong."""
    with warnings.catch_warnings():
        # It warns of imports that point at the web; what they are for stands on the disk already.
        warnings.simplefilter("ignore", xmlschema.XMLSchemaImportWarning)
        return xmlschema.XMLSchema(str(driver), defuse="always", allow="local")


def explain(root: etree._Element, driver: Path) -> tuple[SchemaFault, ...]:
    """What xmlschema finds wrong with a message: the faults in the order of the message, none twice."""
    found: dict[tuple[int | None, str, FaultCode], SchemaFault] = {}
    try:
        for error in validator(driver).iter_errors(root, use_location_hints=False):
            each = _from_error(error, root)
            found.setdefault((each.line, each.path, each.code), each)
            if len(found) == _MOST_FAULTS:
                break
    except Exception:  # noqa: BLE001 - a hostile message makes the library raise errors of many kinds, with its values
        return tuple(found.values())
    return tuple(found.values())


def _from_error(error: xmlschema.XMLSchemaValidationError, root: etree._Element) -> SchemaFault:
    element: Any = root if error.elem is None else error.elem
    if isinstance(error, XMLSchemaChildrenValidationError):
        return _of_children(error, element)
    if isinstance(error.validator, XsdAttributeGroup):
        return _of_attributes(error.reason or "", element)
    if isinstance(error.validator, XsdAnyElement | xmlschema.XMLSchema):
        return fault(element, "no-declaration", "the schemas have no declaration of this element")
    if isinstance(error.validator, XsdGroup):
        return fault(element, "text-not-allowed", "text stands between the elements, where none may")
    return _of_value(error, element)


def _of_attributes(reason: str, element: etree._Element) -> SchemaFault:
    if missing := _MISSING_ATTRIBUTE.match(reason):
        return fault(element, "missing-attribute", f"the attribute {missing[1]} is missing")
    strange = _STRANGE_ATTRIBUTE.match(reason)
    name = strange[1] if strange else None
    return fault(element, "attribute-not-allowed", "there is no such attribute here", name)


def _of_value(error: xmlschema.XMLSchemaValidationError, element: etree._Element) -> SchemaFault:
    rule, reason = error.validator, error.reason or ""
    if isinstance(rule, XsdElement) and len(element):
        return fault(element, "element-not-expected", "an element stands where only a value may")
    if isinstance(rule, XsdElement) and rule.fixed is None:
        return fault(element, "text-not-allowed", "text stands where none may")
    attribute = _VALUE_OF_ATTRIBUTE.match(reason) or _FIXED_ATTRIBUTE.match(reason)
    sentence = f"the value is not allowed; expected {_wanted(rule)}"
    return fault(element, "value-not-allowed", sentence, attribute[1] if attribute else None)


def _of_children(error: XMLSchemaChildrenValidationError, element: etree._Element) -> SchemaFault:
    names = _names(error.expected or ())
    expected = f"expected {' or '.join(names)}" if names else "nothing more is expected"
    if error.invalid_tag is None:
        return fault(element, "missing-element", f"the content is not complete; {expected}")
    children = list(element.iterchildren(tag=etree.Element))
    child = children[error.index] if error.index < len(children) else element
    name = local_name(child.tag)
    if name in names:
        return fault(child, "element-not-expected", f"{name} stands in another namespace than it should")
    group: Any = error.validator
    belongs = child.tag in {each.name for each in group.iter_elements()}
    if belongs and names and not any(local_name(each.tag) in names for each in children):
        return fault(child, "missing-element", f"{expected} before {name}")
    return fault(child, "element-not-expected", f"{name} may not stand here; {expected}")


def _names(expected: Iterable[Any]) -> list[str]:
    return list(dict.fromkeys(each.local_name or "an element of another standard" for each in expected))


def _wanted(rule: Any) -> str:  # noqa: ANN401 - any component of xmlschema
    """What the schema wants of a value, in words; it speaks of the schema alone."""
    if isinstance(rule, XsdElement | XsdAttribute):
        return f"“{rule.fixed}”"
    named = getattr(rule, "local_name", None) or getattr(getattr(rule, "parent", None), "local_name", None)
    if named in _VALUES:
        return _VALUES[named]
    if isinstance(rule, XsdUnion):
        return _VALUES["Moment"]
    if isinstance(rule, XsdEnumerationFacets):
        return "one of: " + ", ".join(str(each) for each in rule.enumeration)
    if isinstance(rule, XsdPatternFacets):
        return "a value of the form " + " or ".join(rule.regexps)
    return f"a value of the type {named}" if named else "another kind of value"


_KINDS: tuple[tuple[str, FaultCode], ...] = (
    ("SCHEMAV_ELEMENT_CONTENT", "element-not-expected"),
    ("SCHEMAV_CVC_COMPLEX_TYPE_3_2", "attribute-not-allowed"),
    ("SCHEMAV_CVC_COMPLEX_TYPE_4", "missing-attribute"),
    ("SCHEMAV_CVC_COMPLEX_TYPE_2", "text-not-allowed"),
    ("SCHEMAV_CVC_ELT_1", "no-declaration"),
    ("SCHEMAV_CVC_WILDCARD", "no-declaration"),
    ("SCHEMAV_CVC_", "value-not-allowed"),
)
"""The kinds of errors of libxml2 by how their names begin; the first that fits."""


def plain(root: etree._Element, schema: etree.XMLSchema) -> SchemaFault:
    """The first fault as libxml2 has it, from its kind and place alone, for where xmlschema sees none."""
    log: Any = schema.error_log
    if not len(log):
        return fault(root, "other", "not valid")
    first = log[0]
    code: FaultCode = next((code for kind, code in _KINDS if first.type_name.startswith(kind)), "other")
    try:
        found: Any = root.getroottree().xpath(first.path)
    except etree.XPathError:
        found = []
    element = found[0] if found and etree.iselement(found[0]) else root
    return fault(element, code, f"not valid ({first.type_name})")
