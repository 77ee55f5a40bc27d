"""The receipt for one message, without the service (`apprec`)."""

from __future__ import annotations

from datetime import UTC, datetime

from gateway.contracts.errors import GatewayError
from gateway.contracts.findings import Disposition
from gateway.contracts.identifiers import derived_id
from gateway.contracts.messages import Format, Head
from gateway.contracts.receipts import ErrorCode, Fault, ReceiptStatus, fault
from gateway.contracts.registry import Registry
from gateway.contracts.transport_headers import OSLO
from gateway.formats import answer, write_apprec
from gateway.intake.intake import Intake, Opened, RefusedError
from gateway.ops.composition import adapter_set, intake, open_registry, rule_settings, schema_set
from gateway.ops.configuration import Configuration
from gateway.ops.conversion import stateless_intake
from gateway.pipeline.assessment import judge, read_note
from gateway.pipeline.rules import RuleSettings
from gateway.receipts.answers import Answers, faults_of


class NoReceiptError(GatewayError):
    """No AppRec may be sent for this message."""

    code = "no-receipt"


def receipt_for(
    data: bytes,
    *,
    configuration: Configuration | None,
    any_receiver: bool,
    accept_other: bool,
) -> bytes:
    """The AppRec to the sender of a message, for its first receiver.

    Raises:
        NoReceiptError: none may be sent, and why.
    """
    registry = open_registry(configuration) if configuration is not None else None
    way_in = (
        intake(configuration, schema_set(configuration)) if configuration is not None else stateless_intake()
    )
    head, message_format, status, faults = _decision(
        way_in, data, registry, configuration, accept_other=accept_other
    )
    if head.sender is None or not head.sender.identifiable:
        raise NoReceiptError("the sender can not be read")
    if not head.receivers:
        raise NoReceiptError("the message names no receiver")
    own = configuration.gateway.her_id if configuration is not None else ""
    if not any_receiver and (registry is None or not Answers(registry, own).serves(head)):
        raise NoReceiptError(
            "no receiver of the message is ours",
            hint="-c FILE names the register; --any-receiver takes it as addressed to us",
        )
    receipt = answer(
        head,
        message_format,
        receiver_index=0,
        status=status,
        faults=faults,
        id=derived_id("apprec", head.msg_id, 0),
        at=datetime.now(UTC).astimezone(OSLO).replace(microsecond=0),
    )
    return write_apprec(receipt)


def _decision(
    way_in: Intake,
    data: bytes,
    registry: Registry | None,
    configuration: Configuration | None,
    *,
    accept_other: bool,
) -> tuple[Head, Format, ReceiptStatus, tuple[Fault, ...]]:
    try:
        opened = way_in.open(data)
    except RefusedError as refused:
        if refused.head is None:
            raise NoReceiptError(f"the sender can not be read ({refused.message})") from None
        return (
            refused.head,
            refused.format or Format.DIALOGMELDING_1_1,
            ReceiptStatus.REJECTED,
            refused.faults,
        )
    if opened.message is None:
        raise NoReceiptError("an AppRec is never answered with an AppRec")
    rules = rule_settings(configuration) if configuration is not None else RuleSettings()
    faults = _faults(opened, registry, rules, accept_other=accept_other)
    status = ReceiptStatus.REJECTED if faults else ReceiptStatus.OK
    return opened.message.head, opened.message.format, status, faults


def _faults(
    opened: Opened, registry: Registry | None, rules: RuleSettings, *, accept_other: bool
) -> tuple[Fault, ...]:
    message = opened.message
    if message is None:
        return ()
    reading = read_note(message, adapter_set(), registry)
    assessment = judge(reading, registry, rules)
    if accept_other and not assessment.is_note:
        return _patient_faults(opened)
    if assessment.disposition in (Disposition.REJECT, Disposition.WITHHOLD):
        return faults_of(assessment.findings)
    return ()


def _patient_faults(opened: Opened) -> tuple[Fault, ...]:
    """E36 where the patient of any other message can not be identified (HIS 80415:2012, 3.3.4)."""
    patient = opened.message.head.patient if opened.message is not None else None
    if patient is None:
        return ()
    named = any((patient.name, patient.family_name, patient.given_name))
    has_identifier = any(i.id.strip() for i in patient.identifiers)
    described = patient.birth_date is not None and patient.sex is not None
    if named and (has_identifier or described):
        return ()
    return (
        fault(
            ErrorCode.PATIENT_INSUFFICIENT,
            "Oppgi navn med fødselsnummer, eller navn med fødselsdato og kjønn.",
        ),
    )
