"""Circuits: a receiver that sendings do not reach is left alone, and tried with one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from gateway.contracts.journal import JournalTransaction
from gateway.contracts.queues import PublishOutcome
from gateway.contracts.records import Sending
from gateway.contracts.states import SendingKind
from gateway.contracts.traffic import Circuit
from gateway.contracts.values import value

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitSettings:
    """When a circuit opens, and how often it is probed then."""

    faults: int = 5
    """In a row"""
    first: timedelta = timedelta(seconds=2)
    """From the opening to the first probe; the pauses double"""
    longest: timedelta = timedelta(minutes=1)


@value
class Attempt:
    """What came of publishing a sending."""

    sending: Sending
    error: str | None
    """Stable code; None: it lies on its receiver's queue"""


class Circuits:
    """Learns from what came of sendings. The state is in the journal, for all processes."""

    def __init__(self, settings: CircuitSettings) -> None:
        """The settings."""
        self._settings = settings

    def learn(self, transaction: JournalTransaction, attempts: Sequence[Attempt], now: datetime) -> list[str]:
        """Open and close what follows from a group; receivers that stay down although they were probed."""
        known = {circuit.receiver: circuit for circuit in transaction.circuits()}
        reached = {a.sending.receiver for a in attempts if a.error is None and _counts(a)}
        for receiver in reached & known.keys():
            transaction.close_circuit(receiver, now)
            self._tell_closed(known[receiver], now)
        failed: dict[str, list[str]] = {}
        for attempt in attempts:
            if attempt.error is not None and _counts(attempt) and attempt.sending.receiver not in reached:
                failed.setdefault(attempt.sending.receiver, []).append(attempt.error)
        still_down = []
        for receiver, errors in failed.items():
            circuit = known.get(receiver)
            if circuit is None or circuit.opened_at is None:
                self._fault(transaction, circuit, receiver, errors, now)
            else:
                self._probe_failed(transaction, circuit, errors[-1], now)
                still_down.append(receiver)
        return still_down

    def _fault(
        self,
        transaction: JournalTransaction,
        circuit: Circuit | None,
        receiver: str,
        errors: Sequence[str],
        now: datetime,
    ) -> None:
        # A whole group that was not confirmed says once that the broker, or the way to it, has failed.
        new = sum(error != PublishOutcome.NOT_CONFIRMED for error in errors) or 1
        faults = new + (circuit.faults if circuit is not None else 0)
        found = Circuit(receiver=receiver, faults=faults, error=errors[-1])
        if faults >= self._settings.faults:
            found = replace(found, opened_at=now, next_probe_at=now + self._settings.first)
            log.error("circuit-opened", receiver=receiver, error=found.error, faults=faults)
        transaction.put_circuit(found)

    def _probe_failed(
        self, transaction: JournalTransaction, circuit: Circuit, error: str, now: datetime
    ) -> None:
        probes = circuit.probes + 1
        pause = min(self._settings.first * 2 ** min(probes, 30), self._settings.longest)
        transaction.put_circuit(replace(circuit, error=error, probes=probes, next_probe_at=now + pause))

    @staticmethod
    def _tell_closed(circuit: Circuit, now: datetime) -> None:
        if circuit.opened_at is not None:
            seconds = round((now - circuit.opened_at).total_seconds())
            log.warning(
                "circuit-closed", receiver=circuit.receiver, open_seconds=seconds, probes=circuit.probes
            )


def _counts(attempt: Attempt) -> bool:
    """Transport faults have a queue of their own, which says nothing of the receiver's."""
    return attempt.sending.kind is not SendingKind.FAULT
