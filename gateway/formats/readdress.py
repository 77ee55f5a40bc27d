"""A MsgHead message passed on: new ids, references and receiver; the content untouched.

The signature covers the message as it was; it is left out (the original is kept in the journal).
"""

from __future__ import annotations

import copy

from lxml import etree

from gateway.contracts.messages import Conversation

_HEAD = "{http://www.kith.no/xmlstds/msghead/2006-05-24}"
_SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"
_HER_OID = "2.16.578.1.12.4.1.1.9051"


def readdress(
    root: etree._Element, *, msg_id: str, conversation: Conversation, unit_her_id: str, unit_name: str | None
) -> bytes:
    """Write a message anew for another receiver in the same enterprise.

    Args:
        root: a MsgHead that follows its schema; it is not changed.
        msg_id: the new MsgId.
        conversation: the references that the receiver knows.
        unit_her_id: HER-id of the service that gets it, on the lower level.
        unit_name: its name.
    """
    head = copy.deepcopy(root)
    for signature in head.findall(_SIGNATURE):
        head.remove(signature)
    info = head.find(f"{_HEAD}MsgInfo")
    if info is None:
        raise ValueError("a MsgHead has a MsgInfo")
    _text(info, "MsgId", msg_id)
    _refer(info, conversation)
    organisation = info.find(f"{_HEAD}Receiver/{_HEAD}Organisation")
    if organisation is not None:
        _lower_level(organisation, unit_her_id, unit_name)
    return etree.tostring(head, xml_declaration=True, encoding="UTF-8")


def _text(parent: etree._Element, name: str, value: str) -> None:
    element = parent.find(f"{_HEAD}{name}")
    if element is not None:
        element.text = value


def _refer(info: etree._Element, conversation: Conversation) -> None:
    reference = info.find(f"{_HEAD}ConversationRef")
    if reference is None:
        sender = info.find(f"{_HEAD}Sender")
        reference = etree.Element(f"{_HEAD}ConversationRef")
        etree.SubElement(reference, f"{_HEAD}RefToParent")
        etree.SubElement(reference, f"{_HEAD}RefToConversation")
        info.insert(info.index(sender) if sender is not None else len(info), reference)
    _text(reference, "RefToParent", conversation.parent)
    _text(reference, "RefToConversation", conversation.root)


def _lower_level(organisation: etree._Element, her_id: str, name: str | None) -> None:
    """Replace the service of the receiver (MsgHead 1.2: Organisation before HealthcareProfessional, last)."""
    for element in organisation.findall(f"{_HEAD}Organisation"):
        organisation.remove(element)
    for element in organisation.findall(f"{_HEAD}HealthcareProfessional"):
        organisation.remove(element)
    service = etree.SubElement(organisation, f"{_HEAD}Organisation")
    etree.SubElement(service, f"{_HEAD}OrganisationName").text = name or "Postmottak"
    ident = etree.SubElement(service, f"{_HEAD}Ident")
    etree.SubElement(ident, f"{_HEAD}Id").text = her_id
    etree.SubElement(ident, f"{_HEAD}TypeId", V="HER", DN="HER-id", S=_HER_OID)
