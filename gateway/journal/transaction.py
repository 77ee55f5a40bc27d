"""Reads and writes of one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, cast

from gateway.contracts.addresses import AddressFault, FaultOutcome
from gateway.contracts.audit import AuditEntry
from gateway.contracts.fail_points import FailPoint, reached
from gateway.contracts.findings import Finding
from gateway.contracts.journal import Ahead
from gateway.contracts.ports import Vault
from gateway.contracts.records import Event, InboundMessage, Receipt, Sending
from gateway.contracts.replays import Replay
from gateway.contracts.states import TRANSITIONS, InboundState, SendingState
from gateway.contracts.values import replace
from gateway.journal import audit_chain, rows
from gateway.journal.errors import DuplicateInboundError, TransitionError, UnknownRowError
from gateway.journal.foreseen import Foreseen
from gateway.journal.reading import SqlReading
from gateway.journal.rows import ADDRESS_FAULT, AUDIT, EVENT, INBOUND, RECEIPT, REPLAY, SENDING, Codec
from gateway.journal.session import Session
from gateway.journal.statements import Statements
from gateway.journal.writing import Writing


def _leads_there(
    known: InboundMessage | Sending, state: InboundState | None, claimed: Sending | None
) -> bool:
    """Whether a row may get a state; and whether it is still the one that was claimed."""
    if isinstance(known, InboundMessage):
        return state is None or known.state is state or state in TRANSITIONS[known.state]
    return claimed is None or (known.state is SendingState.PENDING and known.fence == claimed.fence)


class SqlTransaction(SqlReading):
    """A transaction on a connection; see `gateway.contracts.journal.JournalTransaction`.

    Sendings, events and payloads are gathered and written together, before the next statement that could
    see them.
    """

    def __init__(self, session: Session, statements: Statements, vault: Vault) -> None:
        """On a connection that has begun."""
        self._session = session
        self._statements = statements
        self._vault = vault
        self._writing = Writing(session, statements)
        self._foreseen = Foreseen()
        self.told: list[Event] = []
        """The events of the transaction, for who counts them"""

    @contextmanager
    def savepoint(self, *, gather: bool = False) -> Iterator[None]:
        """What is written inside is undone, alone, if the block raises.

        With `gather`, what was gathered inside may be written after it, together with other rows.
        """
        told = len(self.told)
        try:
            with self._writing.savepoint(gather=gather):
                yield
        except BaseException:
            del self.told[told:]
            self._foreseen.forget()
            raise

    def foresee(self, ahead: Ahead) -> None:
        """Read for a whole group, in a few statements, what each of its messages will ask for."""
        self._foreseen.read(ahead, self._statements.ahead, self._writing.rows)

    def claim(self, now: datetime, *, limit: int, owner: str, lease: timedelta) -> list[Sending]:
        """What is due, and held by nobody else, for this owner until the lease ends."""
        found = self._rows(self._statements.due_and_free, now=rows.to_time(now), limit=limit, owner=owner)
        sendings = [replace(rows.sending(row[:-1], self._vault), alone=row[-1]) for row in found]
        return self.leased([*sendings, *self.probes(now, until=now + lease)], owner=owner, lease=lease)

    def leased(self, sendings: Sequence[Sending], *, owner: str, lease: timedelta) -> list[Sending]:
        """The same, held for this owner until the lease ends."""
        microseconds = lease // timedelta(microseconds=1)
        for each in sendings:
            values = {"row_id": each.id, "owner": owner, "microseconds": microseconds}
            self._writing.gather(self._statements.lease, values)
        self._foreseen.forget()
        return [replace(each, fence=each.fence + 1) for each in sendings]

    def add_inbound(self, message: InboundMessage) -> None:
        """Add a row. (sender, msg_id) is unique.

        Raises:
            DuplicateInboundError: there is such a row.
        """
        payloads, row = self._payloads(message), INBOUND.encode(message)
        if self._foreseen.knows(message.sender, message.msg_id):
            if self._foreseen.by_key(message.sender, message.msg_id) is not None:
                raise DuplicateInboundError
            self._writing.gather(self._statements.add_inbound, row)
        elif self._writing.change(self._statements.add_inbound, row) == 0:
            raise DuplicateInboundError
        else:
            reached(FailPoint.INBOX_WRITTEN)
        self._foreseen.added(message)
        self._put(payloads)
        self._list_findings(message.id, message.findings, rows.to_time(message.received_at))

    def replace_inbound(self, message: InboundMessage) -> None:
        """Write a row anew that could not be worked on: all but its id and when it came.

        Raises:
            TransitionError: its state does not lead there.
            UnknownRowError: there is no such row.
        """
        kept = {"id", "received_at", *INBOUND.payloads}
        values = {name: getattr(message, name) for name in INBOUND.columns if name not in kept}
        self.update_inbound(message.id, **values)
        self._put(self._payloads(message))

    def _payloads(self, message: InboundMessage) -> list[dict[str, Any]]:
        found = {"body": message.body, "summary": message.summary}
        found["facts"] = rows.facts_to_bytes(message.facts) if message.facts is not None else None
        return [self._sealed(INBOUND, message.id, k, v) for k, v in found.items() if v is not None]

    def update_inbound(self, inbound_id: str, **changes: object) -> None:
        """Change fields of a row by name. A `state` that differs must be one that `TRANSITIONS` allows.

        Raises:
            TransitionError: it is not.
            UnknownRowError: there is no such row.
            TypeError: there is no such field.
        """
        state = InboundState(str(changes["state"])) if "state" in changes else None
        if self._change(INBOUND, inbound_id, changes, state):
            if "findings" in changes:
                self._list_findings_anew(inbound_id, cast("Iterable[Finding]", changes["findings"]))
            return
        found = self._rows(self._statements.inbound_state, id=inbound_id)
        if not found:
            raise UnknownRowError
        raise TransitionError(f"A message that is {found[0][0]} can not become {state}.")

    def _list_findings_anew(self, inbound_id: str, findings: Iterable[Finding]) -> None:
        self._writing.change(self._statements.findings.drop, {"inbound_id": inbound_id})
        ((received_at,),) = self._rows(self._statements.findings.received_at, id=inbound_id)
        self._list_findings(inbound_id, findings, received_at)

    def _list_findings(self, inbound_id: str, findings: Iterable[Finding], received_at: int) -> None:
        for code in dict.fromkeys(each.code for each in findings):
            values = {"inbound_id": inbound_id, "code": code, "received_at": received_at}
            self._writing.gather(self._statements.findings.add, values)

    def add_sending(self, sending: Sending) -> None:
        """Add a row to the outbox."""
        payload = self._sealed(SENDING, sending.id, "body", sending.body)
        self._writing.gather(self._statements.add_sending, SENDING.encode(sending))
        self._foreseen.sent(sending)
        self._put([payload])

    def update_sending(self, sending_id: str, **changes: object) -> None:
        """Change fields of a row by name.

        Raises:
            UnknownRowError: there is no such row.
            TypeError: there is no such field.
        """
        if not self._change(SENDING, sending_id, changes, None):
            raise UnknownRowError

    def update_claimed(self, sending: Sending, **changes: object) -> bool:
        """Say what came of a sending that was claimed; False where it is no longer this claim's to say.

        Raises:
            TypeError: there is no such field.
        """
        return self._change(SENDING, sending.id, changes, None, claimed=sending)

    def add_event(self, event: Event) -> None:
        """Add to the history."""
        self.told.append(event)
        self._writing.gather(self._statements.add_event, EVENT.encode(event))

    def add_receipt(self, receipt: Receipt) -> bool:
        """Keep a receipt; False where the sending had one already."""
        answered = self._foreseen.answered(receipt.sending_id)
        if answered is None:
            answered = bool(self._rows(self._statements.receipts, sending_id=receipt.sending_id))
        self._writing.gather(self._statements.add_receipt, RECEIPT.encode(receipt))
        self._foreseen.receipt(receipt.sending_id)
        return not answered

    def record(self, entry: AuditEntry) -> None:
        """Add to the audit log, chained to the entry before it.

        Raises:
            LocalError: the record of where the log ends was tampered with.
        """
        row_id = audit_chain.append(self._session, self._statements.audit, self._vault, entry)
        if entry.reason is not None:
            self._put([self._sealed(AUDIT, row_id, "reason", entry.reason.encode())])

    def add_replay(self, replay: Replay) -> bool:
        """Claim a replay; False, and nothing is written, where somebody has done it already."""
        return bool(self._writing.change(self._statements.replays.add, REPLAY.encode(replay)))

    def replays(self, subject: str) -> list[Replay]:
        """The replays of a sending or an inbound message, oldest first."""
        return [rows.replay(row) for row in self._rows(self._statements.replays.of, subject=subject)]

    def replays_that_made(self, made: str) -> list[Replay]:
        """The replays that a sending or an inbound message came of, oldest first."""
        return [rows.replay(row) for row in self._rows(self._statements.replays.that_made, made=made)]

    def add_address_fault(self, fault: AddressFault) -> None:
        """Flag a register entry; nothing is written where the sending has flagged it already."""
        self._foreseen.flagged(fault.receiver)
        self._writing.change(self._statements.address_faults.add, ADDRESS_FAULT.encode(fault))

    def end_address_fault(self, sending_id: str, *, at: datetime, outcome: FaultOutcome) -> None:
        """End the fault of one sending."""
        values = {"row_id": sending_id, "new_ended_at": rows.to_time(at), "new_outcome": outcome.value}
        self._writing.change(self._statements.address_faults.end, values)

    def answer_address_faults(self, receiver: str, *, sent_at: datetime, at: datetime) -> None:
        """End the faults of an entry whose receiver has acknowledged what was sent to it after them."""
        if self._foreseen.is_not_flagged(receiver):
            return
        values = {
            "her_id": receiver,
            "before": rows.to_time(sent_at),
            "new_ended_at": rows.to_time(at),
            "new_outcome": FaultOutcome.ANSWERED.value,
        }
        self._writing.change(self._statements.address_faults.answer, values)

    def address_faults(self, inbound_id: str | None = None) -> list[AddressFault]:
        """The faults of a note; without one, all that have not ended. Oldest first."""
        s = self._statements.address_faults
        found = self._rows(s.open) if inbound_id is None else self._rows(s.of, message_id=inbound_id)
        return [rows.address_fault(row) for row in found]

    def write_gathered(self) -> None:
        """Write what was gathered.

        Raises:
            LocalError: a row of it is refused.
        """
        self._writing.write()

    def _change(
        self,
        codec: Codec,
        row_id: str,
        changes: Mapping[str, object],
        state: InboundState | None,
        *,
        claimed: Sending | None = None,
    ) -> bool:
        """Whether there is such a row, in a state that leads to this one, or still with this claim."""
        columns = codec.encode_changes({k: v for k, v in changes.items() if k not in codec.payloads})
        payloads = [self._sealed(codec, row_id, k, changes[k]) for k in codec.payloads if k in changes]
        known = self._known(codec, row_id)
        if known is not None:
            if not _leads_there(known, state, claimed):
                return False
            if claimed is not None:
                columns["lease_until"] = 0
            if columns:
                self._writing.gather_change(codec, row_id, columns)
            found = 1
        elif columns or claimed is not None:
            statement = self._statements.change(codec, columns, state, claimed=claimed is not None)
            values: dict[str, Any] = {f"new_{name}": value for name, value in columns.items()}
            values["row_id"] = row_id
            if claimed is not None:
                values["fence"] = claimed.fence
            found = self._writing.change(statement, values)
        else:
            found = len(self._rows(self._statements.exists[codec], id=row_id))
        if found:
            self._put(payloads)
            (self._foreseen.changed if codec is INBOUND else self._foreseen.moved)(row_id, changes)
        return bool(found)

    def _known(self, codec: Codec, row_id: str) -> InboundMessage | Sending | None:
        return self._foreseen.message(row_id) if codec is INBOUND else self._foreseen.sending(row_id)

    def _sealed(self, codec: Codec, row_id: str, name: str, plain: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
        """A payload as it is kept."""
        sealed = None if plain is None else self._vault.seal(plain, context=codec.context(row_id, name))
        return {"row_id": row_id, "part": codec.part(name), "sealed": sealed}

    def _put(self, payloads: Sequence[Mapping[str, Any]]) -> None:
        for payload in payloads:
            self._writing.gather(self._statements.put_content, payload)
