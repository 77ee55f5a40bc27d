"""Messages to try schemas on: the project's notes, the official examples, and both made wrong on purpose."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

from lxml import etree

from tests.conftest import NOTES

_PARSER = etree.XMLParser(resolve_entities=False, no_network=True)


def parse(path: Path) -> etree._Element | None:
    """The root of a file, `None` where it is no well-formed XML."""
    try:
        return etree.parse(path, _PARSER).getroot()
    except etree.XMLSyntaxError:
        return None


def dice_of(seed: str | int) -> random.Random:
    """Dice that fall the same way in every run."""
    return random.Random(seed)  # noqa: S311 - nothing here is secret


def again(root: etree._Element) -> etree._Element:
    """The same message as it would arrive: parsed from its bytes, with line numbers of its own."""
    # Not in ASCII: there is an element called Formål.
    return etree.fromstring(etree.tostring(root, encoding="UTF-8"))


def notes() -> Iterator[tuple[Path, str | None]]:
    """Every note of the fixtures, and how it is broken on purpose: `schema`, `wellformed` or `None`."""
    for path in sorted(NOTES.glob("*/*.xml")):
        expected = json.loads(path.with_suffix(".expected.json").read_text("utf-8"))
        yield path, expected.get("broken")


def messages(standards: Path) -> Iterator[tuple[Path, etree._Element]]:
    """Every well-formed message at hand: notes, official examples, acceptance cases."""
    for path in [*sorted(NOTES.glob("*/*.xml")), *sorted((standards / "examples").rglob("*.xml"))]:
        root = parse(path)
        if root is not None:
            yield path, root


def _drop(element: etree._Element, _dice: random.Random) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _double(element: etree._Element, _dice: random.Random) -> None:
    if element.getparent() is not None:
        element.addnext(copy.deepcopy(element))


def _swap(element: etree._Element, _dice: random.Random) -> None:
    following = element.getnext()
    if following is not None and element.getparent() is not None:
        following.addnext(element)


def _empty(element: etree._Element, _dice: random.Random) -> None:
    for child in element:
        element.remove(child)
    element.text = None


def _move(element: etree._Element, dice: random.Random) -> None:
    elements = list(element.getroottree().getroot().iter(etree.Element))
    target = dice.choice(elements)
    if element not in [target, *target.iterancestors()] and element.getparent() is not None:
        target.insert(dice.randint(0, len(target)), element)


def _rename(element: etree._Element, dice: random.Random) -> None:
    other = dice.choice(list(element.getroottree().getroot().iter(etree.Element)))
    if element.getparent() is not None:
        element.tag = other.tag


_VALUES = (
    "", " ", "x", "0", "1", "true", "True", "false ", "ja", "-1", "1.5", "1e3", "1e", "INF", "2026",
    "2026-02",
    "2026-02-30", "2026-02-28", " 2026-02-28 ", "2026-02-28Z", "20260228", "28.02.2026",
    "2026-02-28T10:00:00",
    "2026-02-28T10:00", "2026-02-28T25:00:00", "2026-02-28T10:00:00+01:00", "10:00:00", "10:00", "2.16.578",
    "2..16", ".2.16", "2.16.", "2.16a", " 2.16 ", "http://a b", "tel:900 00 000", "mailto:å@b", "%zz", "::",
    "v1.2 2006-05-24", "EPJ sak", "EPJ dokument", "SGVp", "SGV", "SGVp\n", "a\u00a0b", "\U0001f469", "9" * 40,
)  # fmt: skip


def _text(element: etree._Element, dice: random.Random) -> None:
    element.text = dice.choice(_VALUES)


def _attribute(element: etree._Element, dice: random.Random) -> None:
    if element.attrib:
        element.set(dice.choice(sorted(element.attrib)), dice.choice(_VALUES))


def _drop_attribute(element: etree._Element, dice: random.Random) -> None:
    if element.attrib:
        del element.attrib[dice.choice(sorted(element.attrib))]


def _strange_attribute(element: etree._Element, dice: random.Random) -> None:
    element.set(
        dice.choice(["V", "S", "DN", "OT", "U", "Id", "unknown", "{urn:other}V"]), dice.choice(_VALUES)
    )


def _strange_element(element: etree._Element, dice: random.Random) -> None:
    namespace = element.tag.rpartition("}")[0]
    tag = dice.choice([f"{namespace}}}Strange" if namespace else "Strange", "{urn:other}Strange", "Plain"])
    element.insert(dice.randint(0, len(element)), etree.Element(tag))


def _tail(element: etree._Element, _dice: random.Random) -> None:
    if element.getparent() is not None:
        element.tail = "text"


CHANGES: tuple[Callable[[etree._Element, random.Random], None], ...] = (
    _drop,
    _double,
    _swap,
    _empty,
    _move,
    _rename,
    _text,
    _attribute,
    _drop_attribute,
    _strange_attribute,
    _strange_element,
    _tail,
)
"""What can go wrong with one element of a message."""


def changed(root: etree._Element, dice: random.Random) -> etree._Element:
    """A copy of a message with one or two of its elements changed."""
    fresh = copy.deepcopy(root)
    for _ in range(dice.choice((1, 1, 1, 2))):
        dice.choice(CHANGES)(dice.choice(list(fresh.iter(etree.Element))), dice)
    return again(fresh)
