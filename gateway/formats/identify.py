"""Which format a message is of.

Source: the namespaces and roots of the official schemas. The names of the PLO roots do not follow the names
of the messages, and two namespaces were renamed in 1.6 while their roots were not: only the pair decides.
"""

from __future__ import annotations

from typing import Literal

from gateway.contracts.messages import Format
from gateway.contracts.values import value
from gateway.formats import names
from gateway.formats.element_names import Element, local_name, namespace_of
from gateway.formats.xml_reading import attribute, child, children

Envelope = Literal["msghead", "epikrise", "apprec"]


@value
class Identified:
    """What the root, the head and the content say that a message is."""

    format: Format | None
    """None: of no format that the gateway knows"""
    namespace: str | None
    root: str
    """Local name of the root"""
    msg_type: str | None
    """V of MsgInfo/Type; of the Type of an epikrise; of the MsgType of an AppRec"""
    content_namespace: str | None
    """Namespace of the business message: what the first document holds; an epikrise is its own"""
    content_root: str | None
    envelope: Envelope | None


def content_of(root: Element) -> Element | None:
    """The business message in a MsgHead: what the first document holds that is no base64 container."""
    for document in children(root, "Document"):
        for element in children(child(document, "RefDoc"), "Content"):
            business = next(element.iterchildren("*"), None)
            if business is not None and local_name(business) != "Base64Container":
                return business
    return None


def identify(root: Element) -> Identified:
    """Say what a message is. Never raises."""
    return identify_with_content(root)[0]


def identify_with_content(root: Element) -> tuple[Identified, Element | None]:
    """Say what a message is, and which element its business message is. Never raises."""
    namespace, name = namespace_of(root), local_name(root)
    envelope = names.ENVELOPES.get((namespace, name))
    content, msg_type = None, None
    if envelope == "msghead":
        content = content_of(root)
        msg_type = attribute(child(root, "MsgInfo", "Type"), "V")
    elif envelope == "epikrise":
        content = root
    elif envelope == "apprec":
        msg_type = attribute(child(root, "MsgType"), "V")
    content_namespace = None if content is None else namespace_of(content)
    content_root = None if content is None else local_name(content)
    if content is not None and (content_namespace, content_root) in names.EPIKRISE_ROOTS:
        msg_type = attribute(child(content, "Type"), "V") or msg_type
    key = (namespace, name) if envelope == "apprec" else (content_namespace, content_root)
    identified = Identified(
        format=names.FORMATS.get(key),
        namespace=namespace,
        root=name,
        msg_type=msg_type,
        content_namespace=content_namespace,
        content_root=content_root,
        envelope=envelope,
    )
    return identified, content
