"""A damaged MsgHead put right as far as addressing goes: an end tag that is missing hides what follows it.

A parser that recovers puts what follows the damage inside the element that was not closed. Only a negative
receipt is ever addressed by what is found so (HIS 80415:2012, chapter 3.3.4, T01).
"""

from __future__ import annotations

from gateway.formats.element_names import Element
from gateway.formats.xml_reading import child, children

_HEAD = "{http://www.kith.no/xmlstds/msghead/2006-05-24}"


def mend(root: Element) -> None:
    """Move Receiver, OtherReceiver and Document of a MsgHead to where they belong."""
    info = child(root, "MsgInfo")
    if root.tag != f"{_HEAD}MsgHead" or info is None:
        return
    for parent, name in ((info, "Receiver"), (info, "OtherReceiver"), (root, "Document")):
        if next(children(parent, name), None) is None:
            for element in list(root.iterdescendants(f"{_HEAD}{name}")):
                parent.append(element)
