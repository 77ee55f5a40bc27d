"""Hodemelding (MsgHead 1.2), written around a business message.

Source: MsgHead-v1_2.xsd; HIS 80601; HIS 1153-2 (two levels); HIS 1036 (attachments are further documents).
"""

from __future__ import annotations

import base64
from functools import lru_cache

from gateway.contracts.errors import FormatError
from gateway.contracts.messages import Attachment, CodedValue, Head, Party, Receiver, Unit
from gateway.formats import codes, names
from gateway.formats import components_write as write
from gateway.formats.components_write import HEAD
from gateway.formats.times import xml_date_time
from gateway.formats.xml_writing import DECLARATION, simple, text, value, wrap

_STATUSES = {
    "P": codes.simple_code("8113", "P"),
    "D": codes.simple_code("8113", "D"),
    "T": codes.simple_code("8113", "T"),
    "TEST": codes.simple_code("8113", "D"),
}
"""ProcessingStatus (8113), also from the status of an epikrise (8323)"""


def write_msghead(head: Head, business: str, attachments: tuple[Attachment, ...]) -> bytes:
    """The whole message as UTF-8 XML, without signature.

    Args:
        head: sender and primary receiver need a name and an identifier on each level.
        business: the business message as an element, with its namespaces.
        attachments: documents that go along.

    Raises:
        FormatError: the head lacks what every message has.
    """
    made_at = issue_time(head)
    primary = head.primary
    sender = "" if head.sender is None else organisation(head.sender)
    receiver = "" if primary is None else organisation(primary.party)
    kind = simple("Type", head.msg_type)
    if not (sender and receiver and kind and head.msg_id.strip()):
        raise FormatError("A message needs its type, an id, a sender and a primary receiver.")
    conversation = head.conversation
    info = (
        kind,
        text("MIGversion", names.MSGHEAD_VERSION),
        text("GenDate", made_at),
        text("MsgId", head.msg_id),
        simple("ProcessingStatus", _STATUSES.get((head.processing_status or CodedValue()).value or "")),
        simple("Ack", head.ack),
        ""
        if conversation is None
        else wrap(
            "ConversationRef",
            text("RefToParent", conversation.parent),
            text("RefToConversation", conversation.root),
        ),
        wrap("Sender", sender),
        wrap("Receiver", receiver),
        "".join(_other(r) for r in head.receivers if r is not primary),
        "" if head.patient is None else wrap("Patient", write.patient(head.patient)),
    )
    reference = wrap(
        "RefDoc",
        value("IssueDate", made_at),
        simple("MsgType", codes.XML_INSTANCE),
        wrap("Content", business),
    )
    document = wrap(
        "MsgHead",
        wrap("MsgInfo", *info),
        wrap("Document", reference),
        "".join(wrap("Document", attached(a)) for a in attachments),
        attributes=f' xmlns="{names.MSGHEAD}"',
    )
    return (DECLARATION + document).encode()


def issue_time(head: Head) -> str:
    """GenDate as an xs:dateTime.

    Raises:
        FormatError: the head has no time.
    """
    if head.sent_at is None:
        raise FormatError("A message needs the time when it was made.")
    return xml_date_time(head.generated_at, head.sent_at)


def attached(attachment: Attachment) -> str:
    """RefDoc of an attachment (MsgHead and epikrise have the same)."""
    content = base64.b64encode(attachment.content).decode("ascii")
    container = text("b:Base64Container", content)
    return wrap(
        "RefDoc",
        simple("MsgType", codes.ATTACHMENT),
        text("MimeType", attachment.mime_type),
        text("Description", attachment.description),
        wrap("Content", container.replace(">", f' xmlns:b="{names.BASE64}">', 1)),
    )


@lru_cache(maxsize=1024)
def organisation(party: Party) -> str:
    """Organisation, with the unit or the person below it; empty if the standard's minimum is missing."""
    if not write.unit_is_complete(party.organisation):
        return ""
    below, person = "", ""
    if party.unit is not None and write.unit_is_complete(party.unit):
        below = wrap("Organisation", _unit(party.unit))
    if party.person is not None and codes.complete(party.person.identifiers):
        person = wrap("HealthcareProfessional", write.person(HEAD, party.person, _role(party)))
    return wrap("Organisation", _unit(party.organisation), below, person)


def _unit(unit: Unit) -> str:
    return write.unit(HEAD, unit, type_first=False)


def _role(party: Party) -> CodedValue | None:
    return party.person.role if party.person is not None else None


def _other(receiver: Receiver) -> str:
    """OtherReceiver: an organisation, or a person alone."""
    party = organisation(receiver.party)
    person = receiver.party.person
    if not party and person is not None and codes.complete(person.identifiers):
        party = wrap("HealthcareProfessional", write.person(HEAD, person, person.role))
    if not party:
        raise FormatError("A copy receiver needs a name and an identifier.")
    role = codes.COPY_RECEIVER if receiver.copy else receiver.role or codes.PRIMARY_RECEIVER
    return wrap("OtherReceiver", simple("RoleReceiver", role), party)
