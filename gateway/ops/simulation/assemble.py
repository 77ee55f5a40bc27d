"""Puts a simulation together from a configuration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gateway.contracts.journal import Journal
from gateway.ops import composition, stores
from gateway.ops.configuration import Configuration
from gateway.ops.security import message_signer, message_verifier
from gateway.ops.simulation.behaviour import Behaviour
from gateway.ops.simulation.expectations import Expectations
from gateway.ops.simulation.hospital import Hospitals
from gateway.ops.simulation.ledger import Ledger
from gateway.ops.simulation.notes import NoteBook
from gateway.ops.simulation.person import Decider
from gateway.ops.simulation.quick_verifier import QuickVerifier
from gateway.ops.simulation.receivers import Receivers
from gateway.ops.simulation.settlement import Account, Settlement
from gateway.ops.simulation.simulation import Cast, Simulation, journal_receivers
from gateway.ops.simulation.traffic import Opener


def assemble(
    configuration: Configuration,
    journal: Journal,
    notes: Path,
    seed: int,
    observer: Callable[[Account], None] | None = None,
    *,
    decides: bool = True,
) -> tuple[Simulation, Cast]:
    """Everybody that the register names, on the configured broker, with the keys of `pakkehjem init`.

    Args:
        configuration: the gateway's own.
        journal: the gateway's own; only read, but for what a person decides.
        notes: folder of sample notes.
        seed: decides fresh ids, persons and behaviour.
        observer: is shown the account as it grows.
        decides: whether a person decides on notes that are held.

    Raises:
        LocalError: notes, register or keys can not be used.
    """
    registry = stores.open_registry(configuration)
    signer = message_signer(configuration)
    intake = composition.intake(
        configuration, composition.schema_set(configuration), QuickVerifier(message_verifier(configuration))
    )
    opener = Opener(
        intake,
        must_be_signed=configuration.signing.sign_outgoing,
        gateway_org_no=configuration.gateway.org_no,
    )
    ledger = Ledger(registry)
    behaviour = Behaviour(seed)
    expectations = Expectations(
        intake, composition.adapter_set(), registry, composition.rule_settings(configuration)
    )
    decider = None
    if decides:
        notes_held = composition.held_notes(configuration, registry)
        decider = Decider(notes_held, journal, registry, ledger, behaviour, expectations)
    cast = Cast(
        decider=decider,
        book=NoteBook.load(notes, seed),
        hospitals=Hospitals(registry, signer, opener, ledger, configuration.queues.inbound, behaviour),
        receivers=Receivers(registry, signer, opener, ledger, behaviour),
        behaviour=behaviour,
        expectations=expectations,
        ledger=ledger,
        settlement=Settlement(ledger, registry, expectations, journal_receivers(journal)),
    )
    return Simulation(cast, lambda: stores.connect_queue(configuration), journal, observer), cast
