"""From an accepted note to the message for one receiver: rendered, checked against the schema, signed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from gateway.contracts.errors import LocalError
from gateway.contracts.identifiers import derived_id
from gateway.contracts.messages import Conversation, Format, Message
from gateway.contracts.ports import MessageSigner
from gateway.contracts.records import InboundMessage, Sending
from gateway.contracts.registry import Hospital, HospitalUnit, PartyKind, Protection
from gateway.contracts.states import SendingKind, SendingState
from gateway.contracts.summary import Action
from gateway.contracts.transport_headers import OSLO, transport_headers
from gateway.contracts.values import replace
from gateway.formats import identify, write_message
from gateway.pipeline.revisions import Outgoing
from gateway.rendering import RenderingOrder, render
from gateway.routing.parties import endpoint_party, hospital_party
from gateway.routing.route import choose_format
from gateway.security.gate import parse_own
from schemas import SchemaSet

WITHOUT_ENVELOPE = frozenset({Format.EPIKRISE_1_1, Format.EPIKRISE_1_2})
"""Formats that have no place for a signature"""


_WITHOUT_ATTACHMENTS = frozenset({Format.DIALOGMELDING_1_0})
"""Formats whose receivers take no documents with a note"""


class NoFormatError(LocalError):
    """The receiver accepts no format that this deployment writes."""

    code = "no-format"


class RenderingNotValidError(LocalError):
    """A message of ours does not follow its schema and was not sent."""

    code = "rendering-not-valid"


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchSettings:
    """What a deployment sets."""

    preference: tuple[Format, ...]
    plo_message: str = "UTSKRIVNINGSRAPPORT"
    processing_status: str = "P"
    sign: bool = True


def derived_msg_id(
    inbound: InboundMessage, receiver: str, action: Action, instead_of: str | None = None
) -> str:
    """The MsgId of a message to a receiver (HER-id) for a note; one that replaces a sending has its own."""
    again = () if instead_of is None else (instead_of,)
    return derived_id("note", inbound.sender, inbound.msg_id, receiver, action, *again)


class _Ready(NamedTuple):
    """A sending that was made ahead, and what it was made from."""

    inbound_id: str
    going: Outgoing
    sender: tuple[Hospital, HospitalUnit | None]
    at: datetime
    sending: Sending


class Dispatcher:
    """Makes sendings."""

    def __init__(self, schemas: SchemaSet, signer: MessageSigner, settings: DispatchSettings) -> None:
        """Schemas check what was written, the signer signs it."""
        self._schemas = schemas
        self._signer = signer
        self._settings = settings
        self._ready: dict[str, _Ready] = {}

    def make_ready(
        self,
        inbound: InboundMessage,
        going: Outgoing,
        *,
        sender: tuple[Hospital, HospitalUnit | None],
        at: datetime,
    ) -> Sending:
        """Make a sending ahead of the transaction that decides on it: `sending` gives it, if it is that one.

        Raises:
            LocalError: as `sending`.
        """
        made = self._made(inbound, going, sender, at)
        self._ready[made.msg_id] = _Ready(inbound.id, going, sender, at, made)
        return made

    def forget_ready(self) -> None:
        """What was made ready and not asked for is not wanted."""
        self._ready.clear()

    def sending(
        self,
        inbound: InboundMessage,
        going: Outgoing,
        *,
        sender: tuple[Hospital, HospitalUnit | None],
        at: datetime | None = None,
    ) -> Sending:
        """The message to one receiver, ready for the outbox.

        Args:
            inbound: the hospital's message that it comes from.
            going: what goes to whom.
            sender: the hospital that it is sent for.
            at: when it is made, if not when the note came.

        Raises:
            LocalError: no format, no key, or a rendering that its schema refuses.
        """
        made_at = at or inbound.received_at
        msg_id = derived_msg_id(inbound, going.endpoint.her_id, going.action, going.instead_of)
        ready = self._ready.pop(msg_id, None)
        if ready is not None and ready[:-1] == (inbound.id, going, sender, made_at):
            return ready.sending
        return self._made(inbound, going, sender, made_at)

    def _made(
        self,
        inbound: InboundMessage,
        going: Outgoing,
        sender: tuple[Hospital, HospitalUnit | None],
        made_at: datetime,
    ) -> Sending:
        endpoint = going.endpoint
        chosen = choose_format(endpoint, self._settings.preference)
        if chosen is None:
            raise NoFormatError(hint=f"register: {endpoint.her_id} accepts none of [formats] preference")
        msg_id = derived_msg_id(inbound, endpoint.her_id, going.action, going.instead_of)
        order = self._order(made_at, going, sender, chosen, msg_id)
        if chosen not in _WITHOUT_ATTACHMENTS:
            order = replace(order, attachments=going.attachments)
        message = render(going.summary, order)
        hospital, unit = sender
        body, namespace = self.written(message, hospital, signed=endpoint.protection is not Protection.CMS)
        conversation = order.conversation
        return Sending(
            id=derived_id("sending", msg_id),
            inbound_id=inbound.id,
            kind=SendingKind.NOTE,
            state=SendingState.PENDING,
            receiver=endpoint.her_id,
            receiver_role=endpoint.kind.value,
            queue=endpoint.queue,
            format=chosen.value,
            msg_id=msg_id,
            document_id=order.document_id,
            conversation_root=conversation.root if conversation is not None else msg_id,
            body=body,
            headers=transport_headers(
                from_her_id=unit.her_id if unit is not None else hospital.her_id,
                to_her_id=endpoint.her_id,
                msg_type=message.head.msg_type.value or "",
                msg_id=msg_id,
                at=order.at,
                namespace=namespace,
                sender_levels=(hospital.her_id, unit.her_id if unit is not None else None),
                receiver_levels=(endpoint.organisation_her_id, endpoint.her_id),
                parent=conversation.parent if conversation is not None else None,
                conversation=conversation.root if conversation is not None else None,
                attachments=(len(message.attachments), sum(len(a.content) for a in message.attachments)),
            ),
            answers=going.answers,
            created_at=made_at,
        )

    def _order(
        self,
        at: datetime,
        going: Outgoing,
        sender: tuple[Hospital, HospitalUnit | None],
        chosen: Format,
        msg_id: str,
    ) -> RenderingOrder:
        endpoint, previous = going.endpoint, going.previous
        conversation = None
        document_id = None
        if previous is not None:
            conversation = Conversation(
                parent=previous.msg_id, root=previous.conversation_root or previous.msg_id
            )
            document_id = previous.document_id
        if chosen in WITHOUT_ENVELOPE and document_id is None:
            document_id = derived_id("document", msg_id)
        return RenderingOrder(
            format=chosen,
            msg_id=msg_id,
            at=at.astimezone(OSLO).replace(microsecond=0),
            sender=hospital_party(*sender),
            receiver=endpoint_party(endpoint),
            receiver_is_gp=endpoint.kind is PartyKind.GP,
            document_id=document_id if chosen in WITHOUT_ENVELOPE else None,
            action=going.action,
            conversation=conversation,
            attach_summary=endpoint.attaches_summary,
            processing_status=self._settings.processing_status,
            other=self._settings.plo_message,
        )

    def written(self, message: Message, hospital: Hospital, *, signed: bool) -> tuple[bytes, str]:
        """The bytes of a message, and the namespace of what they hold.

        They are checked against the schema, and signed where the format has a place for it; parsed once.

        Raises:
            LocalError: the message does not follow its schema, or there is no key.
        """
        body = write_message(message)
        root = parse_own(body)
        if not self._schemas.is_valid(root):
            raise RenderingNotValidError(hint="pakkehjem validate tells where; the note is kept")
        identified = identify(root)
        if self._settings.sign and signed and message.format not in WITHOUT_ENVELOPE:
            body = self._signer.sign(body, org_no=hospital.org_no, tree=root)
        return body, identified.content_namespace or identified.namespace or ""
