"""Replays by the dozen: planned, done in small transactions, each audited; an interrupted run goes on.

A dry run does everything that the run does, in transactions that are undone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from gateway.contracts.audit import DONE, AuditAction
from gateway.contracts.errors import EXIT_NO, GatewayError, TransientError
from gateway.contracts.failures import Failure
from gateway.contracts.journal import JournalTransaction
from gateway.contracts.ports import Vault
from gateway.contracts.records import InboundMessage, Sending
from gateway.contracts.replays import Planned, ReplayMode, ReplayRun
from gateway.journal.sql_journal import SqlJournal
from gateway.ops.auditing import audit_entry, login_name
from gateway.ops.configuration import Configuration
from gateway.pipeline.replay_refusals import AlreadyResentError, Asked, ResendingError

if TYPE_CHECKING:
    from gateway.pipeline.resending import Resending
    from gateway.pipeline.reworking import Reworking

_BATCH = 20
"""Replays of one transaction: the service works on in between"""


class NoSuchRunError(GatewayError):
    """There is no interrupted replay with this id."""

    code = "no-such-run"
    exit_code = EXIT_NO


class _UndoneError(Exception):
    """Ends a transaction of a dry run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one replay."""

    planned: Planned
    receiver: str | None = None
    """HER-id; None: a message was worked on"""
    result: str
    """`pending` and the other states of what was made, `already`, or the code of the refusal"""
    made: str | None = None
    """Id of what came of it; None: nothing did"""
    why: str | None = None
    hint: str | None = None

    @property
    def done(self) -> bool:
        """Whether it was replayed, now."""
        return self.made is not None

    @property
    def already(self) -> bool:
        """Whether somebody else, or an earlier run, has done it."""
        return self.result == AlreadyResentError.code

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "id": self.planned.inbound_id,
            "sending": self.planned.subject if self.planned.subject != self.planned.inbound_id else None,
            "receiver": self.receiver,
            "as": self.planned.mode.value,
            "generation": self.planned.generation,
            "result": self.result,
            "made": self.made,
            "why": self.why,
        }


@dataclass(slots=True, kw_only=True)
class Tally:
    """How a run stands."""

    planned: int
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def replayed(self) -> int:
        """How many were, now."""
        return sum(o.done for o in self.outcomes)

    @property
    def already(self) -> int:
        """How many were before."""
        return sum(o.already for o in self.outcomes)

    @property
    def refused(self) -> list[Outcome]:
        """Those that could not be."""
        return [o for o in self.outcomes if not o.done and not o.already]


class Replayer:
    """Plans, and does what was planned."""

    def __init__(self, journal: SqlJournal, resending: Resending, reworking: Reworking) -> None:
        """In a journal that services may work on meanwhile."""
        self._journal = journal
        self._resending = resending
        self._reworking = reworking

    def plan(self, failures: Sequence[Failure], *, mode: ReplayMode | None = None) -> list[Planned]:
        """What is to be done about failures, the oldest first.

        Args:
            failures: which.
            mode: the same message or a new one; None: the same, unless its receiver has refused it or moved.
        """
        counts = self._journal.failed.replay_counts([each.id for each in failures])
        return [
            Planned(
                subject=each.id,
                inbound_id=each.message.id,
                mode=self._mode(each, mode),
                generation=counts.get(each.id, 0) + 1,
            )
            for each in failures
        ]

    def _mode(self, failure: Failure, asked: ReplayMode | None) -> ReplayMode:
        if failure.sending is None:
            return ReplayMode.REWORKED
        return asked or self._resending.mode(failure.message, failure.sending)

    def begin(self, planned: Sequence[Planned]) -> ReplayRun:
        """Keep a plan, so that it can be gone on with."""
        run = ReplayRun(id=str(uuid4()), at=datetime.now(UTC), by=login_name(), planned=tuple(planned))
        self._journal.failed.add_run(run)
        return run

    def interrupted(self, run_id: str) -> ReplayRun:
        """The unfinished run whose id begins so.

        Raises:
            NoSuchRunError: there is none, or more than one.
        """
        found = self._journal.failed.runs(run_id=run_id, unfinished=True)
        if len(found) != 1:
            raise NoSuchRunError(
                f"no interrupted replay, or more than one, has an id that begins with {run_id}",
                hint="pakkehjem failed list names them",
            )
        return found[0]

    def carry_out(
        self, planned: Sequence[Planned], *, run: str | None, reason: str | None = None, dry_run: bool = False
    ) -> Iterator[Outcome]:
        """Do it, or all of it but the end; what came of each, in the order of the plan."""
        for begin in range(0, len(planned), _BATCH):
            outcomes: list[Outcome] = []
            with suppress(_UndoneError), self._journal.transaction() as transaction:
                for each in planned[begin : begin + _BATCH]:
                    outcomes.append(self._one(transaction, each, run))
                    if not outcomes[-1].already:
                        self._record(transaction, outcomes[-1], run, reason)
                if dry_run:
                    raise _UndoneError
            yield from outcomes

    def finish(self, run: ReplayRun) -> None:
        """Say that there is nothing more to do in it."""
        self._journal.failed.finish_run(run.id, datetime.now(UTC))

    def correct(self, failure: Failure, body: bytes, *, reason: str | None = None) -> Outcome:
        """Replay one with the content that a person has given it.

        Raises:
            GatewayError: it is refused; nothing was done.
        """
        planned = replace(self.plan([failure])[0], mode=ReplayMode.EDITED)
        asked = Asked(by=login_name(), at=datetime.now(UTC), generation=planned.generation)
        with self._journal.transaction() as transaction:
            if failure.sending is not None:
                made = self._resending.correct(transaction, failure.sending, body, asked)
                outcome = _sent(planned, made)
            else:
                outcome = _worked_on(
                    planned, self._reworking.correct(transaction, failure.message, body, asked)
                )
            self._record(transaction, outcome, None, reason)
        return outcome

    def _one(self, transaction: JournalTransaction, planned: Planned, run: str | None) -> Outcome:
        asked = Asked(by=login_name(), at=datetime.now(UTC), generation=planned.generation, run=run)
        receiver = None
        try:
            with transaction.savepoint():
                if planned.mode is ReplayMode.REWORKED:
                    message = self._reworking.rework(transaction, _message(transaction, planned), asked)
                    return _worked_on(planned, message)
                sending = _sending(transaction, planned)
                receiver = sending.receiver
                as_new = planned.mode is ReplayMode.NEW
                return _sent(planned, self._resending.resend(transaction, sending, asked, as_new=as_new))
        except TransientError:
            raise
        except GatewayError as error:
            return Outcome(
                planned=planned, receiver=receiver, result=error.code, why=error.message, hint=error.hint
            )
        except Exception as error:  # noqa: BLE001 - one must never stop the others; its text may hold values
            name = type(error).__name__
            return Outcome(planned=planned, receiver=receiver, result=f"error:{name}", why=f"a fault: {name}")

    @staticmethod
    def _record(
        transaction: JournalTransaction, outcome: Outcome, run: str | None, reason: str | None
    ) -> None:
        planned = outcome.planned
        entry = audit_entry(
            AuditAction.FAILED_REPLAY,
            message=transaction.inbound(planned.inbound_id),
            sending_id=planned.subject if planned.subject != planned.inbound_id else None,
            reason=reason,
            outcome=DONE if outcome.done else outcome.result,
            detail={
                "as": planned.mode.value,
                "generation": planned.generation,
                "receiver": outcome.receiver,
                "made": outcome.made,
                "run": run,
            },
        )
        transaction.record(entry)


def open_replayer(configuration: Configuration, vault: Vault, journal: SqlJournal) -> Replayer:
    """With the register and the keys of now.

    Raises:
        LocalError: something of ours is not in order.
    """
    # Not on top: it loads the whole gateway, and to look at what failed needs little of it.
    from gateway.ops.composition import build_flow, build_way_back, resending  # noqa: PLC0415
    from gateway.ops.stores import open_registry  # noqa: PLC0415
    from gateway.pipeline.reworking import Reworking  # noqa: PLC0415

    registry = open_registry(configuration)
    back = build_way_back(configuration, registry, vault, journal)
    reception, flow = build_flow(configuration, registry, vault, journal, back)
    reworking = Reworking(reception, flow.act, journal.events)
    return Replayer(journal, resending(configuration, registry), reworking)


def _sent(planned: Planned, made: Sending) -> Outcome:
    return Outcome(planned=planned, receiver=made.receiver, result=made.state.value, made=made.id)


def _worked_on(planned: Planned, message: InboundMessage) -> Outcome:
    return Outcome(planned=planned, result=message.state.value, made=message.id)


def _message(transaction: JournalTransaction, planned: Planned) -> InboundMessage:
    found = transaction.inbound(planned.inbound_id)
    if found is None:
        raise ResendingError("the journal does not have it")
    return found


def _sending(transaction: JournalTransaction, planned: Planned) -> Sending:
    for each in transaction.sendings(planned.inbound_id):
        if each.id == planned.subject:
            return each
    raise ResendingError("the journal does not have it")
