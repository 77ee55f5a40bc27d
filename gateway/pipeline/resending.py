"""A sending once more: the same message on its way again, or a new message in its place.

*The same*: MsgId and content stay, and so do the bytes where nothing has to change: queue, address, signature
and protection are those of now (the protection is put on when it leaves). For what was never confirmed, or
never answered: a receiver that has it already drops the repeat.

*A new one*: MsgId of its own, written anew from the kept summary and signed, for the receiver that the
register has now. For what the receiver has refused, which is final (HIS 80415:2012, chapter 3.3.4). The
refused one is closed, and stays in the history with its error.

Each replay is claimed in the journal: who comes second is told who was first.
"""

from __future__ import annotations

from datetime import datetime

from gateway.contracts.addresses import FaultOutcome
from gateway.contracts.journal import JournalTransaction
from gateway.contracts.ports import MessageSigner
from gateway.contracts.records import Event, InboundMessage, Sending
from gateway.contracts.registry import Endpoint, PartyKind, Protection, Registry
from gateway.contracts.replays import Replay, ReplayMode
from gateway.contracts.states import SendingKind, SendingState
from gateway.contracts.summary import Summary
from gateway.contracts.values import replace
from gateway.formats.readdress import unsigned
from gateway.intake.records import add_sending
from gateway.pipeline.dispatch import WITHOUT_ENVELOPE
from gateway.pipeline.replay_refusals import (
    AlreadyResentError,
    Asked,
    ContentPurgedError,
    ReceiverUnknownError,
    ResendingError,
)
from gateway.pipeline.rewriting import Rewriting, made_at
from gateway.receipts.states import STEPS, SendingEvent, settle
from gateway.routing.route import find_route
from gateway.security.gate import parse

_SIGNED = (SendingKind.NOTE, SendingKind.REPLY, SendingKind.DEVIATION)
_OPEN = frozenset({SendingState.FAILED, SendingState.REFUSED, SendingState.OVERDUE})
_WHY_NOT = {
    SendingState.PENDING: "it is in the outbox, and goes out by itself",
    SendingState.ACKNOWLEDGED: "its receiver has acknowledged it",
    SendingState.REFUSED: "its receiver has refused it for good: only a new message can take its place",
    SendingState.DISCARDED: "it was ended, or a new message has taken its place",
    SendingState.DELIVERED: "its receiver has it, and may still answer",
}


class Resending:
    """Sends again."""

    def __init__(
        self,
        registry: Registry,
        rewriting: Rewriting,
        signer: MessageSigner,
        *,
        sign: bool = True,
    ) -> None:
        """One writes what is new, the other signs anew what is the same."""
        self._registry = registry
        self._rewriting = rewriting
        self._signer = signer
        self._sign = sign

    def mode(self, row: InboundMessage, sending: Sending) -> ReplayMode:
        """The same message; a new one where that is refused, or its receiver has another address now."""
        if sending.state is SendingState.REFUSED:
            return ReplayMode.NEW
        if sending.kind is SendingKind.NOTE and self._registry.endpoint(sending.receiver) is None:
            return ReplayMode.NEW if self.receiver(row, sending) is not None else ReplayMode.SAME
        return ReplayMode.SAME

    def receiver(self, row: InboundMessage, sending: Sending) -> Endpoint | None:
        """Who gets a new message in the place of a sending, by the register of now."""
        if sending.receiver_role == PartyKind.MUNICIPALITY:
            by_home = self._registry.municipality(row.municipality)
            return by_home or self._registry.endpoint(sending.receiver)
        known = self._registry.endpoint(sending.receiver)
        if known is not None or row.summary is None:
            return known
        return find_route(Summary.from_json(row.summary), self._registry).gp

    def resend(
        self,
        transaction: JournalTransaction,
        sending: Sending,
        asked: Asked,
        *,
        as_new: bool,
        endpoint: Endpoint | None = None,
    ) -> Sending:
        """Put a sending in the outbox again; what lies there now.

        Args:
            transaction: of the journal; writers take turns.
            sending: which one.
            asked: who asked.
            as_new: a new message in its place.
            endpoint: who gets the new one, where that is not whom the register has for the note.

        Raises:
            AlreadyResentError: this replay was done.
            ContentPurgedError: there is nothing left to send.
            ReceiverUnknownError: the register has no such receiver.
            ResendingError: its state, or its kind, does not allow it.
            LocalError: it can not be written or signed.
        """
        row, found = transaction.inbound(sending.inbound_id), self._current(transaction, sending)
        if row is None:
            raise ResendingError("the journal does not have its message")
        self._generation(transaction, found, asked)
        if as_new:
            made = self._new(transaction, row, found, asked, endpoint)
        else:
            made = self._same(transaction, row, found)
        return self.replaced(
            transaction, found, made, asked, mode=ReplayMode.NEW if as_new else ReplayMode.SAME
        )

    def register_state(self) -> int:
        """Another number when any receiver of the register has changed."""
        return hash(self._registry.endpoints)

    def readdress(
        self, transaction: JournalTransaction, sending: Sending, endpoint: Endpoint, at: datetime
    ) -> Sending:
        """Put a new message to another address in the place of a sending, because the register has changed.

        Raises:
            ResendingError, LocalError: as `resend`.
        """
        asked = Asked(by="schedule", at=at)
        return self.resend(transaction, sending, asked, as_new=True, endpoint=endpoint)

    def correct(
        self, transaction: JournalTransaction, sending: Sending, body: bytes, asked: Asked
    ) -> Sending:
        """Send a note again as a person has corrected it; both versions are kept.

        Raises:
            AlreadyResentError: this replay was done.
            PermanentError: the gate, or the format, refuses the corrected message.
            ResendingError: its state or kind does not allow it, or it is another message.
            LocalError: it does not follow its schema, or can not be signed.
        """
        row, found = transaction.inbound(sending.inbound_id), self._current(transaction, sending)
        if row is None or found.kind is not SendingKind.NOTE:
            raise ResendingError("only a note can be corrected")
        self._generation(transaction, found, asked)
        self.check_open(found)
        endpoint = self._registry.endpoint(found.receiver)
        if endpoint is None:
            raise ReceiverUnknownError(f"the register has no receiver {found.receiver}")
        if not found.body:
            raise ContentPurgedError
        made = self._rewriting.corrected(row, found, endpoint, body, asked.at)
        return self.replaced(transaction, found, made, asked, mode=ReplayMode.EDITED)

    def replaced(
        self,
        transaction: JournalTransaction,
        sending: Sending,
        made: Sending,
        asked: Asked,
        *,
        mode: ReplayMode,
    ) -> Sending:
        """Claim a replay, put what was made in the outbox, and tell it in the history.

        Raises:
            AlreadyResentError: this replay was done.
        """
        generation = self._generation(transaction, sending, asked)
        before = transaction.replays_that_made(sending.id)
        claimed = Replay(
            subject=sending.id,
            generation=generation,
            inbound_id=sending.inbound_id,
            mode=mode,
            made=made.id,
            first=before[0].first if before else sending.id,
            error=error_of(sending),
            by=asked.by,
            at=asked.at,
            run=asked.run,
        )
        if not transaction.add_replay(claimed):
            raise AlreadyResentError(None)
        _tell(transaction, claimed, sending)
        if mode is ReplayMode.SAME:
            made = self._again(transaction, sending, made, asked.at)
        else:
            self._close(transaction, sending, asked.at)
            add_sending(transaction, made, asked.at)
        settle(transaction, sending.inbound_id, asked.at)
        return made

    def _generation(self, transaction: JournalTransaction, sending: Sending, asked: Asked) -> int:
        done = transaction.replays(sending.id)
        if asked.generation is None:
            return len(done) + 1
        for each in done:
            if each.generation == asked.generation:
                raise AlreadyResentError(each)
        return asked.generation

    @staticmethod
    def _current(transaction: JournalTransaction, sending: Sending) -> Sending:
        for each in transaction.sendings(sending.inbound_id):
            if each.id == sending.id:
                return each
        raise ResendingError("the journal does not have it")

    # --- the same message ----------------------------------------------------------------------------

    def _same(self, transaction: JournalTransaction, row: InboundMessage, sending: Sending) -> Sending:
        if STEPS[sending.state, SendingEvent.RESENT].told is None:
            raise ResendingError(_WHY_NOT[sending.state])
        if not sending.body:
            raise ContentPurgedError
        if sending.kind is SendingKind.FAULT:
            return sending
        if sending.receiver_role == PartyKind.HOSPITAL:
            hospital = self._registry.hospital(sending.receiver)
            if hospital is None:
                raise ReceiverUnknownError(f"the register has no hospital or mailbox {sending.receiver}")
            return self._signed_anew(replace(sending, queue=hospital.record_system_queue), None)
        endpoint = self._registry.endpoint(sending.receiver)
        if endpoint is None:
            raise ReceiverUnknownError(
                f"the register has no receiver {sending.receiver}", hint="pakkehjem register lookup finds it"
            )
        if sending.kind is SendingKind.NOTE and _must_be_written_anew(sending, endpoint):
            before = transaction.replays_that_made(sending.id)
            instead_of = before[0].subject if before else None
            made = self._rewriting.anew(
                transaction, row, sending, endpoint, instead_of, made_at(row, sending)
            )
            if made.msg_id != sending.msg_id:
                raise ResendingError("its receiver no longer reads it, and it can not be written as it was")
            return made
        hospital = self._registry.hospital(row.hospital)
        return self._signed_anew(
            replace(sending, queue=endpoint.queue),
            hospital.org_no if hospital is not None else None,
            protection=endpoint.protection,
        )

    def _signed_anew(
        self, sending: Sending, org_no: str | None, *, protection: Protection = Protection.SIGNATURE
    ) -> Sending:
        """With the key and the certificate of now: the same bytes where they are the same."""
        if sending.kind not in _SIGNED or sending.format in WITHOUT_ENVELOPE:
            return sending
        body = unsigned(parse(sending.body))
        if sending.kind is SendingKind.NOTE:
            signed = self._sign and protection is not Protection.CMS
        else:
            signed = self._sign
        return replace(sending, body=self._signer.sign(body, org_no=org_no) if signed else body)

    @staticmethod
    def _again(transaction: JournalTransaction, before: Sending, made: Sending, at: datetime) -> Sending:
        changes: dict[str, object] = {
            "state": SendingState.PENDING,
            "queue": made.queue,
            "format": made.format,
            "headers": made.headers,
            "attempts": 0,
            "created_at": at,
            "next_attempt_at": at,
            "settled_at": None,
            "error": None,
        }
        if made.body != before.body:
            changes["body"] = made.body
        transaction.update_sending(before.id, **changes)
        return replace(before, state=SendingState.PENDING, queue=made.queue, body=made.body, created_at=at)

    # --- a new message -------------------------------------------------------------------------------

    def _new(
        self,
        transaction: JournalTransaction,
        row: InboundMessage,
        sending: Sending,
        asked: Asked,
        endpoint: Endpoint | None,
    ) -> Sending:
        if sending.kind is not SendingKind.NOTE:
            raise ResendingError(
                f"a {sending.kind.value} can not be written anew",
                hint="a reply goes to another mailbox with: pakkehjem replies send-on ID --to MAILBOX"
                if sending.kind is SendingKind.REPLY
                else None,
            )
        self.check_open(sending)
        if row.summary is None or not row.body:
            raise ContentPurgedError
        endpoint = endpoint or self.receiver(row, sending)
        if endpoint is None:
            raise ReceiverUnknownError(
                f"the register has no receiver {sending.receiver}, and none in its place",
                hint="pakkehjem register lookup finds it",
            )
        self._check_not_theirs(transaction, sending, endpoint)
        return self._rewriting.anew(transaction, row, sending, endpoint, sending.id, asked.at)

    @staticmethod
    def check_open(sending: Sending) -> None:
        """Whether a new message may take the place of a sending.

        Raises:
            ResendingError: it is on its way, or has arrived, or was ended.
        """
        if sending.state not in _OPEN:
            raise ResendingError(_WHY_NOT[sending.state])

    @staticmethod
    def _check_not_theirs(transaction: JournalTransaction, sending: Sending, endpoint: Endpoint) -> None:
        """Nobody gets a note twice."""
        for other in transaction.sendings(sending.inbound_id, kinds=(SendingKind.NOTE,)):
            has_it = other.state not in _OPEN and other.state is not SendingState.DISCARDED
            if other.id != sending.id and other.receiver == endpoint.her_id and has_it:
                raise ResendingError(f"{endpoint.her_id} has the note already, or is about to get it")

    @staticmethod
    def _close(transaction: JournalTransaction, sending: Sending, at: datetime) -> None:
        """End what a new message stands for; the receiver's answer, or the error, stays with it."""
        step = STEPS[sending.state, SendingEvent.CLOSED]
        transaction.update_sending(sending.id, state=step.state, settled_at=sending.settled_at or at)
        transaction.end_address_fault(sending.id, at=at, outcome=FaultOutcome.ENDED)


def error_of(sending: Sending) -> str:
    """What a sending has failed with: the receiver's answer, the code of the last attempt, or its state."""
    if sending.state is SendingState.REFUSED and sending.apprec is not None:
        return sending.apprec
    return sending.error or sending.state.value


def _tell(transaction: JournalTransaction, done: Replay, sending: Sending) -> None:
    transaction.add_event(
        Event(
            inbound_id=sending.inbound_id,
            sending_id=sending.id,
            at=done.at,
            name="resent",
            detail={
                "receiver": sending.receiver,
                "as": done.mode.value,
                "by": done.by,
                "generation": done.generation,
                "error": done.error,
                "first": done.first,
                "made": done.made,
            },
        )
    )


def _must_be_written_anew(sending: Sending, endpoint: Endpoint) -> bool:
    """Whether the receiver no longer reads the format, or belongs to another organisation."""
    formats = {each.value for each in endpoint.accepts}
    organisation = (sending.headers or {}).get("X-Receiver-Lvl1Id")
    return sending.format not in formats or organisation != endpoint.organisation_her_id
