"""Hodemelding (MsgHead 1.2): the head, and the documents that go along.

Source: MsgHead-v1_2.xsd; HIS 80601 (MsgInfo), HIS 1153-2 (addressing on two levels), HIS 1036 (attachments).
"""

from __future__ import annotations

import base64
import binascii

from gateway.contracts.errors import FormatError
from gateway.contracts.messages import (
    Attachment,
    CodedValue,
    Conversation,
    Head,
    Party,
    Receiver,
    TextBlock,
)
from gateway.formats.components_read import (
    read_organisation_party,
    read_patient,
    read_person,
)
from gateway.formats.element_names import Element, local_name
from gateway.formats.times import read_time
from gateway.formats.xml_reading import Reader, child, string_of

COPY = "COP"


def read_msghead(root: Element) -> Head:
    """The head; what is missing stays empty."""
    reader = Reader()
    info = reader.child(root, "MsgInfo")
    generated = reader.text(info, "GenDate") or ""
    patient = reader.child(info, "Patient")
    sender = reader.child(info, "Sender", "Organisation")
    return Head(
        msg_type=reader.coded(info, "Type") or CodedValue(),
        msg_id=reader.text(info, "MsgId") or "",
        generated_at=generated,
        sent_at=read_time(generated),
        processing_status=reader.coded(info, "ProcessingStatus"),
        ack=reader.coded(info, "Ack"),
        conversation=read_conversation(root),
        sender=None if sender is None else read_organisation_party(reader, sender),
        receivers=_receivers(reader, info),
        patient=None if patient is None else read_patient(reader, patient),
    )


def read_conversation(root: Element) -> Conversation | None:
    """ConversationRef; a reference that is missing is taken from the other one."""
    reference = child(root, "MsgInfo", "ConversationRef")
    parent = string_of(child(reference, "RefToParent"))
    first = string_of(child(reference, "RefToConversation"))
    if parent is None and first is None:
        return None
    return Conversation(parent=parent or first or "", root=first or parent or "")


def _receivers(reader: Reader, info: Element | None) -> tuple[Receiver, ...]:
    found: list[Receiver] = []
    organisation = reader.child(info, "Receiver", "Organisation")
    if organisation is not None:
        found.append(Receiver(party=read_organisation_party(reader, organisation)))
    for other in reader.children(info, "OtherReceiver"):
        role = reader.coded(other, "RoleReceiver")
        party = _other_party(reader, other)
        if party is not None:
            copy = role is None or role.value in (COPY, None)
            found.append(Receiver(party=party, copy=copy, role=role))
    return tuple(found)


def _other_party(reader: Reader, other: Element) -> Party | None:
    """OtherReceiver is an organisation, or a person of one of three kinds."""
    organisation = reader.child(other, "Organisation")
    if organisation is not None:
        return read_organisation_party(reader, organisation)
    for name in ("HealthcareProfessional", "Person", "Patient"):
        person = reader.child(other, name)
        if person is not None:
            return Party(person=read_person(reader, person))
    return None


def read_documents(root: Element, business: Element) -> tuple[tuple[TextBlock, ...], tuple[Attachment, ...]]:
    """What goes along with the business message: words on the documents, and attachments.

    Args:
        root: MsgHead.
        business: the business message, which is read elsewhere.

    Raises:
        FormatError: an attachment is not base64.
    """
    texts: list[TextBlock] = []
    attachments: list[Attachment] = []
    reader = Reader()
    reader.done(business)
    for document in reader.children(root, "Document"):
        reader.skip(document, "DocumentConnection", "ContentType", "ContentCategory", "Consent", "FromDate")
        reader.skip(document, "ToDate", "OidRef", "EnquiryRefId")
        reference = reader.child(document, "RefDoc")
        attachment = read_attachment(
            reader, reference, string_of(reader.child(document, "ContentDescription"))
        )
        if attachment is not None:
            attachments.append(attachment)
            reader.skip(document, "ContentDescription")
        texts.extend(reader.unread(document, root))
    return tuple(texts), tuple(attachments)


def read_attachment(reader: Reader, reference: Element | None, label: str | None = None) -> Attachment | None:
    """The base64 container of a RefDoc (MsgHead and epikrise have the same); None where there is none.

    Raises:
        FormatError: it is not base64.
    """
    reader.skip(reference, "IssueDate", "MsgType", "Id", "Compression")
    content = reader.child(reference, "Content")
    container = None if content is None else next(content.iterchildren("*"), None)
    if container is None or local_name(container) != "Base64Container":
        reader.skip(reference, "MimeType")
        return None
    reader.done(content)
    try:
        data = base64.b64decode("".join((string_of(container) or "").split()), validate=True)
    except (binascii.Error, ValueError):
        raise FormatError("An attachment is not base64.") from None
    return Attachment(
        mime_type=reader.text(reference, "MimeType") or "application/octet-stream",
        description=reader.text(reference, "Description") or label,
        content=data,
    )
