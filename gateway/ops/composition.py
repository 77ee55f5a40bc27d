"""The composition root: builds everything from a configuration."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from adapters import installed
from gateway.contracts.audit import AuditAction
from gateway.contracts.errors import LocalError
from gateway.contracts.ports import AdapterSet, MessageSigner, MessageVerifier, Vault
from gateway.contracts.queues import Queue
from gateway.contracts.registry import Registry
from gateway.contracts.spans import NO_SPANS
from gateway.intake.intake import Intake, IntakePolicy
from gateway.journal.sql_journal import SqlJournal
from gateway.ops.auditing import audit_entry
from gateway.ops.configuration import Configuration
from gateway.ops.instruments import UNWATCHED, Instruments
from gateway.ops.queue_names import all_queues, inbound_queues, returned_queues
from gateway.ops.security import message_opener, message_signer, message_verifier, packing
from gateway.ops.stores import connect_queue, open_journal, open_vault
from gateway.ops.way_back import PROCESSING_STATUS, WayBack, deviations, way_back
from gateway.pipeline.circuits import CircuitSettings
from gateway.pipeline.dispatch import Dispatcher, DispatchSettings
from gateway.pipeline.distribution import Distribution, DistributionPolicy
from gateway.pipeline.flow import Flow, now
from gateway.pipeline.held import HeldNotes
from gateway.pipeline.notes import NoteHandler, NotePolicy
from gateway.pipeline.outbox import Outbox, RetrySettings
from gateway.pipeline.packing import Packing
from gateway.pipeline.quarantine import Attempts, Quarantine
from gateway.pipeline.reception import QueueRoles, Reception
from gateway.pipeline.resending import Resending
from gateway.pipeline.retention import Retention
from gateway.pipeline.rewriting import Rewriting
from gateway.pipeline.rules import RuleSettings
from gateway.pipeline.service import IntakeGate, Service, ServiceSettings
from gateway.receipts.answers import Answers
from gateway.receipts.deadlines import Deadlines
from gateway.receipts.notices import Notices
from gateway.receipts.relay import RelayPolicy
from gateway.routing.watched_register import OfRegister, WatchedRegister
from gateway.security.gate import Limits
from schemas import SchemaSet, default_official_directory

_DRAINING = 0.8
"""How much of the time to stop in what is due still goes out; the rest is for what is under way"""

log = structlog.get_logger()


def schema_set(configuration: Configuration | None = None) -> SchemaSet:
    """The project's schemas, and the official ones where they were added."""
    if configuration is not None and configuration.schemas.official is not None:
        return SchemaSet(configuration.path(configuration.schemas.official))
    return SchemaSet(default_official_directory())


def adapter_set() -> AdapterSet:
    """The adapters that are installed."""
    return installed()


def rule_settings(configuration: Configuration) -> RuleSettings:
    """What the deployment says of findings."""
    return RuleSettings(severities=configuration.rules.severity, repeat_days=configuration.rules.repeat_days)


def intake(
    configuration: Configuration, schemas: SchemaSet, verifier: MessageVerifier | None = None
) -> Intake:
    """The way in; signatures are checked as the configuration says, unless another verifier is given."""
    return Intake(
        schemas,
        verifier or message_verifier(configuration),
        IntakePolicy(
            limits=Limits(max_bytes=configuration.limits.message_bytes),
            require_signature=frozenset(configuration.signing.require),
            message_id_must_be_uuid=configuration.rules.message_id_must_be_uuid,
            profile=configuration.gateway.profile,
            attachment_types=_refused_otherwise(configuration),
            attachment_bytes=configuration.limits.attachment_bytes,
        ),
    )


def _refused_otherwise(configuration: Configuration) -> tuple[str, ...] | None:
    return configuration.formats.attachments if configuration.rules.other_attachments == "reject" else None


def _seconds(value: float) -> timedelta:
    return timedelta(seconds=value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A service with what it holds open."""

    service: Service
    queue: Queue
    journal: SqlJournal
    deadlines: Deadlines

    def close(self) -> None:
        """Give everything back."""
        self.queue.close()
        self.journal.close()


def build_worker(
    configuration: Configuration,
    *,
    clock: Callable[[], datetime] = now,
    instruments: Instruments = UNWATCHED,
) -> Worker:
    """Put a worker together; the clock tells it the time, in UTC.

    Raises:
        LocalError: something of ours is not in order (configuration, register, keys).
        TransientError: queue or journal can not be reached.
    """
    registry = WatchedRegister(configuration.path(configuration.registry.file))
    vault = open_vault(configuration)
    with ExitStack() as opened:
        journal = open_journal(configuration, vault)
        opened.callback(journal.close)
        journal.acquire_exclusive("gateway")
        if instruments.observe is not None or instruments.spans is not NO_SPANS:
            journal.observe = instruments.told
        queue = instruments.measured(connect_queue(configuration))
        opened.callback(queue.close)
        queue.declare(all_queues(configuration, registry))
        worker = _worker(configuration, registry, vault, journal, queue, clock, instruments)
        opened.pop_all()
    return worker


def dispatcher(configuration: Configuration, schemas: SchemaSet, signer: MessageSigner) -> Dispatcher:
    """Writes a note for one receiver."""
    return Dispatcher(
        schemas,
        signer,
        DispatchSettings(
            preference=configuration.formats.preference,
            plo_message=configuration.formats.plo_message,
            processing_status=PROCESSING_STATUS[configuration.gateway.profile],
            sign=configuration.signing.sign_outgoing,
        ),
    )


def resending(configuration: Configuration, registry: Registry) -> Resending:
    """Sends again.

    Raises:
        LocalError: no key can be used.
    """
    signer = message_signer(configuration)
    rewriting = Rewriting(
        registry,
        dispatcher(configuration, schema_set(configuration), signer),
        attachment_types=configuration.formats.attachments,
    )
    return Resending(registry, rewriting, signer, sign=configuration.signing.sign_outgoing)


def distribution(
    configuration: Configuration, registry: Registry, answers: Answers, schemas: SchemaSet
) -> Distribution:
    """Writes the messages to receivers.

    Raises:
        LocalError: no key can be used.
    """
    return Distribution(
        registry,
        dispatcher(configuration, schemas, message_signer(configuration)),
        answers,
        DistributionPolicy(
            own_her_id=configuration.gateway.her_id,
            refuse_unknown_service=configuration.rules.unknown_service == "reject",
            attachment_types=configuration.formats.attachments,
            relay=RelayPolicy(
                answered_by=configuration.receipts.answered_by, by_sender=configuration.receipts.by_sender
            ),
        ),
    )


def held_notes(configuration: Configuration, registry: Registry) -> HeldNotes:
    """Does what a person decides on held notes.

    Raises:
        LocalError: no key can be used.
    """
    answers = Answers(registry, configuration.gateway.her_id)
    told = deviations(configuration, registry)
    return HeldNotes(
        registry=registry,
        distribution=distribution(configuration, registry, answers, schema_set(configuration)),
        answers=answers,
        deviations=told,
        notices=Notices(told, configuration.rules.tell_sender),
        rules=rule_settings(configuration),
    )


def build_way_back(
    configuration: Configuration,
    registry: Registry,
    vault: Vault,
    journal: SqlJournal,
    clock: Callable[[], datetime] = now,
) -> WayBack:
    """Put together what handles everything that comes back.

    Raises:
        LocalError: no key can be used.
    """
    return way_back(
        configuration,
        registry,
        journal=journal,
        vault=vault,
        answers=Answers(registry, configuration.gateway.her_id),
        readdressing=resending(configuration, registry),
        schemas=schema_set(configuration),
        clock=clock,
    )


def build_flow(
    configuration: Configuration,
    registry: Registry,
    vault: Vault,
    journal: SqlJournal,
    back: WayBack,
    clock: Callable[[], datetime] = now,
) -> tuple[Reception, Flow]:
    """Put together what takes messages apart, and what acts on them.

    Raises:
        LocalError: no key can be used.
    """
    schemas = schema_set(configuration)
    answers = Answers(registry, configuration.gateway.her_id)
    reception = Reception(
        intake(configuration, schemas),
        adapter_set(),
        registry,
        QueueRoles(
            inbound=configuration.queues.inbound,
            own_her_id=configuration.gateway.her_id,
            returned=OfRegister(registry, lambda: returned_queues(configuration, registry)),
        ),
        message_opener(configuration),
    )
    flow = Flow(
        journal=journal,
        registry=registry,
        reception=reception,
        notes=NoteHandler(
            registry=registry,
            distribution=distribution(configuration, registry, answers, schemas),
            answers=answers,
            notices=back.notices,
            vault=vault,
            policy=NotePolicy(
                rules=rule_settings(configuration),
                refuse_unknown_service=configuration.rules.unknown_service == "reject",
            ),
        ),
        receipts=back.receipts,
        replies=back.replies,
        clock=clock,
        transport=back.transport,
    )
    return reception, flow


def _worker(
    configuration: Configuration,
    registry: WatchedRegister,
    vault: Vault,
    journal: SqlJournal,
    queue: Queue,
    clock: Callable[[], datetime],
    instruments: Instruments,
) -> Worker:
    names = inbound_queues(configuration, registry)
    served = registry.current
    back = build_way_back(configuration, registry, vault, journal, clock)
    reception, flow = build_flow(configuration, registry, vault, journal, back, clock)
    retention = _retention(configuration, journal, clock)

    def periodically() -> None:
        instruments.beat()
        follow_register()
        back.deadlines.check()
        retention.check()

    attempts = Attempts(journal, most=configuration.flow.poison_attempts, clock=clock)
    outbox = _outbox(
        configuration, journal, queue, attempts, packing(configuration, registry), back.deadlines, clock
    )
    reception.spans = flow.spans = outbox.spans = instruments.spans
    service = Service(
        queue,
        flow,
        outbox,
        intake=IntakeGate(journal),
        quarantine=Quarantine(attempts, registry, configuration.queues.inbound, clock),
        settings=ServiceSettings(
            names=names,
            group_size=configuration.flow.group_size,
            drain_seconds=_DRAINING * configuration.flow.stop_seconds,
        ),
        periodically=periodically,
    )

    def follow_register() -> None:
        """Make the queues that a changed register needs, and read those of a new hospital."""
        nonlocal served
        changed = registry.current
        if changed is served:
            return
        try:
            queue.declare(all_queues(configuration, changed))
        except LocalError as error:
            log.warning("queues-not-made", error=error.code, hint=error.message)
        service.names[:] = inbound_queues(configuration, changed)
        # Last: where the broker can not be reached, the next turn tries it again.
        served = changed

    return Worker(service=service, queue=queue, journal=journal, deadlines=back.deadlines)


def _outbox(
    configuration: Configuration,
    journal: SqlJournal,
    queue: Queue,
    attempts: Attempts,
    packed: Packing,
    deadlines: Deadlines,
    clock: Callable[[], datetime],
) -> Outbox:
    settings = configuration.flow
    return Outbox(
        journal,
        queue,
        RetrySettings(
            first=_seconds(settings.retry_first_seconds),
            longest=_seconds(settings.retry_longest_seconds),
            give_up_after=_seconds(settings.give_up_after_hours * 3600),
            circuit=CircuitSettings(
                faults=settings.circuit_faults,
                first=_seconds(settings.retry_first_seconds),
                longest=_seconds(settings.circuit_longest_seconds),
            ),
        ),
        clock,
        group_size=4 * settings.group_size,
        envelope=packed.envelope,
        given_up=deadlines.given_up,
        attempts=attempts,
    )


def _retention(configuration: Configuration, journal: SqlJournal, clock: Callable[[], datetime]) -> Retention:
    section = configuration.retention
    return Retention(
        journal,
        section.periods() if section.automatic else {},
        lambda done: audit_entry(AuditAction.DB_PURGE, detail=dict(done)),
        clock,
    )
