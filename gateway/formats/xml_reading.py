"""Reading elements by their local name, and remembering what has been read.

The schemas put the same components in several namespaces (`mh:Ident` in the head, `fk1:Ident` in the
content): the local names say what they are; the namespaces of root and content decide the format.
What no reader has asked for is found afterwards by `Reader.unread`: nothing that a person wrote gets lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gateway.contracts.messages import CodedValue, TextBlock
from gateway.formats.element_names import Element, local_name, namespace_of, split_tag
from gateway.formats.flatten import XHTML, flatten

_TYPED = re.compile(r"true|false|[-+]?[0-9][0-9.,:TZ+-]*")
_YES_NO = {"true": "ja", "false": "nei"}
# Strings that say little without their name; other strings are sentences.
_LABELLED = frozenset(
    (
        "City",
        "FamilyName",
        "GivenName",
        "Id",
        "MiddleName",
        "Name",
        "OrganisationName",
        "Place",
        "PostalCode",
        "Postbox",
        "StreetAdr",
    )
)


def child(parent: Element | None, *path: str) -> Element | None:
    """The first child of that local name (of the first child …), whatever its namespace."""
    for name in path:
        if parent is None:
            return None
        parent = next(parent.iterchildren("{*}" + name), None)
    return parent


def children(parent: Element | None, name: str) -> Iterator[Element]:
    """The children of that local name, whatever their namespace."""
    return iter(()) if parent is None else parent.iterchildren("{*}" + name)


def string_of(element: Element | None) -> str | None:
    """The text of an element, stripped; None if there is none."""
    if element is None:
        return None
    text = "".join(map(str, element.itertext())) if len(element) else element.text
    return (text.strip() or None) if text else None


def attribute(element: Element | None, name: str) -> str | None:
    """An attribute, stripped; None if it is missing or blank."""
    value = element.get(name) if element is not None else None
    return (value.strip() or None) if value else None


def coded_of(element: Element | None) -> CodedValue | None:
    """A CS or CV; None if it holds nothing."""
    if element is None:
        return None
    value, code_list = attribute(element, "V"), attribute(element, "S")
    name, original = attribute(element, "DN"), attribute(element, "OT")
    if value is None and code_list is None and name is None and original is None:
        return None
    return CodedValue(value=value, code_list=code_list, name=name, original_text=original)


def place_of(element: Element, top: Element) -> str:
    """Where an element stands below `top`: names, with a position where there are several of a name."""
    names: list[str] = []
    current: Element | None = element
    while current is not None and current is not top:
        name, before = local_name(current), 0
        for _ in current.itersiblings(current.tag, preceding=True):
            before += 1
        alone = before == 0 and next(current.itersiblings(current.tag), None) is None
        names.append(name if alone else f"{name}[{before + 1}]")
        current = current.getparent()
    return "/".join(reversed(names))


class Reader:
    """Reads the leaves of one message, and knows which it has read."""

    def __init__(self) -> None:
        self._done: set[Element] = set()
        self._named: dict[Element, dict[str, list[Element]]] = {}

    def children(self, parent: Element | None, name: str) -> Sequence[Element]:
        """The children of that local name, whatever their namespace."""
        if parent is None:
            return ()
        named = self._named.get(parent)
        if named is None:
            named = self._index(parent)
        return named.get(name, ())

    def _index(self, parent: Element) -> dict[str, list[Element]]:
        """The children of an element by their local names, found in one pass."""
        named: dict[str, list[Element]] = {}
        for node in parent[:]:  # type: ignore[index]  # the stubs forget slices
            name = split_tag(node.tag)[1]
            if name in named:
                named[name].append(node)
            elif name:
                named[name] = [node]
        self._named[parent] = named
        return named

    def child(self, parent: Element | None, *path: str) -> Element | None:
        """The first child of that local name (of the first child …), whatever its namespace."""
        for name in path:
            found = self.children(parent, name)
            if not found:
                return None
            parent = found[0]
        return parent

    def done(self, element: Element | None) -> None:
        """Say that an element, with all below it, has been read."""
        if element is not None:
            self._done.add(element)

    def skip(self, parent: Element | None, *names: str) -> None:
        """Say that the children of these names need not be read."""
        for name in names:
            self._done.update(self.children(parent, name))

    def text(self, parent: Element | None, name: str) -> str | None:
        """The text of a child."""
        leaf = self._leaf(parent, name)
        return None if leaf is None else string_of(leaf)

    def coded(self, parent: Element | None, name: str) -> CodedValue | None:
        """A CS or CV child."""
        leaf = self._leaf(parent, name)
        return None if leaf is None else coded_of(leaf)

    def value(self, parent: Element | None, name: str) -> str | None:
        """The attribute V of a child (TS, URL)."""
        leaf = self._leaf(parent, name)
        return None if leaf is None else attribute(leaf, "V")

    def _leaf(self, parent: Element | None, name: str) -> Element | None:
        """The first child of that name, which is read now."""
        found = self.children(parent, name)
        if not found:
            return None
        self._done.add(found[0])
        return found[0]

    def rich(self, element: Element | None) -> str | None:
        """The text of an element of any type: plain, or xhtml with its structure as lines."""
        if element is None:
            return None
        self.done(element)
        return flatten(element) or None

    def unread(
        self, element: Element, top: Element, heading: CodedValue | None = None
    ) -> tuple[TextBlock, ...]:
        """What is left below an element, a block for each parent; all of it counts as read afterwards."""
        blocks: list[TextBlock] = []
        self._collect(element, top, heading, blocks)
        self.done(element)
        return tuple(blocks)

    def _collect(
        self, element: Element, top: Element, heading: CodedValue | None, blocks: list[TextBlock]
    ) -> None:
        if element in self._done:
            return
        leaves: list[Element] = []
        inner: list[Element] = []
        rich = bool(element.text and element.text.strip())
        for node in element.iterchildren("*"):
            tail = node.tail
            if tail and not tail.isspace():
                rich = True
            if node in self._done:
                continue
            rich = rich or namespace_of(node) == XHTML
            (inner if _has_elements(node) else leaves).append(node)
        if rich or not len(element):
            text = flatten(element) if rich and len(element) else _line(element)
            if text:
                blocks.append(TextBlock(text=text, heading=heading, place=place_of(element, top)))
            return
        written = [(leaf, line) for leaf in leaves if (line := _line(leaf))]
        if written:
            at = written[0][0] if len(written) == 1 else element
            text = "\n".join(line for _, line in written)
            blocks.append(TextBlock(text=text, heading=heading, place=place_of(at, top)))
        for node in inner:
            self._collect(node, top, heading, blocks)


def _has_elements(element: Element) -> bool:
    return bool(len(element)) and next(element.iterchildren("*"), None) is not None


def _line(leaf: Element) -> str:
    """What a leaf says: a sentence as it is, everything else with its name."""
    name = local_name(leaf)
    text = string_of(leaf)
    if text is not None:
        if name in _LABELLED or _TYPED.fullmatch(text):
            return f"{name}: {_YES_NO.get(text, text)}"
        return text.replace("\r\n", "\n")
    value, shown = attribute(leaf, "V"), attribute(leaf, "DN")
    unit, original = attribute(leaf, "U"), attribute(leaf, "OT")
    if shown and value:
        said = f"{shown} ({value})"
    else:
        said = " ".join(part for part in (shown or value, unit) if part)
    said = "; ".join(part for part in (said, original) if part)
    return f"{name}: {said}" if said else ""
