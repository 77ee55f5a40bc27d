"""The way back, put together: receipts, deviations, replies, deadlines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.contracts.journal import Journal
from gateway.contracts.ports import Vault
from gateway.contracts.registry import Registry
from gateway.ops.configuration import Configuration
from gateway.ops.security import message_signer
from gateway.pipeline.flow import TransportHandlers, now
from gateway.receipts.addresses import AddressFaults, Readdressing
from gateway.receipts.answers import Answers
from gateway.receipts.deadlines import Deadlines, DeadlineSettings
from gateway.receipts.deviations import Deviations, Sender
from gateway.receipts.matching import ReceiptHandler
from gateway.receipts.notices import Notices
from gateway.receipts.passing import PassingOn
from gateway.receipts.replies import ReplyHandler
from gateway.receipts.returned import ReturnedHandler
from gateway.receipts.transport_faults import TransportFaults
from schemas import SchemaSet

PROCESSING_STATUS = {"production": "P", "test": "D", "training": "T"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WayBack:
    """What handles everything that comes back."""

    notices: Notices
    receipts: ReceiptHandler
    replies: ReplyHandler
    deadlines: Deadlines
    transport: TransportHandlers


def passing_on(configuration: Configuration, registry: Registry, schemas: SchemaSet) -> PassingOn:
    """Writes replies for their next reader.

    Raises:
        LocalError: no key can be used.
    """
    return PassingOn(
        registry, message_signer(configuration), schemas, sign=configuration.signing.sign_outgoing
    )


def deviations(configuration: Configuration, registry: Registry) -> Deviations:
    """Tells departments what went wrong.

    Raises:
        LocalError: no key can be used.
    """
    gateway = configuration.gateway
    return Deviations(
        registry,
        message_signer(configuration),
        Sender(
            name=gateway.name,
            her_id=gateway.her_id,
            processing_status=PROCESSING_STATUS[gateway.profile],
        ),
        sign=configuration.signing.sign_outgoing,
    )


def way_back(
    configuration: Configuration,
    registry: Registry,
    *,
    journal: Journal,
    vault: Vault,
    answers: Answers,
    readdressing: Readdressing,
    schemas: SchemaSet,
    clock: Callable[[], datetime] = now,
) -> WayBack:
    """Put it together.

    Raises:
        LocalError: no key can be used.
    """
    gateway, flow = configuration.gateway, configuration.flow
    told, addresses = deviations(configuration, registry), AddressFaults(readdressing)
    return WayBack(
        notices=Notices(told, configuration.rules.tell_sender),
        receipts=ReceiptHandler(registry, answers, told, addresses),
        replies=ReplyHandler(
            registry, answers, passing_on(configuration, registry, schemas), vault, own_her_id=gateway.her_id
        ),
        transport=TransportHandlers(
            faults=TransportFaults(registry, gateway.her_id), returned=ReturnedHandler(registry, told)
        ),
        deadlines=Deadlines(
            journal,
            told,
            addresses,
            DeadlineSettings(
                receipt=timedelta(hours=flow.receipt_deadline_hours),
                reply=timedelta(hours=flow.reply_deadline_hours),
                held_alert=timedelta(hours=flow.held_alert_hours),
            ),
            clock,
        ),
    )
