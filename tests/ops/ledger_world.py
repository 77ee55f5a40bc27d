"""A gateway that is played by hand: for the tests of the ledger."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from gateway.contracts.findings import Disposition
from gateway.contracts.receipts import ReceiptStatus
from gateway.contracts.records import InboundMessage
from gateway.contracts.states import InboundKind, InboundState
from gateway.contracts.summary import Action
from gateway.ops.simulation.ledger import Entry, Ledger
from gateway.ops.simulation.notes import Note
from gateway.ops.simulation.settlement import Account, Expectation, Settlement
from tests.ops.simulated_world import register, sample_book

MUNICIPALITY, GP = "8910031", "8920031"
"""Of dips/01, dips/05, dips/09"""


def message_id() -> str:
    return str(uuid.uuid4())


class World:
    """A gateway by hand: by default it does everything right."""

    def __init__(self) -> None:
        self.registry = register()
        self.ledger = Ledger(self.registry)
        self.book = sample_book()
        self.expected: dict[str, Expectation] = {}
        self.journal_says: dict[str, tuple[str, ...]] = {}
        self.settlement = Settlement(
            self.ledger,
            self.registry,
            lambda entry: self.expected[entry.note.name],
            lambda inbound_id: self.journal_says[inbound_id],
        )

    def note(self, beginning: str) -> Note:
        index = next(i for i, s in enumerate(self.book.samples) if s.name.startswith(beginning))
        return self.book.note(index, 0)

    def send(
        self,
        beginning: str,
        state: InboundState | None = InboundState.SENDING,
        *,
        receivers: tuple[str, ...] = (MUNICIPALITY, GP),
        disposition: Disposition = Disposition.SEND,
        action: Action = Action.NEW,
        lenient: bool = False,
    ) -> Entry:
        note = self.note(beginning)
        self.expected[note.name] = Expectation(
            disposition=disposition, receivers=receivers, action=action, lenient=lenient
        )
        entry = self.ledger.sent(note, note.body, note.facts.sender[0])
        if state is not None:
            self.decide(entry, state)
        return entry

    def decide(self, entry: Entry, state: InboundState) -> None:
        row = InboundMessage(
            id=f"journal-{entry.position}",
            kind=InboundKind.NOTE,
            state=state,
            queue="pakkehjem_in",
            received_at=datetime.now(UTC),
            sender="",
            msg_id=entry.note.facts.msg_id,
            content_hash=entry.content_hash,
            body=b"",
        )
        self.ledger.decided([row])

    def deliver(
        self, entry: Entry, receiver: str, *, msg_id: str | None = None, content: str | None = None
    ) -> str:
        msg_id = msg_id or message_id()
        says = content or f"{entry.note.name} {receiver}"
        self.ledger.received(receiver, entry.note.facts.patient, msg_id, says)
        return msg_id

    def answer(self, entry: Entry, receiver: str, msg_id: str, status: str = "1") -> None:
        self.ledger.answered(receiver, entry.note.facts.patient, msg_id, ReceiptStatus(status))

    def pass_on(self, entry: Entry, receiver: str, status: str = "1", *, apprec_id: str | None = None) -> str:
        apprec_id = apprec_id or message_id()
        facts = entry.note.facts
        self.ledger.receipt(
            apprec_id=apprec_id,
            status=status,
            original_id=facts.document_id or facts.msg_id,
            issued_at=facts.generated_at,
            sender=(receiver,),
        )
        return apprec_id

    def complete(self, entry: Entry, *receivers: str) -> None:
        for receiver in receivers:
            self.answer(entry, receiver, self.deliver(entry, receiver))
            self.pass_on(entry, receiver)

    def account(self) -> Account:
        return self.settlement.account()
