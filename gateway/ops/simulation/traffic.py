"""What every counterparty does with messages: opens and checks them, and puts answers on queues."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.contracts.messages import Format, Head, Message
from gateway.contracts.queues import Envelope
from gateway.contracts.receipts import ERROR_TEXTS, AppRec, Fault, ReceiptStatus
from gateway.contracts.transport_headers import OSLO, transport_headers
from gateway.formats import answer, write_apprec
from gateway.intake.intake import Intake, Opened, RefusedError
from gateway.ops.simulation.facts import patient_key
from gateway.ops.simulation.ledger import Wrong

_NAMESPACE = uuid.UUID("0c0d7b0e-8a65-5f0e-a0c1-6a1c1f6f0f4d")
_PERSON_NUMBER = re.compile(r"\d{11}")
_APPREC = {
    "1.0": "http://www.kith.no/xmlstds/apprec/2004-11-21",
    "1.1": "http://www.kith.no/xmlstds/apprec/2012-02-15",
}
_REFUSALS = {"schema": Wrong.SCHEMA, "unsupported-format": Wrong.UNREADABLE}


def _nothing() -> None:
    """Nothing is to be noted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message that a counterparty puts on a queue."""

    queue: str
    envelope: Envelope
    published: Callable[[], None] = _nothing
    """Called once the broker has it"""
    delay_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wronged:
    """A message that can not be accepted."""

    what: Wrong
    msg_id: str


class Opener:
    """Reads and checks what the gateway sends, as a careful receiver would."""

    def __init__(self, intake: Intake, *, must_be_signed: bool, gateway_org_no: str | None) -> None:
        """Prepare.

        Args:
            intake: parses, validates, verifies and reads.
            must_be_signed: whether a MsgHead without a signature is wrong.
            gateway_org_no: whose certificate is good beside the sending hospital's.
        """
        self._intake = intake
        self._must_be_signed = must_be_signed
        self._gateway_org_no = gateway_org_no

    def open(self, envelope: Envelope, sender_org_no: Callable[[Head], str | None]) -> Opened | Wronged:
        """A message that is in order, or what is wrong with it.

        Args:
            envelope: what came.
            sender_org_no: organisation number of the hospital that a head names as its sender.
        """
        try:
            opened = self._intake.open(envelope.body)
        except RefusedError as error:
            signature = any(f.code.startswith("S") for f in error.faults)
            what = Wrong.SIGNATURE if signature else _REFUSALS.get(error.reason, Wrong.UNREADABLE)
            return Wronged(what=what, msg_id=envelope.message_id)
        if opened.message is None or opened.identified.envelope != "msghead" or not self._must_be_signed:
            return opened
        if opened.signer is None:
            return Wronged(what=Wrong.SIGNATURE, msg_id=envelope.message_id)
        allowed = {self._gateway_org_no, sender_org_no(opened.message.head)} - {None}
        if allowed and opened.signer.org_no not in allowed:
            return Wronged(what=Wrong.SIGNER, msg_id=envelope.message_id)
        return opened


def invented_id(*parts: object) -> str:
    """The same id for the same parts."""
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join(map(str, parts))))


def now() -> datetime:
    """The clock, to the second, as Norwegian time."""
    return datetime.now(UTC).astimezone(OSLO).replace(microsecond=0)


def patient_of(head: Head) -> str:
    """What tells the patient of a message from others (`facts.patient_key`)."""
    patient = head.patient
    if patient is None:
        return ""
    numbers = (i.id.strip() for i in patient.identifiers)
    number = next((n for n in numbers if _PERSON_NUMBER.fullmatch(n)), None)
    names = (patient.given_name, patient.middle_name, patient.family_name, patient.name)
    return patient_key(number, " ".join(n for n in names if n), patient.birth_date)


def fingerprint(message: Message) -> str:
    """A hash of what a message says and what it follows: equal for two messages about the same note."""
    conversation = message.head.conversation
    parts: Iterable[object] = (
        message.format,
        message.action,
        conversation.parent if conversation is not None else "",
        message.subject,
        *((t.heading.value if t.heading is not None else "", t.text) for t in message.texts),
        message.canonical or "",
    )
    return hashlib.sha256(repr(tuple(parts)).encode()).hexdigest()


def receipt(
    head: Head,
    message_format: Format,
    *,
    queue: str,
    to_her_id: str,
    apprec_id: str,
    error: str | None = None,
    published: Callable[[], None] = _nothing,
    delay_seconds: float = 0.0,
) -> Outgoing:
    """The AppRec of the (first) receiver of a message, on its way.

    Args:
        head: of the message that is answered.
        message_format: decides the version of the receipt.
        queue: where its sender reads.
        to_her_id: the communication party of its sender.
        apprec_id: Id of the receipt.
        error: code of list 8221 of a negative one.
        published: called once the broker has it.
        delay_seconds: how long it waits before it is sent.
    """
    faults: tuple[Fault, ...] = ()
    if error is not None:
        faults = (Fault(code=error, text=ERROR_TEXTS[error], detail="Svar fra simulert mottaker."),)
    status = ReceiptStatus.OK if error is None else ReceiptStatus.REJECTED
    apprec: AppRec = answer(
        head, message_format, receiver_index=0, status=status.value, faults=faults, id=apprec_id, at=now()
    )
    party, sender = head.receivers[0].party, head.sender
    envelope = Envelope(
        body=write_apprec(apprec),
        message_id=apprec_id,
        headers=transport_headers(
            from_her_id=party.her_id or "",
            to_her_id=to_her_id,
            msg_type="APPREC",
            msg_id=apprec_id,
            at=now(),
            namespace=_APPREC[apprec.version],
            sender_levels=(party.organisation.her_id, party.her_id),
            receiver_levels=(sender.organisation.her_id if sender is not None else None, to_her_id),
            original_msg_id=head.msg_id,
            original_msg_type=head.msg_type.value,
        ),
    )
    return Outgoing(queue=queue, envelope=envelope, published=published, delay_seconds=delay_seconds)
