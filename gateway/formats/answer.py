"""The receipt that a receiver sends for a message: version, addresses and references by the standards.

Source: HIS 80415:2004 and :2012 (AppRec 1.0 and 1.1), HITS 1168:2016, chapters 5, 6 and 8.
"""

from __future__ import annotations

from datetime import datetime

from gateway.contracts.errors import FormatError
from gateway.contracts.messages import CodedValue, Format, Head, Party, Receiver
from gateway.contracts.receipts import AppRec, Fault, OriginalMessage, ReceiptParty, ReceiptStatus
from gateway.contracts.values import replace
from gateway.formats import codes, names
from gateway.formats.times import xml_date_time
from mappings import code_list

_VERSION_1_0 = frozenset((Format.PLO_1_5, Format.DIALOGMELDING_1_0, Format.EPIKRISE_1_1))
_SENDER = CodedValue(value="AVS", name="Avsender")
_RECEIVER_1_0 = CodedValue(value="RECEIVER", name="Mottaker")
_REQUESTER = CodedValue(value="REQ", name="Rekvirent")
_PROVIDER = CodedValue(value="SPR", name="Tjenesteyter")
_EPIKRISE = codes.simple_code("8279", "EPIKRISE")


def answer(
    head: Head,
    format: Format | None,  # noqa: A002 - the field of a message is called so
    *,
    receiver_index: int,
    status: str,
    faults: tuple[Fault, ...] = (),
    id: str,  # noqa: A002 - the element is called so
    at: datetime,
) -> AppRec:
    """The receipt of one receiver that a message names.

    The addresses are those of the message, swapped, with all their identifiers, wrong ones too. A person is
    left out where a unit is there, because then the person merely signs or is responsible.

    Args:
        head: the head of the message that is answered.
        format: its format; for an unknown one (None) the receipt is of version 1.1.
        receiver_index: which of `head.receivers` answers.
        status: a value of 8258. A status 1 carries no fault.
        faults: one for each thing that is wrong.
        id: the receipt's own id, a UUID.
        at: when it is made, with a zone.

    Raises:
        FormatError: the message does not say who sent it, or has no id: there is nobody to answer.
    """
    if head.sender is None or not head.msg_id:
        raise FormatError("The message does not say who sent it, or which message it is.")
    receiver = head.receivers[receiver_index]
    old = format in _VERSION_1_0
    epikrise = format in names.EPIKRISE
    return AppRec(
        version="1.0" if old else "1.1",
        id=id,
        generated_at=at.isoformat(timespec="seconds"),
        sender=ReceiptParty(
            role=_role(receiver, old=old, epikrise=epikrise), party=_mirrored(receiver.party)
        ),
        receiver=ReceiptParty(role=_RECEIVER_1_0 if old else _SENDER, party=_mirrored(head.sender)),
        status=status,
        status_text=code_list("8258").codes.get(status),
        faults=() if status == ReceiptStatus.OK else faults,
        original=OriginalMessage(
            msg_type=_type(head, epikrise=epikrise),
            issued_at=xml_date_time(head.generated_at, head.sent_at or at),
            id=(head.document_id if old and epikrise else None) or head.msg_id,
        ),
    )


def _role(receiver: Receiver, *, old: bool, epikrise: bool) -> CodedValue:
    if receiver.copy:
        return codes.COPY_RECEIVER
    if not old:
        return codes.PRIMARY_RECEIVER
    return _REQUESTER if epikrise else _PROVIDER


def _mirrored(party: Party) -> Party:
    return party if party.unit is None else replace(party, person=None)


def _type(head: Head, *, epikrise: bool) -> CodedValue:
    if head.msg_type.value or head.msg_type.name:
        return head.msg_type
    return _EPIKRISE if epikrise else CodedValue(name="Ukjent")
