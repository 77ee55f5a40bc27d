"""A MsgHead message passed on: new ids, references and receiver; the content untouched.

The signature covers the message as it was; it is left out (the original is kept in the journal).
"""

from __future__ import annotations

import copy

from lxml import etree

from gateway.contracts.messages import Conversation, Party
from gateway.formats import names
from gateway.formats.msghead_write import organisation

_HEAD = f"{{{names.MSGHEAD}}}"
_SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"


def readdress(
    root: etree._Element, *, msg_id: str, conversation: Conversation | None, receiver: Party
) -> bytes:
    """Write a message anew for another receiver.

    Args:
        root: a MsgHead that follows its schema; it is not changed.
        msg_id: the new MsgId.
        conversation: the references that the receiver knows; None: it knows none, and gets none.
        receiver: who gets it, with name and identifier on each level.
    """
    head = _without_signature(root)
    info = head.find(f"{_HEAD}MsgInfo")
    if info is None:
        raise ValueError("a MsgHead has a MsgInfo")
    _text(info, "MsgId", msg_id)
    _refer(info, conversation)
    _address(info, receiver)
    return etree.tostring(head, xml_declaration=True, encoding="UTF-8")


def unsigned(root: etree._Element) -> bytes:
    """Write a message without its signature: what was signed."""
    return etree.tostring(_without_signature(root), xml_declaration=True, encoding="UTF-8")


def _without_signature(root: etree._Element) -> etree._Element:
    head = copy.deepcopy(root)
    for signature in head.findall(_SIGNATURE):
        head.remove(signature)
    return head


def _text(parent: etree._Element, name: str, value: str) -> None:
    element = parent.find(f"{_HEAD}{name}")
    if element is not None:
        element.text = value


def _refer(info: etree._Element, conversation: Conversation | None) -> None:
    reference = info.find(f"{_HEAD}ConversationRef")
    if conversation is None:
        if reference is not None:
            info.remove(reference)
        return
    if reference is None:
        sender = info.find(f"{_HEAD}Sender")
        reference = etree.Element(f"{_HEAD}ConversationRef")
        etree.SubElement(reference, f"{_HEAD}RefToParent")
        etree.SubElement(reference, f"{_HEAD}RefToConversation")
        info.insert(info.index(sender) if sender is not None else len(info), reference)
    _text(reference, "RefToParent", conversation.parent)
    _text(reference, "RefToConversation", conversation.root)


def _address(info: etree._Element, receiver: Party) -> None:
    element = info.find(f"{_HEAD}Receiver")
    if element is None:
        return
    for written in element.findall(f"{_HEAD}Organisation"):
        element.remove(written)
    made = etree.fromstring(f'<Receiver xmlns="{names.MSGHEAD}">{organisation(receiver)}</Receiver>')
    element.extend(made)
