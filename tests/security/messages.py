"""A MsgHead message to sign, and the tools to tamper with it."""

from __future__ import annotations

from collections.abc import Callable

from lxml import etree

from gateway.security.signature_structure import DS, MSGHEAD

PATIENT = ("Kari Canary Nordmann", "13116900216", "90000011")
"""Nothing of this may be seen outside a message"""

MESSAGE = f"""<?xml version="1.0" encoding="UTF-8"?>
<MsgHead xmlns="{MSGHEAD}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xsi:schemaLocation="{MSGHEAD} MsgHead-v1_2.xsd">
  <MsgInfo>
    <Type V="DIALOG_NOTAT" DN="Notat"/>
    <!-- a comment -->
    <MsgId>9dfb369b-ab13-4fae-a276-55daa05f1119</MsgId>
    <Patient><Name>{PATIENT[0]}</Name><Ident><Id>{PATIENT[1]}</Id></Ident>
      <TeleCom V="{PATIENT[2]}"/></Patient>
  </MsgInfo>
  <Document><RefDoc><Content>
    <p:Note xmlns:p="urn:note" p:at="1&#10;2">Blåbær &amp; rømme &lt;3 &#13; <![CDATA[<raw>]]></p:Note>
  </Content></RefDoc></Document>
</MsgHead>
""".encode()

NAMESPACES = {"ds": DS, "mh": MSGHEAD}

Change = Callable[[etree._Element, etree._Element], None]
"""Gets the root and the Signature"""


def tampered(signed: bytes, change: Change) -> bytes:
    root = etree.fromstring(signed)
    signature = root.find("ds:Signature", NAMESPACES)
    assert signature is not None
    change(root, signature)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def find(element: etree._Element, path: str) -> etree._Element:
    """An element by a path of local names in xmldsig."""
    found = element.find("/".join(f"ds:{name}" for name in path.split("/")), NAMESPACES)
    assert found is not None
    return found


def ds(name: str, **attributes: str) -> etree._Element:
    return etree.Element(f"{{{DS}}}{name}", attrib=attributes)


def assert_tells_nothing(error: BaseException) -> None:
    """Neither the error nor what a traceback would show besides may name the patient."""
    seen: BaseException | None = error
    while seen is not None:
        said = " ".join(map(str, (seen, seen.args, vars(seen))))
        assert not [value for value in PATIENT if value in said]
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
