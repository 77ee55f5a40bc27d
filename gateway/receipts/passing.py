"""A dialogue message passed on: under our own MsgId, with the references that its next reader knows."""

from __future__ import annotations

from datetime import datetime

from lxml import etree

from gateway.contracts.errors import FormatError
from gateway.contracts.identifiers import derived_id
from gateway.contracts.messages import Conversation, Format, Head, Party
from gateway.contracts.ports import MessageSigner
from gateway.contracts.records import InboundMessage, Sending
from gateway.contracts.registry import Endpoint, Registry
from gateway.contracts.states import SendingKind, SendingState
from gateway.contracts.transport_headers import transport_headers
from gateway.contracts.values import replace
from gateway.formats import identify, names
from gateway.formats.dialogue_version import in_version
from gateway.formats.readdress import readdress
from gateway.receipts.originals import original_head
from gateway.routing.parties import endpoint_party, mailbox_party
from gateway.security.gate import parse
from schemas import SchemaSet


def known_references(source: InboundMessage) -> Conversation:
    """A thread as the sender of a message knows it: the message itself, and the first one."""
    return Conversation(parent=source.msg_id, root=source.conversation_root or source.msg_id)


class PassingOn:
    """Writes what goes on."""

    def __init__(self, registry: Registry, signer: MessageSigner, schemas: SchemaSet, *, sign: bool) -> None:
        """To hospitals it is signed with the gateway's own key, to others with the hospital's.

        The schemas check what was written in another version of the Dialogmelding.
        """
        self._registry = registry
        self._schemas = schemas
        self._signer = signer
        self._sign = sign

    def replier(self, reply: InboundMessage) -> Endpoint | None:
        """The municipality or GP that a kept reply came from."""
        stored = original_head(reply)
        sender = stored[0].sender if stored is not None else None
        found = (self._registry.endpoint(her_id) for her_id in (sender.her_ids if sender else ()))
        return next((endpoint for endpoint in found if endpoint is not None), None)

    def to_hospital(
        self,
        row: InboundMessage,
        head: Head,
        mailbox: str,
        *,
        source: InboundMessage | None,
        by_person: bool = False,
        at: datetime | None = None,
    ) -> Sending:
        """A reply to the mailbox of a department, in a version of the Dialogmelding that is read there.

        Where it can not be written in one, it goes as it came: `written_as` tells.

        Args:
            row: the reply.
            head: its head.
            mailbox: HER-id of the mailbox, or of a hospital.
            source: the hospital's message that it is about; None: nobody knows, and it gets no references.
            by_person: a person has chosen the mailbox: it is a message of its own.
            at: when it is made, if not when the reply came.
        """
        hospital = self._registry.hospital(mailbox)
        queue = hospital.record_system_queue if hospital is not None else ""
        return self._passed_on(
            self._readable(row, mailbox),
            head,
            mailbox_party(self._registry, mailbox),
            conversation=known_references(source) if source is not None else None,
            receiver=(mailbox, "hospital", queue),
            msg_id=derived_id("reply", row.sender, row.msg_id, *((mailbox,) if by_person else ())),
            signed_for=None,
            at=at or row.received_at,
        )

    def to_endpoint(
        self,
        row: InboundMessage,
        head: Head,
        endpoint: Endpoint,
        *,
        source: InboundMessage,
        answers: int | None,
    ) -> Sending:
        """A hospital's answer to the party that wrote the reply `source`; its AppRec is passed on."""
        hospital = self._registry.hospital(row.hospital)
        made = self._passed_on(
            row,
            head,
            endpoint_party(endpoint),
            conversation=known_references(source),
            receiver=(endpoint.her_id, endpoint.kind.value, endpoint.queue),
            msg_id=derived_id("answer", row.sender, row.msg_id),
            signed_for=hospital.org_no if hospital is not None else None,
            at=row.received_at,
        )
        return replace(made, answers=answers)

    def written_as(
        self, row: InboundMessage, sending: Sending
    ) -> tuple[str, dict[str, str | int | None]] | None:
        """The event that tells that a reply did not come in what its mailbox reads; None where it did."""
        reads = self._reads(sending.receiver)
        if row.format not in names.DIALOG or row.format in reads:
            return None
        said: dict[str, str | int | None] = {"came": row.format, "reads": " ".join(reads)}
        return ("reply-converted" if sending.format in reads else "reply-not-converted"), said

    def _reads(self, mailbox: str) -> tuple[Format, ...]:
        """The versions of the Dialogmelding that are read at a mailbox; none that the register knows: any."""
        reader = self._registry.unit(mailbox) or self._registry.hospital(mailbox)
        return reader.reads if reader is not None else tuple(names.DIALOG)

    def _readable(self, row: InboundMessage, mailbox: str) -> InboundMessage:
        """A message in a version that is read at a mailbox; as it is, where it can not be."""
        reads = self._reads(mailbox)
        if row.format not in names.DIALOG or row.format in reads:
            return row
        root = parse(row.body)
        for version in reads:
            try:
                made = in_version(root, version)
            except FormatError:
                continue
            if self._schemas.is_valid(made):
                return replace(row, format=version.value, body=etree.tostring(made, encoding="UTF-8"))
        return row

    def _passed_on(
        self,
        row: InboundMessage,
        head: Head,
        party: Party,
        *,
        conversation: Conversation | None,
        receiver: tuple[str, str, str],
        msg_id: str,
        signed_for: str | None,
        at: datetime,
    ) -> Sending:
        her_id, role, queue = receiver
        message = parse(row.body)
        body = readdress(message, msg_id=msg_id, conversation=conversation, receiver=party)
        if self._sign:
            body = self._signer.sign(body, org_no=signed_for)
        sender = head.sender or Party()
        parent, root = (conversation.parent, conversation.root) if conversation is not None else (None, None)
        return Sending(
            id=derived_id("sending", msg_id),
            inbound_id=row.id,
            kind=SendingKind.REPLY,
            state=SendingState.PENDING,
            receiver=her_id,
            receiver_role=role,
            queue=queue,
            format=row.format,
            msg_id=msg_id,
            conversation_root=root or msg_id,
            body=body,
            headers=transport_headers(
                from_her_id=sender.her_id or row.sender,
                to_her_id=her_id,
                msg_type=identify(message).msg_type or "",
                msg_id=msg_id,
                at=at,
                namespace=names.MSGHEAD,
                sender_levels=(sender.organisation.her_id, sender.her_id),
                receiver_levels=(party.organisation.her_id, her_id),
                parent=parent,
                conversation=root,
            ),
            created_at=at,
        )
