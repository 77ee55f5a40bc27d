"""Messages made from the sample notes, each with one thing otherwise."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from uuid import uuid4

from lxml import etree

from gateway.contracts.receipts import ReceiptStatus
from tests.flow.harness import Gateway

MSGHEAD = "http://www.kith.no/xmlstds/msghead/2006-05-24"
BASE64 = "http://www.kith.no/xmlstds/base64container"

PDF = b"%PDF-1.4 proevesvar"
JPEG = b"\xff\xd8\xff\xe0 bilde"
PNG = b"\x89PNG\r\n\x1a\n bilde"


def swapped(data: bytes, old: str, new: str, *, count: int = -1) -> bytes:
    """The document with a piece of text replaced, which must be there."""
    assert old.encode() in data, old
    return data.replace(old.encode(), new.encode(), count)


def msg_id_of(data: bytes) -> str:
    found = re.search(rb"<MsgId>([^<]+)</MsgId>", data)
    assert found is not None
    return found[1].decode()


def version(
    data: bytes, *, parent: str | None, root: str | None = None, action: str = "M", sent: str | None = None
) -> bytes:
    """A later version of a MsgHead note of PLO: a new MsgId, a reference back, another status and time."""
    text = re.sub(r"<ConversationRef>.*?</ConversationRef>\s*", "", data.decode(), flags=re.DOTALL)
    text = re.sub(r"<MsgId>[^<]+</MsgId>", f"<MsgId>{uuid4()}</MsgId>", text, count=1)
    text, found = re.subn(r'(Forsendelsesstatus[^>]*\bV=")[NMC]"', rf'\g<1>{action}"', text)
    assert found == 1
    if sent is not None:
        text = re.sub(r"<GenDate>[^<]+</GenDate>", f"<GenDate>{sent}</GenDate>", text, count=1)
    if parent is not None:
        reference = (
            f"<ConversationRef><RefToParent>{parent}</RefToParent>"
            f"<RefToConversation>{root or parent}</RefToConversation></ConversationRef>"
        )
        text = text.replace("<Sender>", f"{reference}<Sender>", 1)
    return text.encode()


def with_document(data: bytes, content: bytes, mime_type: str | None, name: str = "Vedlegg") -> bytes:
    """A MsgHead note with a document that goes along."""
    said = f"<MimeType>{mime_type}</MimeType>" if mime_type else ""
    document = (
        f'<Document><RefDoc><MsgType V="A" DN="Vedlegg"/>{said}<Description>{name}</Description><Content>'
        f'<b:Base64Container xmlns:b="{BASE64}">{base64.b64encode(content).decode()}</b:Base64Container>'
        "</Content></RefDoc></Document></MsgHead>"
    )
    return swapped(data, "</MsgHead>", document)


def with_reference(data: bytes, content: bytes, mime_type: str) -> bytes:
    """An epikrise with a document that goes along."""
    document = (
        f'<RefDoc><MsgType V="A" DN="Vedlegg"/><MimeType>{mime_type}</MimeType><Content>'
        f'<b:Base64Container xmlns:b="{BASE64}">{base64.b64encode(content).decode()}</b:Base64Container>'
        "</Content></RefDoc></ServRprt>"
    )
    return swapped(data, "</ServRprt>", document)


def with_other_prefixes(data: bytes) -> bytes:
    """The same document with a made-up prefix for every namespace, and no default one."""
    root = etree.fromstring(data)
    names = (etree.QName(element).namespace for element in root.iter("*"))
    spaces = dict.fromkeys(names)
    nsmap = {f"æ-{number}.x": uri for number, uri in enumerate(spaces)}
    return etree.tostring(_copied(root, nsmap), xml_declaration=True, encoding="UTF-8")


def _copied(element: etree._Element, nsmap: dict[str, str]) -> etree._Element:
    copy = etree.Element(element.tag, nsmap=nsmap)
    for name, value in element.attrib.items():
        copy.set(name, value)
    copy.text, copy.tail = element.text, element.tail
    copy.extend(_copied(below, nsmap) for below in element.iterchildren("*"))
    return copy


def in_msghead(epikrise: bytes, head: bytes) -> bytes:
    """An epikrise inside a MsgHead, with the head of a dialogue message."""
    root = etree.fromstring(head)
    content = root.find(f".//{{{MSGHEAD}}}Content")
    kind = root.find(f".//{{{MSGHEAD}}}Type")
    assert content is not None
    assert kind is not None
    kind.set("V", "EPIKRISE")
    content[:] = [etree.fromstring(epikrise)]
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def answers(gateway: Gateway, hospital: str) -> list[tuple[str, list[str]]]:
    """Status and codes of the AppRecs on the queue of a hospital's record system, taken off."""
    return [(a.status, [f.code for f in a.faults]) for a in gateway.apprecs(f"epj_{hospital}")]


REJECTED = ReceiptStatus.REJECTED.value
OK = ReceiptStatus.OK.value


def configured(config: Path, old: str, new: str) -> None:
    """Change a line of a configuration file."""
    text = config.read_text(encoding="utf-8")
    assert old in text, old
    config.write_text(text.replace(old, new), encoding="utf-8")
