"""Findings that go back to the department: what its note lacks, though the note was sent on.

Source: HIS 1151 («Tilbakemelding om feil i mottatt melding»), topic 2
«Mangelfulle opplysninger» of list 8117.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from gateway.contracts.findings import FINDINGS
from gateway.contracts.journal import JournalTransaction
from gateway.contracts.records import Event, InboundMessage
from gateway.receipts.deviations import Deviations


class Notices:
    """Tells a department of the findings that its deployment has chosen, once for each note and finding."""

    def __init__(self, deviations: Deviations, told: Collection[str]) -> None:
        """`told`: codes of findings."""
        self._deviations = deviations
        self._told = frozenset(told)

    def tell(
        self,
        transaction: JournalTransaction,
        note: InboundMessage,
        versions: Sequence[InboundMessage],
        at: datetime,
    ) -> None:
        """Tell what a note that goes out lacks, and note what it has cleared.

        What was told of an earlier version is not told again; what an earlier version lacked, and this one
        does not, is cleared in its history.

        Args:
            transaction: holds the note already.
            note: the note, with its findings.
            versions: the notes that it changes; none for a new one.
            at: when it goes out.
        """
        lacking = self._codes(note)
        known: set[str] = set()
        for version in versions:
            before = self._codes(version)
            known.update(before)
            cleared = [code for code in before if code not in lacking]
            if cleared:
                detail = {"findings": ",".join(cleared), "by": note.id}
                event = Event(inbound_id=version.id, at=at, name="findings-cleared", detail=detail)
                transaction.add_event(event)
        fresh = [code for code in lacking if code not in known]
        if fresh:
            sentences = [FINDINGS[code].for_sender for code in fresh]
            self._deviations.findings(transaction, note, sentences, at)

    def _codes(self, note: InboundMessage) -> list[str]:
        return [f.code for f in note.findings if f.code in self._told]
