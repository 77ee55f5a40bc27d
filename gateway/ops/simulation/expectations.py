"""What should become of a note: what a person says beside the sample, else what it says when read again."""

from __future__ import annotations

from gateway.contracts.errors import AdapterError
from gateway.contracts.findings import Disposition
from gateway.contracts.ports import AdapterSet
from gateway.contracts.registry import Registry
from gateway.contracts.summary import Action
from gateway.intake.intake import Intake, RefusedError
from gateway.ops.simulation.ledger import Entry
from gateway.ops.simulation.notes import Expected, Note, Sample
from gateway.ops.simulation.settlement import Expectation
from gateway.pipeline.assessment import judge, read_note
from gateway.pipeline.rules import RuleSettings

_REFUSED = Expectation(disposition=Disposition.REJECT, receivers=())


class Expectations:
    """Looks up what should become of notes; each sample is judged once, whatever the round."""

    def __init__(self, intake: Intake, adapters: AdapterSet, registry: Registry, rules: RuleSettings) -> None:
        """For samples that no expectation stands beside: what reads them."""
        self._intake = intake
        self._adapters = adapters
        self._registry = registry
        self._rules = rules
        self._known: dict[str, Expectation] = {}

    def __call__(self, entry: Entry) -> Expectation:
        """For a note in the books."""
        return self.of(entry.note)

    def of(self, note: Note) -> Expectation:
        """For a note."""
        sample = note.sample
        if sample.name not in self._known:
            self._known[sample.name] = (
                _stated(sample.expected, note) if sample.expected is not None else self._read(sample)
            )
        return self._known[sample.name]

    def likely_receivers(self, note: Note) -> tuple[str, ...]:
        """Who will get it, if all notes before it were handled as they should."""
        expected = self.of(note)
        disposition = expected.after_history or expected.disposition
        return expected.receivers if disposition is Disposition.SEND else ()

    def _read(self, sample: Sample) -> Expectation:
        try:
            opened = self._intake.open(sample.body)
            if opened.message is None:
                return _REFUSED
            reading = read_note(opened.message, self._adapters, self._registry)
        except (RefusedError, AdapterError):
            return _REFUSED
        assessment = judge(reading, self._registry, self._rules)
        return Expectation(
            disposition=assessment.disposition,
            receivers=tuple(e.her_id for e in assessment.route.receivers),
            action=reading.summary.source.action,
        )


def _stated(expected: Expected, note: Note) -> Expectation:
    action = expected.action
    if action is None:
        action = Action.CHANGE if note.facts.parent is not None else Action.NEW
    return Expectation(
        disposition=expected.disposition,
        receivers=tuple(r for r in (expected.municipality, expected.gp) if r is not None),
        action=action,
        after_history=expected.after_history,
        lenient=expected.lenient,
    )
