"""The books: every note, sending, receipt and reply, as it was seen from outside the gateway.

Nothing is judged here (that is `settlement`), and nothing is printed: patients stand in it.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from gateway.contracts.receipts import ReceiptStatus
from gateway.contracts.records import InboundMessage
from gateway.contracts.registry import Registry
from gateway.contracts.states import InboundState
from gateway.ops.simulation.behaviour import Decision
from gateway.ops.simulation.notes import Note


class Wrong(StrEnum):
    """What can be wrong with something that the gateway sent."""

    UNREADABLE = "unreadable"
    SCHEMA = "schema"
    SIGNATURE = "signature"
    SIGNER = "signer"
    """The certificate is neither the sending hospital's nor the gateway's"""
    MISDIRECTED = "misdirected"
    """It came to somebody who should not have it"""
    RECEIPT = "receipt"
    """Another status than the receiver gave, or a positive one for a note that was refused"""
    REFERENCE = "reference"
    """A reply that refers to nothing that its hospital sent"""
    MAILBOX = "mailbox"
    """A reply that did not come to the department's mailbox"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that was lost, doubled or wrong; no patient data."""

    kind: str
    """`lost`, `duplicated`, `invalid`"""
    what: str
    """`note`, `sending`, `receipt`, `reply`, or a member of `Wrong`"""
    note: str | None = None
    """File name"""
    receiver: str | None = None
    """HER-id"""
    ids: tuple[str, ...] = ()


@dataclass(slots=True)
class Entry:
    """A note that a hospital has sent."""

    note: Note
    """Without its bytes"""
    system: str
    """The record system that it comes from, by the register; else the folder of its file"""
    position: int
    """Its place in the order of sending"""
    content_hash: str
    hospital: str | None
    """HER-id of the sending hospital"""
    named: tuple[str | None, ...]
    """HER-id of the registered party behind each receiver that the note names; None: not in the register"""
    journal_id: str | None = None
    state: InboundState | None = None
    reason: str | None = None
    held: bool = False
    """Whether it was held, whatever became of it"""
    decision: Decision | None = None
    """What a person has decided on it"""
    corrected_to: str | None = None
    """HER-id of the municipality's service that a person has sent it to"""
    receipts: dict[int, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    """By position in `named`: the status of each receipt, by its Id"""


@dataclass(slots=True)
class Seen:
    """A message that a receiver got, under one MsgId."""

    fingerprint: str
    """Hash of what it says, without its ids and times"""
    copies: int = 1
    answer: str | None = None
    """Status of the receiver's AppRec; None: none was given"""
    contradicted: bool = False
    """Whether another AppRec of the receiver has said otherwise"""


@dataclass(slots=True)
class Reply:
    """A dialogue message that a receiver has sent, or a hospital in answer to one."""

    writer: str
    """HER-id"""
    patient: str
    msg_id: str
    to: str | None = None
    """HER-id of the receiver that a hospital answers; None: it goes to a hospital"""
    arrived: set[str] = field(default_factory=set)
    """MsgIds that the other side saw it under"""
    unplaced: bool = False
    """Whether it fits nothing, and waits for a person where everybody can see it"""
    receipts: set[str] = field(default_factory=set)
    """Ids of the AppRecs that its writer got for it"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Referring:
    """A message that a party got, with the references that stand in it."""

    party: str
    msg_id: str
    patient: str
    references: tuple[str, ...]
    dialogue: bool
    """Whether it is part of a dialogue; a change of a note may follow one that was lost"""


class Ledger:
    """Everything that was seen."""

    def __init__(self, registry: Registry) -> None:
        """The register tells who is meant by a HER-id."""
        self._registry = registry
        self.entries: list[Entry] = []
        self.deliveries: dict[tuple[str, str], dict[str, Seen]] = defaultdict(dict)
        """By receiver (HER-id) and patient: the messages by MsgId"""
        self.replies: dict[str, Reply] = {}
        """By the mark that stands in their text"""
        self.problems: list[Problem] = []
        """What was wrong at first sight"""
        self.strays = 0
        """What belongs to nothing of this run: left on a queue by an earlier one"""
        self.deviations = 0
        """DIALOG_AVVIK that hospitals got"""
        self._by_hash: dict[str, Entry] = {}
        self._by_reference: dict[str, list[Entry]] = defaultdict(list)
        self._by_parent: dict[str, list[Entry]] = defaultdict(list)
        self._patients: set[str] = set()
        self._reply_by_msg_id: dict[str, Reply] = {}
        self.references: dict[tuple[str, str], Referring] = {}
        """By party and MsgId: what it was referred to"""
        self._parties: dict[str, set[str]] = defaultdict(set)
        """By id: who has written, or got, something under it"""
        self._known: dict[tuple[str, str], set[str]] = defaultdict(set)
        """By party and patient: the ids of what it has written or got"""

    # --- hospitals ---------------------------------------------------------------------------------

    def sent(self, note: Note, body: bytes, hospital: str | None) -> Entry:
        """A note lies on the gateway's queue, as these bytes."""
        facts = note.facts
        entry = Entry(
            note=replace(note, body=b""),
            system=self._system(note, hospital),
            position=len(self.entries),
            content_hash=hashlib.sha256(body).hexdigest(),
            hospital=hospital,
            named=tuple(self._endpoint(her_ids) for her_ids in facts.receivers),
        )
        self.entries.append(entry)
        self._by_hash[entry.content_hash] = entry
        for reference in {facts.msg_id, facts.document_id}:
            if reference:
                self._by_reference[reference].append(entry)
        for reference in {facts.parent, facts.root}:
            if reference:
                self._by_parent[reference].append(entry)
        self._patients.add(facts.patient)
        if hospital is not None:
            for reference in {facts.msg_id, facts.document_id, facts.parent, facts.root}:
                self.learned(hospital, reference, facts.patient)
        return entry

    def learned(self, party: str, reference: str | None, patient: str) -> None:
        """A party knows an id: it has written, or got, a message about the patient under it."""
        if reference:
            self._known[party, patient].add(reference)
            self._parties[reference].add(party)

    def referred(
        self, party: str, msg_id: str, patient: str, references: tuple[str, ...], *, dialogue: bool
    ) -> None:
        """A party got a message that refers to these ids."""
        self.references[party, msg_id] = Referring(
            party=party, msg_id=msg_id, patient=patient, references=references, dialogue=dialogue
        )
        if not dialogue:
            self._known[party, patient].update(references)

    def receipt(
        self, *, apprec_id: str, status: str, original_id: str, issued_at: str, sender: tuple[str, ...]
    ) -> None:
        """A hospital got an AppRec from the party with these HER-ids (the lowest level first)."""
        if original_id in self._reply_by_msg_id:
            self.reply_receipt(original_id, apprec_id)
            return
        entry = self._original(original_id, issued_at)
        position = self._position(entry, sender) if entry is not None else None
        if entry is None or position is None:
            self.strays += 1
            return
        entry.receipts[position][apprec_id] = status

    def reply_arrived(self, mark: str, msg_id: str) -> Reply | None:
        """A party got the dialogue message with this mark; None: it is of an earlier run."""
        reply = self.replies.get(mark)
        if reply is None:
            self.strays += 1
            return None
        reply.arrived.add(msg_id)
        return reply

    def knows(self, party: str, reference: str, patient: str) -> bool:
        """Whether a party has written, or got, a message for this patient under this id."""
        return reference in self._known.get((party, patient), ())

    def foreign(self, referring: Referring) -> list[str]:
        """The references of a message that its receiver does not know.

        Those of a note are wrong only where they are another party's.
        """
        if referring.dialogue:
            party, patient = referring.party, referring.patient
            return [r for r in referring.references if not self.knows(party, r, patient)]
        parties = ((r, self._parties.get(r, set())) for r in referring.references)
        return [reference for reference, known_to in parties if known_to and referring.party not in known_to]

    # --- receivers ---------------------------------------------------------------------------------

    def received(self, receiver: str, patient: str, msg_id: str, fingerprint: str) -> bool:
        """A receiver got a message; False where it has seen its MsgId before."""
        group = self.deliveries[receiver, patient]
        if msg_id in group:
            group[msg_id].copies += 1
            return False
        group[msg_id] = Seen(fingerprint=fingerprint)
        if patient not in self._patients:
            self.strays += 1
        return True

    def answered(self, receiver: str, patient: str, msg_id: str, status: ReceiptStatus) -> None:
        """A receiver's AppRec lies on the hospital's queue; the first one counts."""
        seen = self.deliveries[receiver, patient][msg_id]
        seen.contradicted |= seen.answer is not None and seen.answer != status.value
        seen.answer = seen.answer or status.value

    def reply_sent(self, mark: str, reply: Reply) -> None:
        """A receiver's reply lies on the hospital's queue, or a hospital's answer on the gateway's."""
        self.replies[mark] = reply
        self._reply_by_msg_id[reply.msg_id] = reply

    def reply_receipt(self, original_id: str, apprec_id: str) -> None:
        """The writer of a reply got an AppRec for it."""
        reply = self._reply_by_msg_id.get(original_id)
        if reply is None:
            self.strays += 1
        else:
            reply.receipts.add(apprec_id)

    def wrong(self, what: Wrong, receiver: str, msg_id: str) -> None:
        """Something that the gateway sent is not in order."""
        problem = Problem(kind="invalid", what=what.value, receiver=receiver, ids=(msg_id,))
        if problem not in self.problems:
            self.problems.append(problem)

    # --- the gateway's own word ----------------------------------------------------------------------

    def decided(self, rows: Iterable[InboundMessage]) -> None:
        """What the journal says of the notes."""
        for row in rows:
            entry = self._by_hash.get(row.content_hash)
            if entry is not None:
                entry.journal_id, entry.state, entry.reason = row.id, row.state, row.reason
                entry.held |= row.state is InboundState.HELD

    def unplaced(self, rows: Iterable[InboundMessage]) -> None:
        """The replies that the journal keeps for a person."""
        for row in rows:
            reply = self._reply_by_msg_id.get(row.msg_id)
            if reply is not None:
                reply.unplaced = True

    # --- asked by the settlement ---------------------------------------------------------------------

    def has_patient(self, patient: str) -> bool:
        """Whether any note of this run is about the patient."""
        return patient in self._patients

    def conversation(self, entry: Entry) -> list[Entry]:
        """The other versions of a note: what it refers to, what refers to it or to the same."""
        facts = entry.note.facts
        found: list[Entry] = []
        for reference in (facts.parent, facts.root):
            if reference:
                found += self._by_reference.get(reference, [])
                found += self._by_parent.get(reference, [])
        found += self._by_parent.get(facts.msg_id, [])
        if facts.document_id:
            found += self._by_reference.get(facts.document_id, [])
        versions = {e.position: e for e in found if e is not entry}
        return [versions[position] for position in sorted(versions)]

    def _system(self, note: Note, her_id: str | None) -> str:
        hospital = self._registry.hospital(her_id)
        if hospital is not None and len(hospital.systems) == 1:
            return hospital.systems[0]
        return note.sample.system

    def _endpoint(self, her_ids: tuple[str, ...]) -> str | None:
        for her_id in reversed(her_ids):
            if (endpoint := self._registry.endpoint(her_id)) is not None:
                return endpoint.her_id
        return None

    def _original(self, original_id: str, issued_at: str) -> Entry | None:
        """The versions of an epikrise 1.1 share their id: the time of the message tells them apart."""
        candidates = self._by_reference.get(original_id, [])
        same_time = [e for e in candidates if e.note.facts.generated_at[:19] == issued_at[:19]]
        return next(iter(same_time or candidates), None)

    @staticmethod
    def _position(entry: Entry, sender: tuple[str, ...]) -> int | None:
        receivers = entry.note.facts.receivers
        for her_id in sender:
            for position, her_ids in enumerate(receivers):
                if her_id in her_ids:
                    return position
        return None
