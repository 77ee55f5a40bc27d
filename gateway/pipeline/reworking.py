"""A message that could not be worked on, or that nobody could read, tried once more.

From its kept bytes, where the fault was ours (a key, the register, an error of the program): the row in the
inbox stays the same one, with its id and the time at which it came, unless its sender could not be read. From
bytes that a person has corrected: what was received is kept beside what was made of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, cast

from gateway.contracts.errors import GatewayError
from gateway.contracts.identifiers import derived_id
from gateway.contracts.journal import JournalTransaction
from gateway.contracts.ports import Signer
from gateway.contracts.records import Event, InboundMessage
from gateway.contracts.replays import Replay, ReplayMode
from gateway.contracts.states import InboundKind, InboundState
from gateway.formats.readdress import unsigned
from gateway.intake.arrival import Arrival
from gateway.pipeline.reception import SPOOFING, Reception
from gateway.pipeline.replay_refusals import AlreadyResentError, Asked, ContentPurgedError, ResendingError
from gateway.security.gate import parse

_FOR_GOOD = {
    "same-id-other-content": "its MsgId is another message's: ask its sender for one of its own",
    "receipt-from-another-party": "it came from somebody else than it was due from: tell security",
}
_HER_ID_DIGITS = 10


class NotWorkedOnError(ResendingError):
    """It can still not be worked on."""

    code = "not-worked-on"


class Act(Protocol):
    """What decides what becomes of a message."""

    def __call__(self, transaction: JournalTransaction, arrival: Arrival) -> None:
        """Write it."""


def transported_by(arrival: Arrival) -> Mapping[str, str | int | None]:
    """What the transport said of a message, as far as its history keeps it."""
    her_id = (arrival.from_her_id or "").strip()
    known = her_id if her_id.isdecimal() and len(her_id) <= _HER_ID_DIGITS else None
    signer = arrival.protected_by
    return {"from_her_id": known, "protected_by": signer.org_no if signer is not None else None}


class Reworking:
    """Works on messages again."""

    def __init__(self, reception: Reception, act: Act, history: Callable[[str], Sequence[Event]]) -> None:
        """As the flow does it the first time; a message's history tells how it was transported."""
        self._reception = reception
        self._act = act
        self._history = history

    def rework(
        self, transaction: JournalTransaction, message: InboundMessage, asked: Asked
    ) -> InboundMessage:
        """Work on the kept bytes of a message; its row as it stands then.

        Raises:
            AlreadyResentError: this replay was done.
            ContentPurgedError: its bytes were purged.
            NotWorkedOnError: it fails again.
            ResendingError: its state does not allow it.
            TransientError: it can not be tried now.
        """
        row = _current(transaction, message, asked)
        if row.state is not InboundState.FAILED:
            raise ResendingError(f"it has not failed: {row.state.value}")
        if row.reason in _FOR_GOOD:
            raise ResendingError(_FOR_GOOD[row.reason or ""])
        if any(transaction.sendings(row.id)):
            raise ResendingError("it was worked on: replay its sendings")
        if not row.body:
            raise ContentPurgedError
        arrival = self._again(row, row.body, asked)
        if (arrival.sender, arrival.msg_id) == (row.sender, row.msg_id):
            _claim(transaction, row, row.id, asked, ReplayMode.REWORKED)
            self._act(_in_place(transaction, row), arrival)
            return _still(transaction, row)
        if row.msg_id != row.content_hash:
            raise NotWorkedOnError("it reads as another message than it did: its sender or MsgId differ")
        return self._apart(transaction, row, arrival, asked, ReplayMode.REWORKED)

    def correct(
        self, transaction: JournalTransaction, message: InboundMessage, body: bytes, asked: Asked
    ) -> InboundMessage:
        """Work on corrected bytes in the place of those that were received; the row of what came of it.

        A signature is left out: it covers what was received, and a person answers for the correction.

        Raises:
            AlreadyResentError: this replay was done.
            NotWorkedOnError: it can still not be worked on.
            ResendingError: its state does not allow it, or the corrected message is there already.
            TransientError: it can not be tried now.
        """
        row = _current(transaction, message, asked)
        unreadable = row.kind is InboundKind.UNREADABLE and row.state is InboundState.REJECTED
        if (row.state is not InboundState.FAILED and not unreadable) or any(transaction.sendings(row.id)):
            raise ResendingError(f"it was worked on, or answered: {row.state.value}")
        arrival = self._again(row, _without_signature(body), asked)
        if arrival.refused is not None:
            raise NotWorkedOnError(f"the corrected message is refused: {arrival.refused.message}")
        if (arrival.sender, arrival.msg_id) == (row.sender, row.msg_id):
            _set_beside(transaction, row, asked)
            _claim(transaction, row, row.id, asked, ReplayMode.EDITED)
            transaction.update_inbound(row.id, body=arrival.body, content_hash=arrival.content_hash)
            self._act(_in_place(transaction, row), arrival)
            return _still(transaction, row)
        return self._apart(transaction, row, arrival, asked, ReplayMode.EDITED)

    def _apart(
        self,
        transaction: JournalTransaction,
        row: InboundMessage,
        arrival: Arrival,
        asked: Asked,
        mode: ReplayMode,
    ) -> InboundMessage:
        """Under the sender and the MsgId that can be read now: a row of its own; the other one is ended."""
        if transaction.find_inbound(sender=arrival.sender, msg_id=arrival.msg_id) is not None:
            raise ResendingError("a message with this sender and MsgId is there already")
        made_id = derived_id("inbound", arrival.sender, arrival.msg_id)
        self._act(transaction, arrival)
        made = transaction.inbound(made_id)
        if made is None or made.state is InboundState.FAILED:
            raise NotWorkedOnError(f"it fails again: {made.reason}" if made is not None else None)
        _claim(transaction, row, made.id, asked, mode)
        name = "corrected" if mode is ReplayMode.EDITED else "reworked"
        detail: dict[str, str | int | None] = {"of": row.id, "by": asked.by}
        transaction.add_event(Event(inbound_id=made.id, at=asked.at, name=name, detail=detail))
        transaction.update_inbound(row.id, state=InboundState.DISCARDED, reason=name)
        return made

    def _again(self, row: InboundMessage, body: bytes, asked: Asked) -> Arrival:
        transport = next((e.detail or {} for e in self._history(row.id) if e.name == "failed"), {})
        from_her_id, org_no = (_word(transport.get(name)) for name in ("from_her_id", "protected_by"))
        signer = None
        if org_no is not None:
            signer = Signer(subject="", org_no=org_no, serial="", not_after=asked.at)
        arrival = self._reception.again(
            body, queue=row.queue, at=asked.at, from_her_id=from_her_id, protected_by=signer
        )
        if arrival.broken is not None:
            raise NotWorkedOnError(f"it fails again with {arrival.broken}")
        if arrival.refused is not None and arrival.refused.reason == SPOOFING:
            raise NotWorkedOnError("its sender, its transport header and its certificate do not agree")
        return arrival


class _InPlace:
    """A transaction in which a message that is added is written over the row that it had."""

    def __init__(self, transaction: JournalTransaction, row: InboundMessage) -> None:
        self._transaction = transaction
        self._row = row

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - everything else is the transaction's
        return getattr(self._transaction, name)

    def add_inbound(self, message: InboundMessage) -> None:
        if message.id == self._row.id:
            self._transaction.replace_inbound(message)
        else:
            self._transaction.add_inbound(message)


def _in_place(transaction: JournalTransaction, row: InboundMessage) -> JournalTransaction:
    return cast("JournalTransaction", _InPlace(transaction, row))


def _word(value: str | int | None) -> str | None:
    return str(value) if value is not None else None


def _current(transaction: JournalTransaction, message: InboundMessage, asked: Asked) -> InboundMessage:
    done = transaction.replays(message.id)
    for each in done:
        if each.generation == asked.generation:
            raise AlreadyResentError(each)
    row = transaction.inbound(message.id)
    if row is None:
        raise ResendingError("the journal does not have it")
    return row


def _claim(
    transaction: JournalTransaction, row: InboundMessage, made: str, asked: Asked, mode: ReplayMode
) -> None:
    before = transaction.replays_that_made(row.id)
    done = Replay(
        subject=row.id,
        generation=asked.generation or len(transaction.replays(row.id)) + 1,
        inbound_id=row.id,
        mode=mode,
        made=made,
        first=before[0].first if before else row.id,
        error=row.reason,
        by=asked.by,
        at=asked.at,
        run=asked.run,
    )
    if not transaction.add_replay(done):
        raise AlreadyResentError(None)
    detail = {"as": mode.value, "by": done.by, "generation": done.generation, "error": done.error}
    detail |= {"first": done.first, "made": made}
    transaction.add_event(Event(inbound_id=row.id, at=asked.at, name="reworked", detail=detail))


def _still(transaction: JournalTransaction, row: InboundMessage) -> InboundMessage:
    after = transaction.inbound(row.id)
    if after is None or after.state is InboundState.FAILED:
        reason = after.reason if after is not None else None
        raise NotWorkedOnError(f"it fails again: {reason}" if reason else None)
    return after


def _set_beside(transaction: JournalTransaction, row: InboundMessage, asked: Asked) -> None:
    """Keep what was received, beside the row that is worked on with the correction."""
    apart = f"{row.msg_id}#{row.content_hash[:16]}"
    kept = InboundMessage(
        id=derived_id("inbound", row.sender, apart),
        kind=row.kind,
        state=InboundState.DISCARDED,
        queue=row.queue,
        received_at=row.received_at,
        sender=row.sender,
        msg_id=apart,
        content_hash=row.content_hash,
        body=row.body,
        format=row.format,
        hospital=row.hospital,
        unit=row.unit,
        unit_name=row.unit_name,
        reason="corrected",
    )
    transaction.add_inbound(kept)
    for inbound_id, name, other in ((kept.id, "kept-as-received", row.id), (row.id, "corrected", kept.id)):
        transaction.add_event(
            Event(inbound_id=inbound_id, at=asked.at, name=name, detail={"of": other, "by": asked.by})
        )


def _without_signature(body: bytes) -> bytes:
    try:
        return unsigned(parse(body))
    except GatewayError:
        return body  # the gate says at the way in what is wrong with it
