"""The way in: from bytes to a message that may be acted on, or a refusal that its sender understands.

The order matters: gate (size, parser, structure), format, schema, signature, and only then the content;
after a signature was checked, only what it covers is read.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field
from typing import Literal

from lxml import etree

from gateway.contracts.errors import FormatError, PermanentError
from gateway.contracts.messages import Format, Head, Message
from gateway.contracts.ports import MessageVerifier, Signer
from gateway.contracts.receipts import AppRec, ErrorCode, Fault, fault
from gateway.contracts.values import value
from gateway.formats import Identified, identify, read_apprec, read_head, read_message
from gateway.formats.mend import mend
from gateway.intake.attachments import TAKEN, attachment_faults
from gateway.intake.patient import Profile, identification_faults, profile_faults
from gateway.security.gate import GateRefusedError, Limits, parse, parse_damaged
from gateway.security.signature import has_signature
from schemas import SchemaSet

_APPREC_1_0 = frozenset({Format.PLO_1_5, Format.DIALOGMELDING_1_0, Format.EPIKRISE_1_1})
"""Formats that are answered with AppRec 1.0 (HITS 1168:2016, chapter 8.3)"""


_NO_UUID = fault(ErrorCode.MESSAGE_ID, "MsgId er ikke en UUID.")

_SENTENCES = {
    "message-id": "the MsgId is no UUID",
    "patient-profile": "the patient is no person of this profile: test persons and real ones are kept apart",
    "attachment": "an attachment is of a type that is not taken, or the attachments are too large",
}

_HEAD_BYTES = 128 * 1024
"""How much of a message that is too large is looked at, to find out whom to answer"""


class RefusedError(PermanentError):
    """The message was refused at the way in."""

    code = "refused"

    def __init__(
        self,
        message: str,
        *,
        reason: str,
        faults: tuple[Fault, ...],
        head: Head | None = None,
        format: Format | None = None,  # noqa: A002 - the field's term
    ) -> None:
        """`reason` is a stable code; `head` says who sent it, where that can be told."""
        super().__init__(message, faults=faults)
        self.reason = reason
        self.head = head
        self.format = format


@value
class Opened:
    """A message that passed."""

    identified: Identified
    message: Message | None = None
    apprec: AppRec | None = None
    signer: Signer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakePolicy:
    """What a deployment asks of messages."""

    limits: Limits = field(default_factory=Limits)
    require_signature: frozenset[str] = frozenset()
    """HER-ids of organisations whose messages must be signed"""
    message_id_must_be_uuid: Literal["always", "new-versions", "never"] = "new-versions"
    profile: Profile | None = None
    """Whose patients are taken: real ones (production) or test persons (the others); None: both"""
    attachment_types: tuple[str, ...] | None = TAKEN
    """MIME types of attachments that are taken; None: all (other types are not sent on)"""
    attachment_bytes: int = 10 * 1024 * 1024
    """Of all attachments of a message"""


def content_hash(data: bytes) -> str:
    """SHA-256 of the bytes, hex."""
    return hashlib.sha256(data).hexdigest()


class Intake:
    """Opens messages."""

    def __init__(self, schemas: SchemaSet, verifier: MessageVerifier, policy: IntakePolicy) -> None:
        """Schemas decide what is valid, the verifier who signed."""
        self._schemas = schemas
        self._verifier = verifier
        self._policy = policy

    def open(
        self, data: bytes, *, passes_through: bool = False, protected_by: Signer | None = None
    ) -> Opened:
        """Take a message apart.

        Args:
            data: the message.
            protected_by: who signed it for the way (CMS), which counts as a signature.
            passes_through: it is not read here but sent on as it is (a reply): its receiver judges what it
                holds.

        Raises:
            RefusedError: it can not be taken; faults of code list 8221 and, where it can be read, the head.
        """
        root = self._parse(data)
        identified = identify(root)
        if identified.format is None or not self._schemas.covers(root):
            raise RefusedError(
                "the message is of no format or type that the gateway reads",
                reason="unsupported-format",
                faults=(
                    fault(ErrorCode.NOT_SUPPORTED, "Meldingsformatet eller meldingstypen støttes ikke."),
                ),
                head=read_head(root),
                format=identified.format,
            )
        if not self._schemas.is_valid(root):
            raise self._not_valid(root, identified)
        if identified.envelope == "apprec":
            return Opened(identified=identified, apprec=read_apprec(root))
        signer, root = self._verified(data, root, identified)
        message = self._read(root, identified)
        self._check_sender(message, signer or protected_by)
        self._check_message(message, passes_through=passes_through)
        return Opened(identified=identified, message=message, signer=signer)

    def _parse(self, data: bytes) -> etree._Element:
        try:
            return parse(data, self._policy.limits)
        except GateRefusedError as error:
            damaged = parse_damaged(data, self._policy.limits)
            if damaged is None and len(data) > _HEAD_BYTES:
                damaged = parse_damaged(data[:_HEAD_BYTES], self._policy.limits)
            head = identified = None
            if damaged is not None:
                mend(damaged)
                head, identified = read_head(damaged), identify(damaged)
            raise RefusedError(
                error.message,
                reason=error.reason,
                faults=error.faults,
                head=head,
                format=identified.format if identified is not None else None,
            ) from None

    def _not_valid(self, root: etree._Element, identified: Identified) -> RefusedError:
        found, head = self._schemas.faults(root), read_head(root)
        where = next((f"linje {f.line}, {f.path}" for f in found if f.line), found[0].path if found else "")
        detail = f"Meldingen følger ikke skjemaet ({len(found)} feil). Første: {where}."
        return RefusedError(
            f"the message does not follow its schema: {found[0].message if found else 'not valid'}",
            reason="schema",
            faults=(fault(ErrorCode.NOT_VALID, detail), *self._content_faults(head, identified)),
            head=head,
            format=identified.format,
        )

    def _content_faults(self, head: Head | None, identified: Identified) -> tuple[Fault, ...]:
        """What else is wrong with a message that does not follow its schema, as far as its head tells."""
        if head is None or identified.format is None or identified.envelope == "apprec":
            return ()
        message_id = self._message_id_faults(head, identified.format) if head.msg_id else ()
        return (*message_id, *(identification_faults(head) if head.patient is not None else ()))

    def _verified(
        self, data: bytes, root: etree._Element, identified: Identified
    ) -> tuple[Signer | None, etree._Element]:
        if identified.envelope != "msghead" or not has_signature(root):
            return None, root
        try:
            # Checked as of now: a sender chooses GenDate, and could go back to when a key was good.
            verified = self._verifier.verify(data, tree=root)
        except PermanentError as error:
            raise RefusedError(
                error.message,
                reason=getattr(error, "reason", error.code),
                faults=error.faults,
                head=read_head(root),
                format=identified.format,
            ) from None
        covered = verified.tree
        return verified.signer, parse(verified.signed, self._policy.limits) if covered is None else covered

    @staticmethod
    def _read(root: etree._Element, identified: Identified) -> Message:
        try:
            return read_message(root)
        except FormatError as error:
            raise RefusedError(
                error.message,
                reason=error.code,
                faults=error.faults or (fault(ErrorCode.NOT_SUPPORTED),),
                head=read_head(root),
                format=identified.format,
            ) from None

    def _check_sender(self, message: Message, signer: Signer | None) -> None:
        sender = message.head.sender
        if signer is not None or sender is None:
            return
        if self._policy.require_signature.intersection(sender.her_ids):
            raise RefusedError(
                "the sender's messages must be signed, and this one is not",
                reason="no-signature",
                faults=(fault(ErrorCode.OTHER_SIGNATURE_ERROR, "Meldingen skal være signert."),),
                head=message.head,
                format=message.format,
            )

    def _check_message(self, message: Message, *, passes_through: bool) -> None:
        """What a valid message is refused for, all of it at once: one error for each fault."""
        policy, head = self._policy, message.head
        found = {
            "message-id": self._message_id_faults(head, message.format),
            "patient-profile": profile_faults(head.patient, policy.profile),
        }
        if not passes_through:
            found["attachment"] = attachment_faults(
                message.attachments, types=policy.attachment_types, limit=policy.attachment_bytes
            )
        reason = next((name for name, faults in found.items() if faults), None)
        if reason is None:
            return
        faults = [f for group in found.values() for f in group]
        if not found["patient-profile"]:
            faults += identification_faults(head)
        raise RefusedError(
            _SENTENCES[reason], reason=reason, faults=tuple(faults), head=head, format=message.format
        )

    def _message_id_faults(self, head: Head, message_format: Format) -> tuple[Fault, ...]:
        rule = self._policy.message_id_must_be_uuid
        if rule == "never" or (rule == "new-versions" and message_format in _APPREC_1_0):
            return ()
        return () if _is_uuid(head.msg_id) else (_NO_UUID,)


def _is_uuid(value: str) -> bool:
    try:
        uuid.UUID(value.strip())
    except ValueError:
        return False
    return True
