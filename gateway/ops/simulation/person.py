"""A person at the gateway who decides on notes that are held: some go on, some end, some wait on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from gateway.contracts.errors import GatewayError, TransientError
from gateway.contracts.journal import Journal
from gateway.contracts.registry import PartyKind, Registry
from gateway.contracts.states import InboundState
from gateway.ops.simulation.behaviour import Behaviour, Decision
from gateway.ops.simulation.ledger import Entry, Ledger
from gateway.ops.simulation.settlement import Expectation
from gateway.pipeline.held import HeldNotes, Person, RouteCorrection

_SOMEBODY = Person(name="simulation", reason="Avgjort av en simulert person.")


class Decider:
    """Looks at what is held, and decides once on each note."""

    def __init__(
        self,
        notes: HeldNotes,
        journal: Journal,
        registry: Registry,
        ledger: Ledger,
        behaviour: Behaviour,
        expected: Callable[[Entry], Expectation],
    ) -> None:
        """`notes` does what is decided, as the command `held` would."""
        self._notes = notes
        self._journal = journal
        self._ledger = ledger
        self._behaviour = behaviour
        self._expected = expected
        kind = PartyKind.MUNICIPALITY
        self._municipalities = [e for e in registry.endpoints if e.kind is kind]

    def decide(self) -> int:
        """Decide on what is held and was not decided on; on how many notes.

        Raises:
            TransientError: the journal can not be reached.
        """
        waiting = [e for e in self._ledger.entries if e.state is InboundState.HELD and e.decision is None]
        for entry in waiting:
            entry.decision = self._behaviour.decision()
            if entry.decision is not Decision.LEAVE and entry.journal_id is not None:
                self._do(entry, entry.journal_id, entry.decision)
        return len(waiting)

    def _do(self, entry: Entry, inbound_id: str, decision: Decision) -> None:
        at = datetime.now(UTC)
        try:
            with self._journal.transaction() as transaction:
                if decision is Decision.DISCARD:
                    self._notes.discard(transaction, inbound_id, _SOMEBODY, at=at)
                else:
                    correction = self._correction(entry)
                    self._notes.release(transaction, inbound_id, _SOMEBODY, at=at, correction=correction)
        except TransientError:
            entry.decision = None
            raise
        except GatewayError:
            # The hospital was quicker: a later version has ended it.
            entry.decision, entry.corrected_to = Decision.LEAVE, None

    def _correction(self, entry: Entry) -> RouteCorrection:
        """A municipality for a note that has none."""
        known = {e.her_id for e in self._municipalities}
        if known.intersection(self._expected(entry).receivers):
            return RouteCorrection()
        entry.corrected_to = self._behaviour.one_of(sorted(known))
        return RouteCorrection(
            municipality=next(e for e in self._municipalities if e.her_id == entry.corrected_to)
        )
