"""The account: the books compared with what should have been.

What a receiver should have got follows from the sample's expectation and the notes that were sent, not from
the gateway's word: of the journal only the decision on each note is taken. A message is tied to its note by
receiver and patient (its ids are the gateway's), and one message to another by what it says.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from gateway.contracts.findings import Disposition
from gateway.contracts.receipts import ReceiptStatus
from gateway.contracts.registry import PartyKind, Registry
from gateway.contracts.states import InboundState
from gateway.contracts.summary import Action
from gateway.ops.simulation.behaviour import Decision
from gateway.ops.simulation.ledger import Entry, Ledger, Problem, Seen, Wrong

Report = Callable[[str, str, int], None]

_POSITIVE = frozenset({ReceiptStatus.OK.value, ReceiptStatus.PARTLY.value})
_HELD = frozenset({InboundState.HELD, InboundState.DISCARDED})
_NOT_ACCEPTED = _HELD | {InboundState.REJECTED, InboundState.WITHHELD, InboundState.RECEIVED}
_DECISIONS = {
    Disposition.SEND: "accepted",
    Disposition.HOLD: "held",
    Disposition.WITHHOLD: "withheld",
    Disposition.REJECT: "rejected",
}
_ANSWERED_NEGATIVELY = frozenset({InboundState.REJECTED, InboundState.WITHHELD})


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What should become of a note on its own."""

    disposition: Disposition
    receivers: tuple[str, ...]
    """HER-ids: the municipality's service, the GP"""
    action: Action = Action.NEW
    after_history: Disposition | None = None
    """The disposition where an earlier note on the patient is remembered, if that makes a difference"""
    lenient: bool = False
    """More than one route is reasonable: where it goes is the journal's word"""

    def allows(self, decided: str) -> bool:
        """Whether this is a decision that a person would take."""
        return self.lenient or decided in {
            _DECISIONS[d] for d in (self.disposition, self.after_history) if d is not None
        }


@dataclass(slots=True)
class Account:
    """The ledger that is printed (CLI.md)."""

    sent: int = 0
    decided: Counter[str] = field(default_factory=Counter)
    """`accepted`, `rejected`, `held`, `withheld`"""
    delivered: Counter[str] = field(default_factory=Counter)
    """`municipality`, `gp`"""
    acknowledged: Counter[str] = field(default_factory=Counter)
    """`positive`, `negative`, `missing`"""
    replies_sent: int = 0
    replies_delivered: int = 0
    replies_of_hospitals: int = 0
    """How many of those that were sent are answers of hospitals to others"""
    replies_unplaced: int = 0
    """Replies that fit nothing, and wait for a person"""
    persons: Counter[Decision] = field(default_factory=Counter)
    """What persons have decided on notes that were held; `leave`: they wait, or the hospital was quicker"""
    deviations: int = 0
    """DIALOG_AVVIK that hospitals got"""
    systems: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """The same by the record system that sent the note: all of the above, and `sent`, `missing`"""
    problems: list[Problem] = field(default_factory=list)
    differing: list[tuple[str, str, str]] = field(default_factory=list)
    """Notes whose decision is not the expected one: name, expected, decided"""

    def reporter(
        self, *, note: str | None = None, receiver: str | None = None, ids: tuple[str, ...] = ()
    ) -> Report:
        """Takes down problems with one thing: kind, what, how many times (none where not positive)."""
        problem = Problem(kind="", what="", note=note, receiver=receiver, ids=ids)

        def report(kind: str, what: str, times: int) -> None:
            self.problems.extend(replace(problem, kind=kind, what=str(what)) for _ in range(times))

        return report

    def count(self, kind: str) -> int:
        """How much was `lost`, `duplicated`, `invalid`."""
        return sum(p.kind == kind for p in self.problems)

    @property
    def in_order(self) -> bool:
        """Whether nothing was lost, doubled or wrong."""
        return not self.problems

    @property
    def settled(self) -> bool:
        """Whether nothing is missing (any more)."""
        return not self.count("lost")


class Settlement:
    """Makes the account."""

    def __init__(
        self,
        ledger: Ledger,
        registry: Registry,
        expected: Callable[[Entry], Expectation],
        journal_receivers: Callable[[str], tuple[str, ...]],
    ) -> None:
        """Prepare.

        Args:
            ledger: the books.
            registry: who is a municipality, who a GP.
            expected: what should become of a note on its own.
            journal_receivers: who the journal (by its id of the note) has sent to; for lenient notes only.
        """
        self._ledger = ledger
        self._registry = registry
        self._expected = expected
        self._journal_receivers = journal_receivers

    def account(self) -> Account:
        """Compare everything."""
        account = Account(
            sent=len(self._ledger.entries),
            deviations=self._ledger.deviations,
            problems=list(self._ledger.problems),
        )
        for entry in self._ledger.entries:
            self._decision(account, entry)
            self._own_receipts(account, entry)
        self._deliveries(account)
        self._replies(account)
        return account

    # --- decisions -----------------------------------------------------------------------------------

    def _decision(self, account: Account, entry: Entry) -> None:
        name = entry.note.name
        account.systems[entry.system]["sent"] += 1
        report = account.reporter(note=name)
        if entry.state is None:
            report("lost", "note", 1)
            return
        decided = "held" if entry.held else _decided(entry.state)
        if decided is None:
            report("lost", "decision", 1)
            return
        account.decided[decided] += 1
        if entry.held:
            account.persons[entry.decision or Decision.LEAVE] += 1
        account.systems[entry.system][decided] += 1
        report("lost", "failed", entry.state is InboundState.FAILED)
        expected = self._expected(entry)
        if not expected.allows(decided):
            account.differing.append((name, expected.disposition.value, decided))

    def _own_receipts(self, account: Account, entry: Entry) -> None:
        """What the gateway answers itself, and that nobody is answered for twice."""
        discarded = entry.decision is Decision.DISCARD and entry.state is InboundState.DISCARDED
        refused = discarded or entry.state in _ANSWERED_NEGATIVELY
        for position, receiver in enumerate(entry.named):
            got = entry.receipts.get(position, {})
            report = account.reporter(note=entry.note.name, receiver=receiver, ids=tuple(sorted(got)))
            report("duplicated", "receipt", len(got) - 1)
            report("invalid", Wrong.RECEIPT, refused and bool(_POSITIVE.intersection(got.values())))
            may_be_answered = bool(receiver and entry.hospital and entry.note.facts.well_formed)
            report("lost", "receipt", refused and not got and may_be_answered)

    # --- deliveries ----------------------------------------------------------------------------------

    def _deliveries(self, account: Account) -> None:
        expected: dict[tuple[str, str], list[Entry]] = {}
        lenient = {e.note.facts.patient for e in self._ledger.entries if self._expected(e).lenient}
        for entry in self._ledger.entries:
            for key in self.should_have(entry):
                expected.setdefault(key, []).append(entry)
        got = self._ledger.deliveries
        for receiver, patient in {**expected, **got}:
            if self._ledger.has_patient(patient):
                self._group(
                    account,
                    receiver,
                    expected.get((receiver, patient), []),
                    got.get((receiver, patient), {}),
                    lenient=patient in lenient,
                )

    def should_have(self, entry: Entry) -> tuple[tuple[str, str], ...]:
        """Who (HER-id) should have got a message about whom for a note, given what was decided on it."""
        if entry.state is None or entry.state in _NOT_ACCEPTED:
            return ()
        expected = self._expected(entry)
        versions = self._ledger.conversation(entry)
        if entry.state is InboundState.ACCEPTED and any(self._revises(v, entry) for v in versions):
            return ()  # its change or cancellation had come before it
        patient = entry.note.facts.patient
        if expected.lenient and expected.action is not Action.CANCEL and entry.journal_id is not None:
            return tuple((r, patient) for r in self._journal_receivers(entry.journal_id))
        keys = dict.fromkeys(self._own(entry), patient)
        if expected.action is not Action.NEW:
            # Whoever had an earlier version is told: a change, or a cancellation.
            for version in versions:
                if version.position < entry.position:
                    for receiver, about in self.should_have(version):
                        keys.setdefault(receiver, about)
        return tuple(keys.items())

    def _own(self, entry: Entry) -> tuple[str, ...]:
        """Who gets a note for what it says, and not because they had one before it."""
        expected = self._expected(entry)
        own = () if expected.action is Action.CANCEL else expected.receivers
        return own if entry.corrected_to is None else (entry.corrected_to, *own)

    def _revises(self, later: Entry, entry: Entry) -> bool:
        """Whether one note is a change or cancellation of another."""
        if self._expected(later).action is Action.NEW:
            return False
        new, old = later.note.facts, entry.note.facts
        same_document = old.document_id is not None and old.document_id == new.document_id
        return same_document or old.msg_id in (new.parent, new.root)

    def _group(
        self, account: Account, receiver: str, entries: list[Entry], got: dict[str, Seen], *, lenient: bool
    ) -> None:
        """One receiver, one patient: the messages that should have come, and those that came."""
        entries = self._without_unneeded(account, receiver, entries, list(got.values()))
        endpoint = self._registry.endpoint(receiver)
        kind = "gp" if endpoint is not None and endpoint.kind is PartyKind.GP else "municipality"
        contents = Counter(seen.fingerprint for seen in got.values())
        names = ", ".join(e.note.name for e in entries) or None
        system = account.systems[entries[0].system] if entries else Counter[str]()
        delivered = min(len(contents), len(entries)) if not lenient else len(contents)
        account.delivered[kind] += delivered
        system[kind] += delivered
        report = account.reporter(note=names, receiver=receiver, ids=tuple(sorted(got)))
        report("lost", "sending", len(entries) - len(contents))
        report("duplicated", "sending", len(got) - len(contents))
        if not lenient:
            extra = len(contents) - len(entries)
            report(*(("duplicated", "sending") if entries else ("invalid", Wrong.MISDIRECTED)), extra)
        answers = self._acknowledged(receiver, entries, list(got.values()), report)
        account.acknowledged += answers
        system.update(answers)

    def _without_unneeded(
        self, account: Account, receiver: str, entries: list[Entry], got: list[Seen]
    ) -> list[Entry]:
        """Without cancellations of what the receiver has refused: it has it not, and hears of no end of it.

        The hospital is answered for them all the same. Where they were quicker than the refusal they came.
        """
        refused = sum(s.contradicted or (s.answer is not None and s.answer not in _POSITIVE) for s in got)
        unneeded = max(0, min(refused, len(entries) - len({seen.fingerprint for seen in got})))
        ends = [e for e in entries if receiver not in self._own(e)][:unneeded]
        for entry in ends:
            if receiver in entry.named:
                report = account.reporter(note=entry.note.name, receiver=receiver)
                report("lost", "receipt", not entry.receipts.get(entry.named.index(receiver)))
        return [entry for entry in entries if entry not in ends]

    def _acknowledged(
        self, receiver: str, entries: list[Entry], got: list[Seen], report: Report
    ) -> Counter[str]:
        """The receiver's answers, and what of them the hospital has heard."""
        told = [e for e in entries if receiver in e.named]
        heard = Counter(
            next(iter(receipts.values()))
            for e in told
            if (receipts := e.receipts.get(e.named.index(receiver), {}))
        )
        given = Counter(seen.answer for seen in got if seen.answer is not None)
        # A note that does not name the receiver (a GP found in its text) is answered to nobody.
        unnamed = len(entries) - len(told)
        report("lost", "receipt", min(given.total(), len(entries)) - unnamed - heard.total())
        # Who contradicts himself may be heard either way: the first to be worked on counts.
        if len(told) == len(entries) and not any(seen.contradicted for seen in got):
            report("invalid", Wrong.RECEIPT, (heard - given).total())
        answers = Counter({"missing": max(len(entries), len(got)) - given.total()})
        for status, times in given.items():
            answers["positive" if status in _POSITIVE else "negative"] += times
        return answers

    # --- replies -------------------------------------------------------------------------------------

    def _replies(self, account: Account) -> None:
        for reply in self._ledger.replies.values():
            account.replies_sent += 1
            account.replies_of_hospitals += reply.to is not None
            account.replies_delivered += bool(reply.arrived)
            account.replies_unplaced += reply.unplaced and not reply.arrived
            report = account.reporter(receiver=reply.writer, ids=(reply.msg_id, *sorted(reply.arrived)))
            report("lost", "reply", not (reply.arrived or reply.unplaced))
            report("lost", "receipt of a reply", not reply.receipts)
            report("duplicated", "reply", len(reply.arrived) - 1)
            report("duplicated", "receipt of a reply", len(reply.receipts) - 1)
        for each in self._ledger.references.values():
            foreign = self._ledger.foreign(each)
            report = account.reporter(receiver=each.party, ids=(each.msg_id, *foreign))
            report("invalid", Wrong.REFERENCE, bool(foreign))


def _decided(state: InboundState) -> str | None:
    if state is InboundState.RECEIVED:
        return None
    if state in _HELD:
        return "held"
    if state in (InboundState.REJECTED, InboundState.WITHHELD):
        return state.value
    return "accepted"
