"""What the tests of the formats share."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from gateway.formats.element_names import Element

KITH = "http://www.kith.no/xmlstds"


def parse(document: bytes | str) -> Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    return etree.fromstring(document.encode() if isinstance(document, str) else document, parser)


def parse_file(path: Path) -> Element:
    return parse(path.read_bytes())


def strings(value: object) -> Iterator[str]:
    """Every string that a message holds, wherever it stands."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from strings(item)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from strings(getattr(value, field.name))


def folded(text: str) -> str:
    return " ".join(text.split())


def in_head(content: str, *, info: str = "", documents: str = "") -> Element:
    """A MsgHead around a business message."""
    return parse(f"""<h:MsgHead xmlns:h="{KITH}/msghead/2006-05-24"><h:MsgInfo>
        <h:Type V="DIALOG_NOTAT" DN="Notat"/><h:MIGversion>v1.2 2006-05-24</h:MIGversion>
        <h:GenDate>2026-03-02T13:45:00</h:GenDate><h:MsgId>9dfb369b-ab13-4fae-a276-55daa05f1119</h:MsgId>{info}
        </h:MsgInfo><h:Document><h:RefDoc><h:MsgType V="XML"/><h:Content>{content}</h:Content></h:RefDoc>
        </h:Document>{documents}</h:MsgHead>""")
