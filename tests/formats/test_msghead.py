from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gateway.contracts.errors import FormatError
from gateway.contracts.messages import CodedValue
from gateway.formats import read_head, read_message
from tests.formats.support import KITH, in_head, parse
from tests.formats.test_identify import trees

_DIALOGUE = f'<Dialogmelding xmlns="{KITH}/dialog/2013-01-23"/>'


def organisation(her_id: str, inner: str = "") -> str:
    return (
        f"<h:Organisation><h:OrganisationName>O{her_id}</h:OrganisationName><h:Ident><h:Id>{her_id}</h:Id>"
        f'<h:TypeId V="HER"/></h:Ident>{inner}</h:Organisation>'
    )


def professional(her_id: str) -> str:
    return (
        f"<h:HealthcareProfessional><h:FamilyName>P</h:FamilyName><h:Ident><h:Id>{her_id}</h:Id>"
        '<h:TypeId V="HER" S="2.16.578.1.12.4.1.1.8116"/></h:Ident></h:HealthcareProfessional>'
    )


def test_parties_on_every_level() -> None:
    info = (
        f"<h:Sender>{organisation('1', organisation('2', organisation('3')) + professional('9'))}</h:Sender>"
        f"<h:Receiver>{organisation('4', organisation('5', professional('6')))}</h:Receiver>"
        f"<h:OtherReceiver><h:RoleReceiver V='COP'/>{organisation('7')}</h:OtherReceiver>"
        f"<h:OtherReceiver><h:RoleReceiver V='OR'/>{professional('8')}</h:OtherReceiver>"
        "<h:OtherReceiver><h:RoleReceiver V='COP'/><h:Patient><h:FamilyName>Selv</h:FamilyName>"
        "</h:Patient></h:OtherReceiver>"
        "<h:OtherReceiver><h:RoleReceiver V='COP'/></h:OtherReceiver>"
    )
    head = read_message(in_head(_DIALOGUE, info=info)).head
    assert head.sender is not None
    assert (head.sender.her_ids, head.sender.her_id) == (("3", "9", "1"), "3")
    assert [(r.party.her_id, r.copy) for r in head.receivers] == [
        ("5", False),
        ("7", True),
        ("8", False),
        (None, True),
    ]
    assert head.receivers[0].party.person is not None
    assert head.receivers[0].party.person.her_id == "6"
    assert head.receivers[3].party.person is not None
    assert head.receivers[3].party.person.family_name == "Selv"
    assert head.primary is head.receivers[0]


def test_the_rest_of_the_head() -> None:
    info = """<h:ProcessingStatus V="D" DN="Debugging"/><h:Ack V="J" DN="Ja"/><h:ConversationRef>
        <h:RefToParent>p</h:RefToParent></h:ConversationRef><h:Patient><h:FamilyName>Havn</h:FamilyName>
        <h:Sex V="2"/><h:Ident><h:Id/><h:TypeId V="FNR "/></h:Ident><h:Address><h:Type V="H"/>
        <h:Postbox>12</h:Postbox></h:Address>
        <h:TeleCom><h:TypeTelecom V="MC"/></h:TeleCom></h:Patient>"""
    head = read_message(in_head(_DIALOGUE, info=info)).head
    assert head.processing_status == CodedValue(value="D", name="Debugging")
    assert head.ack == CodedValue(value="J", name="Ja")
    assert head.conversation is not None
    assert (head.conversation.parent, head.conversation.root) == ("p", "p")
    assert head.patient is not None
    assert [(i.id, i.type) for i in head.patient.identifiers] == [("", "FNR")]
    assert head.patient.address is not None
    assert head.patient.address.street == "12"
    assert head.patient.telecoms == ()


def document(content: str, about: str = "") -> str:
    return f"<h:Document>{about}<h:RefDoc><h:MsgType V='A'/>{content}</h:RefDoc></h:Document>"


def container(data: bytes) -> str:
    text = base64.b64encode(data).decode()
    return (
        f'<h:Content><Base64Container xmlns="{KITH}/base64container">\n{text}\n</Base64Container></h:Content>'
    )


def test_documents_that_go_along() -> None:
    found = read_message(
        in_head(
            _DIALOGUE,
            documents=document(
                "<h:MimeType>image/png</h:MimeType>" + container(b"\x89PNG"),
                "<h:ContentDescription>Bilde</h:ContentDescription>",
            )
            + document(container(b""))
            + document(
                "<h:Description>Se røntgen</h:Description><h:FileReference>https://x/1</h:FileReference>"
            )
            + document(
                f'<h:Content><d:Dialogmelding xmlns:d="{KITH}/dialog/2013-01-23"><d:Notat>'
                f"<d:Tema>To</d:Tema></d:Notat>"
                "</d:Dialogmelding></h:Content>",
                "<h:Annotation>Haster</h:Annotation>",
            ),
        )
    )
    assert [(a.mime_type, a.description, a.content) for a in found.attachments] == [
        ("image/png", "Bilde", b"\x89PNG"),
        ("application/octet-stream", None, b""),
    ]
    assert [t.text for t in found.texts] == ["Se røntgen\nhttps://x/1", "Haster", "To"]


def test_an_attachment_that_is_not_base64() -> None:
    with pytest.raises(FormatError):
        read_message(in_head(_DIALOGUE, documents=document(container(b"abc").replace("YWJj", "YW!j"))))


@pytest.mark.parametrize(
    "root", ["<a/>", f'<AppRec xmlns="{KITH}/apprec/2012-02-15"/>', f'<Message xmlns="{KITH}/epikrise"/>']
)
def test_other_formats_are_refused(root: str) -> None:
    with pytest.raises(FormatError):
        read_message(parse(root))


def test_a_head_without_business_message_can_still_be_read() -> None:
    head = read_head(in_head("<Ukjent/>"))
    assert head is not None
    assert head.msg_id == "9dfb369b-ab13-4fae-a276-55daa05f1119"
    assert head.sent_at is not None


def test_a_head_in_a_wrong_namespace_can_still_be_read() -> None:
    head = read_head(
        parse("<Message><MsgId>7</MsgId><ServRprt><ServProvId>8</ServProvId></ServRprt></Message>")
    )
    assert head is not None
    assert (head.msg_id, head.document_id) == ("7", "8")


@pytest.mark.parametrize(
    "document", ["<a/>", "<MsgHead><MsgInfo/></MsgHead>", "<Message><ServRprt/></Message>"]
)
def test_where_no_head_is_none_is_read(document: str) -> None:
    assert read_head(parse(document)) is None


@given(trees())
def test_read_head_never_raises(root: etree._Element) -> None:
    head = read_head(root)
    assert head is None or head.receivers == ()


@given(trees())
def test_read_message_raises_format_errors_only(root: etree._Element) -> None:
    try:
        read_message(root)
    except FormatError:
        return


@given(st.binary(max_size=200))
def test_any_attachment_comes_back(data: bytes) -> None:
    found = read_message(in_head(_DIALOGUE, documents=document(container(data))))
    assert found.attachments[0].content == data
