"""What goes out in the place of a sending: the note written anew, or as a person has corrected it."""

from __future__ import annotations

from datetime import datetime

from gateway.contracts.identifiers import derived_id
from gateway.contracts.journal import JournalTransaction
from gateway.contracts.messages import Attachment, Receiver
from gateway.contracts.records import InboundMessage, Sending
from gateway.contracts.registry import Endpoint, Protection, Registry
from gateway.contracts.replays import ReplayMode
from gateway.contracts.states import SendingKind, SendingState
from gateway.contracts.summary import Action, Summary
from gateway.contracts.transport_headers import OSLO
from gateway.contracts.values import replace
from gateway.formats import read_message
from gateway.intake.attachments import TAKEN, taken
from gateway.intake.intake import content_hash
from gateway.pipeline.dispatch import Dispatcher, derived_msg_id
from gateway.pipeline.replay_refusals import ContentPurgedError, ReceiverUnknownError, ResendingError
from gateway.pipeline.revisions import Outgoing
from gateway.routing.parties import endpoint_party
from gateway.security.gate import parse


class Rewriting:
    """Writes anew."""

    def __init__(
        self, registry: Registry, dispatcher: Dispatcher, *, attachment_types: tuple[str, ...] = TAKEN
    ) -> None:
        """The dispatcher writes, checks against the schema, and signs."""
        self._registry = registry
        self._dispatcher = dispatcher
        self._attachment_types = attachment_types

    def anew(
        self,
        transaction: JournalTransaction,
        row: InboundMessage,
        sending: Sending,
        endpoint: Endpoint,
        instead_of: str | None,
        at: datetime,
    ) -> Sending:
        """The note of a sending, written for a receiver by the kept summary.

        Args:
            transaction: tells what else was sent.
            row: the note.
            sending: what it stands for.
            endpoint: who gets it.
            instead_of: id of the sending that it replaces, and has another MsgId than.
            at: its GenDate.

        Raises:
            ContentPurgedError: the note, or its summary, was purged.
            ReceiverUnknownError: the register does not have the hospital.
            ResendingError: what was sent had been corrected by a person.
            LocalError: it can not be written or signed.
        """
        hospital, unit = self._registry.hospital(row.hospital), self._registry.unit(row.unit)
        if hospital is None:
            raise ReceiverUnknownError("the register does not have the hospital that it comes from")
        if row.summary is None or not row.body:
            raise ContentPurgedError
        if any(r.mode is ReplayMode.EDITED for r in transaction.replays_that_made(sending.id)):
            raise ResendingError(
                "a person has corrected it, and the note does not have the correction",
                hint="pakkehjem failed export ID FILE, then pakkehjem failed replay ID --with FILE",
            )
        action = _action(transaction, row, sending)
        summary = Summary.from_json(row.summary)
        if action is Action.CANCEL:
            summary = _cancelled(transaction, row, summary, sending.receiver)
        going = Outgoing(
            endpoint=endpoint,
            summary=summary,
            action=action,
            previous=_previous(transaction, sending),
            answers=sending.answers,
            attachments=self._attachments(row, action),
            instead_of=instead_of,
        )
        return self._dispatcher.sending(row, going, sender=(hospital, unit), at=at)

    def _attachments(self, row: InboundMessage, action: Action) -> tuple[Attachment, ...]:
        if action is Action.CANCEL:
            return ()
        return taken(read_message(parse(row.body)).attachments, self._attachment_types)

    def corrected(
        self, row: InboundMessage, sending: Sending, endpoint: Endpoint, body: bytes, at: datetime
    ) -> Sending:
        """A sending with the content that a person has given it: a new message to the same receiver.

        Ids, addresses and time are the gateway's; format, sender and conversation must be those of the
        sending. It is checked against the schema and signed as everything that goes out.

        Raises:
            PermanentError: the gate, or the format, refuses it.
            ReceiverUnknownError: the register does not have the hospital.
            ResendingError: it is another message.
            LocalError: it does not follow its schema, or can not be signed.
        """
        hospital = self._registry.hospital(row.hospital)
        if hospital is None:
            raise ReceiverUnknownError("the register does not have the hospital that it comes from")
        before, message = read_message(parse(sending.body)), read_message(parse(body))
        head = message.head
        if message.format is not before.format or message.content_root != before.content_root:
            raise ResendingError(f"the corrected message is no {before.format.value} as the sending is")
        if head.sender != before.head.sender or head.conversation != before.head.conversation:
            raise ResendingError("the corrected message has another sender, or another conversation")
        msg_id = derived_id("corrected", sending.id, content_hash(body))
        made_at = at.astimezone(OSLO).replace(microsecond=0)
        addressed = (Receiver(party=endpoint_party(endpoint)), *head.receivers[1:])
        head = replace(
            head, msg_id=msg_id, generated_at=made_at.isoformat(), sent_at=made_at, receivers=addressed
        )
        signed = endpoint.protection is not Protection.CMS
        written, _ = self._dispatcher.written(replace(message, head=head), hospital, signed=signed)
        headers = dict(sending.headers or {}) | {
            "X-MessageInfo-MsgId": msg_id,
            "applicationTimeStamp": made_at.isoformat(timespec="seconds"),
        }
        return replace(
            sending,
            id=derived_id("sending", msg_id),
            state=SendingState.PENDING,
            queue=endpoint.queue,
            msg_id=msg_id,
            conversation_root=head.conversation.root if head.conversation is not None else msg_id,
            body=written,
            headers=headers,
            attempts=0,
            next_attempt_at=at,
            created_at=at,
            delivered_at=None,
            settled_at=None,
            apprec=None,
            error=None,
            fence=0,
        )


def made_at(row: InboundMessage, sending: Sending) -> datetime:
    """GenDate of what was sent."""
    stamp = (sending.headers or {}).get("applicationTimeStamp")
    return datetime.fromisoformat(stamp) if stamp is not None else row.received_at


def _action(transaction: JournalTransaction, row: InboundMessage, sending: Sending) -> Action:
    """What a sending was for its receiver: the derived MsgId of the first attempt tells."""
    before = transaction.replays_that_made(sending.id)
    first_id = before[0].first if before else sending.id
    for each in transaction.sendings(row.id, kinds=(SendingKind.NOTE,)):
        if each.id == first_id:
            for action in Action:
                if each.msg_id == derived_msg_id(row, each.receiver, action):
                    return action
    return row.action


def _previous(transaction: JournalTransaction, sending: Sending) -> Sending | None:
    """The sending that a change or a cancellation refers to, or what has taken its place."""
    parent = (sending.headers or {}).get("X-MessageInfo-RefToParent")
    found = next(iter(transaction.find_sendings(parent)), None) if parent is not None else None
    while found is not None:
        new = [r for r in transaction.replays(found.id) if r.made != found.id]
        if not new:
            break
        found = next((s for s in transaction.sendings(found.inbound_id) if s.id == new[-1].made), None)
    return found


def _cancelled(
    transaction: JournalTransaction, row: InboundMessage, summary: Summary, receiver: str
) -> Summary:
    """What a cancellation says: the note that its receiver had, as ended by the one at hand."""
    earlier = transaction.inbound(row.replaces) if row.replaces is not None else None
    while earlier is not None:
        had = {s.receiver for s in transaction.sendings(earlier.id, kinds=(SendingKind.NOTE,))}
        if receiver in had:
            if earlier.summary is None:
                raise ContentPurgedError
            before = Summary.from_json(earlier.summary)
            return before.model_copy(update={"source": summary.source, "note": summary.note})
        earlier = transaction.inbound(earlier.replaces) if earlier.replaces is not None else None
    return summary
