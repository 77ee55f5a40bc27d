"""Register entries that their receivers have disowned (E20, E21), as the journal has them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gateway.contracts.addresses import AddressFault
from gateway.journal.opening import journal_version
from gateway.journal.tables import SCHEMA_VERSION
from gateway.ops.configuration import Configuration
from gateway.ops.counted import counted
from gateway.ops.register_check import Inconsistency
from gateway.ops.stores import open_journal, open_vault
from gateway.receipts.addresses import address_at
from gateway.routing.register_file import RegisterFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Flagged:
    """An entry that still has the address at which its receiver says that it is not."""

    her_id: str
    address: str
    codes: str
    """Codes of list 8221, each once: `E20 E21`"""
    notes: int
    """How many wait for another address"""
    since: datetime

    def document(self) -> dict[str, object]:
        """As JSON."""
        return {
            "codes": self.codes.split(),
            "notes": self.notes,
            "since": self.since.astimezone().isoformat(timespec="seconds"),
        }

    def inconsistency(self) -> Inconsistency:
        """What to do about it."""
        waiting = f"{counted(self.notes, 'note')} {'waits' if self.notes == 1 else 'wait'}"
        since = f"{self.since.astimezone():%Y-%m-%d}"
        return Inconsistency(
            entry=self.her_id,
            text=f"says that it is not there ({self.codes}); {waiting} since {since}",
            hint="correct its address: what waits then goes there by itself",
        )


def flagged_entries(register: RegisterFile, configuration: Configuration) -> list[Flagged]:
    """The flagged entries, in the order of their HER-ids; none where there is no journal yet.

    Raises:
        GatewayError: the journal, or its key, can not be used.
    """
    found: dict[str, list[AddressFault]] = defaultdict(list)
    for fault in _faults(configuration):
        entry = register.endpoint(fault.receiver)
        if entry is not None and address_at(entry) == fault.address:
            found[fault.receiver].append(fault)
    return [_flagged(her_id, faults) for her_id, faults in sorted(found.items())]


def _flagged(her_id: str, faults: Sequence[AddressFault]) -> Flagged:
    return Flagged(
        her_id=her_id,
        address=faults[0].address,
        codes=" ".join(sorted({code for fault in faults for code in fault.codes.split()})),
        notes=len({fault.inbound_id for fault in faults}),
        since=min(fault.at for fault in faults),
    )


def _faults(configuration: Configuration) -> list[AddressFault]:
    url = configuration.journal.url
    if url.startswith("sqlite") and not configuration.path(_file(url)).exists():
        return []
    vault = open_vault(configuration)
    if journal_version(configuration.file_url(url), vault) != SCHEMA_VERSION:
        return []
    journal = open_journal(configuration, vault)
    try:
        with journal.reader() as view:
            return view.address_faults()
    finally:
        journal.close()


def _file(url: str) -> Path:
    return Path(url.partition(":")[2].removeprefix("///"))
