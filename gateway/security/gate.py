"""The gate: what every message goes through before anything else reads it.

Bounded in size, depth and number; no DTD, no entities, no network, nothing outside the message. Source: OWASP
«XML External Entity Prevention»; HIS 80415:2012, chapter 6.3 (the codes).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from lxml import etree

from gateway.security.errors import GateRefusedError

__all__ = ["GateRefusedError", "Limits", "hardened_parser", "parse", "parse_damaged", "parse_own"]

_XINCLUDE: Final = "{http://www.w3.org/2001/XInclude}*"
_BOM: Final = b"\xef\xbb\xbf"
_ENCODINGS: Final = frozenset({b"utf-8", b"us-ascii", b"ascii", b"iso-8859-1", b"latin1", b"iso-8859-15"})
"""What is read. All hold ASCII as it is: `<` and `<!DOCTYPE` in the bytes are what the parser sees."""

_INSTRUCTIONS: Final = {"xml-stylesheet": "stylesheet", "xml-model": "external-reference"}

# Possessive throughout: linear however the prolog is made.
_DECLARED_ENCODING: Final = re.compile(rb"<\?xml\s++[^?>]{0,200}?encoding\s*+=\s*+[\"']([^\"'?>]{0,40})")
_DOCTYPE_IN_PROLOG: Final = re.compile(rb"(?:\s++|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.DOTALL)

# Codes of libxml2 (xmlerror.h) that say more than "not well-formed".
_INVALID_ENCODING: Final = frozenset({31, 32, 81, 6003})
_RESOURCE_LIMIT: Final = 114
_TOO_LONG: Final = frozenset({45, 110})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How large a message may be."""

    max_bytes: int = 20 * 1024 * 1024
    max_depth: int = 100
    """Elements within each other; libxml2 itself stops at 256"""
    max_elements: int = 100_000
    max_attributes: int = 64
    """On one element; in the whole message four for each of `max_elements`"""
    max_namespaces: int = 10_000
    """Declarations of namespaces in the whole message"""
    max_text: int = 10_000_000
    """Characters of one text or attribute; libxml2 itself stops at ten million"""


_DEFAULT_LIMITS: Final = Limits()


def hardened_parser(*, recover: bool = False) -> etree.XMLParser:
    """A parser without DTD, entities and network, and with libxml2's own limits on."""
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        recover=recover,
        collect_ids=False,
    )


_STRICT: Final = hardened_parser()
_LENIENT: Final = hardened_parser(recover=True)


def parse(data: bytes, limits: Limits = _DEFAULT_LIMITS) -> etree._Element:
    """Parse a message from outside.

    Returns:
        The root element of a tree without DTD and entities.

    Raises:
        GateRefusedError: `reason` is a key of `GATE_REASONS`, `line` is where, where that is known. The
            fault is T01 for what can not be read, else T99.
    """
    _check_bytes(data, limits)
    root = _tree(data)
    _check_tree(root, data, limits)
    return root


def parse_own(data: bytes) -> etree._Element:
    """Parse a message that the gateway has written itself: only what the parser sees to is checked."""
    return etree.fromstring(data, _STRICT)


def parse_damaged(data: bytes, limits: Limits = _DEFAULT_LIMITS) -> etree._Element | None:
    """What can be made out of a message that is not well-formed, only to find out whom to answer.

    The tree has lost what stood after the damage and may hold what no one wrote: nothing in it may be used
    for anything but addressing a negative receipt.

    Returns:
        The root element, or None where nothing can be read safely.
    """
    try:
        _check_bytes(data, limits)
        root: etree._Element | None = etree.fromstring(data, _LENIENT)
        if root is not None:
            _check_tree(root, data, limits)
            # A lenient parser takes references to characters that no string can hold: found here, not later.
            etree.tostring(root, encoding="unicode", with_tail=False)
    except (GateRefusedError, etree.LxmlError, ValueError, LookupError):
        return None
    return root


def _tree(data: bytes) -> etree._Element:
    try:
        return etree.fromstring(data, _STRICT)
    except etree.XMLSyntaxError as error:
        refusal = _refusal(error)
    except (ValueError, LookupError):
        refusal = GateRefusedError("not-well-formed")
    # The parser's own text names elements and values: it goes no further, not even as the context of ours.
    raise refusal


def _check_bytes(data: bytes, limits: Limits) -> None:
    """What can be told before a parser sees the message, and bounds the memory it will take."""
    if len(data) > limits.max_bytes:
        raise GateRefusedError("too-large")
    start = len(_BOM) if data.startswith(_BOM) else 0
    if data[start : start + 2] in (b"\xfe\xff", b"\xff\xfe", b"<\0", b"\0<", b"\0\0", b"\x4c\x6f"):
        raise GateRefusedError("encoding")
    declared = _DECLARED_ENCODING.match(data, start)
    if declared is not None:
        encoding = declared[1].lower()
        if encoding not in _ENCODINGS or (start and encoding != b"utf-8"):
            raise GateRefusedError("encoding", line=1)
    if _DOCTYPE_IN_PROLOG.match(data, start):
        raise GateRefusedError("doctype")
    # An element is at most two "<", and every attribute (or namespace declaration) has its "=".
    if _holds_more(data, b"<", 2 * limits.max_elements):
        raise GateRefusedError("too-many-elements")
    if _holds_more(data, b"=", 4 * limits.max_elements):
        raise GateRefusedError("too-many-attributes")
    if _holds_more(data, b"xmlns", limits.max_namespaces):
        raise GateRefusedError("too-many-attributes")


def _holds_more(data: bytes, mark: bytes, count: int) -> bool:
    """Whether a mark occurs more often than so; what is too short for that need not be counted."""
    return len(data) > count * len(mark) and data.count(mark) > count


def _check_tree(root: etree._Element, data: bytes, limits: Limits) -> None:
    """What only the tree can tell; each check runs in C."""
    document = root.getroottree().docinfo
    if getattr(document, "doctype", ""):
        raise GateRefusedError("doctype")
    if document.encoding and document.encoding.lower().encode() not in _ENCODINGS:
        raise GateRefusedError("encoding")
    if data.count(b"<?") > data.startswith((b"<?xml ", _BOM + b"<?xml ")):
        _check_instructions(root)
    included = next(root.iter(_XINCLUDE), None)
    if included is not None:
        raise GateRefusedError("external-reference", line=getattr(included, "sourceline", None))
    if _too_deep(limits.max_depth)(root):
        raise GateRefusedError("too-deep")
    if _too_many_attributes(limits.max_attributes)(root):
        raise GateRefusedError("too-many-attributes")
    if _holds_more(data, b"<", limits.max_elements) and sum(1 for _ in root.iter("*")) > limits.max_elements:
        raise GateRefusedError("too-many-elements")
    if len(data) > limits.max_text and _too_long(limits.max_text)(root):
        raise GateRefusedError("text-too-long")


def _check_instructions(root: etree._Element) -> None:
    for node in (
        *root.itersiblings(preceding=True),
        *root.itersiblings(),
        *root.iter(etree.ProcessingInstruction),
    ):
        # A comment has no target.
        reason = _INSTRUCTIONS.get(getattr(node, "target", ""))
        if reason is not None:
            raise GateRefusedError(reason, line=getattr(node, "sourceline", None))


@cache
def _too_deep(depth: int) -> etree.XPath:
    return etree.XPath(f"boolean({'/*' * (depth + 1)})")


@cache
def _too_many_attributes(count: int) -> etree.XPath:
    return etree.XPath(f"boolean(/descendant::*/@*[{count + 1}])")


@cache
def _too_long(length: int) -> etree.XPath:
    return etree.XPath(f"boolean(//text()[string-length() > {length}] | //@*[string-length() > {length}])")


def _refusal(error: etree.XMLSyntaxError) -> GateRefusedError:
    """The refusal for a parser's error, by its code."""
    code = getattr(error, "code", 0)
    line = error.position[0] or None
    if code in _INVALID_ENCODING:
        return GateRefusedError("encoding", line=line)
    if code == _RESOURCE_LIMIT:
        return GateRefusedError(
            "too-deep" if str(error.msg).startswith("Excessive depth") else "text-too-long"
        )
    if code in _TOO_LONG:
        return GateRefusedError("text-too-long", line=line)
    return GateRefusedError("not-well-formed", line=line)
