"""A receiver says that it is not there (E20, E21): its register entry is flagged, and looked up again.

Where the register has another address for the note, a new message goes there, once and by itself: at once, or
as soon as the register has changed. Whatever else an entry needs is for those who keep the register.

Source: HIS 80415:2012, chapters 3.3.4 and 6.3 (E20, E21; a negative AppRec is final: only a new message may
follow).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

import structlog

from gateway.contracts.addresses import AddressFault, FaultOutcome
from gateway.contracts.errors import GatewayError, TransientError
from gateway.contracts.journal import JournalTransaction
from gateway.contracts.records import Event, InboundMessage, Sending
from gateway.contracts.registry import Endpoint, PartyKind
from gateway.contracts.states import SendingState
from gateway.contracts.summary import Action

log = structlog.get_logger()

_LEVEL = "X-Receiver-Lvl1Id"


class Readdressing(Protocol):
    """Looks an address up, and sends a new message there."""

    def receiver(self, row: InboundMessage, sending: Sending) -> Endpoint | None:
        """Who gets a note in the place of a sending, by the register of now."""

    def register_state(self) -> int:
        """Another number when any receiver of the register has changed."""

    def readdress(
        self, transaction: JournalTransaction, sending: Sending, endpoint: Endpoint, at: datetime
    ) -> Sending:
        """Put a new message in the place of a sending.

        Raises:
            GatewayError: it can not be done.
        """


class AddressFaults:
    """Flags entries, and sends on where the register knows better."""

    def __init__(self, readdressing: Readdressing) -> None:
        """Who looks up and sends."""
        self._readdressing = readdressing
        self._looked_at: int | None = None
        """The state of the register at the last look"""

    def refused(
        self, transaction: JournalTransaction, sending: Sending, codes: Collection[str], at: datetime
    ) -> bool:
        """Flag the entry that a refused note was sent to; True where a new message takes its place."""
        fault = AddressFault(
            sending_id=sending.id,
            inbound_id=sending.inbound_id,
            receiver=sending.receiver,
            address=address_of(sending),
            codes=" ".join(codes),
            at=at,
        )
        transaction.add_address_fault(fault)
        _tell(
            transaction,
            sending,
            "address-flagged",
            {"receiver": sending.receiver, "codes": fault.codes},
            at,
        )
        log.warning("address-flagged", correlation_id=sending.inbound_id, receiver=sending.receiver)
        return self._look_up(transaction, sending, fault, at)

    def acknowledged(self, transaction: JournalTransaction, sending: Sending, at: datetime) -> None:
        """A receiver has taken something: its entry is right again."""
        if sending.receiver_role != PartyKind.HOSPITAL and sending.created_at is not None:
            transaction.answer_address_faults(sending.receiver, sent_at=sending.created_at, at=at)

    def look_again(self, transaction: JournalTransaction, at: datetime) -> int:
        """Look every flagged entry up again, where the register has changed; how many were sent."""
        state = self._readdressing.register_state()
        if state == self._looked_at:
            return 0
        made = 0
        for fault in transaction.address_faults():
            sendings = transaction.sendings(fault.inbound_id)
            sending = next((s for s in sendings if s.id == fault.sending_id), None)
            if sending is None or sending.state is not SendingState.REFUSED:
                transaction.end_address_fault(fault.sending_id, at=at, outcome=FaultOutcome.ENDED)
                continue
            made += self._look_up(transaction, sending, fault, at)
        self._looked_at = state
        return made

    def _look_up(
        self, transaction: JournalTransaction, sending: Sending, fault: AddressFault, at: datetime
    ) -> bool:
        row = transaction.inbound(sending.inbound_id)
        if row is None or _is_replaced(transaction, row):
            transaction.end_address_fault(fault.sending_id, at=at, outcome=FaultOutcome.ENDED)
            return False
        endpoint = self._readdressing.receiver(row, sending)
        if endpoint is None or address_at(endpoint) == fault.address:
            return False
        if transaction.replays_that_made(sending.id):
            return False  # once: it has been sent again already, and a person must see why that went wrong
        try:
            with transaction.savepoint():
                transaction.end_address_fault(fault.sending_id, at=at, outcome=FaultOutcome.RESENT)
                made = self._readdressing.readdress(transaction, sending, endpoint, at)
        except TransientError:
            raise
        except GatewayError as error:
            log.warning("address-not-used", correlation_id=sending.inbound_id, error=error.code)
            _tell(transaction, sending, "address-not-used", {"error": error.code}, at)
            transaction.end_address_fault(fault.sending_id, at=at, outcome=FaultOutcome.ENDED)
            return False
        log.info("address-found", correlation_id=sending.inbound_id, receiver=made.receiver)
        return True


def address_of(sending: Sending) -> str:
    """The address that a sending went to."""
    organisation = (sending.headers or {}).get(_LEVEL) or sending.receiver
    return f"{organisation}/{sending.receiver} {sending.queue}"


def address_at(endpoint: Endpoint) -> str:
    """The address that the register has."""
    return f"{endpoint.organisation_her_id}/{endpoint.her_id} {endpoint.queue}"


def _is_replaced(transaction: JournalTransaction, row: InboundMessage) -> bool:
    """Whether a change or a cancellation has come: that one is what receivers need."""
    references = [r for r in (row.msg_id, row.conversation_root) if r is not None]
    later = transaction.followers(references, hospital=row.hospital)
    if row.document_id is not None:
        later += transaction.find_inbound_by_document_id(row.document_id, hospital=row.hospital)
    return any(n.id != row.id and n.action is not Action.NEW and n.replaces == row.id for n in later)


def _tell(
    transaction: JournalTransaction,
    sending: Sending,
    name: str,
    detail: dict[str, str | int | None],
    at: datetime,
) -> None:
    transaction.add_event(
        Event(inbound_id=sending.inbound_id, sending_id=sending.id, at=at, name=name, detail=detail)
    )
